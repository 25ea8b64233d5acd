#ifndef LEDGER_LEDGER_EXPOSED_H
#define LEDGER_LEDGER_EXPOSED_H

#include "ledger/ledger.h"

/* Keys that others may know. */
struct fault;

/* FAULT_DENIED if a certificate in this ledger, of whatever CA, has the key
 * ${spki} (the DER of its SubjectPublicKeyInfo) and was revoked since that is
 * or may be known to others (keyCompromise, RFC 5280 5.3.1): it says which.
 * Walks over all that was ever revoked; works on a ledger opened to read, too.
 */
CHECKED int ledger_key_refuse(struct ledger *l, struct wire_bytes spki,
    struct fault *f);

#endif
