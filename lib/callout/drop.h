#ifndef CALLOUT_DROP_H
#define CALLOUT_DROP_H

#include "base/buf.h"
#include "base/checked.h"
#include "callout/callout_form.h"

#include <sys/types.h>

#include <stdbool.h>
#include <time.h>

/*
 * The request directory: a client and the intake leave files for one another
 * and never speak.  It belongs to the intake; its group is the clients', and
 * nobody else may enter (mode 2770).  All names are in it, none leads out:
 *
 *	q.ID      a request, made exclusively by its client, who holds a lock on
 *	          the open file for as long as he lives
 *	request   a symbolic link to q.ID: lock and signal at once.  Who can
 *	          make it has the turn; the intake alone takes it away, so that
 *	          nobody can remove the link of another who lives
 *	t.ID      the request, taken: a rename that replaces nothing.  What has
 *	          this name is never asked for again
 *	n.ID      an answer that is being written
 *	a.ID      the answer, whole: its client reads it, removes a, then t
 *	x.ID      a directory that was in the way and is not empty
 *	intake    the intake holds a lock on it while it lives
 *
 * A t without its a that is not being worked on was taken by an intake that
 * has died: its client is told so, and nothing is signed for it again.
 *
 * Locks are F_OFD_SETLK's, which end with the last copy of the descriptor, and
 * which can be looked at without being taken.  They are those of writers: who
 * may only read a file cannot hold it as if its client lived.
 */
struct fault;

#define DROP_ID_SIZE 25 /* 24 hexadecimal digits */
#define DROP_LINK "request"
#define DROP_SERVED "intake"
/* A request that nobody announced and nobody holds is swept after that. */
#define DROP_GRACE_S 60

/* ---- the intake's side */

/* A file as it was when it was taken: others of the group can give it another
 * name, and only its owner can make it another file. */
struct drop_file {
	ino_t inode;
	struct timespec written;
};

#define DROP_SEEN_MAX 1024

struct drop {
	int dir;    /* -1: none */
	int watch;  /* of inotify: something was announced */
	int served; /* our lock */
	struct drop_file seen[DROP_SEEN_MAX]; /* a ring */
	size_t seen_next;
};

/* A request that was taken; ${client} and ${data} are there if it was read. */
struct drop_taken {
	char id[DROP_ID_SIZE];
	uid_t owner;
	struct drop_file file;
	size_t len;
	uint8_t data[CALLOUT_REQUEST_MAX];
};

enum drop_found {
	DROP_NONE,  /* nothing is announced */
	DROP_TAKEN, /* ${taken} is ours, and read */
	DROP_BAD,   /* its id is, but it is not to be read: answer ${f} */
	DROP_GONE   /* what was there is taken away: nobody waits for it */
};

/**
 * drop_open(d, path, owner, group, f):
 * Open the directory ${path} and watch it, before the walls.  If it is missing
 * and we are root it is made, ${owner}'s and ${group}'s.
 */
CHECKED int drop_open(struct drop *d, const char *path, uid_t owner,
    gid_t group, struct fault *f);

/* Within the walls: see that the directory is ours and closed to strangers,
 * and hold the lock on "intake".  FAULT_DENIED if another intake does. */
CHECKED int drop_claim(struct drop *d, struct fault *f);

void drop_close(struct drop *d);

/* Forget what the watch has seen: before drop_take. */
void drop_quiet(struct drop *d);

/**
 * drop_take(d, taken, f):
 * Take what is announced, and give the next client his turn.  Of DROP_BAD and
 * DROP_GONE, ${f} says why: not a regular file with one name, larger than a
 * request may be, not readable; or its client has died, or it was seen.
 */
enum drop_found drop_take(struct drop *d, struct drop_taken *taken,
    struct fault *f);

/* ${taken} will be answered as it asks: whoever gives its file another name
 * does not have it answered twice, until so many others were.  For those only
 * who may ask, so that nobody else can make it be forgotten. */
void drop_seen(struct drop *d, const struct drop_taken *taken);

/* Give ${id} its answer, readable by the group of the directory; if its client
 * has gone, take away what he left. */
CHECKED int drop_answer(struct drop *d, const char id[DROP_ID_SIZE],
    const struct buf *answer, struct fault *f);

/* Whether the request ${id} is being worked on; and tell the client of one
 * that is not, and has no answer, that nothing comes of it. */
struct drop_keeper {
	bool (*busy)(void *arg, const char id[DROP_ID_SIZE]);
	void (*lost)(void *arg, const char id[DROP_ID_SIZE]);
	void *arg;
};

/**
 * drop_sweep(d, keeper, now, most, f):
 * Look at up to ${most} names, going on where the last time ended, and take
 * away what the dead have left.  ${now} is the wall's time.
 */
CHECKED int drop_sweep(struct drop *d, const struct drop_keeper *keeper,
    time_t now, unsigned most, struct fault *f);

/* ---- the client's side */

struct drop_client {
	int dir;
	int watch; /* of inotify: poll it; -1: none */
	int file;  /* our request, locked */
	uid_t intake;
	char id[DROP_ID_SIZE];
};

/* Open the directory ${path}.  FAULT_CONFIG if strangers could write in it. */
CHECKED int drop_client_open(struct drop_client *c, const char *path,
    struct fault *f);

/* Whether an intake is there. */
bool drop_client_served(const struct drop_client *c);

/* Make the request's file, locked and complete, not yet announced. */
CHECKED int drop_client_put(struct drop_client *c, const struct buf *request,
    struct fault *f);

/* Announce it: 1, or 0 while it is another's turn. */
CHECKED int drop_client_announce(struct drop_client *c, struct fault *f);

/* Read the answer into ${answer} if it is there: 1, or 0 if not yet. */
CHECKED int drop_client_answer(struct drop_client *c, struct buf *answer,
    struct fault *f);

/* Forget what the watch has seen: before the look that it is for. */
void drop_client_quiet(struct drop_client *c);

/* Take our files away, and close. */
void drop_client_close(struct drop_client *c);

#endif
