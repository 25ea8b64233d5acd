#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "cmd.h"

#include <sys/stat.h>

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Of standard input, output and error one that was closed would be the number
 * of the next file that is opened, and hear what we say.  To write to it stays
 * an error. */
void
cmd_begin(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
	/* Files and directories say their own modes. */
	(void)umask(022);
	/* A file that may grow no more is a fault to be told. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

const char *
cmd_called(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

	if (argc < 1)
		return "";
	return slash != NULL ? slash + 1 : argv[0];
}

static const struct cmd_alias *
find_alias(const struct cmd_program *program, int argc, char **argv)
{
	const char *name = cmd_called(argc, argv);

	for (size_t i = 0; i < program->aliases_count; i++)
		if (strcmp(name, program->aliases[i].name) == 0)
			return &program->aliases[i];
	return NULL;
}

static void
version(const struct cmd_program *program, FILE *out)
{
	fprintf(out, "%s %s\n", program->name, SIGNET_VERSION);
}

/* What every program prints. */
static const struct {
	const char *name;
	void (*print)(const struct cmd_program *program, FILE *out);
} prints[] = {
	{ "--help", cmd_help },
	{ "-h", cmd_help },
	{ "help", cmd_help },
	{ "--version", version },
	{ "-V", version },
	{ "--man-commands", cmd_man },
	{ "--man-exit", cmd_man_exit },
};

static bool
print(const struct cmd_program *program, const char *word)
{
	for (size_t i = 0; i < COUNT_OF(prints); i++)
		if (strcmp(word, prints[i].name) == 0) {
			prints[i].print(program, stdout);
			return true;
		}
	for (size_t i = 0; i < program->prints_count; i++)
		if (strcmp(word, program->prints[i].name) == 0) {
			program->prints[i].print(stdout);
			return true;
		}
	return false;
}

static int
run_command(const struct cmd_program *program,
    const struct cmd_command *command, const struct cmd_line *line,
    struct fault *f)
{
	OWN(char) args = calloc(1, program->args_size);
	int result;

	if (args == NULL)
		return fault_set(f, FAULT_MEMORY, "arguments");
	result = cmd_read(program, command, line, args, f);
	if (result < 0)
		return -1;
	if (result == 0)
		return command->run(args, f);
	cmd_help_command(program, command, stdout);
	return 0;
}

static int
run_alias(const struct cmd_program *program, const struct cmd_alias *alias,
    int argc, char **argv, struct fault *f)
{
	struct cmd_line line = { argc, argv, argv[0], alias->hint != NULL };

	for (size_t i = 0; i < program->commands_count; i++)
		if (strcmp(program->commands[i].name, alias->command) == 0)
			return run_command(program, &program->commands[i],
			    &line, f);
	return fault_set(f, FAULT_INTERNAL, "%s is no command", alias->command);
}

int
cmd_run(const struct cmd_program *program, int argc, char **argv,
    struct fault *f)
{
	const struct cmd_alias *alias = find_alias(program, argc, argv);
	const struct cmd_command *command;
	struct cmd_line line = { .program = argc > 0 ? argv[0] : "" };
	int words;

	if (alias != NULL)
		return run_alias(program, alias, argc, argv, f);
	if (argc == 2 && print(program, argv[1]))
		return 0;
	if ((command = cmd_find(program, argc, argv, &words, f)) == NULL) {
		/* The first word of several commands is no mistake here. */
		if (words == 0 || argc != 3 || strcmp(argv[2], "--help") != 0)
			return -1;
		cmd_help(program, stdout);
		return 0;
	}
	line.argc = argc - words;
	line.argv = argv + words;
	return run_command(program, command, &line, f);
}

/* "--js" is enough, as for getopt_long(). */
static bool
asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (text_starts(argv[i], "--") &&
		    text_starts("--json", argv[i]))
			return true;
	return false;
}

/* The object that signet gives too: stable keys, and the code as a word. */
static void
complain_json(const struct fault *f)
{
	char code[32] = "";
	json_t *error;

	for (size_t i = 0; i < sizeof(code) - 1 && fault_name(f->code)[i]; i++)
		code[i] = (char)tolower((unsigned char)fault_name(f->code)[i]);
	error = json_pack("{s:{s:s,s:i,s:s}}", "error", "code", code, "exit",
	    fault_exit_status(f->code), "message", f->text);
	if (error == NULL)
		return;
	(void)json_dumpf(error, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(error);
}

static void
complain(const struct cmd_program *program, int argc, char **argv,
    struct fault *f)
{
	const struct cmd_alias *alias = find_alias(program, argc, argv);
	bool own = alias != NULL && alias->hint != NULL;

	/* It may quote what others wrote. */
	text_clean(f->text);
	if (asks_for_json(argc, argv))
		complain_json(f);
	(void)fflush(stdout);
	fprintf(stderr, "%s: %s\n", own ? alias->name : program->name, f->text);
	if (f->code != FAULT_USAGE)
		return;
	if (own)
		fprintf(stderr, "%s\n", alias->hint);
	else
		fprintf(stderr, "try: %s --help\n", program->name);
}

int
cmd_end(const struct cmd_program *program, int argc, char **argv, int result,
    struct fault *f)
{
	if (result < 0) {
		complain(program, argc, argv, f);
		return fault_exit_status(f->code);
	}
	if ((fflush(stdout) != 0 || ferror(stdout)) &&
	    !file_is_unread(STDOUT_FILENO)) {
		fprintf(stderr, "%s: standard output is full\n", program->name);
		return fault_exit_status(FAULT_SYSTEM);
	}
	/* A command's own status: what it found, not that it failed. */
	return result;
}

int
cmd_main(const struct cmd_program *program, int argc, char **argv)
{
	struct fault f = { 0 };

	cmd_begin();
	return cmd_end(program, argc, argv, cmd_run(program, argc, argv, &f),
	    &f);
}
