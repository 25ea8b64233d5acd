#ifndef SIGNETD_PARENT_HOOK_H
#define SIGNETD_PARENT_HOOK_H

#include "base/checked.h"
#include "base/own.h"
#include "signetd/signetd_conf.h"

#include <sys/types.h>

#include <stdbool.h>

/*
 * Hooks: programs of the site that are told of what happened.  They run one
 * after the other for each setting (token-hook, crl-hook), beside the daemon,
 * which waits for none of them: as user-hook when started by root, in a process
 * group of their own, with an environment of their own, and what they print in
 * the log.  After hook-timeout, and when the program itself has ended, all that
 * it started is killed, also what has left its group, session or parent.
 */
struct fault;
struct loop;
struct hooks;

enum hook {
	HOOK_TOKEN,
	HOOK_CRL,
	HOOK_COUNT
};

#define HOOK_VARS_MAX 8
#define HOOK_VAR_SIZE 1024

/* What happened: SIGNET_EVENT, SIGNET_CA, and what else is to be said. */
struct hook_event {
	char event[32];
	char ca[64];
	/* What it reads on standard input: this file, if it is ${owner}'s, no
	 * link, and nothing but a file; empty: nothing. */
	char input[HOOK_VAR_SIZE];
	uid_t owner;
	size_t count;
	char var[HOOK_VARS_MAX][HOOK_VAR_SIZE]; /* "NAME=value" */
};

/* Add NAME=value; what does not fit is cut, what no line of a log could hold
 * becomes question marks. */
void hook_event_add(struct hook_event *e, const char *name, const char *value);

/* ${conf} is borrowed, and looked at when a hook is to run. */
CHECKED struct hooks *hooks_new(struct loop *loop,
    const struct signetd_conf *conf, struct fault *f);

/* Kill those that run. */
void hooks_free(struct hooks *hooks);

/**
 * hooks_tell(hooks, which, e):
 * Run the program of ${which}, now or when the one before has ended; nothing
 * happens if none is set.  Of two equal events of one CA that wait the newer
 * one is told, at its place behind all others.
 */
void hooks_tell(struct hooks *hooks, enum hook which,
    const struct hook_event *e);

/* The process ${pid} has ended and is not reaped yet: if it is a hook's, end
 * its group.  Then say hooks_ended() when it is reaped. */
void hooks_ending(struct hooks *hooks, pid_t pid);

/* Whether ${pid}, which ended with waitpid's ${status}, was a hook. */
bool hooks_ended(struct hooks *hooks, pid_t pid, int status);

OWN_FREE_STRUCT(hooks, hooks_free)

#endif
