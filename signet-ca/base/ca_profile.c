#include "ca_profile.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_shipped.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SUFFIX ".profile"

static int
read_shipped(const char *name, struct buf *text, struct fault *f)
{
	for (const struct ca_shipped *s = ca_shipped; s->name != NULL; s++) {
		if (strcmp(s->name, name) != 0)
			continue;
		buf_text(text, s->text);
		return 0;
	}
	return fault_set(f, FAULT_ABSENT, "no profile \"%s\"", name);
}

/* The text of the profile ${name}. */
static int
read_text(const char *name, const char *dir, struct buf *text, struct fault *f)
{
	char path[PATH_MAX];

	if (strchr(name, '/') != NULL)
		return file_read(name, text, f);
	if (text_fmt(path, sizeof(path), "%s/%s" SUFFIX,
		dir != NULL ? dir : SIGNET_PROFILE_DIR, name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (file_read(path, text, f) == 0)
		return 0;
	if (dir != NULL || f->code != FAULT_ABSENT)
		return -1;
	return read_shipped(name, text, f);
}

struct profile *
ca_profile(const char *name, const char *dir, struct fault *f)
{
	OWN_STRUCT(profile) p = malloc(sizeof(*p));
	OWN_BUF(text, CONF_MAX_TEXT);
	char base[PROFILE_NAME_SIZE];
	const char *slash = strrchr(name, '/');

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "profile");
		return NULL;
	}
	if (text_copy(base, sizeof(base), slash == NULL ? name : slash + 1) <
	    0) {
		(void)fault_set(f, FAULT_USAGE, "name of profile too long");
		return NULL;
	}
	if (text_ends(base, SUFFIX))
		base[strlen(base) - strlen(SUFFIX)] = '\0';
	if (read_text(name, dir, &text, f) < 0)
		return NULL;
	if (profile_read(p, base, (const char *)text.data, text.len, f) < 0) {
		(void)fault_wrap(f, "profile %s", name);
		return NULL;
	}
	return TAKE(p);
}
