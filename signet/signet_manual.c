#include "signet_manual.h"

#include "base/fault.h"
#include "base/text.h"
#include "signet_conf.h"

#include <string.h>

#define LINE 1024

static void
put_exit(void)
{
	bool seen[128] = { false };

	fputs(".Bl -tag -width Ds\n.It 0\nAll went well.\n", stdout);
	for (int status = 1; status < 128; status++)
		for (size_t i = 0; i < FAULT_COUNT; i++) {
			enum fault_code code = (enum fault_code)i;

			if (fault_exit_status(code) != status || seen[status])
				continue;
			seen[status] = true;
			printf(".It %d\n%c%s.\n", status,
			    fault_sentence(code)[0] - 'a' + 'A',
			    fault_sentence(code) + 1);
		}
	fputs(".El\n", stdout);
}

static void
put_commands(const struct command *const *all)
{
	fputs(".Bl -tag -width Ds\n", stdout);
	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->verb != NULL && !all[i]->hidden)
			printf(".It Cm %s\n%s.\n", all[i]->verb,
			    all[i]->summary);
	fputs(".El\n", stdout);
}

/* The command ${name}, and whether that is an old name of it. */
static const struct command *
named(const struct command *const *all, const char *name, bool *old)
{
	for (size_t i = 0; all[i] != NULL; i++) {
		const char *at = all[i]->old_names;

		*old = false;
		if (all[i]->verb != NULL && strcmp(all[i]->verb, name) == 0)
			return all[i];
		*old = true;
		while (at != NULL && *at != '\0') {
			size_t len = strcspn(at, " ");

			if (len == strlen(name) && memcmp(at, name, len) == 0)
				return all[i];
			at += len + (at[len] == ' ');
		}
	}
	return NULL;
}

static int
expand(const struct call *call, const char *line, struct fault *f)
{
	const struct command *c;
	bool old = false;

	if (strcmp(line, "@EXIT") == 0) {
		put_exit();
		return 0;
	}
	if (strcmp(line, "@COMMANDS") == 0) {
		put_commands(call->all);
		return 0;
	}
	if (strcmp(line, "@SETTINGS") == 0) {
		conf_man(&signet_schema, stdout);
		return 0;
	}
	if (!text_starts(line, "@OPTIONS ") ||
	    (c = named(call->all, line + strlen("@OPTIONS "), &old)) == NULL)
		return fault_set(f, FAULT_INPUT, "\"%s\" stands for nothing",
		    line);
	options_man(&c->options, old ? c->old_style : OPTIONS_GNU, stdout);
	return 0;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	char line[LINE];

	(void)options;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (line[0] != '@') {
			fputs(line, stdout);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		if (expand(call, line, f) < 0)
			return -1;
	}
	return ferror(stdin) ? fault_set(f, FAULT_SYSTEM, "reading the page")
			     : 0;
}

const struct command signet_manual = {
	.verb = "manual",
	.hidden = true,
	.summary = "Fill a manual page from the tables",
	.operands = "",
	.run = run,
};
