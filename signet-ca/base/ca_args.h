#ifndef SIGNET_CA_CA_ARGS_H
#define SIGNET_CA_CA_ARGS_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* The command line: commands and options are two tables, from which parser,
 * --help and manual are made. */
struct fault;

#define CA_LIST_MAX 64
struct ca_list {
	size_t count;
	const char *item[CA_LIST_MAX + 1]; /* a NULL after the last */
};

#define CA_C_FLAG bool
#define CA_C_TEXT const char *
#define CA_C_LIST struct ca_list

struct ca_args {
#define OPTION(field, name, KIND, argument, doc) CA_C_##KIND field;
#include "ca_options.def"
#undef OPTION
	size_t count;
	char **operand;
};

struct ca_command {
	const char *first;
	const char *second; /* "" if it is of one word */
	const char *operands;
	int least;
	int most;
	const char *options; /* names, separated by blanks */
	const char *doc;
	/* 0; -1 after a fault; or an exit status of its own. */
	int (*run)(const struct ca_args *args, struct fault *f);
};

extern const struct ca_command ca_commands[];
extern const size_t ca_commands_count;

/* The command that ${argv} names from its second word on; *${words} is how
 * many words that took. */
CHECKED const struct ca_command *ca_command_find(int argc, char **argv,
    int *words, struct fault *f);

/* Read what follows the command's name.  1 if --help was asked for.  Texts are
 * borrowed from ${argv}. */
CHECKED int ca_args_read(const struct ca_command *command, int argc,
    char **argv, struct ca_args *args, struct fault *f);

/* --help: of all commands, or of one. */
void ca_help(FILE *out);
void ca_help_command(const struct ca_command *command, FILE *out);
/* The commands for the manual page, in mdoc(7). */
void ca_man(FILE *out);

/* FAULT_USAGE unless ${value} was given. */
CHECKED int ca_need(const char *value, const char *option, struct fault *f);

/* ${text} as a number of ${least}..${most}; ${fallback} if it is NULL. */
CHECKED int ca_number(const char *text, const char *option, int64_t least,
    int64_t most, int64_t fallback, int64_t *value, struct fault *f);

/* "2026-11-22" or "2026-11-22T04:00:00Z"; 0 if ${text} is NULL. */
CHECKED int ca_date(const char *text, const char *option, time_t *when,
    struct fault *f);

#define COMMAND(function, first, second, operands, least, most, options, doc) \
	CHECKED int function(const struct ca_args *args, struct fault *f);
#include "ca_commands.def"
#undef COMMAND

#endif
