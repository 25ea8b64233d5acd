#ifndef SIGNET_ASKER_H
#define SIGNET_ASKER_H

#include "base/checked.h"

#include <stdbool.h>

/*
 * The password: asked for once, at the terminal or from standard input, and
 * kept in a struct secret while it may be needed again.
 */
struct fault;
struct secret;

struct asker {
	char prompt[320]; /* "" to take the one that is handed in */
	bool from_stdin;
	bool forbidden; /* FAULT_LOGIN: nobody is to be asked */
	bool asked;	/* the one line of standard input is spent */
	struct secret *kept;
};

/* For krb_ticket_get, with libkrb5's prompt, and for struct myproxy_wish, with
 * the server's name; ${arg} is a struct asker. */
struct secret *asker_prompt(void *arg, const char *prompt, struct fault *f);
struct secret *asker_server(void *arg, const char *server, struct fault *f);

void asker_clear(struct asker *a);

#endif
