/* Rules, people and maps of this host.  What is said of them is in status.c. */
#include "mapper.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "places.h"
#include "roster/roster_state.h"
#include "signet-map/base/map_host.h"
#include "status.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* So large a part of the names that building all is quicker. */
#define MANY(names) ((names) / 4 + 1000)

static int
lock_state(struct mapper *m, struct fault *f)
{
	char path[MAP_PATH_SIZE];

	if (file_mkdir(m->conf->state, 0755, f) < 0 ||
	    map_conf_state(m->conf, MAP_STATE_LOCK, path, f) < 0)
		return -1;
	m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lock < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (flock(m->lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(f, FAULT_BUSY,
		    "another signet-map sync has %s", m->conf->state);
	return 0;
}

/* What was known when the last process ended. */
static int
recall_roster(struct mapper *m, struct fault *f)
{
	char path[MAP_PATH_SIZE];

	if (map_conf_state(m->conf, MAP_STATE_ROSTER, path, f) < 0)
		return -1;
	if ((m->roster = roster_load(path, f)) != NULL)
		return 0;
	if (f->code != FAULT_ABSENT && f->code != FAULT_INPUT)
		return -1;
	if (f->code == FAULT_INPUT)
		LOG(MAP_STATE_BAD, LOG_TEXT("path", path),
		    LOG_TEXT("text", f->text));
	*f = (struct fault){ 0 };
	return (m->roster = roster_new(f)) == NULL ? -1 : 0;
}

static int
open_book(struct mapper *m, struct fault *f)
{
	char path[MAP_PATH_SIZE];

	if (!m->conf->history)
		return 0;
	if (map_conf_state(m->conf, MAP_STATE_HISTORY, path, f) < 0 ||
	    (m->book = map_book_open(path, f)) == NULL)
		return fault_wrap(f, "history");
	if (map_book_torn(m->book) > 0)
		LOG(MAP_BOOK_TORN, LOG_TEXT("path", path),
		    LOG_NUMBER("bytes", map_book_torn(m->book)));
	return 0;
}

struct mapper *
mapper_open(const struct map_conf *conf, struct fault *f)
{
	OWN_STRUCT(mapper) m = calloc(1, sizeof(*m));

	if (m == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "mapper");
		return NULL;
	}
	m->conf = conf;
	m->lock = -1;
	m->began = clock_wall();
	if (lock_state(m, f) < 0 ||
	    map_conf_state(conf, "cache", m->cache, f) < 0 ||
	    map_host_this(conf, &m->host, &m->host_words, f) < 0 ||
	    recall_roster(m, f) < 0 || open_book(m, f) < 0)
		return NULL;
	m->world = (struct out_world){ conf, m->book };
	if (mapper_reload(m, m->began, f) < 0)
		return NULL;
	status_recall(m);
	return TAKE(m);
}

static void
drop_out(struct mapper_out *o)
{
	maprule_part_free(o->part);
	out_free(o->out);
	changes_free(o->pending);
	*o = (struct mapper_out){ .out = NULL };
}

void
mapper_close(struct mapper *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->out_count; i++)
		drop_out(&m->outs[i]);
	roster_free(m->roster);
	maprule_accounts_free(m->accounts);
	maprule_free(m->rules);
	map_book_close(m->book);
	buf_free(&m->host_words);
	if (m->lock >= 0)
		(void)close(m->lock);
	free(m);
}

/* The sources of ${rules}; what is known of those that stay is kept. */
static void
take_sources(struct mapper *m, const struct maprule *rules)
{
	struct mapper_source fresh[MAPPER_SOURCES_MAX] = { 0 };
	size_t count = maprule_source_count(rules);

	for (size_t i = 0; i < count; i++) {
		const struct roster_source_conf *conf =
		    maprule_source_conf(rules, i);

		for (size_t j = 0; j < m->source_count; j++)
			if (strcmp(m->sources[j].conf.name, conf->name) == 0)
				fresh[i] = m->sources[j];
		fresh[i].conf = *conf;
		if (conf->kind == ROSTER_LIST)
			fresh[i].conf.cache_dir = m->cache;
	}
	memcpy(m->sources, fresh, sizeof(fresh));
	m->source_count = count;
}

/* Nobody is left of a source that the rules do not name any more. */
static int
forget_sources(struct mapper *m, struct fault *f)
{
	for (uint32_t id = 0; id < roster_source_count(m->roster); id++) {
		bool named = false;

		for (size_t i = 0; i < m->source_count; i++)
			named = named ||
			    strcmp(m->sources[i].conf.name,
				roster_source_name(m->roster, id)) == 0;
		if (!named && roster_count_of(m->roster, id) > 0 &&
		    roster_drop_source(m->roster, id, f) < 0)
			return -1;
	}
	return 0;
}

struct taking {
	struct mapper *m;
	struct mapper_out fresh[MAPPER_OUTS_MAX];
	size_t from[MAPPER_OUTS_MAX]; /* 1 + the place it was taken from; 0 */
	size_t count;
	struct fault *f;
};

/* The map of a service that new rules name: the one there is, or a new one. */
static int
take_service(void *arg, const struct maprule_service *service)
{
	struct taking *t = arg;
	struct mapper_out *o = &t->fresh[t->count];

	if (t->count == MAPPER_OUTS_MAX)
		return fault_set(t->f, FAULT_CONFIG,
		    "more than %d services on this host", MAPPER_OUTS_MAX);
	*o = (struct mapper_out){ .rebuild = true };
	t->count++;
	for (size_t i = 0; i < t->m->out_count && o->out == NULL; i++) {
		struct mapper_out *old = &t->m->outs[i];

		if (old->out != NULL && out_same(old->out, service)) {
			if (out_renew(old->out, service, t->f) < 0)
				return -1;
			o->out = TAKE(old->out);
			t->from[t->count - 1] = i + 1;
		}
	}
	if (o->out == NULL)
		o->out = out_open(&t->m->world, service, t->f);
	if (o->out == NULL || (o->pending = changes_new(t->f)) == NULL)
		return -1;
	return 0;
}

/* The map of a service goes by the old rules again. */
static int
renew_service(void *arg, const struct maprule_service *service)
{
	struct mapper *m = arg;
	struct fault f = { 0 };

	for (size_t i = 0; i < m->out_count; i++)
		if (out_same(m->outs[i].out, service) &&
		    out_renew(m->outs[i].out, service, &f) < 0)
			log_fault(&f, NULL);
	return 0;
}

/* Put back what was taken from the old maps, each to the rules and people that
 * it was made of, so that they can stay. */
static void
give_back(struct taking *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->from[i] > 0)
			t->m->outs[t->from[i] - 1].out = TAKE(t->fresh[i].out);
		drop_out(&t->fresh[i]);
	}
	if (t->m->rules != NULL)
		(void)maprule_services(t->m->rules, &t->m->host, renew_service,
		    t->m);
}

static int
take_services(struct mapper *m, const struct maprule *rules, struct fault *f)
{
	struct taking t = { .m = m, .f = f };

	if (maprule_services(rules, &m->host, take_service, &t) != 0) {
		give_back(&t);
		return -1;
	}
	for (size_t i = 0; i < m->out_count; i++) {
		if (m->outs[i].out != NULL)
			LOG(MAP_SERVICE_LEFT,
			    LOG_TEXT("service", out_name(m->outs[i].out)));
		drop_out(&m->outs[i]);
	}
	memcpy(m->outs, t.fresh, sizeof(t.fresh));
	m->out_count = t.count;
	if (t.count == 0)
		LOG(MAP_NO_SERVICE, LOG_TEXT("rules", m->conf->rules),
		    LOG_TEXT("host",
			m->host.names.count > 0 ? m->host.names.word[0] : ""));
	return 0;
}

static int
take_rules(struct mapper *m, struct maprule *rules, struct fault *f)
{
	struct maprule_accounts *accounts;

	if (maprule_source_count(rules) > MAPPER_SOURCES_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d sources",
		    MAPPER_SOURCES_MAX);
	/* A file that was cut off, or is just being written. */
	if (maprule_source_count(rules) == 0 && m->source_count > 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: no source is left; if that is right, start anew",
		    m->conf->rules);
	if (places_check(m, rules, f) < 0)
		return -1;
	if ((accounts = maprule_accounts_open(f)) == NULL)
		return -1;
	if (take_services(m, rules, f) < 0) {
		maprule_accounts_free(accounts);
		return -1;
	}
	take_sources(m, rules);
	maprule_accounts_free(m->accounts);
	m->accounts = accounts;
	maprule_free(m->rules);
	m->rules = rules;
	return forget_sources(m, f);
}

int
mapper_reload(struct mapper *m, time_t now, struct fault *f)
{
	struct maprule *rules = maprule_open(m->conf->rules, f);

	(void)now;
	if (rules != NULL && take_rules(m, rules, f) < 0 && m->rules != rules)
		maprule_free(rules);
	if (m->rules != rules || rules == NULL) {
		m->rules_fault = *f;
		return -1;
	}
	m->rules_fault = (struct fault){ 0 };
	return 0;
}

/* A name whose line may be another now. */
static int
pend(struct mapper_out *o, const char *name)
{
	struct fault f = { 0 };

	if (changes_put(o->pending, name, NULL, &f) < 0)
		o->rebuild = true;
	return 0;
}

static int
pend_line(void *arg, const struct maprule_line *line)
{
	return pend(arg, line->name);
}

static void
pend_gone(void *arg, const char *name)
{
	(void)pend(arg, name);
}

static void
see_person(void *arg, const struct roster_person *before,
    const struct roster_person *after)
{
	struct mapper *m = arg;

	m->unsaved = true;
	for (size_t i = 0; i < m->out_count; i++) {
		struct mapper_out *o = &m->outs[i];
		struct maprule_hear hear = {
			.line = pend_line, .gone = pend_gone, .arg = o
		};
		struct fault f = { 0 };

		if (!o->rebuild && o->part != NULL &&
		    maprule_change(o->part, before, after, &hear, &f) != 0)
			o->rebuild = true;
	}
}

void
mapper_follow(struct mapper *m)
{
	roster_watch(m->roster, see_person, m);
}

void
mapper_source_told(struct mapper *m, size_t source, const struct fault *f,
    time_t now)
{
	struct mapper_source *s = &m->sources[source];

	if (f == NULL) {
		s->fault = (struct fault){ 0 };
		s->failed = 0;
		s->withdrawn = false;
		return;
	}
	if (s->failed == 0 || strcmp(s->fault.text, f->text) != 0)
		LOG(MAP_SOURCE_FAILED, LOG_TEXT("source", s->conf.name),
		    LOG_TEXT("text", f->text));
	s->fault = *f;
	if (s->failed == 0)
		s->failed = now;
}

void
mapper_skipped(void *arg, const char *source, const char *where,
    const char *why)
{
	(void)arg;
	LOG(MAP_SKIPPED, LOG_TEXT("source", source), LOG_TEXT("where", where),
	    LOG_TEXT("text", why));
}

bool
mapper_read(struct mapper *m, size_t source)
{
	struct fault f = { 0 };
	bool good = roster_source_read(&m->sources[source].conf, m->roster,
			mapper_skipped, NULL, &f) == 0;

	m->unsaved = true;
	mapper_source_told(m, source, good ? NULL : &f, clock_wall());
	return good;
}

/* When ${s} was last known to be right; 0: never. */
static time_t
fresh_of(const struct mapper *m, const struct mapper_source *s)
{
	uint32_t id = roster_source_find(m->roster, s->conf.name);

	return id == ROSTER_NONE ? 0 : roster_source_fresh(m->roster, id);
}

void
mapper_withdraw(struct mapper *m, time_t now)
{
	for (size_t i = 0; i < m->source_count; i++) {
		struct mapper_source *s = &m->sources[i];
		time_t fresh = fresh_of(m, s);
		struct fault f = { 0 };

		if (s->withdrawn || s->conf.max_age_s == 0 || fresh == 0 ||
		    now - fresh <= s->conf.max_age_s)
			continue;
		if (roster_drop_source(m->roster,
			roster_source_find(m->roster, s->conf.name), &f) < 0) {
			log_fault(&f, NULL);
			continue;
		}
		s->withdrawn = true;
		m->unsaved = true;
		LOG(MAP_WITHDRAWN, LOG_TEXT("source", s->conf.name),
		    LOG_NUMBER("silent", now - fresh));
		for (size_t j = 0; j < m->out_count; j++) {
			out_confirm(m->outs[j].out);
			m->outs[j].rebuild = true;
		}
	}
}

bool
mapper_ready(const struct mapper *m)
{
	for (size_t i = 0; i < m->source_count; i++)
		if (!m->sources[i].withdrawn &&
		    fresh_of(m, &m->sources[i]) == 0)
			return false;
	return true;
}

/* As of when all that the roster says was right. */
static time_t
freshness(const struct mapper *m, time_t now)
{
	time_t oldest = now;

	for (size_t i = 0; i < m->source_count; i++) {
		time_t fresh = fresh_of(m, &m->sources[i]);

		if (!m->sources[i].withdrawn && fresh < oldest)
			oldest = fresh;
	}
	return oldest;
}

/* Build the map whole, by a part made anew. */
static int
rebuild(struct mapper *m, struct mapper_out *o, const struct out_when *when,
    struct fault *f)
{
	maprule_part_free(TAKE(o->part));
	changes_clear(o->pending);
	o->part = maprule_for(m->rules, m->roster, &m->host, out_name(o->out),
	    m->accounts, when->now, f);
	if (o->part == NULL)
		return -1;
	o->rebuild = o->expelled = false;
	if (out_build(o->out, o->part, when, f) < 0) {
		o->rebuild = true;
		return -1;
	}
	return 0;
}

/* Nothing is known yet of some source: those who are banned go all the same. */
static int
expel(struct mapper *m, struct mapper_out *o, const struct out_when *when,
    struct fault *f)
{
	if (o->expelled)
		return 0;
	maprule_part_free(TAKE(o->part));
	o->rebuild = true;
	o->part = maprule_for(m->rules, m->roster, &m->host, out_name(o->out),
	    m->accounts, when->now, f);
	if (o->part == NULL || out_expel(o->out, o->part, when, f) < 0)
		return -1;
	o->expelled = true;
	return 0;
}

/* The names that may have changed. */
static int
settle(struct mapper *m, struct mapper_out *o, const struct out_when *when,
    struct fault *f)
{
	size_t count = changes_count(o->pending);
	const char **names;
	int result;

	if (count == 0)
		return 0;
	if ((names = calloc(count, sizeof(*names))) == NULL)
		return fault_set(f, FAULT_MEMORY, "names that changed");
	for (size_t i = 0; i < count; i++)
		names[i] = changes_at(o->pending, i)->name;
	result = out_change(o->out, o->part, when, names, count, f);
	free(names);
	changes_clear(o->pending);
	if (result < 0)
		o->rebuild = true;
	(void)m;
	return result;
}

size_t
mapper_flush(struct mapper *m, bool whole, time_t now)
{
	struct out_when when = { now, freshness(m, now) };
	bool ready = mapper_ready(m);
	size_t failed = 0;

	for (size_t i = 0; i < m->out_count; i++) {
		struct mapper_out *o = &m->outs[i];
		struct out_status s;
		struct fault f = { 0 };
		time_t until =
		    o->part == NULL ? 0 : maprule_part_until(o->part);
		int result;

		out_status(o->out, &s);
		if (!ready)
			result = expel(m, o, &when, &f);
		else if (whole || o->rebuild || o->part == NULL ||
		    changes_count(o->pending) > MANY(s.names) ||
		    (until != 0 && until <= now))
			result = rebuild(m, o, &when, &f);
		else
			result = settle(m, o, &when, &f);
		if (result < 0 && strcmp(f.text, o->fault.text) != 0)
			log_fault(&f, NULL);
		o->fault = f;
		failed += result < 0;
	}
	return failed;
}

bool
mapper_text(struct mapper *m)
{
	bool more = false;

	for (size_t i = 0; i < m->out_count; i++) {
		struct mapper_out *o = &m->outs[i];
		struct fault f = { 0 };

		/* What is to be built has its text then. */
		if (!out_text_late(o->out) || (o->rebuild && !o->expelled))
			continue;
		/* Somebody else wrote the file, or the last try failed. */
		if (out_text_step(o->out, &f) < 0) {
			log_fault(&f, NULL);
			o->fault = f;
			o->rebuild = true;
			o->expelled = false;
			continue;
		}
		more = more || out_text_late(o->out);
	}
	return more;
}

bool
mapper_inspect(struct mapper *m)
{
	bool spoilt = false;

	for (size_t i = 0; i < m->out_count; i++) {
		struct mapper_out *o = &m->outs[i];

		if (o->rebuild || out_is_intact(o->out))
			continue;
		LOG(MAP_SPOILT, LOG_TEXT("service", out_name(o->out)));
		o->rebuild = spoilt = true;
	}
	return spoilt;
}

void
mapper_touch(struct mapper *m, time_t now)
{
	struct out_when when = { now, freshness(m, now) };

	for (size_t i = 0; i < m->out_count; i++) {
		struct fault f = { 0 };

		if (out_touch(m->outs[i].out, &when, &f) < 0)
			m->outs[i].fault = f;
	}
}

void
mapper_save(struct mapper *m)
{
	char path[MAP_PATH_SIZE];
	struct fault f = { 0 };

	if (!m->unsaved)
		return;
	if (map_conf_state(m->conf, MAP_STATE_ROSTER, path, &f) < 0 ||
	    roster_save(m->roster, path, &f) < 0) {
		if (m->state_fault.code == FAULT_NONE)
			log_fault(&f, NULL);
		m->state_fault = f;
		return;
	}
	m->state_fault = (struct fault){ 0 };
	m->unsaved = false;
}

bool
mapper_confirm(struct mapper *m, const char *service)
{
	bool found = false;

	for (size_t i = 0; i < m->out_count; i++) {
		struct mapper_out *o = &m->outs[i];

		if (strcmp(service, "*") != 0 &&
		    strcmp(service, out_name(o->out)) != 0)
			continue;
		out_confirm(o->out);
		o->rebuild = true;
		found = true;
	}
	return found;
}

time_t
mapper_until(const struct mapper *m)
{
	time_t first = 0;

	for (size_t i = 0; i < m->out_count; i++) {
		time_t until = m->outs[i].part == NULL
		    ? 0
		    : maprule_part_until(m->outs[i].part);

		if (until != 0 && (first == 0 || until < first))
			first = until;
	}
	return first;
}
