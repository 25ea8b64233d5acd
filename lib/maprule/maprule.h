#ifndef MAPRULE_MAPRULE_H
#define MAPRULE_MAPRULE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/*
 * The rules of a map, map.rules(5): where people come from (`source`), where
 * each service's map file is (`service`), whom a rule maps (`map`), which lines
 * are spliced in (`splice`), and who is refused whatever else is said (`ban`).
 *
 * A block begins with its keyword at the start of a line and has its settings
 * on indented lines below; `ban` and `bans` are lines of their own.  Words are
 * parted by blanks; a word with blanks, '#' or '"' stands in double quotes,
 * where backslash takes the next character as it is.  `#` at the beginning of a
 * word begins a comment.  What each block may say is maprule_setting.def.
 *
 * One file serves every host: maprule_part.h takes a host's part of it.
 */
struct fault;
struct maprule;
struct roster_source_conf;

#define MAPRULE_PATH "/etc/signet/map.rules"
#define MAPRULE_MAX 4194304	 /* bytes of a rules or bans file */
#define MAPRULE_BLOCKS_MAX 65536 /* blocks, and bans, in one */
#define MAPRULE_WORD_MAX 4096	 /* bytes of a word */
#define MAPRULE_LABEL_SIZE 64	 /* of a block's name, with its NUL */

/* Words in the order they were given, on one line or on several.  Borrowed
 * from the rules. */
struct maprule_words {
	size_t count;
	const char *const *word;
};

/**
 * maprule_read(path, text, len, f):
 * Read the ${len} bytes of rules at ${text}; ${path} names them in faults (may
 * be NULL).  FAULT_CONFIG, "path:line: ...", with the nearest spelling for a
 * word that there is not, for anything that cannot be meant: an unknown
 * keyword, a source that nothing defines, a service without a file, a uid range
 * of nobody, a ban that names nobody.  A file that `bans` names is not read
 * here.  The caller frees the result with maprule_free().
 */
CHECKED struct maprule *maprule_read(const char *path, const char *text,
    size_t len, struct fault *f);

/**
 * maprule_open(path, f):
 * maprule_read of the file ${path}, and of each bans file that it names.  A
 * bans file that is missing has no bans; one that cannot be read or understood
 * is a fault, since going on would let somebody in.
 */
CHECKED struct maprule *maprule_open(const char *path, struct fault *f);
void maprule_free(struct maprule *rules);
OWN_FREE_STRUCT(maprule, maprule_free)

/* Put the bans in the ${len} bytes at ${text}, lines as after `ban`, beside
 * those ${rules} has.  After a fault ${rules} may only be freed. */
CHECKED int maprule_bans_read(struct maprule *rules, const char *path,
    const char *text, size_t len, struct fault *f);
/* The bans files that the rules name, to be watched. */
struct maprule_words maprule_bans_paths(const struct maprule *rules);

/* Append the rules in one form, which reads back the same. */
void maprule_dump(const struct maprule *rules, struct buf *out);
/* The blocks and settings for the manual page, in mdoc(7). */
void maprule_man(FILE *out);

/* ---- sources */

/* What a `source` block says, in order; words as they were written. */
struct maprule_setting {
	const char *keyword;
	int line;
	struct maprule_words words;
};
struct maprule_source {
	const char *name;
	const char *kind;  /* ldap, file, list, requests */
	const char *where; /* file: path, list: URL, requests: path, ldap: "" */
	int line;
	int64_t max_age; /* seconds; 0: entries of it never become too old */
	size_t count;
	const struct maprule_setting *setting; /* max-age is not among them */
};
size_t maprule_source_count(const struct maprule *rules);
const struct maprule_source *maprule_source(const struct maprule *rules,
    size_t i);
/* The same as the roster takes it; cache_dir is the caller's to fill in, in a
 * copy. */
const struct roster_source_conf *maprule_source_conf(const struct maprule
							 *rules,
    size_t i);
/* The words of ${keyword}'s first line in ${source}; none if it is not said. */
struct maprule_words maprule_source_get(const struct maprule_source *source,
    const char *keyword);

/* ---- services */

enum maprule_accounts_mode {
	MAPRULE_ACCOUNTS_FIRST, /* of the first rule that maps the name */
	MAPRULE_ACCOUNTS_ALL	/* and behind them those of the others */
};

/* A `service` block: where the map of one service is on some hosts. */
struct maprule_service {
	const char *name;
	int line;
	const char *file;
	struct maprule_words format; /* of gct, lcmaps, xrootd; never none */
	enum maprule_accounts_mode accounts;
	uint32_t uid_least; /* of accounts that exist here; at least 1 */
	uint32_t uid_most;
	bool exist;	   /* accounts that do not exist here are left out */
	unsigned mode;	   /* of the file; no write for group and others */
	const char *owner; /* USER or USER:GROUP, NULL: who writes it */
	bool index;
	int shrink_limit; /* per cent of names that may go at once; 100: all */
};

/* A host: what it is called (all its names, full ones) and its addresses, as
 * text.  Borrowed by all that take it. */
struct maprule_host {
	struct maprule_words names;
	struct maprule_words addresses;
};

/* The services that ${host} has, in the file's order, one block a name: the
 * first whose `hosts` fit.  Stops when ${fn} returns non-zero, and returns it.
 */
typedef int maprule_service_fn(void *arg, const struct maprule_service *s);
int maprule_services(const struct maprule *rules,
    const struct maprule_host *host, maprule_service_fn *fn, void *arg);

/* ---- bans */

enum maprule_ban_kind {
	MAPRULE_BAN_PERSON,  /* a principal: all names and accounts of it */
	MAPRULE_BAN_DN,	     /* one name, in every spelling */
	MAPRULE_BAN_CA,	     /* the name space of a CA: names under a DN */
	MAPRULE_BAN_GROUP,   /* all people of a group */
	MAPRULE_BAN_PATTERN, /* names that fit, `*` any bytes, `?` one */
	MAPRULE_BAN_ACCOUNT  /* an account, whoever's */
};
struct maprule_ban {
	enum maprule_ban_kind kind;
	const char *what;
	const char *because; /* "" if nobody said */
	const char *path;    /* of the file it is in */
	int line;
	time_t until; /* the first moment when it does not hold; 0: for ever */
};
size_t maprule_ban_count(const struct maprule *rules);
const struct maprule_ban *maprule_ban(const struct maprule *rules, size_t i);
const char *maprule_ban_kind_text(enum maprule_ban_kind kind);

/* ---- what check looks at: each `map` and `splice` */

struct maprule_rule {
	const char *label;
	bool splice; /* its accounts are those of the lines */
	bool before;
	int line;
	time_t until; /* as in a ban */
	struct maprule_words hosts, services, from, groups, not_groups, people,
	    names, not_names;
	struct maprule_words accounts; /* "personal", "=NAME", ".PREFIX" */
};
size_t maprule_rule_count(const struct maprule *rules);
/* In the order of priority: the splices before, the maps, those behind. */
const struct maprule_rule *maprule_rule(const struct maprule *rules, size_t i);

/* The path that the rules were read from, "" if none was given. */
const char *maprule_path(const struct maprule *rules);

#endif
