#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
colour_wanted(bool tty, const char *no_color, const char *forced,
    const char *term, bool refused)
{
	if (refused || (no_color != NULL && *no_color != '\0'))
		return false;
	if (forced != NULL && *forced != '\0' && strcmp(forced, "0") != 0)
		return true;
	return tty && term != NULL && strcmp(term, "dumb") != 0;
}

bool
colour_on_stdout(bool refused)
{
	return colour_wanted(isatty(STDOUT_FILENO) == 1, getenv("NO_COLOR"),
	    getenv("CLICOLOR_FORCE"), getenv("TERM"), refused);
}

void
colour_print(FILE *out, bool on, enum colour colour, int width,
    const char *text)
{
	static const char *const starts[] = {
		[COLOUR_PLAIN] = "",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_WARN] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
	};
	int len = (int)strlen(text);

	if (on && colour != COLOUR_PLAIN)
		fprintf(out, "%s%s\033[0m", starts[colour], text);
	else
		fputs(text, out);
	if (len < width)
		fprintf(out, "%*s", width - len, "");
}
