#include "base/text.h"
#include "cmd.h"

#include <string.h>

#define HELP_INDENT 6

static void
print_name(const struct cmd_command *c, FILE *out)
{
	fprintf(out, "%s%s%s", c->name, *c->operands != '\0' ? " " : "",
	    c->operands);
}

/* As much of ${doc} as a list has room for. */
static void
first_sentence(const char *doc, FILE *out)
{
	const char *end = strstr(doc, ". ");
	char line[1024];

	if (end == NULL ||
	    text_fmt(line, sizeof(line), "%.*s", (int)(end + 1 - doc), doc) < 0)
		text_wrap(out, doc, HELP_INDENT, 0);
	else
		text_wrap(out, line, HELP_INDENT, 0);
}

void
cmd_help(const struct cmd_program *program, FILE *out)
{
	fprintf(out,
	    "usage: %s COMMAND [OPTIONS]\n"
	    "       %s COMMAND --help\n\n",
	    program->name, program->name);
	for (size_t i = 0; i < program->commands_count; i++) {
		fprintf(out, "  ");
		print_name(&program->commands[i], out);
		fputc('\n', out);
		first_sentence(program->commands[i].doc, out);
	}
	fprintf(out, "\n%s COMMAND --help says more, %s all of it.\n",
	    program->name, program->manual);
}

void
cmd_help_command(const struct cmd_program *program,
    const struct cmd_command *command, FILE *out)
{
	fprintf(out, "usage: %s ", program->name);
	print_name(command, out);
	fprintf(out, " [OPTIONS]\n");
	text_wrap(out, command->doc, 0, 0);
	fputc('\n', out);
	for (size_t i = 0; i < program->options_count; i++) {
		const struct cmd_option *row = &program->options[i];

		if (!cmd_has_word(command->options, row->name))
			continue;
		fprintf(out, "  --%s%s%s\n", row->name,
		    *row->argument == '\0' ? "" : " ", row->argument);
		text_wrap(out, row->doc, HELP_INDENT, 0);
	}
}

/* mdoc(7) wants a new line for each sentence. */
static void
man_text(const char *doc, FILE *out)
{
	for (; *doc != '\0'; doc++) {
		fputc(*doc, out);
		if (*doc == '.' && doc[1] == ' ') {
			fputc('\n', out);
			doc++;
		}
	}
	fputc('\n', out);
}

static void
man_options(const struct cmd_program *program,
    const struct cmd_command *command, FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < program->options_count; i++) {
		const struct cmd_option *row = &program->options[i];

		if (!cmd_has_word(command->options, row->name))
			continue;
		fprintf(out, ".It Fl -%s%s%s\n", row->name,
		    row->kind != CMD_FLAG ? " Ar " : "", row->argument);
		man_text(row->doc, out);
	}
	fprintf(out, ".El\n");
}

void
cmd_man(const struct cmd_program *program, FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < program->commands_count; i++) {
		const struct cmd_command *c = &program->commands[i];

		fprintf(out, ".It Cm %s%s%s\n", c->name,
		    *c->operands != '\0' ? " Ar " : "", c->operands);
		man_text(c->doc, out);
		if (*c->options != '\0')
			man_options(program, c, out);
	}
	fprintf(out, ".El\n");
}

/* All faults there are, by the status they end with. */
static void
man_all_exits(FILE *out)
{
	for (int status = 0; status < 128; status++) {
		bool open = false;

		for (int i = 0; i < FAULT_COUNT; i++) {
			enum fault_code code = (enum fault_code)i;

			if (fault_exit_status(code) != status)
				continue;
			if (open)
				fprintf(out, ";\n");
			else
				fprintf(out, ".It %d\n", status);
			fprintf(out, "%s", fault_sentence(code));
			open = true;
		}
		if (open)
			fprintf(out, ".\n");
	}
}

void
cmd_man_exit(const struct cmd_program *program, FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	if (program->exits_count == 0)
		man_all_exits(out);
	for (size_t i = 0; i < program->exits_count; i++)
		fprintf(out, ".It %d\n%s\n",
		    fault_exit_status(program->exits[i].code),
		    program->exits[i].text);
	fprintf(out, ".El\n");
}
