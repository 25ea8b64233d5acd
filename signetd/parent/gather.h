#ifndef SIGNETD_PARENT_GATHER_H
#define SIGNETD_PARENT_GATHER_H

#include "base/buf.h"
#include "base/checked.h"
#include "ipc/msg.h"
#include "signetd/signetd_conf.h"

#include <stdbool.h>

/*
 * What the roles may hold: read from disk by the parent, which alone may be
 * root, and handed to each role that needs it and to no other.
 */
struct fault;

#define GATHER_MAX 160

struct gathered {
	char name[64];
	unsigned roles; /* bits 1 << MSG_ROLE_X: who gets it */
	bool once;	/* at the start only: keys of CAs */
	struct buf data;
};

struct gather {
	struct signetd_conf conf;
	bool token[CONF_LIST_MAX];  /* whether the key of CA n is in a token;
				     * then "ca.N.key" stays empty */
	char ca[CONF_LIST_MAX][64]; /* what each is called */
	size_t count;
	struct gathered item[GATHER_MAX];
};

/**
 * gather_read(g, conf_path, f):
 * Read the configuration and every file that it names, and check that they
 * make sense together: CAs and their certificates, profiles and the CAs that
 * they name, TLS keys private to us.  gather_clear() it in any case.
 */
CHECKED int gather_read(struct gather *g, const char *conf_path,
    struct fault *f);

/* Whether anybody may hand in requests by signet-issue; whether people are
 * vouched for at all, by logging in or so. */
bool gather_has_intake(const struct signetd_conf *conf);
bool gather_has_auth(const struct signetd_conf *conf);

/* Whether the key of any CA is in a token. */
bool gather_has_token(const struct gather *g);

/* Ask for the pass phrases of encrypted CA keys, where key-passphrase says. */
CHECKED int gather_phrases(struct gather *g, struct fault *f);

/* Wipe and drop what was needed only once. */
void gather_forget_once(struct gather *g);
void gather_clear(struct gather *g);

#endif
