#include "base/clock.h"
#include "base/fault.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_found.h"

#include <string.h>
#include <strings.h>

struct checking {
	struct map_found *found;
	struct map_world *w;
	const char *service;
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

struct seeking {
	const char *what;
	bool found;
};

static int
is_person(void *arg, const struct roster_person *p)
{
	struct seeking *s = arg;

	s->found = strcasecmp(p->principal, s->what) == 0 ||
	    strcasecmp(p->where, s->what) == 0;
	for (size_t i = 0; !s->found && i < p->account_count; i++)
		s->found = strcmp(roster_account_at(p, i), s->what) == 0;
	return s->found ? 1 : 0;
}

static bool
person_exists(const struct checking *c, const char *what)
{
	struct seeking s = { what, false };

	(void)roster_each(c->w->roster, is_person, &s);
	return s.found;
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

	check_sources(&c);
	check_rules(&c);
	check_bans(&c);
	if (maprule_services(w->rules, &w->host, is_service, NULL) == 0)
		map_found_warning(found, maprule_path(w->rules), 0,
		    "this host has no service");
	return maprule_services(w->rules, &w->host, check_service, &c);
}
