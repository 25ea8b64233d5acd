#ifndef SIGNET_COLOUR_H
#define SIGNET_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

/* Colour on a terminal, for those who want it (no-color.org). */

enum colour {
	COLOUR_PLAIN,
	COLOUR_GOOD,
	COLOUR_WARN,
	COLOUR_BAD
};

/**
 * colour_wanted(tty, no_color, forced, term, refused):
 * Whether to use colour: on a ${tty} unless NO_COLOR is set and not empty,
 * TERM is "dumb" or --no-color ${refused} it; CLICOLOR_FORCE (not "0") makes
 * it so without a tty.  The three are as getenv() returns them.
 */
bool colour_wanted(bool tty, const char *no_color, const char *forced,
    const char *term, bool refused);

/* The same for standard output, from the environment. */
bool colour_on_stdout(bool refused);

/* Print ${text} in ${colour} if ${on}, padded with blanks to ${width}. */
void colour_print(FILE *out, bool on, enum colour colour, int width,
    const char *text);

#endif
