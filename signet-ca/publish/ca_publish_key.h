#ifndef SIGNET_CA_CA_PUBLISH_KEY_H
#define SIGNET_CA_CA_PUBLISH_KEY_H

#include "base/buf.h"
#include "base/checked.h"
#include "ca_publish_set.h"

/*
 * The publication key: ECDSA on P-256, which `openssl dgst -sha256 -verify`
 * checks.  FILE is the private half, FILE.pub the public one; only a new
 * tarball needs the private half.
 */
struct fault;

struct publish_key {
	char path[PATH_MAX];
	struct buf pem; /* of the public half */
	struct buf der; /* SubjectPublicKeyInfo */
	struct spki spki;
};

/* Read the public half.  FAULT_ABSENT says how to make one; FAULT_DENIED if it
 * is the key of a CA of ${s}. */
CHECKED int publish_key_open(struct publish_key *k,
    const struct publish_conf *c, const struct publish_set *s, struct fault *f);
void publish_key_clear(struct publish_key *k);

/* Whether ${signature} over ${data} was made with it. */
bool publish_key_made(const struct publish_key *k, const struct buf *data,
    const struct buf *signature);

/* Append a signature over ${data}; the pass phrase of an encrypted key comes
 * from descriptor ${fd}, or is asked for. */
CHECKED int publish_key_sign(const struct publish_key *k, const char *fd,
    const struct buf *data, struct buf *signature, struct fault *f);

#endif
