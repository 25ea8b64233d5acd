#include "old_grid.h"

#include "base/fault.h"
#include "base/text.h"
#include "command.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
in_words(const char *words, const char *word, size_t len)
{
	for (const char *at = words; *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

static const struct old_grid_value *
value_of(const struct old_grid *tool, const char *name, size_t len)
{
	for (size_t i = 0; i < tool->count; i++)
		if (in_words(tool->values[i].options, name, len))
			return &tool->values[i];
	return NULL;
}

/* Ours are "NAME is no option here...", "NAME needs a value" and
 * "NAME: "X" is not ..."; what else is said is said as it stands. */
static const char *
reason(const struct old_grid *tool, const char *name, size_t len)
{
	const char *rest = name + len;
	const struct old_grid_value *value = value_of(tool, name, len);

	if (text_starts(rest, " is no option"))
		return tool->unknown;
	if (value != NULL &&
	    (text_starts(rest, " needs a value") || text_starts(rest, ": \"-")))
		return value->missing;
	if (value != NULL && value->bad != NULL && text_starts(rest, ": \""))
		return value->bad;
	return rest + strspn(rest, ": ");
}

static void
put_syntax(const struct old_grid *tool)
{
	fprintf(stderr, "\n%s%s\n\nUse -help to display full usage.\n%s",
	    tool->label, tool->syntax, tool->end);
}

void
old_grid_usage(const struct old_grid *tool, const struct fault *f)
{
	const char *name = f->text;
	size_t len = strcspn(name, " :");

	if (*name == '"' && text_ends(name, " is one word too many"))
		fprintf(stderr, "\nERROR: option %.*s : %s\n",
		    (int)strcspn(name + 1, "\""), name + 1, tool->unknown);
	else if (*name == '-')
		fprintf(stderr, "\nERROR: option %.*s : %s\n", (int)len, name,
		    reason(tool, name, len));
	else
		fprintf(stderr, "\nERROR: %s\n", name);
	put_syntax(tool);
}

void
old_grid_option(const struct old_grid *tool, const char *option,
    const char *says)
{
	fprintf(stderr, "\nERROR: option %s : %s\n", option, says);
	put_syntax(tool);
}

void
old_grid_help(const struct old_grid *tool, const struct call *call, FILE *out)
{
	fprintf(out, "\n%s%s\n\n    Options\n", tool->label, tool->syntax);
	options_help(&call->command->options, OPTIONS_SINGLE_DASH, out);
	fputc('\n', out);
}

void
old_grid_version(const struct call *call, FILE *out)
{
	(void)call;
	fputs("signet_proxy_utils-" SIGNET_VERSION "\n", out);
}

bool
old_grid_file(const char *path, bool private, char why[OLD_GRID_WHY_SIZE])
{
	struct stat st;

	why[0] = '\0';
	if (stat(path, &st) < 0)
		(void)snprintf(why, OLD_GRID_WHY_SIZE,
		    "File does not exist: %s is not a valid file", path);
	else if (st.st_uid != geteuid())
		(void)snprintf(why, OLD_GRID_WHY_SIZE,
		    "File is not owned by current user: %s is not owned by "
		    "current user",
		    path);
	else if (private && (st.st_mode & 0177) != 0)
		(void)snprintf(why, OLD_GRID_WHY_SIZE,
		    "File has bad permissions: Permissions on %s are too "
		    "permissive. Maximum allowable permissions are 600",
		    path);
	else if (st.st_size == 0)
		(void)snprintf(why, OLD_GRID_WHY_SIZE,
		    "File has zero length: File: %s", path);
	return why[0] != '\0';
}

void
old_grid_no_file(const char *what, const char *why, bool named)
{
	fprintf(stderr, "\nERROR: %s\n       ", what);
	if (!named)
		fputs("globus_sysconfig: Could not find a valid proxy "
		      "certificate file location\n"
		      "globus_sysconfig: Error with key filename\n",
		    stderr);
	fprintf(stderr,
	    "globus_sysconfig: %s\n\nUse -debug for further information.\n",
	    why);
}
