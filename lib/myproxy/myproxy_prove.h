#ifndef MYPROXY_MYPROXY_PROVE_H
#define MYPROXY_MYPROXY_PROVE_H

#include "base/checked.h"
#include "base/secret.h"
#include "myproxy/myproxy_client.h"
#include "myproxy/myproxy_link.h"

/* The client's answers to RESPONSE=2 (facts: PROTOCOL 5).  For lib/myproxy
 * only. */

/**
 * myproxy_prove(link, wish, phrase, offer, f):
 * Choose one of the methods in ${offer}, go through it, and leave the answer
 * that ended it (an OK) in ${offer}.  Order: the certificate, Kerberos, the
 * pass phrase, whichever of them ${wish} and ${phrase} (may be NULL) allow.
 */
CHECKED int myproxy_prove(struct myproxy_link *link,
    const struct myproxy_wish *wish, const struct secret *phrase,
    struct myproxy_response *offer, struct fault *f);

#endif
