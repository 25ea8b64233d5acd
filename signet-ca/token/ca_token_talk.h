#ifndef SIGNET_CA_CA_TOKEN_TALK_H
#define SIGNET_CA_CA_TOKEN_TALK_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/secret.h"
#include "base/wire.h"
#include "ca_token.h"

/*
 * What is said between signet-ca and the process that holds the module: one
 * datagram a question, one an answer.  A question is its verb and the octets it
 * is about; they travel in a struct secret, since they may be a PIN.
 */
struct fault;

enum talk_verb {
	TALK_OPEN,     /* a PKCS#11 URI */
	TALK_PIN,      /* one, for the next login */
	TALK_PIN_KEEP, /* one, for all that come */
	TALK_PAD,      /* none: it is entered at the reader */
	TALK_LOGIN,    /* the CA's SubjectPublicKeyInfo */
	TALK_MAKE,     /* a kind of key */
	TALK_SHOW,
	TALK_PUT,  /* a certificate */
	TALK_SIGN, /* a digest */
	TALK_COUNT
};

#define TALK_DATA_MAX 16384
#define TALK_MAX (TALK_DATA_MAX + 512)

struct talk_answer {
	enum fault_code code;
	char text[240];
	struct ca_token_info info;
	struct wire_bytes data; /* borrowed from the datagram */
};

/* Write ${answer} into the ${size} octets at ${room}; how many it takes, or 0
 * if it does not fit. */
size_t talk_write(const struct talk_answer *answer, uint8_t *room, size_t size);

/* The reverse; FAULT_INTERNAL for what is no answer: the module may have
 * written over what it could reach. */
CHECKED int talk_read(struct talk_answer *answer, struct wire_bytes datagram,
    struct fault *f);

/* Send and receive one.  talk_hear: the octets into ${room} (all of it, when
 * they do not fit: FAULT_INTERNAL); 1, or 0 when the other has gone. */
CHECKED int talk_ask(int fd, enum talk_verb verb, struct wire_bytes data,
    struct fault *f);
CHECKED int talk_hear(int fd, uint8_t *verb, uint8_t *room, size_t size,
    size_t *len, struct fault *f);

#endif
