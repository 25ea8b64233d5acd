#ifndef SIGNET_COMMAND_H
#define SIGNET_COMMAND_H

#include "base/checked.h"
#include "options.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * A command is an entry of the table in main.c: a verb of signet, the old
 * names it answers to, its options, and the function that does it.
 *
 * It prints its answer on standard output and returns; errors are returned,
 * and main() prints them: what failed, why, what to do now.
 */
struct fault;
struct call;

struct command {
	const char *verb;      /* "login", "proxy init"; NULL: none */
	const char *old_names; /* blank-separated; NULL: none */
	const char *summary;   /* one line, no full stop */
	const char *operands;  /* "[USER]"; "": takes none */
	int operands_max;
	struct options_table options;
	enum options_style old_style; /* when called by an old name */
	/* Old names stand for another tool, whose exit statuses are 0 and 1. */
	bool compatible;
	bool hidden; /* not for people: not in the list of commands */

	/* 0, or -1 and a fault. */
	int (*run)(struct call *call, const void *options, struct fault *f);
	/* How an old name puts an error, on stderr; NULL: as the verbs do. */
	void (*complain)(const struct call *call, const struct fault *f);
	/* What --help and --version of an old name print; NULL: as made from
	 * the table. */
	void (*old_help)(const struct call *call, FILE *out);
	void (*old_version)(const struct call *call, FILE *out);
};

/* One invocation. */
struct call {
	const struct command *command;
	const struct command *const *all; /* ends with NULL */
	const char *name;		  /* as the user typed it */
	bool old;			  /* by an old name */
	struct options_common common;
	int operand_count;
	char **operand;
	char hint[200]; /* what to do now; see call_hint */
	/* What a command that answers an error with an exit status of its own
	 * (grid-proxy-info -exists) has set; -1: as the fault says. */
	int exit_status;
};

/* The command that ${argc} words at ${argv} ask for, by the name in argv[0]
 * or by the verb behind it; ${call} is filled but for its options, and
 * *${used} words are spent (a first one to skip included). */
CHECKED int command_find(struct call *call,
    const struct command *const *commands, int argc, char **argv, int *used,
    struct fault *f);

/* The style in which ${call} reads its options. */
enum options_style command_style(const struct call *call);

/* Print --help of a command, and of signet. */
void command_help(const struct call *call, FILE *out);
void command_list(const struct command *const *commands, FILE *out);

/* Say ${f} to the person, and with --json to the program; the exit status. */
int command_complain(const struct call *call, const struct fault *f);

/* Say a sentence on stderr: unless -q, and only with -v. */
void call_note(const struct call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void call_verbose(const struct call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What the person should do now, in place of the fault's usual advice: a
 * sentence such as "Run: signet login". */
void call_hint(struct call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
