#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Configuration, declared once.  A program lists its settings in a .def file,
 * one CONF() line each; the struct, the parser, the defaults, --dump-config
 * and the manual page are all made from that list.
 *
 * CONF(field, "keyword", TYPE, default, min, max, doc)
 *
 * The syntax everywhere is `keyword value`, a line each; `#` begins a comment
 * line; blanks around the value are dropped.  Nothing else is special, so a
 * distinguished name needs no quotes.  A LIST setting may be given on several
 * lines, one item a line; its default is one item or, if empty, none.
 */

struct fault;

/* The C type behind each type a setting may have. */
#define CONF_STRING_SIZE 256
#define CONF_LIST_MAX 16
typedef bool conf_bool;
typedef int64_t conf_number;
typedef int64_t conf_seconds; /* written 90, 90s, 15m, 12h, 30d or 20y */
typedef char conf_string[CONF_STRING_SIZE];
typedef struct {
	size_t count;
	char item[CONF_LIST_MAX][CONF_STRING_SIZE];
} conf_list;

enum conf_type {
	CONF_TYPE_BOOL,
	CONF_TYPE_NUMBER,
	CONF_TYPE_SECONDS,
	CONF_TYPE_STRING,
	CONF_TYPE_LIST
};

struct conf_item {
	const char *keyword;
	enum conf_type type;
	size_t offset; /* of the field in the program's struct */
	const char *fallback;
	int64_t min; /* STRING and LIST: least length of a value given */
	int64_t max; /* STRING and LIST: most, 0 for what fits */
	const char *doc;
};

struct conf_schema {
	const char *name;
	const struct conf_item *items;
	size_t count;
};

#define CONF_MAX_TEXT 65536
#define CONF_MAX_ITEMS 128

/* For the struct that holds a program's settings:
 *   #define CONF(field, keyword, TYPE, ...) CONF_C_##TYPE field;         */
#define CONF_C_BOOL conf_bool
#define CONF_C_NUMBER conf_number
#define CONF_C_SECONDS conf_seconds
#define CONF_C_STRING conf_string
#define CONF_C_LIST conf_list

/**
 * conf_read(schema, conf, text, len, f):
 * Fill ${conf} with the defaults of ${schema}, then with the ${len} bytes of
 * settings at ${text}.  A keyword that is unknown (the nearest spelling is
 * suggested), repeated where it is no list, or out of range is a FAULT_CONFIG
 * that names its line.  ${conf} is unspecified after a fault.
 */
CHECKED int conf_read(const struct conf_schema *schema, void *conf,
    const char *text, size_t len, struct fault *f);

/* conf_read of the file ${path}, which the fault then names: "path:7: ...". */
CHECKED int conf_read_file(const struct conf_schema *schema, void *conf,
    const char *path, struct fault *f);

/* Write every setting in ${conf}, in a form that conf_read takes back. */
void conf_dump(const struct conf_schema *schema, const void *conf, FILE *out);

/* Write the list of settings for the manual page, in mdoc(7). */
void conf_man(const struct conf_schema *schema, FILE *out);

/* Whether ${item} is in ${list}. */
bool conf_list_has(const conf_list *list, const char *item);

#endif
