#include "ca_phrase.h"

#include "base/fault.h"
#include "base/text.h"
#include "command/cmd.h"
#include "sys/ask.h"

#include <limits.h>

/* The pass phrase that is on descriptor ${fd}. */
static struct secret *
phrase_from(const char *fd, struct fault *f)
{
	int64_t number = -1;

	if (cmd_number(fd, "--passphrase-fd", 0, 1 << 20, -1, &number, f) < 0)
		return NULL;
	return ask_secret_fd((int)number, f);
}

struct secret *
ca_phrase_ask(const char *what, const char *fd, struct fault *f)
{
	char prompt[PATH_MAX];

	if (fd != NULL)
		return phrase_from(fd, f);
	if (text_fmt(prompt, sizeof(prompt), "Pass phrase of %s: ", what) < 0) {
		(void)fault_set(f, FAULT_USAGE, "name too long");
		return NULL;
	}
	return ask_secret(prompt, f);
}

int
ca_phrase_new(bool none, const char *fd, const char *what,
    struct secret **phrase, struct fault *f)
{
	OWN_STRUCT(secret) fresh = NULL;
	char prompt[128];

	*phrase = NULL;
	if (none && fd != NULL)
		return fault_set(f, FAULT_USAGE,
		    "a pass phrase is given, and none is wanted");
	if (none)
		return 0;
	if (text_fmt(prompt, sizeof(prompt), "New pass phrase for %s: ", what) <
	    0)
		return fault_set(f, FAULT_USAGE, "name too long");
	fresh = fd != NULL ? phrase_from(fd, f)
			   : ask_new_secret(prompt, CA_PHRASE_LEAST, f);
	if (fresh == NULL)
		return -1;
	if (secret_len(fresh) < CA_PHRASE_LEAST)
		return fault_set(f, FAULT_USAGE,
		    "a pass phrase has at least %d characters",
		    CA_PHRASE_LEAST);
	*phrase = TAKE(fresh);
	return 0;
}
