#ifndef RIG_ISSUE_RIG_H
#define RIG_ISSUE_RIG_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "x509/cert.h"
#include "x509/key.h"

#include <sys/types.h>

#include <stdbool.h>

/*
 * Issuer, signer and keeper as they are, with a test in the place of parent,
 * auth and front: what no other process could say to them can be said.  And, if
 * the CA's key is to be in a token, the process that has that.
 */
struct fault;

enum rig_role {
	RIG_ISSUER,
	RIG_SIGNER,
	RIG_KEEPER,
	RIG_ROLES,
	RIG_TOKEN = RIG_ROLES, /* only with wish.token */
	RIG_ROLES_MAX
};

struct rig_wish {
	const char *programs;	/* the folder of the roles' executables */
	const char *ca_key;	/* "ec:P-256" */
	const char *usage;	/* further lines of the profile */
	const char *lifetime;	/* of the profile: "12h" */
	const char *serial;	/* of ca.conf: "random" */
	const char *signer_key; /* PEM, if the signer gets another key */
	const char *token;	/* URI of the CA's key, whose PEM is in: */
	const char *token_key;
	const char *token_pin;
	const char *book; /* path of a ledger to begin with a copy of */
};

struct rig {
	char dir[64];
	char ledger[96];
	int roles; /* RIG_ROLES or RIG_ROLES_MAX */
	pid_t pid[RIG_ROLES_MAX];
	int control[RIG_ROLES_MAX];
	int auth;  /* to the issuer, as auth */
	int front; /* to the issuer, as front */
	struct key *ca_key;
	struct cert *ca;
	uint8_t *frame;
	uint8_t *answers;     /* a frame that the front has received */
	struct wire_in heard; /* of that: what is still to be told */
	struct fault *f;
	unsigned next_ticket;
};

/* Only the CA: rig->ca_key and rig->ca. */
void rig_make_ca(struct rig *rig, const char *kind);

/* Start all on a new ledger, or (rig_restart) on the one that is there.
 * A failure ends the program: a test has nothing to do without them. */
void rig_open(struct rig *rig, const struct rig_wish *wish);
void rig_restart(struct rig *rig, const struct rig_wish *wish);

/* Have them read ${wish} as at a SIGHUP; whether ${role} takes it over. */
bool rig_reload(struct rig *rig, const struct rig_wish *wish,
    enum rig_role role);

/* Whether ${role} said that it would not start (what it then said). */
bool rig_refuses(struct rig *rig, const struct rig_wish *wish,
    enum rig_role role);

/* End them; rig_close also removes the ledger. */
void rig_stop(struct rig *rig);
void rig_close(struct rig *rig);

/* Vouch for "user" with a new ticket, and ask for a certificate with it. */
void rig_vouch(struct rig *rig, const char *subject, uint8_t ticket[16]);
void rig_ask(struct rig *rig, uint32_t connection, const uint8_t ticket[16],
    struct wire_bytes csr);

/* Wait for the next message to the front end: false if the issuer has gone. */
bool rig_hear(struct rig *rig, struct msg *m);

/* A request for ${key}, to be freed with buf_free(). */
struct buf rig_request(const struct key *key);

#endif
