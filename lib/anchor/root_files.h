#ifndef ANCHOR_ROOT_FILES_H
#define ANCHOR_ROOT_FILES_H

#include "base/buf.h"
#include "base/checked.h"
#include "x509/cert.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Files of a trust directory that came together: from a server, from a CA of
 * the site, or from a directory that is to be handed out.  Each is found to be
 * what its name says, or left out; what is good is installed by house.h, and
 * shares its directory with what others keep there.
 */
struct fault;

#define ROOT_NAME_SIZE 128
#define ROOT_FILE_MAX ((size_t)512 << 20) /* bytes */
#define ROOT_FILES_MAX 8192

/* Whether ${len} bytes at ${name} may name a file: letters, digits and
 * "._-+", neither a dot nor a dash first. */
bool root_name_good(const char *name, size_t len);

/* Whether ${name} is one that root_file_check() knows. */
bool root_name_known(const char *name);

/**
 * root_file_check(name, body, again, f):
 * Whether ${body} is what the name says: "<hash>.N" one certificate,
 * "<hash>.rN" one list, whose names hash to it by either hash; a
 * ".signing_policy", ".namespaces", ".info" or ".crl_url".  Appends to ${again}
 * what is to be installed: a certificate and a list as PEM and nothing else.
 * FAULT_INPUT otherwise.
 */
CHECKED int root_file_check(const char *name, struct wire_bytes body,
    struct buf *again, struct fault *f);

struct root_file {
	char name[ROOT_NAME_SIZE];
	struct buf body;   /* owned */
	struct cert *cert; /* owned; of <hash>.N */
	bool good;	   /* root_files_judge() found it so */
};

struct root_files {
	size_t count;
	struct root_file *file; /* owned */
};

/* Add a file and take what ${body} holds.  FAULT_INPUT if its name is not good,
 * is there already, or too many are. */
CHECKED int root_files_add(struct root_files *r, const char *name,
    struct buf *body, struct fault *f);
void root_files_clear(struct root_files *r);

/* Of a file that is left out, and why. */
typedef void root_note_fn(void *arg, const char *name, const struct fault *why);

/**
 * root_files_judge(r, note, arg, f):
 * Say which are good: root_file_check() accepts them, and a list is signed by
 * a certificate among them.  A list that has ended is good: without one, some
 * software would accept everybody.  ${note} may be NULL.  Only memory can fail.
 */
CHECKED int root_files_judge(struct root_files *r, root_note_fn *note,
    void *arg, struct fault *f);

struct root_install {
	const char *by;	     /* as house.h has it; cut if it is too long */
	const char *stopgap; /* who installed what will do until then, see */
			     /* root_files_link(); NULL: nobody */
	bool only_new;	     /* FAULT_DENIED if one of them is there already */
	bool only_newer; /* a list older than the one there is FAULT_DENIED; */
			 /* else it is left out */
	root_note_fn *note; /* of lists that are left out; NULL */
	void *arg;
};

/**
 * root_files_install(r, dir, how, installed, f):
 * What is good goes into ${dir}, in one step; what ${how}->by installed there
 * before and is not among ${r} goes.  Where a directory cannot be exchanged (a
 * mount point, or the one above is not ours to write), each file is written by
 * itself and nothing goes.  *${installed} counts the files; if none is good,
 * nothing is done.
 */
CHECKED int root_files_install(struct root_files *r, const char *dir,
    const struct root_install *how, size_t *installed, struct fault *f);

/**
 * root_files_link(r, above, below, f):
 * Add ${above}, of whom nothing is known but that it signed ${below}: its
 * certificate, a policy that says just that, and that it may have no CRL; all
 * are good.  The last goes when a CRL comes, by the same hand or one that names
 * it in ->stopgap.  FAULT_UNTRUSTED for names that no policy can hold.
 */
CHECKED int root_files_link(struct root_files *r, const struct cert *above,
    const struct cert *below, struct fault *f);

#endif
