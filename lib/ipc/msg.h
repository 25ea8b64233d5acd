#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the processes of one daemon say to each other.  The list is msg.def;
 * everything here is made from it.
 */

/* Opaque types. */
struct fault;

enum msg_role {
	MSG_ROLE_PARENT, /* starts the others, hears no stranger */
	MSG_ROLE_FRONT,	 /* TLS and the MyProxy protocol */
	MSG_ROLE_AUTH,	 /* vouches for identities */
	MSG_ROLE_WORKER, /* what blocks: crypt(3), LDAP, call-outs */
	MSG_ROLE_PAM,	 /* PAM, without no_new_privs */
	MSG_ROLE_ISSUER, /* policy, profile, builds the certificate */
	MSG_ROLE_SIGNER, /* the only holder of the CA key */
	MSG_ROLE_KEEPER, /* the ledger */
	MSG_ROLE_DESK,	 /* the office: administrators and requests */
	MSG_ROLE_TOKEN,	 /* one PKCS#11 module, one key in a token */
	MSG_ROLE_INTAKE, /* call-outs of a MyProxy server beside us */
	MSG_ROLE_COUNT,
	MSG_ROLE_ANY = MSG_ROLE_COUNT /* in msg.def: any role but the parent */
};

enum msg_type {
#define MSG(name, tag, speaker, hearer, fields) MSG_##name,
#include "ipc/msg.def"
#undef MSG
	MSG_COUNT
};

#define U32(name) uint32_t name;
#define U64(name) uint64_t name;
#define TEXT(name, size) char name[size];
#define BYTES(name, max) struct wire_bytes name; /* borrowed from the frame */
#define MSG(name, tag, speaker, hearer, fields) \
	struct msg_##tag {                      \
		fields                          \
	};
#include "ipc/msg.def"
#undef MSG
#undef U32
#undef U64
#undef TEXT
#undef BYTES

struct msg {
	enum msg_type type;
	union {
#define MSG(name, tag, speaker, hearer, fields) struct msg_##tag tag;
#include "ipc/msg.def"
#undef MSG
	};
};

#define MSG_MAX_FRAME 65536

/* Name of ${type} for logs, as in "SIGN_ASK". */
const char *msg_name(enum msg_type type);

/* Name of ${role}, as in "front". */
const char *msg_role_name(enum msg_role role);

/* Whether ${speaker} may say ${type} to ${hearer}. */
bool msg_allowed(enum msg_type type, enum msg_role speaker,
    enum msg_role hearer);

/* Whether a descriptor travels with ${type}: always or never. */
bool msg_carries_fd(enum msg_type type);

/**
 * msg_encode(m, frame, size, f):
 * Write ${m} to the ${size} bytes at ${frame}.
 * Return its length, or -1.
 */
CHECKED int msg_encode(const struct msg *m, uint8_t *frame, size_t size,
    struct fault *f);

/**
 * msg_decode(m, frame, len, speaker, hearer, f):
 * Read into ${m} a frame that ${hearer} received from ${speaker}.  Bytes in
 * ${m} are borrowed from ${frame}.  What ${speaker} may not say is a fault.
 */
CHECKED int msg_decode(struct msg *m, const uint8_t *frame, size_t len,
    enum msg_role speaker, enum msg_role hearer, struct fault *f);

#endif
