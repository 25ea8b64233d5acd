#ifndef SIGNET_MAP_ASK_MAP_CREDENTIAL_H
#define SIGNET_MAP_ASK_MAP_CREDENTIAL_H

#include "base/checked.h"
#include "x509/proxy.h"

#include <stdbool.h>

/*
 * The certificate that a person means: the one he names; else
 * ~/.globus/usercert.pem with userkey.pem, or where X509_USER_CERT and
 * X509_USER_KEY say; else his proxy, X509_USER_PROXY or /tmp/x509up_u<uid>.
 */
struct fault;

struct map_credential_wish {
	const char *certificate; /* NULL where nothing was said */
	const char *key;
	const char *proxy;
	bool phrase_stdin;
	bool no_key; /* only whose it is */
};

/* Load it; a pass phrase is asked for at the terminal.  FAULT_ABSENT names
 * where was looked.  credential_clear() it, whatever was returned. */
CHECKED int map_credential_open(const struct map_credential_wish *wish,
    struct credential *c, struct fault *f);

/* Its name below all proxies. */
CHECKED int map_credential_name(const struct credential *c, char *name,
    size_t size, struct fault *f);

#endif
