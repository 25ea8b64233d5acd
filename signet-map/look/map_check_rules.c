#include "base/clock.h"
#include "base/fault.h"
#include "maprule/maprule_set.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_found.h"

#include <ctype.h>
#include <string.h>

struct checking {
	struct map_found *found;
	struct map_world *w;
	const char *service;
	struct maprule_set named; /* people in the rules, in lower case */
	struct maprule_set seen;  /* and those of them who are there */
	struct fault *f;
};

/* ---- sources */

static void
check_sources(struct checking *c)
{
	const struct maprule *rules = c->w->rules;

	for (size_t i = 0; i < maprule_source_count(rules); i++) {
		const struct maprule_source *s = maprule_source(rules, i);
		uint32_t id = roster_source_find(c->w->roster, s->name);
		time_t fresh = id == ROSTER_NONE
		    ? 0
		    : roster_source_fresh(c->w->roster, id);
		char when[CLOCK_TEXT_SIZE];

		clock_text(fresh, when);
		if (fresh == 0)
			map_found_error(c->found, maprule_path(rules),
			    (size_t)s->line, "source %s was never read",
			    s->name);
		else if (s->max_age > 0 && c->w->now - fresh > s->max_age)
			map_found_error(c->found, maprule_path(rules),
			    (size_t)s->line,
			    "source %s is too old: it was last right at %s",
			    s->name, when);
		else if (roster_count_of(c->w->roster, id) == 0)
			map_found_warning(c->found, maprule_path(rules),
			    (size_t)s->line, "source %s has nobody", s->name);
	}
}

/* ---- rules */

static bool
group_exists(const struct checking *c, const char *group)
{
	for (size_t i = 0; i < roster_source_count(c->w->roster); i++)
		if (roster_group_find(c->w->roster, (uint32_t)i, group) !=
		    ROSTER_NONE)
			return true;
	return false;
}

static void
check_groups(struct checking *c, const struct maprule_rule *rule,
    const struct maprule_words *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		if (!group_exists(c, groups->word[i]))
			map_found_warning(c->found, maprule_path(c->w->rules),
			    (size_t)rule->line,
			    "%s: nobody is in a group \"%s\"", rule->label,
			    groups->word[i]);
}

/* ---- who is there, of those that are named: everybody is looked at once */

static int
put_lower(struct checking *c, const char *word)
{
	char text[MAPRULE_WORD_MAX + 1];
	size_t len = strlen(word);

	if (len >= sizeof(text))
		return 0;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)word[i]);
	return maprule_set_put(&c->named, text, len, 0, c->f);
}

static int
name_all(struct checking *c)
{
	const struct maprule *rules = c->w->rules;

	for (size_t i = 0; i < maprule_rule_count(rules); i++) {
		const struct maprule_words *w = &maprule_rule(rules, i)->people;

		for (size_t j = 0; j < w->count; j++)
			if (put_lower(c, w->word[j]) < 0)
				return -1;
	}
	for (size_t i = 0; i < maprule_ban_count(rules); i++)
		if (maprule_ban(rules, i)->kind == MAPRULE_BAN_PERSON &&
		    put_lower(c, maprule_ban(rules, i)->what) < 0)
			return -1;
	return 0;
}

/* Whether ${word} is in ${set}, without regard to case. */
static bool
is_in(const struct maprule_set *set, const char *word, char *text, size_t size)
{
	size_t len = strlen(word);
	uint32_t number;

	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)tolower((unsigned char)word[i]);
	return maprule_set_find(set, text, len, &number);
}

static int
see(struct checking *c, const char *word)
{
	char text[MAPRULE_WORD_MAX + 1];

	return is_in(&c->named, word, text, sizeof(text))
	    ? maprule_set_put(&c->seen, text, strlen(word), 0, c->f)
	    : 0;
}

static int
see_person(void *arg, const struct roster_person *p)
{
	struct checking *c = arg;
	int result = see(c, p->principal);

	if (result == 0)
		result = see(c, p->where);
	for (size_t i = 0; result == 0 && i < p->account_count; i++)
		result = see(c, roster_account_at(p, i));
	return result;
}

static bool
person_exists(const struct checking *c, const char *what)
{
	char text[MAPRULE_WORD_MAX + 1];

	return is_in(&c->seen, what, text, sizeof(text));
}

static void
check_rules(struct checking *c)
{
	const struct maprule *rules = c->w->rules;

	for (size_t i = 0; i < maprule_rule_count(rules); i++) {
		const struct maprule_rule *r = maprule_rule(rules, i);
		const char *path = maprule_path(rules);
		char until[CLOCK_TEXT_SIZE];

		if (r->until != 0 && r->until <= c->w->now) {
			clock_text(r->until, until);
			map_found_warning(c->found, path, (size_t)r->line,
			    "%s is over since %s", r->label, until);
		}
		check_groups(c, r, &r->groups);
		check_groups(c, r, &r->not_groups);
		for (size_t j = 0; j < r->people.count; j++)
			if (!person_exists(c, r->people.word[j]))
				map_found_warning(c->found, path,
				    (size_t)r->line, "%s: nobody is %s",
				    r->label, r->people.word[j]);
	}
}

static void
check_bans(struct checking *c)
{
	const struct maprule *rules = c->w->rules;

	for (size_t i = 0; i < maprule_ban_count(rules); i++) {
		const struct maprule_ban *b = maprule_ban(rules, i);
		const char *kind = maprule_ban_kind_text(b->kind);
		char until[CLOCK_TEXT_SIZE];

		if (b->until != 0 && b->until <= c->w->now) {
			clock_text(b->until, until);
			map_found_warning(c->found, b->path, (size_t)b->line,
			    "the ban of %s %s is over since %s", kind, b->what,
			    until);
			continue;
		}
		if ((b->kind == MAPRULE_BAN_PERSON &&
			!person_exists(c, b->what)) ||
		    (b->kind == MAPRULE_BAN_GROUP && !group_exists(c, b->what)))
			map_found_warning(c->found, b->path, (size_t)b->line,
			    "the ban of %s %s concerns nobody now", kind,
			    b->what);
	}
}

/* ---- what a build says */

static void
hear_conflict(void *arg, const struct maprule_conflict *conflict)
{
	struct checking *c = arg;
	const struct maprule_line *w = conflict->won, *o = conflict->other;

	map_found_warning(c->found, NULL, 0,
	    "service %s: \"%s\" is %s by rule %s, of %s; %s claims it too, by "
	    "rule %s",
	    c->service, w->name, w->accounts, w->rule, w->entry, o->entry,
	    o->rule);
}

static void
hear_loss(void *arg, enum maprule_loss loss, const struct maprule_line *line,
    const char *account)
{
	struct checking *c = arg;

	if (loss == MAPRULE_LOSS_BANNED)
		return;
	if (loss == MAPRULE_LOSS_INTERNAL)
		map_found_error(c->found, NULL, 0, "service %s: \"%s\": %s",
		    c->service, line->name, maprule_loss_text(loss));
	else
		map_found_warning(c->found, NULL, 0,
		    "service %s: \"%s\" (%s) not to %s: %s", c->service,
		    line->name, line->entry, account, maprule_loss_text(loss));
}

static int
check_service(void *arg, const struct maprule_service *s)
{
	struct checking *c = arg;
	struct map_world *w = c->w;
	OWN_STRUCT(maprule_part) part = maprule_for(w->rules, w->roster,
	    &w->host, s->name, w->accounts, w->now, c->f);
	const struct maprule_hear hear = {
		.conflict = hear_conflict, .loss = hear_loss, .arg = c
	};
	struct maprule_stats stats;

	c->service = s->name;
	if (part == NULL || maprule_build(part, &hear, &stats, c->f) < 0)
		return -1;
	if (stats.names == 0)
		map_found_warning(c->found, maprule_path(w->rules),
		    (size_t)s->line, "service %s: nobody is mapped", s->name);
	return 0;
}

static int
is_service(void *arg, const struct maprule_service *s)
{
	(void)arg;
	(void)s;
	return 1;
}

int
map_check_rules(struct map_found *found, struct map_world *w, struct fault *f)
{
	struct checking c = { .found = found, .w = w, .f = f };
	int result;

	maprule_set_init(&c.named);
	maprule_set_init(&c.seen);
	result = name_all(&c);
	if (result == 0 && c.named.count > 0)
		result = roster_each(w->roster, see_person, &c);
	if (result == 0) {
		check_sources(&c);
		check_rules(&c);
		check_bans(&c);
	}
	maprule_set_free(&c.named);
	maprule_set_free(&c.seen);
	if (result < 0)
		return -1;
	if (maprule_services(w->rules, &w->host, is_service, NULL) == 0)
		map_found_warning(found, maprule_path(w->rules), 0,
		    "this host has no service");
	return maprule_services(w->rules, &w->host, check_service, &c);
}
