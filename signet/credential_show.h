#ifndef SIGNET_CREDENTIAL_SHOW_H
#define SIGNET_CREDENTIAL_SHOW_H

#include "base/checked.h"
#include "x509/dn.h"

#include <stdbool.h>
#include <stdint.h>

/* A credential for people. */
struct credential;
struct fault;

struct credential_names {
	char subject[DN_TEXT_MAX];
	char issuer[DN_TEXT_MAX];
	char identity[DN_TEXT_MAX]; /* below all proxies */
};

/* Names of the leaf, in slash form or as RFC 2253 has them. */
CHECKED int credential_names(const struct credential *c, bool rfc2253,
    struct credential_names *names, struct fault *f);

/* "11:59:58", and past a day "  (8.3 days)" after it; expired: "0:00:00". */
#define CREDENTIAL_LEFT_SIZE 48
void credential_left(int64_t seconds, char text[CREDENTIAL_LEFT_SIZE]);

/* "Sun Nov 22 14:37:19 2026", local time. */
#define CREDENTIAL_WHEN_SIZE 40
void credential_when(int64_t when, char text[CREDENTIAL_WHEN_SIZE]);

#endif
