#ifndef SIGNET_OPTIONS_H
#define SIGNET_OPTIONS_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Options, declared once.  A command lists its options in a .def file, one
 * OPTION() line each; its struct, the parser, --help, the manual page and the
 * shells' completion are all made from that list.
 *
 * OPTION(field, "names", KIND, "ARGUMENT", min, max, "doc")
 *
 * Names are separated by blanks.  A name of one letter is -x; a longer one is
 * --name for the verbs of signet and for tools that are used to it, and -name
 * for the grid-* tools.  A name after '~' works but is not shown; an empty
 * doc hides the whole line.
 */
struct fault;

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *, the last one given */
	OPTION_LIST,   /* struct option_list, in the order given */
	OPTION_NUMBER, /* int64_t within min..max */
	OPTION_HOURS,  /* written in whole hours, kept in seconds */
	OPTION_SPAN,   /* "12:30" (h:m), "1d12h30m", "90" (s); in seconds */
	OPTION_CLOCK,  /* "12:30" (h:m) and nothing else, as the grid-* tools */
	OPTION_TURN    /* a flag that remembers when it was given */
};

/* A TURN has bit N set if it was the N-th TURN on the command line, so that
 * what is asked for in some order can be answered in it. */
#define OPTION_TURNS 64

/* What a NUMBER, HOURS, SPAN or CLOCK holds that was not given. */
#define OPTION_UNSET ((int64_t)-1)

#define OPTION_LIST_MAX 16
struct option_list {
	size_t count;
	const char *item[OPTION_LIST_MAX];
};

/* For the struct that holds a command's options:
 *   #define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;       */
#define OPTION_C_FLAG bool
#define OPTION_C_TEXT const char *
#define OPTION_C_LIST struct option_list
#define OPTION_C_NUMBER int64_t
#define OPTION_C_HOURS int64_t
#define OPTION_C_SPAN int64_t
#define OPTION_C_CLOCK int64_t
#define OPTION_C_TURN uint64_t

struct option_row {
	const char *names;
	enum option_kind kind;
	size_t offset; /* of the field in the command's struct */
	const char *argument;
	int64_t min; /* NUMBER as it is, HOURS, SPAN, CLOCK in seconds */
	int64_t max;
	const char *doc;
};

/* A row of such a table, for the struct ${tag}:
 *   #define OPTION(...) OPTION_ROW(struct login_options, __VA_ARGS__)     */
#define OPTION_ROW(type, field, names, KIND, argument, min, max, doc)      \
	{ names, OPTION_##KIND, offsetof(type, field), argument, min, max, \
		doc },

/* Options that every command has, unless its own table takes their name. */
struct options_common {
#define OPTION(field, names, KIND, argument, min, max, doc) \
	OPTION_C_##KIND field;
#include "options_common.def"
#undef OPTION
};
extern const struct option_row options_common_rows[];
extern const size_t options_common_count;

/* How words after one dash are read. */
enum options_style {
	OPTIONS_GNU,	     /* -x, --name */
	OPTIONS_GNU_OLD,     /* the same; -help, -usage, -version as well */
	OPTIONS_SINGLE_DASH, /* -name as well: the grid-* tools */
};

struct options_table {
	const struct option_row *rows;
	size_t count;
	size_t size; /* of the command's struct */
};

/**
 * options_read(table, style, argc, argv, own, common, operands, f):
 * Fill ${own} (a struct of table->size bytes) and ${common} from ${argv},
 * whose first word is skipped.  The operands are moved to the end of
 * ${argv}; *${operands} is the index of the first.  Texts are borrowed from
 * ${argv}.  FAULT_USAGE names the option, and the nearest spelling of an
 * unknown one.
 */
CHECKED int options_read(const struct options_table *table,
    enum options_style style, int argc, char **argv, void *own,
    struct options_common *common, int *operands, struct fault *f);

/* Read "12:30", "1d12h", "90" into seconds; -1 if it is none of these. */
CHECKED int options_span(const char *text, int64_t *seconds);

/* Write what --help says of the table, or its .It entries for mdoc(7). */
void options_help(const struct options_table *table, enum options_style style,
    FILE *out);
void options_man(const struct options_table *table, enum options_style style,
    FILE *out);

/**
 * options_each(table, style, fn, arg):
 * Call ${fn} with every name that is shown, dashes included, of the table
 * and of the common options; for completion.
 */
typedef void options_name_fn(void *arg, const char *name,
    const struct option_row *row);
void options_each(const struct options_table *table, enum options_style style,
    options_name_fn *fn, void *arg);

#endif
