#ifndef SIGNET_CA_CA_BACKUP_H
#define SIGNET_CA_CA_BACKUP_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/secret.h"
#include "office/bundle.h"
#include "signet-ca/base/ca_dir.h"

/* What backup, backup check and restore share. */
struct fault;

/* The pass phrase of a backup: from descriptor ${fd} (a number as text), or
 * asked for, twice if ${fresh}; at least CA_PHRASE_LEAST bytes then. */
CHECKED struct secret *ca_backup_phrase(const char *fd, bool fresh,
    struct fault *f);

/* Stream the whole of ${fd}, ${size} octets, into a part. */
CHECKED int ca_backup_put_file(struct bundle_out *b, enum bundle_part part,
    int fd, uint64_t size, struct fault *f);

/* What was found in a backup. */
struct ca_contents {
	bool has[BUNDLE_COUNT];
	uint64_t size[BUNDLE_COUNT];
	struct buf about; /* text */
	struct buf key;	  /* as it was on disk: PEM */
};
void ca_contents_free(struct ca_contents *c);
OWN_FREE_STRUCT(ca_contents, ca_contents_free)

/**
 * ca_backup_open(path, fd, dir, with_keys, f):
 * Read the backup at ${path} to its end, and write its parts into the
 * directory ${dir}, where nothing of that name is yet; ca.key and log.key only
 * ${with_keys}.  The pass phrase comes as in ca_backup_phrase(${fd}).
 */
CHECKED struct ca_contents *ca_backup_open(const char *path, const char *fd,
    const char *dir, bool with_keys, struct fault *f);

/* The value of ${keyword} in what the backup says of itself; "" if there is
 * none.  Borrowed. */
const char *ca_contents_about(const struct ca_contents *c, const char *keyword,
    char *room, size_t size);

/* Whether the CA in ${d} and the key in ${c} belong together, as far as that
 * can be seen without the key's pass phrase; *${encrypted} says whether it has
 * one. */
CHECKED int ca_contents_check_key(const struct ca_contents *c,
    const struct ca_dir *d, bool *encrypted, struct fault *f);

#endif
