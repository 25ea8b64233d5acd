#include "asker.h"

#include "base/fault.h"
#include "base/secret.h"
#include "base/text.h"
#include "sys/ask.h"

#include <stdio.h>
#include <unistd.h>

static struct secret *
ask(struct asker *a, const char *prompt, struct fault *f)
{
	if (a->forbidden) {
		(void)fault_set(f, FAULT_LOGIN,
		    "a password is needed, and none may be asked for");
		return NULL;
	}
	return a->from_stdin ? ask_secret_fd(STDIN_FILENO, f)
			     : ask_secret(prompt, f);
}

/* A new password, a code: what one line cannot answer. */
static void
one_line_only(const char *prompt, struct fault *f)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "%s", prompt);
	for (char *at = line; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	(void)fault_set(f, FAULT_LOGIN,
	    "more is asked for than a password (%s): log in at a terminal",
	    text_trim(line));
}

struct secret *
asker_prompt(void *arg, const char *prompt, struct fault *f)
{
	struct asker *a = arg;

	if (a->from_stdin && a->asked) {
		one_line_only(prompt, f);
		return NULL;
	}
	a->asked = true;
	return ask(a, *a->prompt != '\0' ? a->prompt : prompt, f);
}

struct secret *
asker_server(void *arg, const char *server, struct fault *f)
{
	struct asker *a = arg;

	(void)server;
	if (a->kept == NULL && (a->kept = ask(a, a->prompt, f)) == NULL)
		return NULL;
	return secret_copy(secret_text(a->kept), secret_len(a->kept), f);
}

void
asker_clear(struct asker *a)
{
	secret_free(a->kept);
	a->kept = NULL;
}
