#ifndef COMMAND_CMD_H
#define COMMAND_CMD_H

#include "base/checked.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/*
 * The command line of a program that has commands, each with options and
 * operands.  Two tables of the program say all of it; here is what is done
 * with them: parser, --help, manual, completion, the fault as text and as
 * JSON, the exit status.
 *
 * x_options.def has the lines OPTION(field, "name", KIND, "ARGUMENT", "doc"):
 * FLAG is a bool, TEXT a const char * (NULL if not given), LIST a struct
 * cmd_list.  x_commands.def has COMMAND(function, "name" or "two words",
 * "OPERANDS", least, most, "names of its options", "doc").  The first sentence
 * of doc stands in the list of all commands.  A new program says in x_args.h:
 *
 *	struct x_args {
 *	#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
 *	#include "x_options.def"
 *	#undef OPTION
 *		CMD_GIVEN
 *	};
 *	#define COMMAND(function, ...) \
 *		CHECKED int function(const struct x_args *args, struct fault
 **f); #include "x_commands.def" #undef COMMAND extern const struct cmd_program
 *x_program;
 *
 * and in x_args.c (paths as seen from the top of the tree):
 *
 *	#define CMD_ARGS struct x_args
 *	#define CMD_OPTIONS "signet-x/base/x_options.def"
 *	#define CMD_COMMANDS "signet-x/base/x_commands.def"
 *	#include "command/cmd_rows.def"
 *	const struct cmd_program x_program = { CMD_ROWS, .name = "signet-x",
 *		.manual = "signet-x(8)" };
 *
 * and main.c is `return cmd_main(&x_program, argc, argv);`.  A command returns
 * 0, -1 after a fault, or an exit status of its own; it prints its answer to
 * stdout and never a fault.  An option --json is known here: who gives it has
 * the fault as an object on stdout too.  The program answers --help,
 * --version, --man-commands and --man-exit by itself; further lists for its
 * manual pages are its `prints`.  Its unit test calls cmd_check().
 *
 * Texts are borrowed from argv.
 */

#define CMD_OPTIONS_MAX 192
#define CMD_LIST_MAX 64

struct cmd_list {
	size_t count;
	const char *item[CMD_LIST_MAX + 1]; /* a NULL after the last */
};

#define CMD_C_FLAG bool
#define CMD_C_TEXT const char *
#define CMD_C_LIST struct cmd_list

/* What is not an option: the operands, and argv[0] as it was. */
#define CMD_GIVEN       \
	size_t count;   \
	char **operand; \
	const char *program;

enum cmd_kind {
	CMD_FLAG,
	CMD_TEXT,
	CMD_LIST
};

struct cmd_option {
	const char *name;
	enum cmd_kind kind;
	size_t offset;
	const char *argument;
	const char *doc;
};

struct cmd_command {
	const char *name; /* a word or two */
	const char *operands;
	int least;
	int most;
	const char *options; /* names, separated by blanks */
	const char *doc;
	int (*run)(const void *args, struct fault *f);
};

/* Another name by which the program is started, for one of its commands. */
struct cmd_alias {
	const char *name;
	const char *command;
	/* Not NULL: it passes for a program of its own, which complains under
	 * this name and with this hint, and whose options begin with one dash
	 * or two. */
	const char *hint;
};

/* What argv[1] alone makes the program print. */
struct cmd_print {
	const char *name;
	void (*print)(FILE *out);
};

/* For the manual: when a program ends with the status of ${code}. */
struct cmd_exit {
	enum fault_code code;
	const char *text;
};

struct cmd_program {
	const char *name;
	const char *manual;
	const struct cmd_option *options;
	size_t options_count;
	const struct cmd_command *commands;
	size_t commands_count;
	size_t args_size;
	void (*give)(void *args, size_t count, char **operand,
	    const char *program);
	/* These may be absent. */
	const struct cmd_alias *aliases;
	size_t aliases_count;
	const struct cmd_print *prints;
	size_t prints_count;
	const struct cmd_exit *exits; /* without them, all of fault.def */
	size_t exits_count;
};

/* All that main() does; the exit status. */
CHECKED int cmd_main(const struct cmd_program *program, int argc, char **argv);

/* The parts of cmd_main(), for a program that does something in between:
 * standard descriptors, umask and signals; the command; what is said of its
 * ${result} and fault at the end, and the exit status. */
void cmd_begin(void);
CHECKED int cmd_run(const struct cmd_program *program, int argc, char **argv,
    struct fault *f);
CHECKED int cmd_end(const struct cmd_program *program, int argc, char **argv,
    int result, struct fault *f);

/* The last part of argv[0]; "" if there is none. */
const char *cmd_called(int argc, char **argv);

/**
 * cmd_find(program, argc, argv, words, f):
 * The command that ${argv} names from its second word on; *${words} is how many
 * words that took.  NULL and FAULT_USAGE, with the nearest spelling, if there
 * is none; then *${words} is 1 if the first word begins some command.
 */
CHECKED const struct cmd_command *cmd_find(const struct cmd_program *program,
    int argc, char **argv, int *words, struct fault *f);

/* What follows a command's name. */
struct cmd_line {
	int argc;
	char **argv;	     /* the name's last word, and what follows */
	const char *program; /* argv[0] of the process */
	bool one_dash;	     /* options begin with one dash or two */
};

/* Read ${line} into the program's struct at ${args}, which is cleared.  1 if
 * --help was asked for. */
CHECKED int cmd_read(const struct cmd_program *program,
    const struct cmd_command *command, const struct cmd_line *line, void *args,
    struct fault *f);

/* --help: of all commands, or of one. */
void cmd_help(const struct cmd_program *program, FILE *out);
void cmd_help_command(const struct cmd_program *program,
    const struct cmd_command *command, FILE *out);
/* The commands and the exit statuses for the manual page, in mdoc(7). */
void cmd_man(const struct cmd_program *program, FILE *out);
void cmd_man_exit(const struct cmd_program *program, FILE *out);

/* Write the script that completes commands and options in ${shell}, which is
 * "bash" or NULL for that; FAULT_USAGE for another. */
CHECKED int cmd_complete(const struct cmd_program *program, const char *shell,
    FILE *out, struct fault *f);

/* Whether ${name} is one of the words of ${list}. */
bool cmd_has_word(const char *list, const char *name);

/* FAULT_INTERNAL unless every option that a command names exists, and every
 * option is named by a command.  For the program's test. */
CHECKED int cmd_check(const struct cmd_program *program, struct fault *f);

/* FAULT_USAGE unless ${value} was given. */
CHECKED int cmd_need(const char *value, const char *option, struct fault *f);

/* ${text} as a number of ${least}..${most}; ${fallback} if it is NULL. */
CHECKED int cmd_number(const char *text, const char *option, int64_t least,
    int64_t most, int64_t fallback, int64_t *value, struct fault *f);

/* "2026-11-22" or "2026-11-22T04:00:00Z", UTC; 0 if ${text} is NULL. */
CHECKED int cmd_date(const char *text, const char *option, time_t *when,
    struct fault *f);

#endif
