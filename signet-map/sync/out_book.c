/* What a change means to whoever asks later who could use which account. */
#include "base/fault.h"
#include "out_part.h"

#include <string.h>

/* The next account at *${at}, which is moved past it; false: none more. */
static bool
next_account(const char **at, char *one, size_t size)
{
	size_t len;

	while (**at == ',')
		(*at)++;
	if ((len = strcspn(*at, ",")) == 0 || len >= size)
		return false;
	memcpy(one, *at, len);
	one[len] = '\0';
	*at += len;
	return true;
}

static bool
has_account(const char *accounts, const char *account)
{
	char one[MAP_PATH_SIZE];

	while (accounts != NULL && next_account(&accounts, one, sizeof(one)))
		if (strcmp(one, account) == 0)
			return true;
	return false;
}

static bool
is_first(const char *accounts, const char *account)
{
	size_t len = strcspn(accounts, ",");

	return len == strlen(account) && strncmp(accounts, account, len) == 0;
}

static int
tell_one(struct out *out, const struct out_story *story, char sign,
    const char *account, struct fault *f)
{
	const struct maprule_line *line = sign == '-' ? NULL : story->line;
	struct map_book_entry e = { .when = story->when,
		.sign = sign,
		.service = out->name,
		.account = account,
		.rule = line == NULL ? "" : line->rule,
		.source = line == NULL ? "" : line->source,
		.entry = line == NULL ? "" : line->entry,
		.name = story->name,
		.reason = sign == '-' ? story->reason : "" };

	return map_book_add(out->world->book, &e, f);
}

int
out_tell(struct out *out, const struct out_story *story, struct fault *f)
{
	const char *before = story->before, *after = story->after;
	char one[MAP_PATH_SIZE];
	bool first = true;

	if (out->world->book == NULL)
		return 0;
	while (before != NULL && next_account(&before, one, sizeof(one)))
		if (!has_account(story->after, one) &&
		    tell_one(out, story, '-', one, f) < 0)
			return -1;
	for (; after != NULL && next_account(&after, one, sizeof(one));
	     first = false) {
		char sign = !has_account(story->before, one) ? '+'
		    : first && !is_first(story->before, one) ? '*'
							     : '\0';

		if (sign != '\0' && tell_one(out, story, sign, one, f) < 0)
			return -1;
	}
	return 0;
}
