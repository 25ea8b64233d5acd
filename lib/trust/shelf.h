#ifndef TRUST_SHELF_H
#define TRUST_SHELF_H

#include "base/checked.h"
#include "base/fault.h"
#include "base/own.h"
#include "trust/namespaces.h"
#include "trust/sigpolicy.h"
#include "x509/cert.h"
#include "x509/crl_index.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <time.h>

/*
 * What the files of a trust directory say, each read once: under however many
 * names it stands there, and however often the directory is loaded again.  A
 * file is the same while device, inode, size and time of change of its contents
 * are; one that was written less than two seconds before it was read is read
 * again, since its time may not show another change.
 */
struct shelf;

enum shelf_kind {
	SHELF_ANCHOR,
	SHELF_POLICY,
	SHELF_NAMESPACES,
	SHELF_CRL
};

/* Read-only for all who share it. */
struct shelf_file {
	unsigned users;
	enum shelf_kind kind;
	struct stat st;
	time_t read_at;
	struct fault bad; /* why it is no good; else FAULT_NONE */
	bool gone;	  /* bad, since it is there no more */
	bool more;	  /* SHELF_ANCHOR: there is more than one in it */
	char hash[9];	  /* of the anchor's name */
	char old_hash[9]; /* "" if there is no MD5 here */
	struct cert *cert;
	struct sigpolicy policy;
	struct namespaces namespaces;
	struct crl_index *crl;
};

CHECKED struct shelf *shelf_new(struct fault *f);
void shelf_free(struct shelf *shelf);

/**
 * shelf_get(shelf, old, dir, name, kind, st, f):
 * The file ${name} in the open directory ${dir}, whose state was ${st} before:
 * from ${shelf}, from the shelf ${old} of an earlier load (or NULL), or
 * read.  A file that is no good is a file too, and says why.  NULL only if
 * memory is short.  Borrowed from ${shelf}.
 */
CHECKED const struct shelf_file *shelf_get(struct shelf *shelf,
    const struct shelf *old, int dir, const char *name, enum shelf_kind kind,
    const struct stat *st, struct fault *f);

/* The same, but NULL, with ${f} as it was, if it must be read. */
CHECKED const struct shelf_file *shelf_find(struct shelf *shelf,
    const struct shelf *old, enum shelf_kind kind, const struct stat *st,
    struct fault *f);

/* A revocation list that is read a piece at a time, since it may be long. */
struct shelf_reading;

/* Begin to read ${name} in ${dir} for ${shelf}, which must last as long. */
CHECKED struct shelf_reading *shelf_begin(struct shelf *shelf, int dir,
    const char *name, const struct stat *st, struct fault *f);
/* Read on, as crl_reading_step(): whether that is all. */
bool shelf_go_on(struct shelf_reading *r, size_t *left);
/* What was read, on the shelf now; ${r} is freed.  As shelf_get(). */
CHECKED const struct shelf_file *shelf_end(struct shelf_reading *r,
    struct fault *f);
/* Give it up. */
void shelf_stop(struct shelf_reading *r);

/* How many files were read, and not taken over. */
size_t shelf_fresh(const struct shelf *shelf);

/* Whether one that was read was another than that of its state. */
bool shelf_stale(const struct shelf *shelf);

/* Free files of ${shelf}, which nobody uses any more, for ${left} octets of
 * them: whether none is left. */
bool shelf_clear_out(struct shelf *shelf, size_t left);

OWN_FREE_STRUCT(shelf, shelf_free)

#endif
