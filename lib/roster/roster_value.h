#ifndef ROSTER_ROSTER_VALUE_H
#define ROSTER_ROSTER_VALUE_H

#include "base/checked.h"
#include "roster/roster.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What values of directories, files and lists are taken for.  They are hostile:
 * people may set attributes of their own entries to what they like.
 */
struct fault;
struct roster_source;

/**
 * roster_value_name(data, len, text, f):
 * Read a certificate's name, with or without "subject=" before it, into its
 * canonical text.  1: it is one; 0: it is prose, and none of our business; -1
 * and FAULT_INPUT: it looks like one and is not fit for a map file.
 */
CHECKED int roster_value_name(const char *data, size_t len,
    char text[ROSTER_NAME_SIZE], struct fault *f);

/* Whether these are an account's name: letters, digits, '.', '_' and '-', not
 * with '-' or '.' first (with ${pool}: one '.' may be first). */
bool roster_value_account(const char *data, size_t len, bool pool);

/* Whether this may be a principal: printable ASCII without blanks, '"' and
 * backslash. */
bool roster_value_principal(const char *data, size_t len);

/* Whether this may be the name of a group: text of 1 to 1000 bytes. */
bool roster_value_group(const char *data, size_t len);

/* The template ${s}->subject is taken apart; FAULT_CONFIG if it is none. */
CHECKED int roster_subject_prepare(struct roster_source *s, struct fault *f);

/* The subject that the template of ${s} makes; false if it makes none. */
bool roster_subject(const struct roster_source *s, const char *principal,
    const char *account, char text[ROSTER_NAME_SIZE]);

/* Whether ${name} is one that the template could make of somebody: a
 * directory's attribute must not claim it. */
bool roster_subject_could(const struct roster_source *s, const char *name);

#endif
