#ifndef MAP_MAPFILE_H
#define MAP_MAPFILE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "map/map_accounts.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The grid-mapfile, `"DN" account[,account...]`, read as the Grid Community
 * Toolkit reads it: line by line, of any length, the first line with a name
 * counts.  The file is read, not mapped into memory: it may be cut short by an
 * editor at any time.
 */
struct fault;
struct mapfile;

struct mapfile_line {
	struct buf dn; /* OpenSSL's one-line form; buf_cstr has been called */
	struct map_accounts accounts;
	size_t number; /* of the line, from 1 */
};

#define MAPFILE_LINE \
	((struct mapfile_line){ BUF(MAP_TEXT_MAX), MAP_ACCOUNTS, 0 })
#define OWN_MAPFILE_LINE(name)                                                 \
	__attribute__((cleanup(mapfile_line_free))) struct mapfile_line name = \
	    MAPFILE_LINE
void mapfile_line_free(struct mapfile_line *line);

/**
 * mapfile_line_read(line, text, len, f):
 * Read one line (without newline) to the letter as the Toolkit does: a DN in
 * double quotes, up to the first quote without a backslash before it, or of
 * characters other than blanks.  `\X` stands for X and `\xHH` for a byte; bytes
 * outside printable ASCII are held as `\xHH`, as OpenSSL prints names.  What
 * follows are accounts, divided by blanks and commas, also what looks like a
 * comment; a leading comma makes an empty first one.  Not as the Toolkit: a
 * line with a NUL, of which it reads the part before, and one whose DN is empty
 * are none.
 * 1: an entry, 0: blank or comment, -1 and FAULT_INPUT: neither.
 */
CHECKED int mapfile_line_read(struct mapfile_line *line, const char *text,
    size_t len, struct fault *f);

/**
 * mapfile_has_account(line, account):
 * Whether ${account} is one of the line's.  What is meant as a comment (the
 * words from one that begins with '#' on) and pools (".name") are no accounts
 * here, although the Toolkit lets the former in.
 */
bool mapfile_has_account(const struct mapfile_line *line, const char *account);

/**
 * mapfile_dn_of(text, len, account, dn, size, f):
 * Read the map backwards: the DN of the first line that has ${account}, as
 * mapfile_has_account says.  Lines that cannot be read are passed over.
 * FAULT_ABSENT if there is none.
 */
CHECKED int mapfile_dn_of(const char *text, size_t len, const char *account,
    char *dn, size_t size, struct fault *f);

/* From the file ${path} (FAULT_ABSENT, FAULT_SYSTEM), or from ${len} bytes,
 * which are borrowed.  mapfile_free() it. */
CHECKED struct mapfile *mapfile_open(const char *path, struct fault *f);
CHECKED struct mapfile *mapfile_of(const char *text, size_t len,
    struct fault *f);
void mapfile_free(struct mapfile *m);
OWN_FREE_STRUCT(mapfile, mapfile_free)

/**
 * mapfile_next(m, line, f):
 * The next entry; comments are passed over.  1: there is one, 0: the end, -1
 * and FAULT_INPUT: line ${line->number} cannot be read and is as if absent (go
 * on calling), -1 and another fault: the file cannot be read.
 */
CHECKED int mapfile_next(struct mapfile *m, struct mapfile_line *line,
    struct fault *f);

/* Begin again with the first line. */
void mapfile_rewind(struct mapfile *m);

/* Whether names are one as the Toolkit says, or as map_name_key() says. */
enum mapfile_sense {
	MAPFILE_GCT,
	MAPFILE_OURS
};

/**
 * mapfile_find(m, sense, dn, accounts, f):
 * The accounts of the first line whose name is ${dn}.  Lines that cannot be
 * read are passed over.  1: found, 0: there is none, -1: a fault.
 */
CHECKED int mapfile_find(struct mapfile *m, enum mapfile_sense sense,
    const char *dn, struct map_accounts *accounts, struct fault *f);

/* Whether ${account} is one of those of ${dn}: 1, 0, or -1 and a fault. */
CHECKED int mapfile_may(struct mapfile *m, enum mapfile_sense sense,
    const char *dn, const char *account, struct fault *f);

/* Called with each entry that has an account; ${first}: it is its default.
 * What is not 0 ends it. */
typedef int mapfile_name_fn(void *arg, const char *dn, bool first);

/* Every line with ${account}, in the file's order; 0 at the end, -1 and a
 * fault, or what ${fn} returned. */
CHECKED int mapfile_each_of(struct mapfile *m, const char *account,
    mapfile_name_fn *fn, void *arg, struct fault *f);

/**
 * mapfile_reverse(m, account, dn, f):
 * The name of ${account} as the Toolkit means it: of the first line where it
 * is the default, else of the first where it is another.  (Really the Toolkit
 * takes another over a default in a later line.)  1, 0, or -1 and a fault.
 */
CHECKED int mapfile_reverse(struct mapfile *m, const char *account,
    struct buf *dn, struct fault *f);

/**
 * mapfile_put(text, name, accounts, readers, f):
 * Append to ${text} the lines that give the canonical ${name} its accounts: a
 * line for each spelling that ${readers} (map_name.h) need, each ended by a
 * newline; XRootD's with the default account alone, behind one with all for the
 * others.  FAULT_DENIED and FAULT_INPUT as map_name_spell() says, and for an
 * account that is empty or holds a blank, a comma, '#', '"', a control
 * character or a byte past ASCII; nothing is appended then.
 */
CHECKED int mapfile_put(struct buf *text, const char *name,
    const struct map_accounts *accounts, unsigned readers, struct fault *f);

#endif
