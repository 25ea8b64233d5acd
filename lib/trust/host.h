#ifndef TRUST_HOST_H
#define TRUST_HOST_H

#include "x509/cert.h"

/* The name that a host certificate bears in its CN. */

#define HOST_NAME_SIZE 256

/**
 * host_from_cn(cert, host):
 * If ${cert} has no dNSName and its last CN looks like a host's name, alone
 * or as in "host/a.org" and "myproxy/a.org": true, and the name.
 */
bool host_from_cn(const struct cert *cert, char host[HOST_NAME_SIZE]);

#endif
