#include "old_grid.h"

#include "base/fault.h"

#include <stdio.h>
#include <string.h>

/* What globus_args says of values, by the option's name. */
static const struct {
	const char *option;
	const char *says;
} values[] = {
	{ "-valid", "value must be in the format: H:M" },
	{ "-v", "value must be in the format: H:M" },
	{ "-bits", "value must be one of 512,1024,2048,4096" },
};

/* Ours are "NAME is no option here...", "NAME: "X" is not ...". */
static const char *
reason(const char *name, size_t len, const char *rest)
{
	if (strncmp(rest, " is no option", 13) == 0)
		return "unrecognized option";
	if (*rest != ':')
		return rest + (*rest == ' ');
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strlen(values[i].option) == len &&
		    memcmp(values[i].option, name, len) == 0)
			return values[i].says;
	return rest + 1 + (rest[1] == ' ');
}

void
old_grid_usage(const struct fault *f, const char *syntax)
{
	const char *name = f->text;
	size_t len = strcspn(name, " :");

	if (*name != '-')
		fprintf(stderr, "\nERROR: %s\n", name);
	else
		fprintf(stderr, "\nERROR: option %.*s : %s\n", (int)len, name,
		    reason(name, len, name + len));
	fprintf(stderr, "\nSyntax: %s\n\nUse -help to display full usage.\n",
	    syntax);
}

void
old_grid_no_file(const char *what, const char *path, bool named,
    const struct fault *f)
{
	fprintf(stderr, "\nERROR: %s\n       ", what);
	if (!named && f->code != FAULT_INPUT)
		fputs("globus_sysconfig: Could not find a valid proxy "
		      "certificate file location\n"
		      "globus_sysconfig: Error with key filename\n",
		    stderr);
	if (f->code == FAULT_ABSENT)
		fprintf(stderr,
		    "globus_sysconfig: File does not exist: %s is not a valid "
		    "file\n",
		    path);
	else if (strstr(f->text, "readable by others") != NULL)
		fprintf(stderr,
		    "globus_sysconfig: File has bad permissions: Permissions "
		    "on %s are too permissive. Maximum allowable permissions "
		    "are 600\n",
		    path);
	else
		fprintf(stderr, "%s\n", f->text);
	fputs("\nUse -debug for further information.\n", stderr);
}
