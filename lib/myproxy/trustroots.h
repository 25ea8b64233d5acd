#ifndef MYPROXY_TRUSTROOTS_H
#define MYPROXY_TRUSTROOTS_H

#include "anchor/root_files.h"
#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

/*
 * The trust directory as a reply, and back (facts: PROTOCOL 7).  What its
 * files must be is said in anchor/root_files.h.
 */
struct fault;

#define TRUSTROOTS_MAX (16u << 20) /* 16 MiB */
#define TRUSTROOTS_NAME_SIZE ROOT_NAME_SIZE

/**
 * trustroots_write(dir, out, files, note, arg, f):
 * Append the TRUSTED_CERTS= and FILEDATA_ lines for every regular,
 * world-readable file of ${dir} that is good, by name; *${files} says how many.
 * No NUL, and nothing at all for an empty directory.  A directory that is
 * exchanged meanwhile is handed out as it was, or as it is.  Left out: names
 * that a reader would refuse, and files that are no trust roots; ${note}, which
 * may be NULL, is told of those that have the name of one.  FAULT_CONFIG if all
 * would be more than TRUSTROOTS_MAX.
 */
CHECKED int trustroots_write(const char *dir, struct buf *out, size_t *files,
    root_note_fn *note, void *arg, struct fault *f);

/**
 * trustroots_install(lines, len, dir, how, files, f):
 * Install the files of a reply's lines into ${dir} (made if missing), mode
 * 0644, in one step.  FAULT_INPUT, and nothing is written, if a name is unsafe
 * ('/', a leading dot, odd characters) or has no good base64.  A file that is
 * not what its name says is left out, as is a list older than the one there;
 * ${how}->note is told.  *${files} says how many were installed.
 */
CHECKED int trustroots_install(const char *lines, size_t len, const char *dir,
    const struct root_install *how, size_t *files, struct fault *f);

/* The next FILEDATA_ line from *${at} on: 1 with its name and its base64
 * (borrowed), 0 at the end, -1 (FAULT_INPUT) for an unsafe name. */
CHECKED int trustroots_next(const char *lines, size_t len, size_t *at,
    char name[TRUSTROOTS_NAME_SIZE], struct wire_bytes *base64,
    struct fault *f);

#endif
