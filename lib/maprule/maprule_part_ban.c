/* Bans, as they are in a part. */
#include "base/fault.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"
#include "maprule/maprule_work.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Case does not count in what a person is called. */
static size_t
find_person_ban(const struct maprule_part *part, const char *what)
{
	char text[MAPRULE_WORD_MAX + 1];
	size_t len = strlen(what);
	uint32_t number;

	if (len == 0 || len >= sizeof(text))
		return SIZE_MAX;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)what[i]);
	return maprule_set_find(&part->person_bans, text, len, &number)
	    ? number
	    : SIZE_MAX;
}

static int
put_person_ban(struct maprule_part *part, const char *what, uint32_t number,
    struct fault *f)
{
	char text[MAPRULE_WORD_MAX + 1];
	size_t len = strlen(what);

	if (len >= sizeof(text))
		return fault_set(f, FAULT_INTERNAL, "a long word");
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)what[i]);
	return maprule_set_put(&part->person_bans, text, len, number, f);
}

static size_t
ban_by_name(const struct maprule_part *part, const struct roster_person *p)
{
	size_t number;

	if (part->person_bans.count == 0 ||
	    (p->source < part->sources && part->source_lines[p->source]))
		return SIZE_MAX;
	if ((number = find_person_ban(part, p->principal)) != SIZE_MAX ||
	    (number = find_person_ban(part, p->where)) != SIZE_MAX)
		return number;
	for (size_t i = 0; i < p->account_count; i++)
		if ((number = find_person_ban(part, roster_account_at(p, i))) !=
		    SIZE_MAX)
			return number;
	return SIZE_MAX;
}

size_t
maprule_ban_of_person(const struct maprule_part *part,
    const struct roster_person *p)
{
	const char *which;
	size_t number = ban_by_name(part, p);

	for (size_t i = 0; number == SIZE_MAX && i < part->group_ban_count; i++)
		if (maprule_in_one(&part->bans[part->group_bans[i]].groups, p,
			part->sources, &which))
			number = part->group_bans[i];
	return number;
}

static bool
is_under(const char *ca, const char *key)
{
	size_t len = strlen(ca);

	return strncmp(ca, key, len) == 0 &&
	    (key[len] == '\0' || key[len] == '/');
}

size_t
maprule_ban_of_name(const struct maprule_part *part, const char *key,
    size_t len)
{
	uint32_t number;

	for (size_t i = 0; i < part->shape_ban_count; i++) {
		const struct maprule_live_ban *b =
		    &part->bans[part->shape_bans[i]];

		if (b->ban->kind == MAPRULE_BAN_CA ? is_under(b->key, key)
						   : maprule_glob(b->key, key))
			return part->shape_bans[i];
	}
	if (maprule_set_find(&part->banned_names, key, len, &number))
		return number;
	return SIZE_MAX;
}

size_t
maprule_ban_of_account(const struct maprule_part *part, const char *account)
{
	uint32_t number;

	if (maprule_set_find(&part->banned_accounts, account, strlen(account),
		&number))
		return number;
	return SIZE_MAX;
}

int
maprule_forbids(struct maprule_part *part, const char *name,
    const char *account, const struct maprule_ban **ban, struct fault *f)
{
	size_t number = SIZE_MAX;

	if (part->ban_count == 0)
		return 0;
	if (account != NULL)
		number = maprule_ban_of_account(part, account);
	if (number == SIZE_MAX && name != NULL) {
		if (maprule_key(&part->key, name, f) == NULL)
			return -1;
		number = maprule_ban_of_name(part, (const char *)part->key.data,
		    part->key.len);
	}
	if (number == SIZE_MAX)
		return 0;
	*ban = part->bans[number].ban;
	return 1;
}

struct banning {
	struct maprule_part *part;
	struct fault *f;
};

/* All names and accounts of somebody who is banned. */
static int
ban_person(void *arg, const struct roster_person *p)
{
	struct banning *b = arg;
	struct maprule_part *part = b->part;
	size_t number = maprule_ban_of_person(part, p), at = 0;
	char name[ROSTER_NAME_SIZE];

	if (number == SIZE_MAX)
		return 0;
	for (size_t i = 0; i < p->account_count; i++) {
		const char *account = roster_account_at(p, i);

		if (maprule_set_put(&part->banned_accounts, account,
			strlen(account), (uint32_t)number, b->f) < 0)
			return -1;
	}
	while (roster_name_next(part->roster, p, &at, name)) {
		if (maprule_key(&part->key, name, b->f) == NULL ||
		    maprule_set_put(&part->banned_names, part->key.data,
			part->key.len, (uint32_t)number, b->f) < 0)
			return -1;
	}
	return 0;
}

static int
ban_make(struct maprule_part *part, const struct maprule_ban *ban,
    struct fault *f)
{
	struct maprule_live_ban *b = &part->bans[part->ban_count];
	uint32_t number = (uint32_t)part->ban_count;

	*b = (struct maprule_live_ban){ .ban = ban, .word = { 1, &ban->what } };
	part->ban_count++;
	switch (ban->kind) {
	case MAPRULE_BAN_ACCOUNT:
		return maprule_set_put(&part->banned_accounts, ban->what,
		    strlen(ban->what), number, f);
	case MAPRULE_BAN_GROUP:
		part->group_bans[part->group_ban_count++] = number;
		return maprule_groups_make(part, &b->groups, &b->word, f);
	case MAPRULE_BAN_PERSON:
		return put_person_ban(part, ban->what, number, f);
	case MAPRULE_BAN_DN:
	case MAPRULE_BAN_CA:
	case MAPRULE_BAN_PATTERN:
		break;
	}
	if (maprule_key(&part->key, ban->what, f) == NULL)
		return -1;
	if (ban->kind == MAPRULE_BAN_DN)
		return maprule_set_put(&part->banned_names, part->key.data,
		    part->key.len, number, f);
	part->shape_bans[part->shape_ban_count++] = number;
	b->key = strdup((const char *)part->key.data);
	return b->key == NULL ? fault_set(f, FAULT_MEMORY, "no memory for bans")
			      : 0;
}

int
maprule_bans_make(struct maprule_part *part, struct fault *f)
{
	struct banning all = { part, f };
	size_t n = part->rules->ban_count + 1;

	part->bans = calloc(n, sizeof(*part->bans));
	part->group_bans = calloc(n, sizeof(*part->group_bans));
	part->shape_bans = calloc(n, sizeof(*part->shape_bans));
	if (part->bans == NULL || part->group_bans == NULL ||
	    part->shape_bans == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for bans");
	for (size_t i = 0; i < part->rules->ban_count; i++) {
		const struct maprule_ban *ban = &part->rules->bans[i];

		if (ban->until != 0 && ban->until <= part->now)
			continue;
		maprule_note_end(part, ban->until);
		if (ban_make(part, ban, f) < 0)
			return -1;
	}
	return part->group_ban_count > 0 || part->person_bans.count > 0
	    ? roster_each(part->roster, ban_person, &all)
	    : 0;
}
