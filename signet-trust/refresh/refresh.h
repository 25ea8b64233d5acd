#ifndef SIGNET_TRUST_REFRESH_REFRESH_H
#define SIGNET_TRUST_REFRESH_REFRESH_H

#include "anchor/house.h"
#include "anchor/judge.h"
#include "anchor/want.h"
#include "base/buf.h"
#include "base/checked.h"
#include "signet-trust/base/trust_world.h"
#include "x509/crl.h"

#include <jansson.h>
#include <stdio.h>

/*
 * One run: what each chosen CA comes to, and what is installed in the end.
 *
 *   refresh_open    the house is locked, a record for each CA
 *   refresh_certs   certificates: installed ones that are good, or fetched
 *   refresh_crls    revocation lists: fetched, or installed ones that hold
 *   refresh_chain   who is above must be installed too
 *   refresh_files   what the directory is to have
 *   house_commit    (unless nothing is to be changed)
 *   refresh_tell    what came of it
 *
 * What one CA lacks is said of that CA; a fault ends the run.
 */
struct fault;

/* As PEM, of the largest list there may be. */
#define REFRESH_PEM_MAX ((size_t)400 << 20)

enum refresh_state {
	REFRESH_GOOD,	  /* it is, or will be, installed */
	REFRESH_DISABLED, /* not wanted: removed */
	REFRESH_BROKEN,	  /* no good description: what is there stays */
	REFRESH_FAILED	  /* not fit to be trusted: removed */
};

struct refresh_crl {
	bool have;
	struct buf pem;
	uint64_t number;
	time_t this_update;
	time_t next_update;
	size_t nth;   /* of the lists of its hash: for the cache */
	size_t place; /* N of <hash>.rN, when it is known who is installed */
};

struct refresh;
struct refresh_ca {
	struct refresh *run;
	struct anchor_want *want;
	enum refresh_state state;
	struct cert *cert; /* NULL: none that is good */
	bool cert_owned;
	bool grounded; /* it signed itself, or who is above is grounded */
	size_t nth;    /* of its hash: for the cache */
	size_t place;  /* N of <hash>.N, when it is known who is installed */
	struct refresh_crl crl[WANT_CRLS_MAX];
	struct want_list errors;
	struct want_list warnings;
	struct want_list news; /* what was done, for who wants to know */
};

struct refresh {
	const struct trust_world *world;
	struct house *house;
	bool force;
	bool offline;
	bool only; /* CAs that were not chosen keep what they have */
	bool look; /* nothing is changed */
	bool on_terminal;
	size_t count;
	struct refresh_ca *ca;
	struct want_list changes; /* "word name" */
	bool changed;
};

CHECKED int refresh_open(struct refresh *r, const struct trust_world *world,
    bool look, struct fault *f);
void refresh_close(struct refresh *r);

CHECKED int refresh_certs(struct refresh *r, struct fault *f);
CHECKED int refresh_crls(struct refresh *r, struct fault *f);
CHECKED int refresh_chain(struct refresh *r, struct fault *f);
CHECKED int refresh_files(struct refresh *r, struct fault *f);

/* All of it but the telling. */
CHECKED int refresh_run(struct refresh *r, struct fault *f);

/* The installed file ${name} as the house has it, or as somebody else put it
 * there: 1 and its text, 0 if there is none. */
CHECKED int refresh_installed(struct refresh *r, const char *name,
    struct buf *text, struct fault *f);

/* Add to the changes: "word name". */
CHECKED int refresh_note(struct refresh *r, const struct house_note *note,
    struct fault *f);

/* How many failed; and the exit status that this makes. */
size_t refresh_failed(const struct refresh *r);
int refresh_status(const struct refresh *r);

/* For people, all of it with ${verbose}; for programs, with what went wrong
 * after it unless ${after} is NULL; for Prometheus. */
void refresh_tell(const struct refresh *r, bool verbose, bool quiet);
void refresh_json(const struct refresh *r, const struct fault *after,
    FILE *out);
/* What error is in such an object. */
json_t *refresh_error(const struct fault *f);
CHECKED int refresh_metrics(const struct refresh *r, const char *path,
    struct fault *f);

/* The site's programs: each is run, whatever becomes of the other. */
CHECKED int refresh_hooks(const struct refresh *r, struct fault *f);

/*
 * What follows a run: the metrics' file, if ${metrics}; the house is closed, as
 * the site's programs take their time and may call us; they are run.  What
 * fails keeps the rest from nothing; the first fault is given.
 */
CHECKED int refresh_after(struct refresh *r, bool metrics, struct fault *f);

/* The fault that came after the answer, for who asked for an object, and has
 * it: to standard error.  The exit status. */
int refresh_complain(const struct refresh *r, struct fault *f);

#endif
