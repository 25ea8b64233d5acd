#include "ca_args.h"

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
	{ name, KIND, offsetof(struct ca_args, field), argument, doc },
#include "ca_options.def"
#undef OPTION
};

const struct ca_command ca_commands[] = {
#define COMMAND(function, first, second, operands, least, most, options, doc) \
	{ first, second, operands, least, most, options, doc, function },
#include "ca_commands.def"
#undef COMMAND
};

const size_t ca_commands_count = COUNT_OF(ca_commands);

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

const struct ca_command *
ca_command_find(int argc, char **argv, int *words, struct fault *f)
{
	const char *first = argc > 1 ? argv[1] : "";
	const char *second = argc > 2 ? argv[2] : "";
	bool begun = false;

	for (size_t i = 0; i < ca_commands_count; i++) {
		const struct ca_command *c = &ca_commands[i];

		if (strcmp(c->first, first) != 0)
			continue;
		begun = true;
		if (*c->second != '\0' && strcmp(c->second, second) != 0)
			continue;
		*words = *c->second != '\0' ? 2 : 1;
		return c;
	}
	if (*first == '\0')
		(void)fault_set(f, FAULT_USAGE, "which command?");
	else
		(void)fault_set(f, FAULT_USAGE, "unknown command \"%s%s%s\"",
		    first, begun && *second != '\0' ? " " : "",
		    begun ? second : "");
	return NULL;
}

static int
take(const struct row *row, const char *value, struct ca_args *args,
    struct fault *f)
{
	void *field = (char *)args + row->offset;
	struct ca_list *list = field;

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
		if (list->count == CA_LIST_MAX)
			return fault_set(f, FAULT_USAGE,
			    "--%s is given more than %d times", row->name,
			    CA_LIST_MAX);
		list->item[list->count++] = value;
		return 0;
	}
	return fault_set(f, FAULT_INTERNAL, "option without kind");
}

/* The options that ${command} takes, for getopt_long. */
static void
fill_options(const struct ca_command *command, struct option *out)
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
ca_args_read(const struct ca_command *command, int argc, char **argv,
    struct ca_args *args, struct fault *f)
{
	struct option options[COUNT_OF(rows) + 2] = { 0 };
	int option;

	memset(args, 0, sizeof(*args));
	fill_options(command, options);
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
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
		return fault_set(f, FAULT_USAGE, "usage: signet-ca %s%s%s %s",
		    command->first, *command->second != '\0' ? " " : "",
		    command->second, command->operands);
	return 0;
}

static void
print_name(const struct ca_command *c, FILE *out)
{
	fprintf(out, "%s%s%s%s%s", c->first, *c->second != '\0' ? " " : "",
	    c->second, *c->operands != '\0' ? " " : "", c->operands);
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
ca_help(FILE *out)
{
	fprintf(out,
	    "usage: signet-ca COMMAND [OPTIONS]\n"
	    "       signet-ca COMMAND --help\n\n");
	for (size_t i = 0; i < ca_commands_count; i++) {
		fprintf(out, "  ");
		print_name(&ca_commands[i], out);
		fputc('\n', out);
		first_sentence(ca_commands[i].doc, out);
	}
	fprintf(out,
	    "\nsignet-ca COMMAND --help says more, signet-ca(8) all of it.\n");
}

void
ca_help_command(const struct ca_command *command, FILE *out)
{
	fprintf(out, "usage: signet-ca ");
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
ca_man(FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < ca_commands_count; i++) {
		const struct ca_command *c = &ca_commands[i];

		fprintf(out, ".It Cm %s%s%s%s%s\n", c->first,
		    *c->second != '\0' ? " " : "", c->second,
		    *c->operands != '\0' ? " Ar " : "", c->operands);
		man_text(c->doc, out);
		fprintf(out, ".Bl -tag -width Ds\n");
		for (size_t j = 0; j < COUNT_OF(rows); j++) {
			if (!has_word(c->options, rows[j].name))
				continue;
			fprintf(out, ".It Fl -%s%s%s\n", rows[j].name,
			    rows[j].kind != FLAG ? " Ar " : "",
			    rows[j].argument);
			man_text(rows[j].doc, out);
		}
		fprintf(out, ".El\n");
	}
	fprintf(out, ".El\n");
}

int
ca_need(const char *value, const char *option, struct fault *f)
{
	if (value == NULL || *value == '\0')
		return fault_set(f, FAULT_USAGE, "%s is needed", option);
	return 0;
}

int
ca_number(const char *text, const char *option, int64_t least, int64_t most,
    int64_t fallback, int64_t *value, struct fault *f)
{
	*value = fallback;
	if (text != NULL && text_number(text, least, most, value) < 0)
		return fault_set(f, FAULT_USAGE,
		    "%s is a number of %lld to %lld, not \"%s\"", option,
		    (long long)least, (long long)most, text);
	return 0;
}

int
ca_date(const char *text, const char *option, time_t *when, struct fault *f)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ" };

	*when = 0;
	if (text == NULL)
		return 0;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end == NULL || *end != '\0')
			continue;
		*when = timegm(&tm);
		return 0;
	}
	return fault_set(f, FAULT_USAGE,
	    "%s is a date like 2026-11-22 or 2026-11-22T04:00:00Z, not \"%s\"",
	    option, text);
}
