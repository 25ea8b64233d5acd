#include "cmd.h"

#include "base/fault.h"
#include "base/text.h"

#include <getopt.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST 256 /* val of the first option, past all characters */

bool
cmd_has_word(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* How far ${word} may be from what was meant: short ones are soon something
 * else. */
static int
farthest(const char *word)
{
	return strlen(word) < 6 ? 1 : 2;
}

static const char *
nearest_command(const struct cmd_program *program, const char *typed)
{
	int best = farthest(typed) + 1;
	const char *near = NULL;

	for (size_t i = 0; i < program->commands_count; i++) {
		int distance = text_distance(typed, program->commands[i].name);

		if (distance < best) {
			best = distance;
			near = program->commands[i].name;
		}
	}
	return near;
}

static const char *
nearest_option(const struct cmd_program *program,
    const struct cmd_command *command, const char *typed)
{
	int best = farthest(typed) + 1;
	const char *near = NULL;

	for (size_t i = 0; i < program->options_count; i++) {
		const char *name = program->options[i].name;
		int distance = text_distance(typed, name);

		if (distance >= best || !cmd_has_word(command->options, name))
			continue;
		best = distance;
		near = name;
	}
	return near;
}

/* ${begun}: ${first} is the first word of commands that have two. */
static void
no_such_command(const struct cmd_program *program, const char *first,
    const char *second, bool begun, struct fault *f)
{
	char typed[64];
	const char *near = NULL;

	if (*first == '\0') {
		(void)fault_set(f, FAULT_USAGE, "which command?");
		return;
	}
	if (text_fmt(typed, sizeof(typed), "%s%s%s", first,
		*second != '\0' ? " " : "", second) == 0)
		near = nearest_command(program, typed);
	if (near == NULL)
		near = nearest_command(program, first);
	(void)fault_set(f, FAULT_USAGE, "unknown command \"%s%s%s\"%s%s%s",
	    first, begun && *second != '\0' ? " " : "", begun ? second : "",
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?" : "");
}

const struct cmd_command *
cmd_find(const struct cmd_program *program, int argc, char **argv, int *words,
    struct fault *f)
{
	const char *first = argc > 1 ? argv[1] : "";
	const char *second = argc > 2 ? argv[2] : "";
	const struct cmd_command *one = NULL;
	size_t len = strlen(first);

	*words = 0;
	for (size_t i = 0; i < program->commands_count; i++) {
		const char *name = program->commands[i].name;

		if (strcspn(name, " ") != len || strncmp(name, first, len) != 0)
			continue;
		*words = 1;
		if (name[len] == '\0') {
			/* "history check" is more than "history". */
			one = &program->commands[i];
		} else if (strcmp(name + len + 1, second) == 0) {
			*words = 2;
			return &program->commands[i];
		}
	}
	if (one == NULL)
		no_such_command(program, first, second, *words > 0, f);
	return one;
}

static int
take(const struct cmd_option *row, const char *value, void *args,
    struct fault *f)
{
	void *field = (char *)args + row->offset;
	struct cmd_list *list = field;

	switch (row->kind) {
	case CMD_FLAG:
		*(bool *)field = true;
		return 0;
	case CMD_TEXT:
		if (*(const char **)field != NULL)
			return fault_set(f, FAULT_USAGE, "--%s is given twice",
			    row->name);
		*(const char **)field = value;
		return 0;
	case CMD_LIST:
		if (list->count == CMD_LIST_MAX)
			return fault_set(f, FAULT_USAGE,
			    "--%s is given more than %d times", row->name,
			    CMD_LIST_MAX);
		list->item[list->count++] = value;
		return 0;
	}
	return fault_set(f, FAULT_INTERNAL, "option without kind");
}

/* The options that ${command} takes, for getopt_long. */
static void
fill_options(const struct cmd_program *program,
    const struct cmd_command *command, struct option *out)
{
	for (size_t i = 0; i < program->options_count; i++) {
		const struct cmd_option *row = &program->options[i];

		if (!cmd_has_word(command->options, row->name))
			continue;
		out->name = row->name;
		out->has_arg =
		    row->kind == CMD_FLAG ? no_argument : required_argument;
		out->val = FIRST + (int)i;
		out++;
	}
	out->name = "help";
	out->val = 'h';
}

/* ${typed} is the word that getopt_long stumbled over. */
static int
no_such_option(const struct cmd_program *program,
    const struct cmd_command *command, const char *typed, struct fault *f)
{
	size_t dashes = strspn(typed, "-");
	char name[64];
	const char *near = NULL;

	/* Of several letters in one word getopt_long names the one. */
	if (optopt > 0 && optopt < FIRST)
		return fault_set(f, FAULT_USAGE, "unknown option -%c", optopt);
	if (optopt >= FIRST)
		return fault_set(f, FAULT_USAGE, "--%s takes no value",
		    program->options[optopt - FIRST].name);
	if (text_fmt(name, sizeof(name), "%.*s",
		(int)strcspn(typed + dashes, "="), typed + dashes) == 0)
		near = nearest_option(program, command, name);
	if (near == NULL)
		return fault_set(f, FAULT_USAGE, "unknown option %s", typed);
	return fault_set(f, FAULT_USAGE,
	    "unknown option %s; did you mean %.*s%s?", typed, (int)dashes, "--",
	    near);
}

static int
read_options(const struct cmd_program *program,
    const struct cmd_command *command, const struct cmd_line *line, void *args,
    struct fault *f)
{
	int (*get)(int, char *const *, const char *, const struct option *,
	    int *) = line->one_dash ? getopt_long_only : getopt_long;
	struct option options[CMD_OPTIONS_MAX + 2] = { 0 };
	int option;

	fill_options(program, command, options);
	opterr = 0;
	/* 0: begin anew, whatever word another run was in. */
	optind = 0;
	while ((option = get(line->argc, line->argv, ":h", options, NULL)) !=
	    -1) {
		if (option == 'h')
			return 1;
		if (option == ':')
			return fault_set(f, FAULT_USAGE, "%s needs a value",
			    line->argv[optind - 1]);
		if (option < FIRST)
			return no_such_option(program, command,
			    line->argv[optind - 1], f);
		if (take(&program->options[option - FIRST], optarg, args, f) <
		    0)
			return -1;
	}
	return 0;
}

int
cmd_read(const struct cmd_program *program, const struct cmd_command *command,
    const struct cmd_line *line, void *args, struct fault *f)
{
	int result, count;

	memset(args, 0, program->args_size);
	if ((result = read_options(program, command, line, args, f)) != 0)
		return result;
	count = line->argc - optind;
	if (count < command->least || count > command->most)
		return fault_set(f, FAULT_USAGE, "usage: %s %s %s",
		    program->name, command->name, command->operands);
	program->give(args, (size_t)count, line->argv + optind, line->program);
	return 0;
}

/* Whether the options of ${command} are all in the table; ${used} counts. */
static int
check_command(const struct cmd_program *program,
    const struct cmd_command *command, bool used[CMD_OPTIONS_MAX],
    struct fault *f)
{
	for (const char *at = command->options; *at != '\0';) {
		size_t len = strcspn(at, " "), i = 0;

		while (i < program->options_count &&
		    (strlen(program->options[i].name) != len ||
			strncmp(program->options[i].name, at, len) != 0))
			i++;
		if (i == program->options_count)
			return fault_set(f, FAULT_INTERNAL,
			    "%s: there is no option %.*s", command->name,
			    (int)len, at);
		used[i] = true;
		at += len + (at[len] == ' ');
	}
	return 0;
}

int
cmd_check(const struct cmd_program *program, struct fault *f)
{
	bool used[CMD_OPTIONS_MAX] = { false };

	for (size_t i = 0; i < program->commands_count; i++)
		if (check_command(program, &program->commands[i], used, f) < 0)
			return -1;
	for (size_t i = 0; i < program->options_count; i++)
		if (!used[i])
			return fault_set(f, FAULT_INTERNAL,
			    "no command takes %s", program->options[i].name);
	return 0;
}

int
cmd_need(const char *value, const char *option, struct fault *f)
{
	if (value == NULL || *value == '\0')
		return fault_set(f, FAULT_USAGE, "%s is needed", option);
	return 0;
}

int
cmd_number(const char *text, const char *option, int64_t least, int64_t most,
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
cmd_date(const char *text, const char *option, time_t *when, struct fault *f)
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
