#ifndef MAP_MAP_NAME_H
#define MAP_MAP_NAME_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Names as map files compare and spell them.  A name is the one-line text of a
 * certificate's subject ("/DC=org/CN=a"), without quotes; the canonical text is
 * what dn_show_slash() and OpenSSL 3 print.
 */
struct fault;

/**
 * map_name_key(text, len, key):
 * Append to ${key} the form in which names are compared: two names are one if
 * their keys are equal, byte for byte.  ASCII letters lower case; "/UID=" as
 * "/USERID=", "/E=" and "/Email=" as "/emailAddress=" (the Toolkit's dn_cmp,
 * facts: trustmap FORMATS); bytes outside printable ASCII as `\xHH`; and, ours,
 * a backslash before '/' or '+' dropped, so that the three spellings of a slash
 * in a value are one.  It stays where an attribute's name and '=' follow: the
 * common name "a/CN=b" is never taken for a CN a over a CN b.
 * A failed ${key} is the caller's to ask for (buf.failed).
 */
void map_name_key(const char *text, size_t len, struct buf *key);

/* The same without what is ours: equal to the byte when the Toolkit's dn_cmp
 * says equal.  ${text} is what the Toolkit holds, after its reading of a line.
 */
void map_name_key_gct(const char *text, size_t len, struct buf *key);

/* Whether the two texts are one name. */
bool map_name_equal(const char *a, const char *b);

/*
 * Who reads a map file, as bits.  XRootD knows no escapes: it compares what
 * stands up to the next quote, takes '$' or '+' at the end for a pattern, and
 * the rest of the line for one account.  It and LCMAPS take '*' for a pattern.
 */
enum map_reader {
	MAP_READER_GCT = 1,
	MAP_READER_LCMAPS = 2,
	MAP_READER_XROOTD = 4
};
#define MAP_READER_ALL (MAP_READER_GCT | MAP_READER_LCMAPS | MAP_READER_XROOTD)

/* The most spellings that one name has. */
#define MAP_SPELLINGS_MAX 3

struct map_spellings {
	struct buf text[MAP_SPELLINGS_MAX]; /* with quotes, without newline */
	size_t count;
};

/**
 * map_name_spell(spellings, name, readers, f):
 * How the canonical ${name} must be written for ${readers}, one spelling a
 * line, that of the Toolkit first; each other spelling reads as a name with
 * the same key.  FAULT_DENIED for a name that one of them would take for a
 * pattern, or for more than one name; FAULT_INPUT for one that is no name: it
 * does not begin with '/', or holds bytes outside printable ASCII.
 * map_spellings_free() it, whatever was returned.
 */
CHECKED int map_name_spell(struct map_spellings *spellings, const char *name,
    unsigned readers, struct fault *f);
void map_spellings_free(struct map_spellings *spellings);

#endif
