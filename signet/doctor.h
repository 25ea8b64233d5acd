#ifndef SIGNET_DOCTOR_H
#define SIGNET_DOCTOR_H

#include "command.h"
#include "holding.h"
#include "signet_conf.h"

#include <jansson.h>

/*
 * What may keep a person from working, looked at in turn.  Each finding is
 * said at once: ok, warn or fail, and what to do about it.
 */
struct trust_store;

struct doctor_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "doctor.def"
#undef OPTION
};

enum doctor_level {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL
};
#define DOCTOR_LEVELS 3

struct doctor {
	struct call *call;
	const struct doctor_options *o;
	struct signet_conf conf;
	time_t now;
	bool colour;
	char trust_dir[PLACE_SIZE];
	struct trust_store *store; /* after doctor_trust(); may be NULL */
	struct fault no_store;	   /* why it is NULL */
	struct holding_credential proxy;
	json_t *checks; /* an array; NULL: they are printed */
	unsigned count[DOCTOR_LEVELS];
};

/**
 * doctor_say(d, level, check, hint, fmt, ...):
 * One finding of ${check} ("clock"), and what to do (NULL: nothing).
 */
void doctor_say(struct doctor *d, enum doctor_level level, const char *check,
    const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Each looks at one thing.  The trust directory is loaded by doctor_trust, and
 * the clock is held against what is in it. */
void doctor_trust(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_files(struct doctor *d);
void doctor_ticket(struct doctor *d);
void doctor_proxy(struct doctor *d);
void doctor_server(struct doctor *d);

#endif
