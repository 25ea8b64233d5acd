#ifndef AUTH_TALK_H
#define AUTH_TALK_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "ipc/msg.h"
#include "krb/krb_gss.h"
#include "signetd/auth/pool.h"
#include "signetd/auth/principal.h"
#include "x509/dn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One conversation about one login, and the table of those that go on: by the
 * front process and its number for the connection.
 */
struct auth;
struct channel;
struct fault;
struct talk_table;

#define TALKS_MAX 8192
#define TALK_PHRASE_MAX 1024   /* as AUTH_ASK has it */
#define TALK_CHALLENGE_SIZE 33 /* 32 hexadecimal digits */

enum talk_state {
	TALK_PASSWORD, /* workers try the password, one mechanism at a time */
	TALK_OFFERED,  /* the client chooses a method */
	TALK_SASL,     /* Kerberos goes back and forth */
	TALK_READING,  /* a list is read that its certificate is judged by */
	TALK_MAPPING,  /* proven; a worker looks for the subject */
};

struct talk {
	struct talk *next; /* in its row of the table */
	struct pool_job job;
	struct auth *auth;
	struct channel *front; /* NULL: nobody listens any more */
	uint32_t connection;
	bool call; /* a call-out's: the front is the intake */
	enum talk_state state;
	char ref[16];
	char peer[64];
	char username[256]; /* as it was typed */
	char profile[64];
	char principal[PRINCIPAL_SIZE];
	char name[PRINCIPAL_SIZE]; /* the part of it that passwords know */
	const char *method;	   /* of conf.auth, as the log names it */
	size_t next_auth;	   /* of conf.auth, to try next */
	struct secret *phrase;
	bool tried;  /* some mechanism was asked */
	bool denied; /* some mechanism said no */
	uint32_t offered;
	char challenge_sha1[TALK_CHALLENGE_SIZE];
	char challenge_sha256[TALK_CHALLENGE_SIZE];
	struct krb_gss *gss;
	struct buf answer; /* while TALK_READING: what the client sent */
	bool has_identity; /* the certificate method: must be the subject */
	struct dn identity;
	char shown_issuer[512]; /* of the certificate that was shown, or "" */
	char shown_serial[48];	/* in hexadecimal */
};

CHECKED struct talk_table *talk_table_new(struct fault *f);

/* Its conversations must have been freed or abandoned. */
void talk_table_free(struct talk_table *t);

/* A new one, with nothing in it but its key.  FAULT_BUSY if there are too
 * many; FAULT_INPUT if that connection has one. */
CHECKED struct talk *talk_new(struct talk_table *t, struct channel *front,
    uint32_t connection, struct fault *f);

/* Copy ${phrase}, not empty, of at most TALK_PHRASE_MAX bytes, into
 * talk->phrase, which had none. */
CHECKED int talk_keep_phrase(struct talk_table *t, struct talk *talk,
    struct wire_bytes phrase, struct fault *f);

/* The one of that connection, or NULL. */
struct talk *talk_find(struct talk_table *t, const struct channel *front,
    uint32_t connection);

/* Nobody listens any more: it is not found again.  It is freed at once, or,
 * while a worker has its question, when that is answered. */
void talk_abandon(struct talk_table *t, struct talk *talk);

/* The same for all of a front process that has gone. */
void talk_abandon_all(struct talk_table *t, const struct channel *front);

/* ${fn} with each that somebody listens to; it may end that one. */
void talk_each(struct talk_table *t, void (*fn)(struct talk *talk));

/* Wipe and free; no worker may have its question. */
void talk_free(struct talk_table *t, struct talk *talk);

#endif
