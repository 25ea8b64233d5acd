#ifndef MAP_MAP_REQUEST_H
#define MAP_MAP_REQUEST_H

#include "base/checked.h"
#include "map/map_book.h"

#include <stddef.h>
#include <time.h>

/*
 * The log of self-service: who asked for which account, and what came of it.
 * It is a book (map_book.h), so that a crash tears no more than its last line
 * and a line that was changed shows.  Of an entry the rule is the verb, the
 * source whose word it is, the entry the request's number.  The sign is '+' for
 * what puts a name on an account and '-' for what takes it off, both of the
 * service MAP_REQUEST_SERVICE, which is what a roster replays; '*' for what
 * does neither, of the service MAP_REQUEST_DESK.
 */
struct fault;

enum map_request_verb {
#define VERB(NAME, word, sign, needs, doc) MAP_REQUEST_##NAME,
#include "map/map_request_verb.def"
#undef VERB
	MAP_REQUEST_VERBS
};

#define MAP_REQUEST_SERVICE "map"
#define MAP_REQUEST_DESK "desk"

#define MAP_REQUEST_ID_SIZE 17 /* 16 hexadecimal digits and a NUL */
#define MAP_REQUEST_NAME_SIZE 1024
#define MAP_REQUEST_ACCOUNT_SIZE 256

/* Texts are borrowed; NULL is "". */
struct map_request {
	enum map_request_verb verb;
	time_t when;
	const char *id;
	const char *account; /* "" of REMOVE_NAME */
	const char *name;    /* "" of REMOVE_ACCOUNT */
	const char *by;	     /* "UID ACCOUNT", or a program's word */
	const char *reason;
};

const char *map_request_word(enum map_request_verb verb);

/* Whether ${account} may stand in a request: letters, digits, '.', '_' and '-',
 * the first not '-' or '.', and it is not root. */
bool map_request_account_good(const char *account);

/* Whether ${name} may: as map_name_spell() wants it, and no '"'. */
bool map_request_name_good(const char *name);

/* The entry that ${r} is; it borrows its texts. */
void map_request_entry(const struct map_request *r, struct map_book_entry *e);

/* Read an entry of a book, whose texts are borrowed.  FAULT_INPUT if it is no
 * request. */
CHECKED int map_request_of(const struct map_book_entry *e,
    struct map_request *r, struct fault *f);

/**
 * map_request_each(path, fn, arg, f):
 * Each request of the log ${path}, oldest first, until ${fn} returns non-zero,
 * which is returned.  ${line} counts from 1.  The chain of hashes is walked
 * before.  FAULT_ABSENT if there is no log, FAULT_INPUT and the line if one is
 * no request or does not follow from the one before.
 */
typedef int map_request_fn(void *arg, const struct map_request *r, size_t line,
    struct fault *f);
CHECKED int map_request_each(const char *path, map_request_fn *fn, void *arg,
    struct fault *f);

#endif
