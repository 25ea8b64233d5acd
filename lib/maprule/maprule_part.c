#include "maprule/maprule_part.h"

#include "base/fault.h"
#include "map/map_name.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"
#include "maprule/maprule_work.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
no_memory(struct fault *f)
{
	return fault_set(f, FAULT_MEMORY, "no memory for rules");
}

const char *
maprule_key(struct buf *key, const char *name, struct fault *f)
{
	const char *text;

	buf_clear(key);
	map_name_key(name, strlen(name), key);
	if ((text = buf_cstr(key)) == NULL)
		(void)fault_set(f, FAULT_INPUT, "a name is too long");
	return text;
}

/* ---- groups */

static void
groups_now(const struct maprule_part *part, struct maprule_groups *g)
{
	for (size_t i = 0; i < g->count; i++)
		g->id[i] = roster_group_find(part->roster,
		    (uint32_t)(i % part->sources),
		    g->words->word[i / part->sources]);
}

void
maprule_groups_now(struct maprule_part *part)
{
	for (size_t i = 0; i < part->use_count; i++) {
		groups_now(part, &part->uses[i].groups);
		groups_now(part, &part->uses[i].not_groups);
	}
	for (size_t i = 0; i < part->ban_count; i++)
		groups_now(part, &part->bans[i].groups);
}

int
maprule_groups_make(const struct maprule_part *part, struct maprule_groups *g,
    const struct maprule_words *words, struct fault *f)
{
	g->words = words;
	g->count = words->count * part->sources;
	g->id = calloc(g->count + 1, sizeof(*g->id));
	if (g->id == NULL)
		return no_memory(f);
	groups_now(part, g);
	return 0;
}

bool
maprule_in_one(const struct maprule_groups *g, const struct roster_person *p,
    size_t sources, const char **which)
{
	for (size_t i = 0; i < g->count; i++) {
		if (roster_in(p, g->id[i])) {
			*which = g->words->word[i / sources];
			return true;
		}
	}
	return false;
}

/* ---- rules */

static int
keys_make(struct maprule_keys *keys, const struct maprule_words *words,
    struct fault *f)
{
	OWN_BUF(key, MAPRULE_KEY_LIMIT);

	keys->key = calloc(words->count + 1, sizeof(*keys->key));
	if (keys->key == NULL)
		return no_memory(f);
	for (size_t i = 0; i < words->count; i++) {
		if (maprule_key(&key, words->word[i], f) == NULL)
			return -1;
		keys->key[i] = strdup((const char *)key.data);
		if (keys->key[i] == NULL)
			return no_memory(f);
		keys->count++;
	}
	return 0;
}

static void
keys_free(struct maprule_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		free(keys->key[i]);
	free(keys->key);
}

static bool
keys_fit(const struct maprule_keys *keys, const char *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (maprule_glob(keys->key[i], key))
			return true;
	return false;
}

static bool
has_word(const struct maprule_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->word[i], word) == 0)
			return true;
	return false;
}

static int
from_make(const struct maprule_part *part, struct maprule_use *use,
    struct fault *f)
{
	const struct maprule_words *from = &use->rule->from;

	use->from = calloc(part->sources + 1, sizeof(*use->from));
	if (use->from == NULL)
		return no_memory(f);
	for (size_t i = 0; i < part->sources; i++) {
		size_t rank = part->source_rank[i];
		const struct maprule_source *s;

		if (rank == SIZE_MAX)
			continue;
		s = maprule_source(part->rules, rank);
		use->from[i] = from->count == 0 ? strcmp(s->kind, "file") != 0
						: has_word(from, s->name);
	}
	return 0;
}

static bool
holds_for(const struct maprule_rule *rule, const struct maprule_host *host,
    const char *service)
{
	bool fits = rule->services.count == 0;

	for (size_t i = 0; i < rule->services.count; i++)
		fits = fits || maprule_glob(rule->services.word[i], service);
	return fits && maprule_host_fits(&rule->hosts, host);
}

void
maprule_note_end(struct maprule_part *part, time_t until)
{
	if (until > part->now && (part->until == 0 || until < part->until))
		part->until = until;
}

static int
uses_make(struct maprule_part *part, const struct maprule_host *host,
    struct fault *f)
{
	part->uses = calloc(part->rules->rule_count + 1, sizeof(*part->uses));
	part->fits = calloc(part->rules->rule_count + 1, sizeof(*part->fits));
	if (part->uses == NULL || part->fits == NULL)
		return no_memory(f);
	for (size_t i = 0; i < part->rules->rule_count; i++) {
		const struct maprule_rule *rule = &part->rules->rules[i];
		struct maprule_use *use = &part->uses[part->use_count];

		if (!holds_for(rule, host, part->service->name) ||
		    (rule->until != 0 && rule->until <= part->now))
			continue;
		maprule_note_end(part, rule->until);
		use->rule = rule;
		part->use_count++;
		if (from_make(part, use, f) < 0 ||
		    maprule_groups_make(part, &use->groups, &rule->groups, f) <
			0 ||
		    maprule_groups_make(part, &use->not_groups,
			&rule->not_groups, f) < 0 ||
		    keys_make(&use->names, &rule->names, f) < 0 ||
		    keys_make(&use->not_names, &rule->not_names, f) < 0)
			return -1;
	}
	return 0;
}

static void
say(struct buf *why, const char *fmt, const char *what)
{
	if (why == NULL)
		return;
	buf_text(why, fmt);
	buf_text(why, what);
}

static bool
is_listed(const struct maprule_words *people, const char *principal)
{
	for (size_t i = 0; i < people->count; i++)
		if (strcasecmp(people->word[i], principal) == 0)
			return true;
	return false;
}

static void
say_groups(struct buf *why, const struct maprule_words *groups)
{
	if (why == NULL)
		return;
	buf_text(why, "in none of its groups:");
	for (size_t i = 0; i < groups->count; i++)
		buf_fmt(why, " \"%s\"", groups->word[i]);
}

bool
maprule_use_fits(const struct maprule_part *part, const struct maprule_use *use,
    const struct roster_person *p, struct buf *why)
{
	const struct maprule_rule *rule = use->rule;
	const char *which = "";

	if (p->source >= part->sources || !use->from[p->source]) {
		say(why, "is not about source ",
		    roster_source_name(part->roster, p->source));
		return false;
	}
	if (rule->people.count > 0 && !is_listed(&rule->people, p->principal)) {
		say(why, "is about other people than ",
		    *p->principal != '\0' ? p->principal : "a line");
		return false;
	}
	if (maprule_in_one(&use->not_groups, p, part->sources, &which)) {
		say(why, "not for people in group ", which);
		return false;
	}
	if (rule->groups.count > 0 &&
	    !maprule_in_one(&use->groups, p, part->sources, &which)) {
		say_groups(why, &rule->groups);
		return false;
	}
	say(why, rule->groups.count > 0 ? "in group " : "for everybody", which);
	return true;
}

bool
maprule_use_name(const struct maprule_use *use, const char *key)
{
	return (use->names.count == 0 || keys_fit(&use->names, key)) &&
	    !keys_fit(&use->not_names, key);
}

/* ---- the whole */

static int
sources_make(struct maprule_part *part, struct fault *f)
{
	part->sources = roster_source_count(part->roster);
	part->source_rank =
	    calloc(part->sources + 1, sizeof(*part->source_rank));
	part->source_lines =
	    calloc(part->sources + 1, sizeof(*part->source_lines));
	if (part->source_rank == NULL || part->source_lines == NULL)
		return no_memory(f);
	for (size_t i = 0; i < part->sources; i++) {
		const char *name =
		    roster_source_name(part->roster, (uint32_t)i);

		part->source_rank[i] = SIZE_MAX;
		for (size_t j = 0; j < part->rules->source_count; j++) {
			const struct maprule_source *s =
			    &part->rules->sources[j];

			if (strcmp(s->name, name) != 0)
				continue;
			part->source_rank[i] = j;
			part->source_lines[i] = strcmp(s->kind, "file") == 0 ||
			    strcmp(s->kind, "list") == 0;
		}
	}
	return 0;
}

struct wanted {
	const char *name;
	const struct maprule_service *found;
};

static int
is_wanted(void *arg, const struct maprule_service *s)
{
	struct wanted *w = arg;

	if (strcmp(s->name, w->name) != 0)
		return 0;
	w->found = s;
	return 1;
}

static struct maprule_part *
part_new(const struct maprule *rules, const struct roster *roster,
    struct maprule_accounts *accounts, time_t now, struct fault *f)
{
	struct maprule_part *part = calloc(1, sizeof(*part));

	if (part == NULL) {
		(void)no_memory(f);
		return NULL;
	}
	part->rules = rules;
	part->roster = roster;
	part->accounts = accounts;
	part->now = now;
	part->key = part->name_key = BUF(MAPRULE_KEY_LIMIT);
	part->text = part->other = BUF(MAPRULE_TEXT_LIMIT);
	maprule_set_init(&part->person_bans);
	maprule_set_init(&part->banned_names);
	maprule_set_init(&part->banned_accounts);
	maprule_claims_init(&part->claims);
	return part;
}

struct maprule_part *
maprule_for(const struct maprule *rules, const struct roster *roster,
    const struct maprule_host *host, const char *service,
    struct maprule_accounts *accounts, time_t now, struct fault *f)
{
	OWN_STRUCT(maprule_part) part = NULL;
	struct wanted w = { .name = service };

	if (maprule_services(rules, host, is_wanted, &w) == 0) {
		(void)fault_set(f, FAULT_ABSENT,
		    "%s has no service %.64s for this host", rules->path,
		    service);
		return NULL;
	}
	if ((part = part_new(rules, roster, accounts, now, f)) == NULL)
		return NULL;
	part->service = w.found;
	if (sources_make(part, f) < 0 || uses_make(part, host, f) < 0 ||
	    maprule_bans_make(part, f) < 0)
		return NULL;
	return TAKE(part);
}

void
maprule_part_free(struct maprule_part *part)
{
	if (part == NULL)
		return;
	for (size_t i = 0; i < part->use_count; i++) {
		struct maprule_use *use = &part->uses[i];

		free(use->from);
		free(use->groups.id);
		free(use->not_groups.id);
		keys_free(&use->names);
		keys_free(&use->not_names);
	}
	for (size_t i = 0; i < part->ban_count; i++) {
		free(part->bans[i].key);
		free(part->bans[i].groups.id);
	}
	free(part->uses);
	free(part->fits);
	free(part->bans);
	free(part->group_bans);
	free(part->shape_bans);
	free(part->source_rank);
	free(part->source_lines);
	free(part->found);
	free(part->hashes);
	maprule_set_free(&part->person_bans);
	maprule_set_free(&part->banned_names);
	maprule_set_free(&part->banned_accounts);
	maprule_claims_free(&part->claims);
	buf_free(&part->key);
	buf_free(&part->name_key);
	buf_free(&part->text);
	buf_free(&part->other);
	free(part);
}

const struct maprule_service *
maprule_part_service(const struct maprule_part *part)
{
	return part->service;
}

time_t
maprule_part_until(const struct maprule_part *part)
{
	return part->until;
}
