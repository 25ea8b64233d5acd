#ifndef SIGNET_CA_CA_FIRST_LIST_H
#define SIGNET_CA_CA_FIRST_LIST_H

#include "base/checked.h"
#include "x509/key.h"

/*
 * signetd makes the revocation lists of the CA it signs with, but the first:
 * that one is made with the CA, and goes to crl.pem in its directory.  Both do
 * nothing for a CA that signetd does not serve, or where the list is there.
 */
struct fault;

/* That of the CA in ${dir}, whose key is borrowed. */
CHECKED int ca_first_list(const char *dir, struct key *key, struct fault *f);

/* The same, with the key as ca_dir_unlock() has it; and the certificate is put
 * beside a key in a token, whether a list is wanted or not. */
CHECKED int ca_first_list_unlock(const char *dir, const char *passphrase_fd,
    struct fault *f);

#endif
