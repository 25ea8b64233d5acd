#include "asker.h"

#include "base/fault.h"
#include "base/secret.h"
#include "sys/ask.h"

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

struct secret *
asker_prompt(void *arg, const char *prompt, struct fault *f)
{
	struct asker *a = arg;

	/* Two different questions (a new password, a code) get two answers. */
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
