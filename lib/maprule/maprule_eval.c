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
	if (strcmp(account, "root") == 0)
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

/* A claim for each rule that is about the person and the name; ${fits} says
 * which are about the person. */
static int
claim_by_rules(struct maprule_part *part, const struct roster_person *p,
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

static void
fit_uses(struct maprule_part *part, const struct roster_person *p)
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
	fit_uses(part, &p);
	return claim_by_rules(part, &p, subject, part->fits, f);
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

/* ---- what becomes of a name */

struct making {
	struct maprule_part *part;
	const struct maprule_hear *hear;
	struct maprule_stats *stats;
	struct fault *f;
	const char *name;
	const struct maprule_claim *claim; /* whose accounts are being added */
	struct buf *accounts;
	size_t count;
};

static struct maprule_line
line_of(const struct making *m, const struct maprule_claim *claim,
    const char *accounts)
{
	const struct maprule_part *part = m->part;

	return (struct maprule_line){ .name = m->name,
		.accounts = accounts,
		.rule = part->uses[claim->use].rule->label,
		.source =
		    roster_source_name(part->roster, claim->person.source),
		.entry = claim->person.where,
		.principal = claim->person.principal };
}

static void
lose(struct making *m, enum maprule_loss loss, const char *account)
{
	struct maprule_line line = line_of(m, m->claim, "");

	if (m->stats != NULL)
		m->stats->lost[loss]++;
	if (m->hear->loss != NULL)
		m->hear->loss(m->hear->arg, loss, &line, account);
}

static bool
has_account(const struct buf *accounts, const char *account)
{
	const char *at = (const char *)accounts->data;
	const char *end = at + accounts->len;
	size_t want = strlen(account);

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len =
		    comma == NULL ? (size_t)(end - at) : (size_t)(comma - at);

		if (len == want && memcmp(at, account, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

static int
add_account(void *arg, const char *account)
{
	struct making *m = arg;
	enum maprule_loss loss;
	int good;

	if (has_account(m->accounts, account))
		return 0;
	good = maprule_account_judge(m->part, m->claim, account, &loss, m->f);
	if (good < 0)
		return -1;
	if (good == 0) {
		lose(m, loss, account);
		return 0;
	}
	if (m->count == MAPRULE_LINE_ACCOUNTS)
		return 0;
	if (m->accounts->len > 0)
		buf_put_u8(m->accounts, ',');
	buf_text(m->accounts, account);
	m->count++;
	return 0;
}

static int
add_accounts(struct making *m, const struct maprule_claim *claim)
{
	m->claim = claim;
	return maprule_claim_accounts(m->part, claim, add_account, m, m->f);
}

/* The bans have their last word, on what is about to leave. */
static int
last_look(struct making *m, const struct maprule_line *line, bool *forbidden)
{
	const struct maprule_ban *ban;
	char account[ROSTER_ACCOUNT_SIZE];
	const char *at = line->accounts;
	int result = maprule_forbids(m->part, line->name, NULL, &ban, m->f);

	while (result == 0 && *at != '\0') {
		size_t len = strcspn(at, ",");

		if (len >= sizeof(account))
			return fault_set(m->f, FAULT_INTERNAL,
			    "a long account");
		memcpy(account, at, len);
		account[len] = '\0';
		result = maprule_forbids(m->part, NULL, account, &ban, m->f);
		at += len + (at[len] == ',');
	}
	*forbidden = result > 0;
	return result < 0 ? -1 : 0;
}

/* Whether ${claim} gives the same default as the line that won. */
static int
same_default(void *arg, const char *account)
{
	const struct maprule_line *won = arg;
	size_t len = strcspn(won->accounts, ",");

	return strlen(account) == len &&
		memcmp(account, won->accounts, len) == 0
	    ? 1
	    : 2;
}

static bool
has_others(const struct maprule_part *part, const struct maprule_claim *won)
{
	for (size_t i = 0; i < part->found_count; i++)
		if (part->found[i].person.id != won->person.id)
			return true;
	return false;
}

/* Each other claimant once: claims of one person stand under several rules. */
static int
tell_conflicts(struct making *m, const struct maprule_claim *won,
    const struct maprule_line *line)
{
	const struct maprule_part *part = m->part;
	bool all = part->service->accounts == MAPRULE_ACCOUNTS_ALL;

	for (size_t i = 0; i < part->found_count; i++) {
		const struct maprule_claim *c = &part->found[i];
		struct maprule_line other = line_of(m, c, "");
		struct maprule_conflict conflict = { line, &other };
		bool seen = c->person.id == won->person.id ||
		    (all && (c->line || won->line));

		for (size_t j = 0; j < i && !seen; j++)
			seen = part->found[j].person.id == c->person.id;
		if (seen ||
		    maprule_claim_accounts(m->part, c, same_default,
			&(struct maprule_line){ .accounts = line->accounts },
			m->f) != 2)
			continue;
		if (m->stats != NULL)
			m->stats->conflicts++;
		if (m->hear->conflict != NULL)
			m->hear->conflict(m->hear->arg, &conflict);
	}
	return 0;
}

/*
 * A name belongs to the person who has the best claim; what others say of it is
 * a conflict.  Lines of files and lists are nobody's: they stand beside.
 */
static const struct maprule_claim *
owner_of(const struct maprule_part *part)
{
	for (size_t i = 0; i < part->found_count; i++)
		if (!part->found[i].line)
			return &part->found[i];
	return NULL;
}

static int
collect(struct making *m, const struct maprule_claim **won)
{
	const struct maprule_part *part = m->part;
	const struct maprule_claim *owner = owner_of(part);
	bool all = part->service->accounts == MAPRULE_ACCOUNTS_ALL;

	for (size_t i = 0; i < part->found_count; i++) {
		const struct maprule_claim *c = &part->found[i];

		if (!c->line && c->person.id != owner->person.id)
			continue;
		if (add_accounts(m, c) < 0)
			return -1;
		if (m->accounts->len == 0)
			continue;
		if (*won == NULL)
			*won = c;
		if (!all)
			break;
	}
	return 0;
}

/* The claims on the name are in part->found: make its line, or none. */
static int
make_line(struct making *m)
{
	const struct maprule_claim *won = NULL;
	struct maprule_line line;
	bool forbidden;

	m->accounts = &m->part->text;
	buf_clear(m->accounts);
	m->count = 0;
	if (collect(m, &won) < 0)
		return -1;
	if (won == NULL) {
		if (m->hear->gone != NULL)
			m->hear->gone(m->hear->arg, m->name);
		return 0;
	}
	if (buf_cstr(m->accounts) == NULL)
		return fault_set(m->f, FAULT_MEMORY, "no memory for accounts");
	line = line_of(m, won, (const char *)m->accounts->data);
	if (last_look(m, &line, &forbidden) < 0)
		return -1;
	if (forbidden) {
		m->claim = won;
		lose(m, MAPRULE_LOSS_INTERNAL, line.accounts);
		if (m->hear->gone != NULL)
			m->hear->gone(m->hear->arg, m->name);
		return 0;
	}
	if (m->stats != NULL)
		m->stats->names++;
	if (has_others(m->part, won) && tell_conflicts(m, won, &line) < 0)
		return -1;
	return m->hear->line != NULL ? m->hear->line(m->hear->arg, &line) : 0;
}

/* ---- everyone */

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
build_name(struct making *m, const struct roster_person *p, uint64_t hash)
{
	struct maprule_part *part = m->part;

	if (name_is_banned(part)) {
		m->stats->lost[MAPRULE_LOSS_BANNED]++;
		return 0;
	}
	if (claimed_by_others(part, hash, p->id)) {
		if (maprule_claims_on(part, m->f) < 0)
			return -1;
		fit_uses(part, p);
		if (had_before(part, p->id))
			return 0;
	} else {
		part->found_count = 0;
		if (claim_by_rules(part, p, false, part->fits, m->f) < 0)
			return -1;
	}
	return part->found_count > 0 ? make_line(m) : 0;
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
	struct making *m = arg;
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
	fit_uses(part, p);
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
	struct making m = {
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
	struct making m = { .part = part, .hear = hear, .f = f, .name = name };

	if (maprule_key(&part->name_key, name, f) == NULL)
		return -1;
	part->found_count = 0;
	if (!name_is_banned(part) && maprule_claims_on(part, f) < 0)
		return -1;
	return make_line(&m);
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
