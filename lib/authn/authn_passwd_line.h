#ifndef AUTHN_AUTHN_PASSWD_LINE_H
#define AUTHN_AUTHN_PASSWD_LINE_H

#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>

/* One line of a password file: `user:crypt(3) string`. */
struct fault;

#define AUTHN_USER_SIZE 256
#define AUTHN_HASH_SIZE 384 /* CRYPT_OUTPUT_SIZE */

struct authn_passwd_line {
	char user[AUTHN_USER_SIZE];
	char hash[AUTHN_HASH_SIZE];
};

/* Read one line (without newline).  1: an entry, 0: blank or comment, -1. */
CHECKED int authn_passwd_line_read(struct authn_passwd_line *line,
    const char *text, size_t len, struct fault *f);

/* Whether ${user} can stand in a password file: 1 to 255 bytes of UTF-8
 * without control characters and ':', not beginning with '#' or a blank, not
 * ending with a blank. */
bool authn_passwd_user_ok(const char *user);

/* Whether that user can also log in: signetd asks for NAME alone, never for
 * NAME@REALM, and takes neither an instance nor a domain for a person. */
bool authn_passwd_user_can_log_in(const char *user);

/* Take the next line off ${file}: its bytes, without newline, and what it says
 * (1, 0 or -1 as authn_passwd_line_read).  false at the end. */
bool authn_passwd_next(struct wire_in *file, struct wire_bytes *raw, int *said,
    struct authn_passwd_line *line);

#endif
