#ifndef SIGNET_MAP_BASE_MAP_SAY_H
#define SIGNET_MAP_BASE_MAP_SAY_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/wire.h"

struct json_t;

/*
 * How a user's command and the desk of signet-map speak: a line each way, each
 * one JSON object (RFC 8259) in UTF-8, whose members are texts:
 *
 *	{"do": "add", "chain": "-----BEGIN CERTIFICATE-----..."}
 *	{"challenge": {"nonce": "...", "time": "...", "account": "ann", ...}}
 *	{"do": "prove", "signature": "<base64>"}
 *	{"end": {"request": "0123456789abcdef", "state": "added", ...}}
 *
 * A question is answered by lines with "item", none or many, and then one with
 * "end" or "fault"; or by one with "challenge" (map_proof.h).  A member that is
 * unknown, given twice, no text or not meant for that verb is refused.
 */

#define MAP_SAY_MAX 131072 /* bytes of a line, without its end */

enum map_say_verb {
#define VERB(NAME, word, may, must) MAP_SAY_##NAME,
#include "signet-map/base/map_say_verb.def"
#undef VERB
	MAP_SAY_VERBS
};

/* What was not said is "". */
struct map_ask {
	enum map_say_verb verb;
#define TEXT(field, name, size) char field[size];
#define BLOB(field, name, most) struct buf field;
#include "signet-map/base/map_say_member.def"
#undef TEXT
#undef BLOB
};

const char *map_say_word(enum map_say_verb verb);

/* Give back what ${ask} holds; it is empty then. */
void map_ask_clear(struct map_ask *ask);

/* Read a line, without its end.  FAULT_INPUT says what is wrong, and ${ask} is
 * empty then. */
CHECKED int map_ask_read(struct wire_bytes line, struct map_ask *ask,
    struct fault *f);
/* Append it as a line, with its end. */
CHECKED int map_ask_write(const struct map_ask *ask, struct buf *out,
    struct fault *f);

enum map_say_kind {
	MAP_SAY_ITEM,
	MAP_SAY_CHALLENGE,
	MAP_SAY_END,
	MAP_SAY_FAULT
};

struct map_answer {
	enum map_say_kind kind;
	struct fault fault;  /* of MAP_SAY_FAULT */
	struct json_t *body; /* of the others: texts alone */
};

CHECKED int map_answer_read(struct wire_bytes line, struct map_answer *answer,
    struct fault *f);
void map_answer_clear(struct map_answer *answer);

/* The text ${name} of an answer; "" if it is not there. */
const char *map_answer_get(const struct map_answer *answer, const char *name);

/* Append a line, with its end; ${body} is taken (NULL: FAULT_MEMORY). */
CHECKED int map_answer_write(enum map_say_kind kind, struct json_t *body,
    struct buf *out, struct fault *f);
CHECKED int map_fault_write(const struct fault *why, struct buf *out,
    struct fault *f);

#endif
