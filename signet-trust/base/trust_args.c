#include "trust_args.h"

#include "base/fault.h"
#include "base/text.h"

#include <getopt.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HELP_INDENT 6
#define FIRST 256 /* val of the first option, past all characters */

enum kind {
	FLAG,
	TEXT,
	LIST
};

static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *argument;
	const char *doc;
} rows[] = {
#define OPTION(field, name, KIND, argument, doc) \
	{ name, KIND, offsetof(struct trust_args, field), argument, doc },
#include "trust_options.def"
#undef OPTION
};

const struct trust_command trust_commands[] = {
#define COMMAND(function, name, operands, least, most, options, doc) \
	{ name, operands, least, most, options, doc, function },
#include "trust_commands.def"
#undef COMMAND
};

const size_t trust_commands_count = COUNT_OF(trust_commands);

/* Whether ${name} is one of the words of ${list}. */
static bool
has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

const struct trust_command *
trust_command_find(const char *name, struct fault *f)
{
	for (size_t i = 0; i < trust_commands_count; i++)
		if (strcmp(trust_commands[i].name, name) == 0)
			return &trust_commands[i];
	if (*name == '\0')
		(void)fault_set(f, FAULT_USAGE, "which command?");
	else
		(void)fault_set(f, FAULT_USAGE, "unknown command \"%s\"", name);
	return NULL;
}

static int
take(const struct row *row, const char *value, struct trust_args *args,
    struct fault *f)
{
	void *field = (char *)args + row->offset;
	struct trust_list *list = field;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		return 0;
	case TEXT:
		if (*(const char **)field != NULL)
			return fault_set(f, FAULT_USAGE, "--%s is given twice",
			    row->name);
		*(const char **)field = value;
		return 0;
	case LIST:
		if (list->count == TRUST_LIST_MAX)
			return fault_set(f, FAULT_USAGE,
			    "--%s is given more than %d times", row->name,
			    TRUST_LIST_MAX);
		list->item[list->count++] = value;
		return 0;
	}
	return fault_set(f, FAULT_INTERNAL, "option without kind");
}

/* The options that ${command} takes, for getopt_long. */
static void
fill_options(const struct trust_command *command, struct option *out)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!has_word(command->options, rows[i].name))
			continue;
		out->name = rows[i].name;
		out->has_arg =
		    rows[i].kind == FLAG ? no_argument : required_argument;
		out->val = FIRST + (int)i;
		out++;
	}
	out->name = "help";
	out->val = 'h';
}

int
trust_args_read(const struct trust_command *command, bool old, int argc,
    char **argv, struct trust_args *args, struct fault *f)
{
	int (*get)(int, char *const *, const char *, const struct option *,
	    int *) = old ? getopt_long_only : getopt_long;
	struct option options[COUNT_OF(rows) + 2] = { 0 };
	int option;

	memset(args, 0, sizeof(*args));
	fill_options(command, options);
	opterr = 0;
	optind = 1;
	while ((option = get(argc, argv, ":h", options, NULL)) != -1) {
		if (option == 'h')
			return 1;
		if (option == ':')
			return fault_set(f, FAULT_USAGE, "%s needs a value",
			    argv[optind - 1]);
		if (option < FIRST)
			return fault_set(f, FAULT_USAGE, "unknown option %s",
			    argv[optind - 1]);
		if (take(&rows[option - FIRST], optarg, args, f) < 0)
			return -1;
	}
	args->operand = argv + optind;
	args->count = (size_t)(argc - optind);
	if (argc - optind < command->least || argc - optind > command->most)
		return fault_set(f, FAULT_USAGE, "usage: signet-trust %s %s",
		    command->name, command->operands);
	return 0;
}

static void
print_name(const struct trust_command *c, FILE *out)
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
trust_help(FILE *out)
{
	fprintf(out,
	    "usage: signet-trust COMMAND [OPTIONS]\n"
	    "       signet-trust COMMAND --help\n\n");
	for (size_t i = 0; i < trust_commands_count; i++) {
		fprintf(out, "  ");
		print_name(&trust_commands[i], out);
		fputc('\n', out);
		first_sentence(trust_commands[i].doc, out);
	}
	fprintf(out,
	    "\nsignet-trust COMMAND --help says more, signet-trust(8) all of "
	    "it.\n");
}

void
trust_help_command(const struct trust_command *command, FILE *out)
{
	fprintf(out, "usage: signet-trust ");
	print_name(command, out);
	fprintf(out, " [OPTIONS]\n");
	text_wrap(out, command->doc, 0, 0);
	fputc('\n', out);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (has_word(command->options, rows[i].name)) {
			fprintf(out, "  --%s%s%s\n", rows[i].name,
			    *rows[i].argument == '\0' ? "" : " ",
			    rows[i].argument);
			text_wrap(out, rows[i].doc, HELP_INDENT, 0);
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

void
trust_man(FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < trust_commands_count; i++) {
		const struct trust_command *c = &trust_commands[i];

		fprintf(out, ".It Cm %s%s%s\n", c->name,
		    *c->operands != '\0' ? " Ar " : "", c->operands);
		man_text(c->doc, out);
		if (*c->options != '\0')
			fprintf(out, ".Bl -tag -width Ds\n");
		for (size_t j = 0; j < COUNT_OF(rows); j++) {
			if (!has_word(c->options, rows[j].name))
				continue;
			fprintf(out, ".It Fl -%s%s%s\n", rows[j].name,
			    rows[j].kind != FLAG ? " Ar " : "",
			    rows[j].argument);
			man_text(rows[j].doc, out);
		}
		if (*c->options != '\0')
			fprintf(out, ".El\n");
	}
	fprintf(out, ".El\n");
}

/* What may follow each command's name. */
void
trust_complete(FILE *out)
{
	fprintf(out,
	    "_signet_trust()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then words='");
	for (size_t i = 0; i < trust_commands_count; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", trust_commands[i].name);
	fprintf(out, "'\n\telse case ${COMP_WORDS[1]} in\n");
	for (size_t i = 0; i < trust_commands_count; i++) {
		fprintf(out, "\t%s) words='--help", trust_commands[i].name);
		for (size_t j = 0; j < COUNT_OF(rows); j++)
			if (has_word(trust_commands[i].options, rows[j].name))
				fprintf(out, " --%s", rows[j].name);
		fprintf(out, "' ;;\n");
	}
	fprintf(out,
	    "\tesac; fi\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "}\n"
	    "complete -o default -F _signet_trust signet-trust\n");
}
