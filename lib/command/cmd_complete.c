#include "cmd.h"

#include <ctype.h>
#include <string.h>

/* The name of the shell's function: _signet_ca. */
static void
print_function(const struct cmd_program *program, FILE *out)
{
	fputc('_', out);
	for (const char *at = program->name; *at != '\0'; at++)
		fputc(isalnum((unsigned char)*at) ? *at : '_', out);
}

static bool
same_first(const char *a, const char *b)
{
	size_t len = strcspn(a, " ");

	return strcspn(b, " ") == len && strncmp(a, b, len) == 0;
}

/* Whether the command ${at} is the first that begins with its first word. */
static bool
opens(const struct cmd_program *program, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_first(program->commands[i].name,
			program->commands[at].name))
			return false;
	return true;
}

static void
first_words(const struct cmd_program *program, FILE *out)
{
	for (size_t i = 0; i < program->commands_count; i++) {
		const char *name = program->commands[i].name;

		if (opens(program, i))
			fprintf(out, "%s%.*s", i > 0 ? " " : "",
			    (int)strcspn(name, " "), name);
	}
}

static void
options_of(const struct cmd_program *program, const struct cmd_command *command,
    FILE *out)
{
	fprintf(out, "--help");
	for (size_t i = 0; i < program->options_count; i++)
		if (cmd_has_word(command->options, program->options[i].name))
			fprintf(out, " --%s", program->options[i].name);
}

/* What may be the second word after ${first}. */
static void
second_words(const struct cmd_program *program, const char *first, FILE *out)
{
	int len = (int)strcspn(first, " ");
	bool some = false;

	for (size_t i = 0; i < program->commands_count; i++) {
		const char *name = program->commands[i].name;

		if (!same_first(name, first) || name[len] == '\0')
			continue;
		if (some)
			fputc(' ', out);
		else
			fprintf(out, "\t'%.*s ') words='", len, first);
		fprintf(out, "%s", name + len + 1);
		some = true;
	}
	for (size_t i = 0; some && i < program->commands_count; i++) {
		const char *name = program->commands[i].name;

		if (same_first(name, first) && name[len] == '\0') {
			fputc(' ', out);
			options_of(program, &program->commands[i], out);
		}
	}
	if (some)
		fprintf(out, "' ;;\n");
}

/* Of what begins with one word the commands of two come first. */
static void
commands_of(const struct cmd_program *program, bool two, FILE *out)
{
	for (size_t i = 0; i < program->commands_count; i++) {
		const struct cmd_command *c = &program->commands[i];

		if ((strchr(c->name, ' ') != NULL) != two)
			continue;
		fprintf(out, two ? "\t'%s') words='" : "\t'%s '*) words='",
		    c->name);
		options_of(program, c, out);
		fprintf(out, "' ;;\n");
	}
}

/* After an option that has a value the shell completes file names. */
static void
values(const struct cmd_program *program, FILE *out)
{
	bool some = false;

	for (size_t i = 0; i < program->options_count; i++)
		if (program->options[i].kind != CMD_FLAG) {
			fprintf(out, "%s--%s", some ? "|" : "\tcase $prev in ",
			    program->options[i].name);
			some = true;
		}
	if (some)
		fprintf(out, ") COMPREPLY=(); return ;; esac\n");
}

static void
bash(const struct cmd_program *program, FILE *out)
{
	print_function(program, out);
	fprintf(out,
	    "()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= two=\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n");
	values(program, out);
	fprintf(out,
	    "\tif [ \"$COMP_CWORD\" -gt 2 ]; then two=${COMP_WORDS[2]}; fi\n"
	    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then words='");
	first_words(program, out);
	fprintf(out, "'\n\telse case \"${COMP_WORDS[1]} $two\" in\n");
	commands_of(program, true, out);
	for (size_t i = 0; i < program->commands_count; i++)
		if (opens(program, i))
			second_words(program, program->commands[i].name, out);
	commands_of(program, false, out);
	fprintf(out,
	    "\tesac; fi\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\n"
	    "complete -o default -F ");
	print_function(program, out);
	fprintf(out, " %s\n", program->name);
}

int
cmd_complete(const struct cmd_program *program, const char *shell, FILE *out,
    struct fault *f)
{
	if (shell != NULL && strcmp(shell, "bash") != 0)
		return fault_set(f, FAULT_USAGE,
		    "there is a script for bash, none for \"%s\"", shell);
	bash(program, out);
	return 0;
}
