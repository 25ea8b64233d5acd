#ifndef ANCHOR_HOUSE_H
#define ANCHOR_HOUSE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * The directory that trust is read from, as we keep it.  Say all that is to be
 * in it, then house_commit(): whoever opens the directory sees what was there
 * or what is there now, never a mixture, whatever happens meanwhile.
 *
 * Beside DIR are .DIR.lock and .DIR.gen, which has what DIR was before.  A DIR
 * that is a directory is exchanged with its successor (renameat2), one that is
 * a symbolic link of ours into .DIR.gen is made to point elsewhere; any other
 * link is followed, and its end is the DIR.  In DIR, .signet-house lists what
 * is ours.  All else that is there is somebody else's, and stays.
 *
 * Several may keep the same DIR: what one installed is left alone by the
 * others, unless they want a file of that very name; then it is theirs.
 *
 * Names: at most 200 characters of printable ASCII, without blanks and '/', no
 * dot first.
 */
struct fault;
struct house;

struct house_options {
	const char *by;	  /* who we are, a name as of files; NULL: "" */
	mode_t file_mode; /* 0: 0644 */
	mode_t dir_mode;  /* 0: as it is, 0755 if it is made */
	bool owned;	  /* files and DIR shall belong to uid and gid; else: */
	uid_t uid;	  /* files to us, DIR to whom it does */
	gid_t gid;
	unsigned keep; /* generations before this one; 0: 3 */
	bool as_link;  /* a DIR that is made is a link into .DIR.gen */
	bool look;     /* nothing is locked, mended or written */
	int wait_ms;   /* for who has the lock; 0: do not wait */
	time_t now;    /* for the list; 0: by the wall clock */
};

/**
 * house_open(dir, options, f):
 * Lock ${dir} for us alone, mend what somebody who was killed left, and see
 * what is there.  The directory need not exist; it is made by house_commit().
 * FAULT_BUSY, naming the process, if another has the lock.
 */
CHECKED struct house *house_open(const char *dir,
    const struct house_options *options, struct fault *f);
void house_close(struct house *h); /* what was not committed is forgotten */

/**
 * house_put(h, name, body, f):
 * There shall be a file ${name} with ${body}, which is not needed afterwards:
 * what differs from what is installed is written beside it at once.
 * FAULT_DENIED if something else is already to have that name.
 */
CHECKED int house_put(struct house *h, const char *name, struct wire_bytes body,
    struct fault *f);

/* There shall be a symbolic link ${name} to the file ${target} beside it. */
CHECKED int house_link(struct house *h, const char *name, const char *target,
    struct fault *f);

/* What we installed as ${name} shall stay: FAULT_ABSENT if we did not, or if
 * it is no longer what we installed and no generation has that either. */
CHECKED int house_keep(struct house *h, const char *name, struct fault *f);

/* If it was ${by} who installed ${name}, it is as if we had. */
void house_adopt(struct house *h, const char *name, const char *by);

/* Append what we installed as file ${name}: FAULT_ABSENT as above. */
CHECKED int house_read(struct house *h, const char *name, struct buf *b,
    struct fault *f);

enum house_what {
	HOUSE_NEW,	/* will be added */
	HOUSE_CHANGED,	/* will be replaced */
	HOUSE_GONE,	/* was ours, is not wanted any more, will be removed */
	HOUSE_REPAIRED, /* ours, but somebody changed or removed it */
	HOUSE_MODE,	/* ours, but somebody changed its mode or owner */
	HOUSE_ADOPTED,	/* somebody else's with the very bytes: ours now */
	HOUSE_TAKEN,	/* somebody else's with other bytes: will be replaced */
	HOUSE_FOREIGN,	/* somebody else's; stays */
	HOUSE_LIST_BAD, /* .signet-house itself cannot be read */
};

struct house_note {
	enum house_what what;
	const char *name;
};
typedef void house_note_fn(void *arg, const struct house_note *note);

/* "added", "changed": a word for people and programs. */
const char *house_what_word(enum house_what what);

/* All that differs between what is and what shall be, by name. */
CHECKED int house_compare(struct house *h, house_note_fn *note, void *arg,
    struct fault *f);

/* Make it so: *${changed} says whether anything was written.  The house is only
 * to be closed afterwards. */
CHECKED int house_commit(struct house *h, bool *changed, struct fault *f);

struct house_generation {
	unsigned number; /* 0: what was there before us, as are those */
	bool ours;	 /* without a list */
	bool current;
	time_t made; /* 0: not known */
	size_t files;
};
typedef void house_generation_fn(void *arg, const struct house_generation *g);

/* Those there are, latest first. */
CHECKED int house_generations(struct house *h, house_generation_fn *each,
    void *arg, struct fault *f);

/**
 * house_rollback(h, number, f):
 * Instead of house_put() and the others: what is to be is what generation
 * ${number} had (-1: the one before this), and what others have put there
 * since.  It becomes a generation of its own.  FAULT_ABSENT if there is none;
 * FAULT_DENIED if somebody changed it.  Follow it with house_commit().
 */
CHECKED int house_rollback(struct house *h, int number, struct fault *f);

/* The list's name in DIR. */
#define HOUSE_LIST ".signet-house"

OWN_FREE_STRUCT(house, house_close)

#endif
