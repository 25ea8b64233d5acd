/* What a rule gives to whom, and who claims a name. */
#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"
#include "maprule/maprule_inner.h"
#include "maprule/maprule_part.h"
#include "maprule/maprule_work.h"

#include <stdlib.h>
#include <string.h>

static const char *const losses[] = {
	[MAPRULE_LOSS_ABSENT] = "there is no such account here",
	[MAPRULE_LOSS_ROOT] = "nobody is mapped to root",
	[MAPRULE_LOSS_RANGE] = "its uid is outside the service's range",
	[MAPRULE_LOSS_BAD] = "it is no account",
	[MAPRULE_LOSS_BANNED] = "it is banned",
	[MAPRULE_LOSS_INTERNAL] = "the last look at the bans removed it",
};

const char *
maprule_loss_text(enum maprule_loss loss)
{
	return losses[loss];
}

/* ---- accounts */

/* A pool is written ".PREFIX"; whoever leases from it picks an account. */
static bool
is_pool(const char *account)
{
	return account[0] == '.' && maprule_account_good(account + 1);
}

static int
judge_uid(struct maprule_part *part, const char *account,
    enum maprule_loss *loss, struct fault *f)
{
	const struct maprule_service *s = part->service;
	uint32_t uid = 0;
	int found;

	if (part->accounts == NULL)
		return 1;
	found =
	    maprule_accounts_find(part->accounts, account, s->exist, &uid, f);
	if (found < 0)
		return -1;
	*loss = MAPRULE_LOSS_ABSENT;
	if (found == 0)
		return s->exist ? 0 : 1;
	*loss = uid == 0 ? MAPRULE_LOSS_ROOT : MAPRULE_LOSS_RANGE;
	return uid != 0 && uid >= s->uid_least && uid <= s->uid_most;
}

int
maprule_account_judge(struct maprule_part *part,
    const struct maprule_claim *claim, const char *account,
    enum maprule_loss *loss, struct fault *f)
{
	bool own = strcmp(part->uses[claim->use].rule->accounts.word[0],
		       MAPRULE_PERSONAL) == 0;

	*loss = MAPRULE_LOSS_BANNED;
	if (maprule_ban_of_account(part, account) != SIZE_MAX)
		return 0;
	/* Of people's own entries a pool is a mistake, or a trick. */
	if (is_pool(account) && (claim->line || !own))
		return 1;
	*loss = MAPRULE_LOSS_BAD;
	if (!maprule_account_good(account))
		return 0;
	*loss = MAPRULE_LOSS_ROOT;
	if (maprule_account_root(account))
		return 0;
	return judge_uid(part, account, loss, f);
}

int
maprule_claim_accounts(struct maprule_part *part,
    const struct maprule_claim *claim, maprule_account_fn *fn, void *arg,
    struct fault *f)
{
	const struct maprule_words *w = &part->uses[claim->use].rule->accounts;
	int result = 0;

	(void)f;
	for (size_t i = 0; result == 0 && i < w->count; i++) {
		const char *word = w->word[i];

		if (strcmp(word, MAPRULE_PERSONAL) != 0) {
			result = fn(arg, *word == '=' ? word + 1 : word);
			continue;
		}
		for (size_t j = 0;
		     result == 0 && j < claim->person.account_count; j++)
			result = fn(arg, roster_account_at(&claim->person, j));
	}
	return result;
}

/* ---- who claims a name */

static int
add_claim(struct maprule_part *part, const struct maprule_claim *claim,
    struct fault *f)
{
	if (part->found_count == part->found_room) {
		size_t room = part->found_room == 0 ? 16 : part->found_room * 2;
		struct maprule_claim *more =
		    reallocarray(part->found, room, sizeof(*more));

		if (more == NULL)
			return fault_set(f, FAULT_MEMORY,
			    "no memory for claims");
		part->found = more;
		part->found_room = room;
	}
	part->found[part->found_count++] = *claim;
	return 0;
}

int
maprule_claim_by_rules(struct maprule_part *part, const struct roster_person *p,
    bool subject, const bool *fits, struct fault *f)
{
	struct maprule_claim claim = { .person = *p,
		.subject = subject,
		.line = part->source_lines[p->source] };
	const char *key = (const char *)part->name_key.data;

	for (size_t i = 0; i < part->use_count; i++) {
		claim.use = i;
		if (fits[i] && maprule_use_name(&part->uses[i], key) &&
		    add_claim(part, &claim, f) < 0)
			return -1;
	}
	return 0;
}

void
maprule_fit_uses(struct maprule_part *part, const struct roster_person *p)
{
	for (size_t i = 0; i < part->use_count; i++)
		part->fits[i] = maprule_use_fits(part, &part->uses[i], p, NULL);
}

int
maprule_person_has(struct maprule_part *part, const struct roster_person *p,
    bool *subject, struct fault *f)
{
	char name[ROSTER_NAME_SIZE];
	size_t at = 0, count = 0, which = SIZE_MAX;

	while (roster_name_next(part->roster, p, &at, name)) {
		if (maprule_key(&part->key, name, f) == NULL)
			return -1;
		if (which == SIZE_MAX && part->key.len == part->name_key.len &&
		    memcmp(part->key.data, part->name_key.data,
			part->key.len) == 0)
			which = count;
		count++;
	}
	/* The subject comes first, and is not among those that are listed. */
	*subject = which == 0 && count > p->name_count;
	return which != SIZE_MAX;
}

/* The order that the header promises. */
static int
compare(const struct maprule_part *part, const struct maprule_claim *a,
    const struct maprule_claim *b)
{
	size_t x = part->source_rank[a->person.source];
	size_t y = part->source_rank[b->person.source];
	int where;

	if (a->use != b->use)
		return a->use < b->use ? -1 : 1;
	if (a->subject != b->subject)
		return a->subject ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	where = strcmp(a->person.where, b->person.where);
	return where != 0 ? where
			  : memcmp(a->person.uuid, b->person.uuid, ROSTER_UUID);
}

static int
compare_claims(const void *a, const void *b, void *part)
{
	return compare(part, a, b);
}

static int
claims_of(struct maprule_part *part, uint32_t id, struct fault *f)
{
	struct roster_person p;
	bool subject;
	int has;

	if (!roster_person(part->roster, id, &p) || p.source >= part->sources ||
	    maprule_ban_of_person(part, &p) != SIZE_MAX)
		return 0;
	if ((has = maprule_person_has(part, &p, &subject, f)) <= 0)
		return has;
	maprule_fit_uses(part, &p);
	return maprule_claim_by_rules(part, &p, subject, part->fits, f);
}

int
maprule_claims_on(struct maprule_part *part, struct fault *f)
{
	uint64_t hash = maprule_claims_hash(&part->claims, part->name_key.data,
	    part->name_key.len);
	size_t at = 0;
	uint32_t id;

	part->found_count = 0;
	while (maprule_claims_next(&part->claims, hash, &at, &id))
		if (claims_of(part, id, f) < 0)
			return -1;
	if (part->found_count > 1)
		qsort_r(part->found, part->found_count, sizeof(*part->found),
		    compare_claims, part);
	return 0;
}
