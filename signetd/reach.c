#include "signetd/reach.h"

#include "base/own.h"
#include "base/text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* ".NAME.gen", ".NAME.lock": what signet-trust keeps beside NAME. */
static bool
is_beside(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return entry[0] == '.' && strncmp(entry + 1, name, len) == 0 &&
	    (strcmp(entry + 1 + len, ".gen") == 0 ||
		strcmp(entry + 1 + len, ".lock") == 0);
}

/* ".NAME.gen", for any name. */
static bool
is_generations(const char *above)
{
	const char *entry = strrchr(above, '/') + 1;

	return entry[0] == '.' && text_ends(entry, ".gen");
}

/* Whether nothing is in ${above} but the directory ${name} and what belongs to
 * it. */
static bool
has_nothing_else(const char *above, const char *name)
{
	DIR *d = opendir(above);
	const struct dirent *entry;
	bool nothing = d != NULL;

	while (nothing && (entry = readdir(d)) != NULL)
		nothing = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, name) == 0 ||
		    is_beside(entry->d_name, name);
	if (d != NULL)
		(void)closedir(d);
	return nothing;
}

enum reach
reach_successor(const char *dir, bool alone, char above[PATH_MAX])
{
	char *slash;

	if (realpath(dir, above) == NULL ||
	    (slash = strrchr(above, '/')) == NULL || slash == above)
		return REACH_NONE;
	*slash = '\0';
	if (alone || is_generations(above) ||
	    has_nothing_else(above, slash + 1))
		return REACH_ABOVE;
	return REACH_SHARED;
}
