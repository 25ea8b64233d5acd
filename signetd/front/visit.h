#ifndef FRONT_VISIT_H
#define FRONT_VISIT_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/rand.h"
#include "base/wire.h"
#include "ipc/msg.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One client's visit: the MyProxy conversation from the GSI byte to the last
 * OK (facts: PROTOCOL 1.1 to 7), without sockets, TLS or clocks.  Bytes and
 * messages of other roles come in; records and messages go out.
 */
struct reply;
struct visit;

/* The most that a client's unread bytes may fill. */
#define VISIT_IN_MAX 131072u
/* Records that may wait to be sent: the byte of TLS 1.3, an answer, the
 * certificates, the last OK. */
#define VISIT_OUT_MAX 4u
/* How long a request without NUL must be followed by nothing. */
#define VISIT_QUIET_MS 200

enum visit_state {
	VISIT_FLAG,    /* the one byte of GSI */
	VISIT_REQUEST, /* text, up to its NUL */
	VISIT_ASKED,   /* auth has been asked who it is */
	VISIT_CHOICE,  /* the client chooses a method, and proves */
	VISIT_PROVING, /* auth has the proof */
	VISIT_CSR,     /* a certificate request */
	VISIT_SIGNING, /* the issuer has it */
	VISIT_OVER     /* what waits is sent, and then no more */
};
#define VISIT_STATES (VISIT_OVER + 1)

/* What a visit asks of the house. */
struct visit_house {
	void *arg;
	/* Carry a message to auth or to the issuer. */
	int (*say)(void *arg, const struct msg *m, struct fault *f);
	/* The trust roots as a whole OK answer; a use of it is the caller's.
	 * NULL if there are none to give. */
	struct reply *(*trustroots)(void *arg);
	/* A certificate was handed over. */
	void (*served)(void *arg);
};

/* A record to send: its own bytes, or an answer that many share. */
struct visit_record {
	struct buf own;
	struct reply *shared;
};

struct visit {
	const struct visit_house *house;
	uint32_t id;
	enum visit_state state;
	char ref[RAND_REF_SIZE];
	char *peer;	/* address, for the log */
	char *identity; /* of the TLS client, or NULL */
	bool limited;
	char *username; /* once it is known */
	struct buf in;
	size_t records; /* that the unread request came in */
	struct visit_record out[VISIT_OUT_MAX];
	size_t out_count;
	bool in_clear; /* refused before MyProxy began: say so without TLS */
	bool refused;
	bool tells_time; /* in its refusal: for doctors of clocks */
	bool auth_open;	 /* auth remembers us */
	bool trusted_certs;
	uint32_t lifetime;
	uint32_t offered; /* methods, as bits 1 << number */
	uint32_t method;  /* chosen, 0: none yet */
	bool sasl_begun;  /* the mechanism list was sent */
	bool sasl_chosen; /* and the client has chosen from it */
	uint8_t ticket[16];
};

/* A visit of ${peer}, known to other roles as ${id}.  -1 without memory. */
CHECKED int visit_begin(struct visit *v, const struct visit_house *house,
    uint32_t id, const char *peer, struct fault *f);
/* Auth is told if it still waits.  The struct is the caller's. */
void visit_end(struct visit *v);

/* The client showed a certificate that names it ${identity}. */
CHECKED int visit_identify(struct visit *v, const char *identity, bool limited,
    struct fault *f);

/* The TLS handshake is done. */
void visit_greet(struct visit *v, bool tls_13);

/* One record of the client's has come. */
void visit_bytes(struct visit *v, const void *data, size_t len);
/* Nothing more has come for VISIT_QUIET_MS. */
void visit_quiet(struct visit *v);
/* Whether visit_quiet wants to be told. */
bool visit_minds_quiet(const struct visit *v);
/* Whether more bytes are welcome. */
bool visit_reads(const struct visit *v);

/* Auth or the issuer has answered. */
void visit_heard(struct visit *v, const struct msg *m);

/* Answer with an error, if nothing worse has happened, and end. */
void visit_refuse(struct visit *v, enum fault_code code);
void visit_refuse_saying(struct visit *v, enum fault_code code,
    const char *text);

/* The next record to send, if there is one; and that it has been sent. */
bool visit_out(const struct visit *v, struct wire_bytes *record);
void visit_sent(struct visit *v);

/* Queue a record, which is taken over; for ${shared} one use of it is. */
void visit_put(struct visit *v, struct buf *record);
void visit_put_shared(struct visit *v, struct reply *shared);
void visit_put_ok(struct visit *v);

/* Say ${m} for this visit, or refuse it if that cannot be. */
CHECKED int visit_say(struct visit *v, const struct msg *m);

#endif
