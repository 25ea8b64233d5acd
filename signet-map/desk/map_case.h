#ifndef SIGNET_MAP_DESK_MAP_CASE_H
#define SIGNET_MAP_DESK_MAP_CASE_H

#include "base/checked.h"
#include "map/map_request.h"

#include <stddef.h>
#include <time.h>

/*
 * The requests of the log, each with what became of it, oldest first.
 */
struct fault;

enum map_case_state {
	MAP_CASE_WAITING,
	MAP_CASE_ADDED,
	MAP_CASE_REFUSED,
	MAP_CASE_REMOVED
};

struct map_case {
	char id[MAP_REQUEST_ID_SIZE];
	enum map_case_state state;
	time_t asked;
	time_t changed;
	char *account;
	char *name;
	char *by;
	char *reason;
	char *decided_by; /* NULL: nobody has */
	char *decided_reason;
};

struct map_cases {
	struct map_case *at;
	size_t count;
	size_t room;
};

const char *map_case_word(enum map_case_state state);

/* What the line ${r} of the log changes.  FAULT_INPUT if it decides what was
 * not asked, or otherwise than it was asked. */
CHECKED int map_cases_do(struct map_cases *cases, const struct map_request *r,
    struct fault *f);
void map_cases_free(struct map_cases *cases);

/* NULL if there is none. */
struct map_case *map_cases_find(const struct map_cases *cases, const char *id);

/* The last that waits, or (${state}) is added, for ${name} and ${account}. */
struct map_case *map_cases_of(const struct map_cases *cases,
    enum map_case_state state, const char *name, const char *account);

#endif
