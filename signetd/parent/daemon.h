#ifndef SIGNETD_PARENT_DAEMON_H
#define SIGNETD_PARENT_DAEMON_H

#include "base/checked.h"
#include "signetd/parent/gather.h"

/* The parent at work: starts the roles, joins them, and ends as one. */
struct fault;

struct daemon_wish {
	const char *conf_path;
	const char *keep[16]; /* names of environment variables to pass on */
	size_t kept;
};

/**
 * daemon_run(wish, g, f):
 * Serve until SIGTERM or SIGINT, or until a role dies that cannot be started
 * anew.  ${g} is what gather_read made.  0 after an orderly end.
 */
CHECKED int daemon_run(const struct daemon_wish *wish, struct gather *g,
    struct fault *f);

#endif
