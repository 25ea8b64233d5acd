#ifndef SIGNETD_ISSUER_READY_H
#define SIGNETD_ISSUER_READY_H

#include "base/checked.h"
#include "conf/conf.h"
#include "ipc/msg.h"
#include "x509/authority.h"

#include <stdbool.h>

/*
 * Which CAs can sign now.  One whose key is in a token can when the signer has
 * said so; until then, and when the token is lost, whoever asks is refused
 * before a serial is taken.
 */
struct fault;

struct ready {
	size_t count;
	struct {
		char ca[64];
		bool ready;
	} said[CONF_LIST_MAX];
};

void ready_hear(struct ready *ready, const struct msg_ca_ready *m);

/* FAULT_SUSPENDED if ${a} cannot sign now. */
CHECKED int ready_check(const struct ready *ready, const struct authority *a,
    struct fault *f);

#endif
