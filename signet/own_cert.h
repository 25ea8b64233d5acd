#ifndef SIGNET_OWN_CERT_H
#define SIGNET_OWN_CERT_H

#include "base/checked.h"
#include "base/secret.h"
#include "place.h"

#include <stdbool.h>

/*
 * A person's own long-lived certificate and key: ~/.globus/usercert.pem and
 * userkey.pem, or usercred.p12, as the grid tools look for them.
 */
struct call;
struct credential;
struct fault;

struct own_cert {
	char cert[PLACE_SIZE]; /* a PKCS#12 bundle, if key is empty */
	char key[PLACE_SIZE];
};

/**
 * own_cert_find(cert, key, own, f):
 * ${cert} and ${key} if given, else X509_USER_CERT and X509_USER_KEY, else in
 * ~/.globus (HOME is honoured).  FAULT_ABSENT names the paths that were
 * tried.
 */
CHECKED int own_cert_find(const char *cert, const char *key,
    struct own_cert *own, struct fault *f);

/* How the pass phrase is had. */
struct own_cert_ask {
	bool from_stdin;
	const char *prompt;
};

/**
 * own_cert_chain(own, c, f), own_cert_key(own, ask, c, f):
 * Load the certificates, and then the key, which may take a pass phrase:
 * asked for at the terminal, and once more if it is wrong (FAULT_LOGIN).  A key
 * that others can read is FAULT_DENIED, with the command that mends it.
 * own_cert_chain of a PKCS#12 bundle leaves ${c} empty.
 */
CHECKED int own_cert_chain(const struct own_cert *own, struct credential *c,
    struct fault *f);
CHECKED int own_cert_key(const struct own_cert *own,
    const struct own_cert_ask *ask, struct credential *c, struct fault *f);

/* Whether ${path} is called like a PKCS#12 bundle: ".p12", ".pfx". */
bool own_cert_is_bundle(const char *path);

/* ~/.globus/${name}. */
CHECKED int own_cert_place(const char *name, char path[PLACE_SIZE],
    struct fault *f);

#endif
