/* Everyone, one name, one change. */
#include "base/fault.h"
#include "maprule/maprule_work.h"

#include <stdlib.h>
#include <string.h>

struct counting {
	struct maprule_part *part;
	struct fault *f;
};

static bool
any_source(const struct maprule_part *part, const struct roster_person *p)
{
	if (p->source >= part->sources)
		return false;
	for (size_t i = 0; i < part->use_count; i++)
		if (part->uses[i].from[p->source])
			return true;
	return false;
}

static int
count_names(struct maprule_part *part, const struct roster_person *p, bool put,
    struct fault *f)
{
	char name[ROSTER_NAME_SIZE];
	size_t at = 0;

	if (!any_source(part, p))
		return 0;
	while (roster_name_next(part->roster, p, &at, name)) {
		uint64_t hash;

		if (maprule_key(&part->key, name, f) == NULL)
			return -1;
		hash = maprule_claims_hash(&part->claims, part->key.data,
		    part->key.len);
		if (!put)
			maprule_claims_drop(&part->claims, hash, p->id);
		else if (maprule_claims_put(&part->claims, hash, p->id, f) < 0)
			return -1;
	}
	return 0;
}

static int
count_person(void *arg, const struct roster_person *p)
{
	struct counting *c = arg;

	return count_names(c->part, p, true, c->f);
}

static int
count_everyone(struct maprule_part *part, struct fault *f)
{
	struct counting c = { part, f };

	if (part->counted)
		return 0;
	if (roster_each(part->roster, count_person, &c) < 0)
		return -1;
	part->counted = true;
	return 0;
}

/* Whether somebody with a smaller number has a claim on the name too: it was
 * made when his turn was. */
static bool
had_before(const struct maprule_part *part, uint32_t id)
{
	for (size_t i = 0; i < part->found_count; i++)
		if (part->found[i].person.id < id)
			return true;
	return false;
}

/* Whether ${hash} is among the first ${count} of part->hashes; then it is put
 * there.  Two spellings of one name may stand in one entry. */
static int
note_hash(struct maprule_part *part, size_t *count, uint64_t hash,
    struct fault *f)
{
	for (size_t i = 0; i < *count; i++)
		if (part->hashes[i] == hash)
			return 1;
	if (*count == part->hash_room) {
		size_t room = part->hash_room == 0 ? 16 : part->hash_room * 2;
		uint64_t *more =
		    reallocarray(part->hashes, room, sizeof(*more));

		if (more == NULL)
			return fault_set(f, FAULT_MEMORY,
			    "no memory for names");
		part->hashes = more;
		part->hash_room = room;
	}
	part->hashes[(*count)++] = hash;
	return 0;
}

static uint64_t
hash_name(const struct maprule_part *part)
{
	return maprule_claims_hash(&part->claims, part->name_key.data,
	    part->name_key.len);
}

static bool
claimed_by_others(const struct maprule_part *part, uint64_t hash, uint32_t id)
{
	size_t at = 0;
	uint32_t other;

	while (maprule_claims_next(&part->claims, hash, &at, &other))
		if (other != id)
			return true;
	return false;
}

static bool
name_is_banned(const struct maprule_part *part)
{
	return part->ban_count > 0 &&
	    maprule_ban_of_name(part, (const char *)part->name_key.data,
		part->name_key.len) != SIZE_MAX;
}

/* One name of ${p}, whose key is part->name_key, in its turn. */
static int
build_name(struct maprule_making *m, const struct roster_person *p,
    uint64_t hash)
{
	struct maprule_part *part = m->part;

	if (name_is_banned(part)) {
		m->stats->lost[MAPRULE_LOSS_BANNED]++;
		return 0;
	}
	if (claimed_by_others(part, hash, p->id)) {
		if (maprule_claims_on(part, m->f) < 0)
			return -1;
		maprule_fit_uses(part, p);
		if (had_before(part, p->id))
			return 0;
	} else {
		part->found_count = 0;
		if (maprule_claim_by_rules(part, p, false, part->fits, m->f) <
		    0)
			return -1;
	}
	return part->found_count > 0 ? maprule_make_line(m) : 0;
}

static bool
any_fits(const struct maprule_part *part)
{
	for (size_t i = 0; i < part->use_count; i++)
		if (part->fits[i])
			return true;
	return false;
}

static int
build_person(void *arg, const struct roster_person *p)
{
	struct maprule_making *m = arg;
	struct maprule_part *part = m->part;
	char name[ROSTER_NAME_SIZE];
	size_t at = 0, count = 0;

	m->stats->people++;
	if (!any_source(part, p))
		return 0;
	if (maprule_ban_of_person(part, p) != SIZE_MAX) {
		m->stats->lost[MAPRULE_LOSS_BANNED]++;
		return 0;
	}
	maprule_fit_uses(part, p);
	if (!any_fits(part))
		return 0;
	m->name = name;
	while (roster_name_next(part->roster, p, &at, name)) {
		uint64_t hash;
		int result;

		if (maprule_key(&part->name_key, name, m->f) == NULL)
			return -1;
		hash = hash_name(part);
		if ((result = note_hash(part, &count, hash, m->f)) < 0)
			return -1;
		if (result == 0 && (result = build_name(m, p, hash)) != 0)
			return result;
	}
	return 0;
}

/* A build says what there is, not what there is not. */
int
maprule_build(struct maprule_part *part, const struct maprule_hear *hear,
    struct maprule_stats *stats, struct fault *f)
{
	struct maprule_hear heard = *hear;
	struct maprule_stats counts = { 0 };
	struct maprule_making m = {
		.part = part, .hear = &heard, .stats = &counts, .f = f
	};
	int result;

	heard.gone = NULL;
	maprule_groups_now(part);
	if (count_everyone(part, f) < 0)
		return -1;
	result = roster_each(part->roster, build_person, &m);
	if (result == 0 && stats != NULL)
		*stats = counts;
	return result;
}

/* ---- one name, one person */

static int
decide(struct maprule_part *part, const char *name,
    const struct maprule_hear *hear, struct fault *f)
{
	struct maprule_making m = {
		.part = part, .hear = hear, .f = f, .name = name
	};

	if (maprule_key(&part->name_key, name, f) == NULL)
		return -1;
	part->found_count = 0;
	if (!name_is_banned(part) && maprule_claims_on(part, f) < 0)
		return -1;
	return maprule_make_line(&m);
}

int
maprule_name(struct maprule_part *part, const char *name,
    const struct maprule_hear *hear, struct fault *f)
{
	maprule_groups_now(part);
	if (count_everyone(part, f) < 0)
		return -1;
	return decide(part, name, hear, f);
}

static int
change_names(struct maprule_part *part, const struct roster_person *p,
    size_t *count, const struct maprule_hear *hear, struct fault *f)
{
	char name[ROSTER_NAME_SIZE];
	size_t at = 0;
	int result;

	if (p == NULL || !any_source(part, p))
		return 0;
	while (roster_name_next(part->roster, p, &at, name)) {
		if (maprule_key(&part->name_key, name, f) == NULL ||
		    (result = note_hash(part, count, hash_name(part), f)) < 0)
			return -1;
		if (result == 0 && (result = decide(part, name, hear, f)) != 0)
			return result;
	}
	return 0;
}

static int
recount(struct maprule_part *part, const struct roster_person *before,
    const struct roster_person *after, struct fault *f)
{
	if (!part->counted)
		return count_everyone(part, f);
	if (before != NULL && count_names(part, before, false, f) < 0)
		return -1;
	return after != NULL ? count_names(part, after, true, f) : 0;
}

int
maprule_change(struct maprule_part *part, const struct roster_person *before,
    const struct roster_person *after, const struct maprule_hear *hear,
    struct fault *f)
{
	size_t count = 0;

	maprule_groups_now(part);
	if ((before != NULL &&
		maprule_ban_of_person(part, before) != SIZE_MAX) ||
	    (after != NULL && maprule_ban_of_person(part, after) != SIZE_MAX))
		return 1;
	if (recount(part, before, after, f) < 0 ||
	    change_names(part, before, &count, hear, f) < 0 ||
	    change_names(part, after, &count, hear, f) < 0)
		return -1;
	return 0;
}
