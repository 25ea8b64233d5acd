#include "base/clock.h"
#include "base/fault.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"
#include "maprule/maprule_part.h"
#include "maprule/maprule_work.h"

#include <string.h>

#define STEP_LIMIT ((size_t)1 << 20)

struct why {
	struct maprule_part *part;
	const struct maprule_host *host;
	const char *name;
	maprule_step_fn *fn;
	void *arg;
	struct fault *f;
	struct buf what;
	struct buf text;
	size_t people; /* who have the name */
	bool mapped;
	bool decided; /* said already */
};

/* Tell the step whose texts are in what and text. */
static void
tell(struct why *w, const char *path, int line, bool decides)
{
	const char *what = buf_cstr(&w->what), *text = buf_cstr(&w->text);
	struct maprule_step step = { path, line, what == NULL ? "" : what,
		decides, text == NULL ? "" : text };

	w->fn(w->arg, &step);
	w->decided = w->decided || decides;
	buf_clear(&w->what);
	buf_clear(&w->text);
}

/* ---- bans */

static bool
is_live(const struct maprule_part *part, const struct maprule_ban *ban)
{
	return ban->until == 0 || ban->until > part->now;
}

static bool
name_is_under(const struct why *w, const struct maprule_ban *ban)
{
	size_t number = maprule_ban_of_name(w->part,
	    (const char *)w->part->name_key.data, w->part->name_key.len);

	return number != SIZE_MAX && w->part->bans[number].ban == ban;
}

static void
why_ban(struct why *w, const struct maprule_ban *ban)
{
	char until[CLOCK_TEXT_SIZE];
	bool fits;

	buf_fmt(&w->what, "ban %s %s", maprule_ban_kind_text(ban->kind),
	    ban->what);
	if (!is_live(w->part, ban)) {
		clock_text(ban->until, until);
		buf_fmt(&w->text, "is over since %s", until);
		tell(w, ban->path, ban->line, false);
		return;
	}
	fits = name_is_under(w, ban);
	buf_text(&w->text, fits ? "the name is under it" : "not this name");
	if (fits && *ban->because != '\0')
		buf_fmt(&w->text, ": %s", ban->because);
	tell(w, ban->path, ban->line, fits && !w->decided);
}

/* ---- people */

static int
why_person(void *arg, const struct roster_person *p)
{
	struct why *w = arg;
	struct maprule_part *part = w->part;
	size_t ban = maprule_ban_of_person(part, p);
	bool subject = false;

	w->people++;
	if (maprule_person_has(part, p, &subject, w->f) < 0)
		return -1;
	buf_fmt(&w->what, "entry %s", p->where);
	buf_fmt(&w->text, "of source %s",
	    roster_source_name(part->roster, p->source));
	if (*p->principal != '\0')
		buf_fmt(&w->text, ", principal %s", p->principal);
	buf_text(&w->text,
	    subject ? ": the name is made of the principal"
		    : ": its entry lists the name");
	if (p->source >= part->sources ||
	    part->source_rank[p->source] == SIZE_MAX)
		buf_text(&w->text, "; the rules name no such source");
	if (ban != SIZE_MAX)
		buf_fmt(&w->text, "; under ban %s %s",
		    maprule_ban_kind_text(part->bans[ban].ban->kind),
		    part->bans[ban].ban->what);
	tell(w, "", 0, false);
	return 0;
}

/* ---- rules */

static const struct maprule_use *
use_of(const struct maprule_part *part, const struct maprule_rule *rule)
{
	for (size_t i = 0; i < part->use_count; i++)
		if (part->uses[i].rule == rule)
			return &part->uses[i];
	return NULL;
}

/* Why a rule is not one of those that hold here and now. */
static void
say_unused(struct why *w, const struct maprule_rule *rule)
{
	char until[CLOCK_TEXT_SIZE];

	if (rule->until != 0 && rule->until <= w->part->now) {
		clock_text(rule->until, until);
		buf_fmt(&w->text, "is over since %s", until);
		return;
	}
	buf_text(&w->text,
	    maprule_host_fits(&rule->hosts, w->host) ? "is not for this service"
						     : "is not for this host");
}

/* Which ban, and why. */
static void
say_ban(struct why *w, size_t number)
{
	const struct maprule_ban *b = w->part->bans[number].ban;

	buf_fmt(&w->text, " by ban %s %s", maprule_ban_kind_text(b->kind),
	    b->what);
	if (*b->because != '\0')
		buf_fmt(&w->text, ", %s", b->because);
}

static int
why_account(void *arg, const char *account)
{
	struct why *w = arg;
	enum maprule_loss loss;
	const struct maprule_claim *claim =
	    &w->part->found[w->part->found_count];
	int good = maprule_account_judge(w->part, claim, account, &loss, w->f);

	if (good < 0)
		return -1;
	buf_fmt(&w->text, "; account %s", account);
	if (good == 0)
		buf_fmt(&w->text, " not: %s", maprule_loss_text(loss));
	if (good == 0 && loss == MAPRULE_LOSS_BANNED)
		say_ban(w, maprule_ban_of_account(w->part, account));
	return 0;
}

struct asking {
	struct why *w;
	const struct maprule_use *use;
	bool any;
};

/* What one rule comes to for one person; a claim without a place in the list
 * of those that were found. */
static int
why_rule_person(void *arg, const struct roster_person *p)
{
	struct asking *a = arg;
	struct why *w = a->w;
	struct maprule_part *part = w->part;
	struct maprule_claim kept[1], *found = part->found;
	size_t count = part->found_count;
	const char *key = (const char *)part->name_key.data;
	int result = 0;

	buf_fmt(&w->text, "%s%s: ", a->any ? "; " : "", p->where);
	a->any = true;
	if (!maprule_use_fits(part, a->use, p, &w->text))
		return 0;
	if (!maprule_use_name(a->use, key)) {
		buf_text(&w->text, ", but its patterns leave the name out");
		return 0;
	}
	kept[0] = (struct maprule_claim){ .person = *p,
		.use = (size_t)(a->use - part->uses),
		.line = part->source_lines[p->source] };
	part->found = kept;
	part->found_count = 0;
	result = maprule_claim_accounts(part, kept, why_account, w, w->f);
	part->found = found;
	part->found_count = count;
	return result;
}

static int
why_rule(struct why *w, const struct maprule_rule *rule, const char *deciding)
{
	const struct maprule_part *part = w->part;
	struct asking a = { w, use_of(part, rule), false };

	buf_fmt(&w->what, "%s %s", rule->splice ? "splice" : "map",
	    rule->label);
	if (a.use == NULL)
		say_unused(w, rule);
	else if (w->people == 0)
		buf_text(&w->text, "holds here, for whoever has the name");
	else if (roster_find_name(part->roster, w->name, why_rule_person, &a) <
	    0)
		return -1;
	tell(w, part->rules->path, rule->line,
	    deciding != NULL && strcmp(deciding, rule->label) == 0);
	return 0;
}

/* ---- what came of it */

struct outcome {
	struct why *w;
	struct buf rule;
	struct buf line;
	struct buf conflicts;
};

static int
hear_line(void *arg, const struct maprule_line *line)
{
	struct outcome *o = arg;

	o->w->mapped = true;
	buf_text(&o->rule, line->rule);
	buf_fmt(&o->line, "mapped to %s by rule %s, from %s of source %s",
	    line->accounts, line->rule, line->entry, line->source);
	return 0;
}

static void
hear_conflict(void *arg, const struct maprule_conflict *c)
{
	struct outcome *o = arg;

	buf_fmt(&o->conflicts, "; %s of source %s claims it too, by rule %s",
	    c->other->entry, c->other->source, c->other->rule);
}

static int
why_all(struct why *w, struct outcome *o)
{
	const struct maprule *rules = w->part->rules;
	const struct maprule_service *s = w->part->service;
	const struct maprule_hear hear = {
		.line = hear_line, .conflict = hear_conflict, .arg = o
	};
	const char *deciding;

	buf_fmt(&w->what, "service %s", s->name);
	buf_fmt(&w->text, "its file here is %s", s->file);
	tell(w, rules->path, s->line, false);
	if (maprule_name(w->part, w->name, &hear, w->f) < 0 ||
	    maprule_key(&w->part->name_key, w->name, w->f) == NULL)
		return -1;
	deciding = w->mapped ? buf_cstr(&o->rule) : NULL;
	for (size_t i = 0; i < rules->ban_count; i++)
		why_ban(w, &rules->bans[i]);
	if (roster_find_name(w->part->roster, w->name, why_person, w) < 0)
		return -1;
	for (size_t i = 0; i < rules->rule_count; i++)
		if (why_rule(w, &rules->rules[i], deciding) < 0)
			return -1;
	buf_fmt(&w->what, "%s", w->name);
	if (w->mapped)
		buf_fmt(&w->text, "%s%s", buf_cstr(&o->line),
		    o->conflicts.len > 0 ? buf_cstr(&o->conflicts) : "");
	else if (w->people == 0)
		buf_text(&w->text, "not mapped: nobody in the roster has it");
	else
		buf_text(&w->text, "not mapped");
	tell(w, "", 0, !w->decided);
	return w->mapped ? 1 : 0;
}

int
maprule_why(const struct maprule *rules, const struct roster *roster,
    const struct maprule_host *host, const char *service,
    struct maprule_accounts *accounts, time_t now, const char *name,
    maprule_step_fn *fn, void *arg, struct fault *f)
{
	OWN_STRUCT(maprule_part) part =
	    maprule_for(rules, roster, host, service, accounts, now, f);
	struct why w = { .part = part,
		.host = host,
		.name = name,
		.fn = fn,
		.arg = arg,
		.f = f,
		.what = BUF(STEP_LIMIT),
		.text = BUF(STEP_LIMIT) };
	struct outcome o = { .w = &w,
		.rule = BUF(STEP_LIMIT),
		.line = BUF(STEP_LIMIT),
		.conflicts = BUF(STEP_LIMIT) };
	int result;

	if (part == NULL)
		return -1;
	result = why_all(&w, &o);
	buf_free(&w.what);
	buf_free(&w.text);
	buf_free(&o.rule);
	buf_free(&o.line);
	buf_free(&o.conflicts);
	return result;
}
