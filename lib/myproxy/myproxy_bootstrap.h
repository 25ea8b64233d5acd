#ifndef MYPROXY_MYPROXY_BOOTSTRAP_H
#define MYPROXY_MYPROXY_BOOTSTRAP_H

#include "base/checked.h"
#include "trust/store.h"
#include "x509/cert.h"

#include <time.h>

/* Trust on first sight (myproxy-logon -b; facts: PROTOCOL 11).  For
 * lib/myproxy only. */
struct fault;

/**
 * myproxy_bootstrap_check(chain, host, server_dn, now, f):
 * Whether the certificates that a server showed hold together: every one
 * signed by the next up to a root, the first naming ${host} (or being
 * ${server_dn}, if that is not NULL), none expired at ${now}.  It says nothing
 * of whether they are to be believed.
 */
CHECKED int myproxy_bootstrap_check(const struct cert_list *chain,
    const char *host, const char *server_dn, time_t now, struct fault *f);

/* Whether ${store} knows one of the authorities in ${chain}: then its word
 * stands, and there is nothing to bootstrap. */
bool myproxy_bootstrap_known(const struct trust_store *store,
    const struct cert_list *chain);

/**
 * myproxy_bootstrap_install(chain, dir, host, say, arg, f):
 * Install every certificate but the first as <hash>.0 in ${dir}, with a
 * signing policy that allows exactly the subject seen below it, all in one
 * step, as what was bootstrapped from ${host}; and ${say} whom the person
 * trusts from now on, by name and SHA-256 fingerprint.
 * Nothing that is there is overwritten (FAULT_DENIED).
 */
CHECKED int myproxy_bootstrap_install(const struct cert_list *chain,
    const char *dir, const char *host, void (*say)(void *arg, const char *line),
    void *arg, struct fault *f);

#endif
