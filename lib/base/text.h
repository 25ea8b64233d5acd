#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Bounded strings: copy, trim, compare, numbers, hexadecimal and base64.
 * Nothing here allocates and nothing runs past a stated size.
 */

/* Copy ${from} to the ${size} bytes at ${to}; -1 (and "") if it does not fit.
 */
CHECKED int text_copy(char *to, size_t size, const char *from);

/* Format into ${size} bytes; -1 (and "") if the result does not fit. */
CHECKED int text_fmt(char *to, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Cut blanks, tabs, CR and LF off both ends of ${s}, in place; the new start.
 */
char *text_trim(char *s);

bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/* Whether all of ${s} is printable ASCII (0x20..0x7e). */
bool text_printable(const char *s);

/* Whether the ${len} bytes are well-formed UTF-8 without control characters. */
bool text_utf8(const void *data, size_t len);

/* Put a question mark for each byte of ${s} that is not of well-formed UTF-8,
 * or is a control character: what a terminal or a JSON text can take. */
void text_clean(char *s);

/**
 * text_distance(a, b):
 * How many letters must be changed, added or dropped to make ${a} into ${b};
 * for "did you mean".  Strings past 63 bytes count as 99 apart.
 */
int text_distance(const char *a, const char *b);

/**
 * text_number(s, min, max, value):
 * Read all of ${s} as a decimal number in ${min}..${max}; -1 otherwise.
 */
CHECKED int text_number(const char *s, int64_t min, int64_t max,
    int64_t *value);

/* ${len} bytes as 2 * ${len} lower-case digits and a NUL. */
void text_hex(const void *data, size_t len, char *out);
/* The reverse; the count of bytes, or -1 for odd, bad or too long. */
CHECKED int text_unhex(const char *hex, uint8_t *out, size_t size);

/* Size with NUL of the base64 of ${len} bytes. */
#define TEXT_BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)

/* RFC 4648 section 4, one line, padded.  ${out} has TEXT_BASE64_SIZE(len). */
void text_base64(const void *data, size_t len, char *out);
/* The reverse of ${len} characters, strict: padding required, no blanks, no
 * stray bits.  The count of bytes written (at most ${size}), or -1. */
CHECKED int text_unbase64(const char *in, size_t len, uint8_t *out,
    size_t size);

/**
 * text_wrap(out, text, indent, at):
 * Print ${text} in lines of at most 79 columns that begin at column ${indent},
 * broken at blanks, each ended by a newline; the first goes on at column ${at}
 * of a line that has been begun.  For --help.
 */
void text_wrap(FILE *out, const char *text, size_t indent, size_t at);

#endif
