#ifndef OFFICE_DESK_TEXT_H
#define OFFICE_DESK_TEXT_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/fault.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/*
 * How signet-ca and the desk of signetd speak: a line each way, each line one
 * JSON object (RFC 8259) in UTF-8.
 *
 *	{"do": "approve", "request": "0123456789abcdef0123"}
 *
 * is answered by lines with "item", none or many, and then one with "end" or
 * with "fault":
 *
 *	{"item": {"request": "...", "state": "open", ...}}
 *	{"end": {"more": false, ...}}
 *	{"fault": "DENIED", "text": "ann may not approve"}
 *
 * A member that is unknown, given twice, of another type or not meant for that
 * verb is refused.
 */

#define DESK_LINE_MAX 131072 /* without the line's end */

enum desk_verb {
#define VERB(NAME, word, may, must) DESK_##NAME,
#include "office/desk_verb.def"
#undef VERB
	DESK_VERB_COUNT
};

/* Texts are "" and numbers 0 where nothing was said. */
struct desk_ask {
	enum desk_verb verb;
#define TEXT(field, name, size) char field[size];
#define NUMBER(field, name, most) uint64_t field;
#define FLAG(field, name) bool field;
#define BLOB(field, name, most) struct buf field;
#include "office/desk_member.def"
#undef TEXT
#undef NUMBER
#undef FLAG
#undef BLOB
};

const char *desk_verb_word(enum desk_verb verb);

/* Give back what ${ask} holds; it is empty then. */
void desk_ask_clear(struct desk_ask *ask);

/* Read one line, without its end.  FAULT_INPUT says what is wrong, and ${ask}
 * is empty then.  Texts are UTF-8 without control and invisible characters and
 * those that turn the direction of text; the file may have line ends. */
CHECKED int desk_ask_read(struct wire_bytes line, struct desk_ask *ask,
    struct fault *f);

/* Append ${ask} as a line, without its end: what its verb may not have is left
 * out. */
CHECKED int desk_ask_write(const struct desk_ask *ask, struct buf *out,
    struct fault *f);

enum desk_kind {
	DESK_ITEM,
	DESK_END,
	DESK_FAULT
};

/*
 * An answer's line.  ${body} of an item or an end is an object whose members
 * are texts, numbers and truth values, or lists of such objects; its own
 * json_decref() is the caller's.
 */
struct desk_answer {
	enum desk_kind kind;
	enum fault_code fault; /* of DESK_FAULT */
	char text[240];
	struct json_t *body; /* NULL of DESK_FAULT */
};

/* Read one line of an answer.  FAULT_INPUT for what is none, and for control
 * characters but line ends in any text of it: it is meant to be printed. */
CHECKED int desk_answer_read(struct wire_bytes line, struct desk_answer *answer,
    struct fault *f);
void desk_answer_clear(struct desk_answer *answer);

/* Append an item or an end with ${body}, which is taken (NULL is FAULT_MEMORY);
 * a fault with the text of ${why}. */
CHECKED int desk_answer_write(enum desk_kind kind, struct json_t *body,
    struct buf *out, struct fault *f);
CHECKED int desk_fault_write(const struct fault *why, struct buf *out,
    struct fault *f);

/* Put ${text} into ${object} under ${name}; what is not UTF-8, or has control
 * characters, with all but printable ASCII as \xNN.  "" is left out. */
void desk_put(struct json_t *object, const char *name, const char *text);

#endif
