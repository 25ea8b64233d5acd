#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule_inner.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kinds[] = {
	[MAPRULE_BAN_PERSON] = "person",
	[MAPRULE_BAN_DN] = "dn",
	[MAPRULE_BAN_CA] = "ca",
	[MAPRULE_BAN_GROUP] = "group",
	[MAPRULE_BAN_PATTERN] = "pattern",
	[MAPRULE_BAN_ACCOUNT] = "account",
};

const char *
maprule_ban_kind_text(enum maprule_ban_kind kind)
{
	return kinds[kind];
}

static int
read_kind(const char *word, enum maprule_ban_kind *kind, struct fault *f)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i], word) == 0) {
			*kind = (enum maprule_ban_kind)i;
			return 0;
		}
	}
	return maprule_unknown("kind of ban", word, kinds, COUNT_OF(kinds), f);
}

/* A name without its slash would ban nobody, and nobody would notice. */
static int
check_what(const struct maprule_ban *ban, struct fault *f)
{
	bool name = ban->kind == MAPRULE_BAN_DN || ban->kind == MAPRULE_BAN_CA;

	if (name && (ban->what[0] != '/' || strchr(ban->what, '=') == NULL))
		return fault_set(f, FAULT_CONFIG,
		    "a name begins like /DC=org, not \"%.64s\"", ban->what);
	if (ban->kind == MAPRULE_BAN_PATTERN && ban->what[0] != '/' &&
	    ban->what[0] != '*')
		return fault_set(f, FAULT_CONFIG,
		    "a pattern of names begins with / or *, not \"%.64s\"",
		    ban->what);
	if (ban->kind != MAPRULE_BAN_CA)
		return 0;
	if (ban->what[strlen(ban->what) - 1] == '/')
		return fault_set(f, FAULT_CONFIG,
		    "the name of a CA ends without a slash");
	return 0;
}

int
maprule_ban_read(const struct maprule_block *b, struct maprule_ban *ban,
    struct fault *f)
{
	static const char *const known[] = { "until", "because" };
	const struct maprule_words *w = &b->head;
	bool until = false, because = false;

	*ban = (struct maprule_ban){ .what = w->word[1],
		.because = "",
		.path = b->path,
		.line = b->line };
	if (read_kind(w->word[0], &ban->kind, f) < 0 || check_what(ban, f) < 0)
		return -1;
	for (size_t i = 2; i < w->count; i += 2) {
		bool *seen = strcmp(w->word[i], known[0]) == 0 ? &until
		    : strcmp(w->word[i], known[1]) == 0	       ? &because
							       : NULL;

		if (seen == NULL)
			return maprule_unknown("word after a ban", w->word[i],
			    known, COUNT_OF(known), f);
		if (i + 1 == w->count)
			return fault_set(f, FAULT_CONFIG,
			    "nothing after %s (a text with blanks stands in "
			    "quotes)",
			    w->word[i]);
		if (*seen)
			return fault_set(f, FAULT_CONFIG, "%s is given twice",
			    w->word[i]);
		*seen = true;
		if (seen == &because)
			ban->because = w->word[i + 1];
		else if (maprule_time_read(w->word[i + 1], &ban->until, f) < 0)
			return -1;
	}
	return 0;
}
