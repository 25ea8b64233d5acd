#ifndef SIGNET_TRUST_BASE_TRUST_ARGS_H
#define SIGNET_TRUST_BASE_TRUST_ARGS_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The command line: commands and options are two tables, from which parser,
 * --help and manual are made. */
struct fault;

#define TRUST_LIST_MAX 64
struct trust_list {
	size_t count;
	const char *item[TRUST_LIST_MAX + 1]; /* a NULL after the last */
};

#define TRUST_C_FLAG bool
#define TRUST_C_TEXT const char *
#define TRUST_C_LIST struct trust_list

struct trust_args {
#define OPTION(field, name, KIND, argument, doc) TRUST_C_##KIND field;
#include "trust_options.def"
#undef OPTION
	const char *program; /* argv[0] */
	size_t count;
	char **operand;
};

struct trust_command {
	const char *name;
	const char *operands;
	int least;
	int most;
	const char *options; /* names, separated by blanks */
	const char *doc;
	/* 0; -1 after a fault; or an exit status of its own. */
	int (*run)(const struct trust_args *args, struct fault *f);
};

extern const struct trust_command trust_commands[];
extern const size_t trust_commands_count;

/* The command ${name}. */
CHECKED const struct trust_command *trust_command_find(const char *name,
    struct fault *f);

/* Read what follows the command's name.  ${old}: options begin with one dash
 * or two.  1 if --help was asked for.  Texts are borrowed from ${argv}. */
CHECKED int trust_args_read(const struct trust_command *command, bool old,
    int argc, char **argv, struct trust_args *args, struct fault *f);

/* --help: of all commands, or of one. */
void trust_help(FILE *out);
void trust_help_command(const struct trust_command *command, FILE *out);
/* The commands for the manual page, in mdoc(7). */
void trust_man(FILE *out);

/* A script for bash. */
void trust_complete(FILE *out);

#define COMMAND(function, name, operands, least, most, options, doc) \
	CHECKED int function(const struct trust_args *args, struct fault *f);
#include "trust_commands.def"
#undef COMMAND

#endif
