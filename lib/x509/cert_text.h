#ifndef X509_CERT_TEXT_H
#define X509_CERT_TEXT_H

#include "base/checked.h"

#include <stdbool.h>
#include <stdio.h>

struct cert;
struct fault;

/* Write all that ${cert} says to ${out}, as `openssl x509 -text -noout` does;
 * by OpenSSL, whose layout people know.  ${tight}: names without blanks around
 * '=' and Globus's own OIDs by name, as its tools write them. */
CHECKED int cert_text(const struct cert *cert, bool tight, FILE *out,
    struct fault *f);

#endif
