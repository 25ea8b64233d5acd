#include "roster/roster_lines.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "fetch/fetch.h"
#include "map/map_accounts.h"
#include "map/map_name.h"
#include "map/map_replay.h"
#include "map/mapfile.h"
#include "roster/roster_entry.h"
#include "roster/roster_stage.h"
#include "roster/roster_value.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX (256u << 20)
#define KEY_MAX (1u << 20)

struct lines {
	const struct roster_source_conf *conf;
	struct roster *r;
	struct roster_skips *skips;
	struct roster_stage *stage;
	struct roster_draft draft;
	struct roster_intern seen; /* keys of names: the first line counts */
	struct buf key;
	size_t number; /* of the line */
	size_t taken;
	size_t refused;
};

static void
refuse(struct lines *l, const char *why)
{
	char where[600];

	l->refused++;
	(void)snprintf(where, sizeof(where), "%s:%zu", l->conf->path,
	    l->number);
	roster_skip(l->skips, where, "%s", why);
}

/* Whether this is the first line with the name; -1: memory is out. */
static int
is_first(struct lines *l, const char *name, struct fault *f)
{
	uint32_t before = l->seen.count, number;

	buf_clear(&l->key);
	map_name_key(name, strlen(name), &l->key);
	if (l->key.failed)
		return fault_set(f, FAULT_MEMORY, "a name");
	number = roster_intern_add(&l->seen, 0, (const char *)l->key.data,
	    l->key.len, f);
	if (number == ROSTER_NONE)
		return -1;
	return number == before;
}

static int
take(struct lines *l, const char *name, struct fault *f)
{
	int first = is_first(l, name, f);

	if (first < 0)
		return -1;
	if (first == 0) {
		refuse(l, "the name is in an earlier line, which counts");
		return 0;
	}
	roster_uuid_of(l->key.data, l->key.len, l->draft.uuid);
	buf_fmt(&l->draft.where, "%s:%zu", l->conf->path, l->number);
	buf_put(&l->draft.lists, name, strlen(name) + 1);
	l->draft.names = 1;
	l->taken++;
	return roster_stage_put(l->stage, &l->draft, f);
}

/* What an administrator wrote by hand may have attributes that we do not know:
 * it is a name all the same, if it cannot be taken for anything else. */
static bool
is_name_by_hand(const char *dn)
{
	return dn[0] == '/' && strchr(dn, '=') != NULL &&
	    strlen(dn) < ROSTER_NAME_SIZE && text_printable(dn) &&
	    strchr(dn, '"') == NULL;
}

/*
 * The accounts of a line.  What is meant as a comment ends them, although the
 * Toolkit lets those words in; without its first account a line would have
 * another default, so it has none.
 */
static bool
take_accounts(struct lines *l, const struct map_accounts *accounts)
{
	const char *account;

	for (size_t i = 0; (account = map_accounts_at(accounts, i)) != NULL;
	     i++) {
		if (account[0] == '#')
			return i > 0;
		if (!roster_value_account(account, strlen(account), true)) {
			if (i == 0)
				return false;
			continue;
		}
		buf_put(&l->draft.lists, account, strlen(account) + 1);
		l->draft.accounts++;
	}
	return true;
}

static int
take_map_line(struct lines *l, struct mapfile_line *line, struct fault *f)
{
	char name[ROSTER_NAME_SIZE];
	const char *dn = buf_cstr(&line->dn);
	struct fault why;

	roster_draft_begin(&l->draft);
	l->number = line->number;
	if (dn == NULL)
		return fault_set(f, FAULT_MEMORY, "a line");
	if (roster_value_name(dn, strlen(dn), name, &why) != 1) {
		if (!is_name_by_hand(dn)) {
			refuse(l, "not the name of a certificate");
			return 0;
		}
		memcpy(name, dn, strlen(dn) + 1); /* is_name_by_hand: fits */
	}
	if (take_accounts(l, &line->accounts))
		return take(l, name, f);
	refuse(l, "its first account is none");
	/* The first line with a name counts, also if it is of no use. */
	return is_first(l, name, f) < 0 ? -1 : 0;
}

static int
read_map(struct lines *l, struct fault *f)
{
	OWN_STRUCT(mapfile) m = mapfile_open(l->conf->path, f);
	OWN_MAPFILE_LINE(line);

	if (m == NULL)
		return -1;
	for (;;) {
		int got = mapfile_next(m, &line, f);

		if (got == 0)
			return 0;
		if (got < 0 && f->code != FAULT_INPUT)
			return -1;
		if (got < 0) {
			l->number = line.number;
			refuse(l, f->text);
			continue;
		}
		if (take_map_line(l, &line, f) < 0)
			return -1;
	}
}

/* One line of a list: a name, with or without quotes.  What follows a name in
 * quotes is not looked at: a list says who, not which account. */
static int
take_list_line(struct lines *l, const char *text, size_t len, struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	char name[ROSTER_NAME_SIZE];
	struct fault why = { 0 };
	int read;

	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	for (; len > 0 && strchr(" \t", text[0]) != NULL; len--)
		text++;
	if (len == 0 || text[0] == '#')
		return 0;
	roster_draft_begin(&l->draft);
	if (text[0] == '"' && mapfile_line_read(&line, text, len, &why) == 1)
		read = roster_value_name((const char *)line.dn.data,
		    line.dn.len, name, &why);
	else
		read = roster_value_name(text, len, name, &why);
	if (read == 1)
		return take(l, name, f);
	refuse(l, read < 0 ? why.text : "not the name of a certificate");
	return 0;
}

static int
take_list(struct lines *l, const char *text, size_t len, struct fault *f)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - text);

		l->number++;
		if (take_list_line(l, text, line, f) < 0)
			return -1;
		text += line + (end != NULL);
		len -= line + (end != NULL);
	}
	/* A page that says "sorry", with a status that does not. */
	if (l->taken == 0 && l->refused > 0)
		return fault_set(f, FAULT_INPUT,
		    "%s: not a list: no line is the name of a certificate",
		    l->conf->path);
	return 0;
}

struct fetched {
	struct lines *lines;
	struct fault *f;
	int result;
	time_t when;
};

static void
fetched(void *arg, const struct fetch_result *result)
{
	struct fetched *got = arg;
	struct lines *l = got->lines;
	uint32_t source = l->draft.source;
	bool known = l->r->sources[source].fresh != 0;

	/* What the cache holds is no newer than what we have. */
	if (result->state == FETCH_FAILED ||
	    (result->state == FETCH_CACHED && known)) {
		*got->f = result->fault;
		got->result = -1;
		return;
	}
	got->when = result->when;
	got->result = take_list(l, (const char *)result->body.data,
	    result->body.len, got->f);
}

static int
fetch_list(struct lines *l, time_t *when, struct fault *f)
{
	struct fetched got = { l, f, -1, 0 };
	const char *urls[] = { l->conf->path };
	char key[64];
	uint8_t id[ROSTER_UUID];
	struct fetch_job job = { .urls = urls,
		.url_count = 1,
		.max_bytes = LIST_MAX,
		.done = fetched,
		.arg = &got };
	struct fetch_options options = { .cache_dir = l->conf->cache_dir,
		.ca_file = l->conf->ca_file,
		.impatient = true };

	roster_uuid_of(urls[0], strlen(urls[0]), id);
	text_hex(id, sizeof(id), key);
	job.key = l->conf->cache_dir != NULL ? key : NULL;
	if (fetch_run(&job, 1, &options, f) < 0)
		return -1;
	*when = got.when;
	return got.result;
}

static bool
is_url(const char *path)
{
	return text_starts(path, "http://") || text_starts(path, "https://");
}

static int
read_list(struct lines *l, time_t *when, struct fault *f)
{
	OWN_BUF(text, LIST_MAX);

	if (is_url(l->conf->path))
		return fetch_list(l, when, f);
	if (file_read(l->conf->path, &text, f) < 0)
		return -1;
	return take_list(l, (const char *)text.data, text.len, f);
}

struct requests {
	struct lines *lines;
	struct fault *f;
};

static int
take_requested(void *arg, const char *name, const struct map_replay_held *held,
    size_t count)
{
	struct requests *q = arg;
	struct lines *l = q->lines;
	char canonical[ROSTER_NAME_SIZE];
	struct fault why;

	roster_draft_begin(&l->draft);
	l->number = held[0].line;
	if (roster_value_name(name, strlen(name), canonical, &why) != 1) {
		refuse(l, "not the name of a certificate");
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		buf_put(&l->draft.lists, held[i].account,
		    strlen(held[i].account) + 1);
		l->draft.accounts++;
	}
	return take(l, canonical, q->f);
}

/* What all requests of the log came to; a log of which a line was changed says
 * nothing. */
static int
read_requests(struct lines *l, struct fault *f)
{
	OWN_STRUCT(map_replay) now = map_replay_new(f);
	struct requests q = { l, f };

	if (now == NULL ||
	    map_request_each(l->conf->path, map_replay_step, now, f) < 0)
		return -1;
	return map_replay_each(now, take_requested, &q);
}

static int
read_lines(struct lines *l, time_t *when, struct fault *f)
{
	switch (l->conf->kind) {
	case ROSTER_FILE:
		return read_map(l, f);
	case ROSTER_LIST:
		return read_list(l, when, f);
	case ROSTER_REQUESTS:
		return read_requests(l, f);
	case ROSTER_LDAP:
		break;
	}
	return fault_set(f, FAULT_UNSUPPORTED, "a source of another kind");
}

static int
read_and_commit(struct lines *l, struct fault *f)
{
	time_t when = clock_wall();

	if (read_lines(l, &when, f) < 0 || roster_stage_only(l->stage, f) < 0 ||
	    roster_stage_commit(l->stage, f) < 0)
		return -1;
	l->r->sources[l->draft.source].fresh = when;
	return 0;
}

int
roster_lines_read(const struct roster_source_conf *conf, struct roster *r,
    struct roster_skips *skips, struct fault *f)
{
	char digest[ROSTER_DIGEST_SIZE];
	OWN_STRUCT(roster_stage) stage = NULL;
	struct lines l = { .conf = conf,
		.r = r,
		.skips = skips,
		.draft = ROSTER_DRAFT,
		.key = BUF(KEY_MAX) };
	uint32_t source;
	int result;

	if (roster_source_digest(conf, digest, f) < 0 ||
	    (source = roster_source_add(r, conf->name, "", digest, f)) ==
		ROSTER_NONE ||
	    (stage = roster_stage_new(r, source, true, f)) == NULL)
		return -1;
	l.stage = stage;
	l.draft.source = (uint16_t)source;
	roster_intern_init(&l.seen);
	result = read_and_commit(&l, f);
	roster_intern_free(&l.seen);
	roster_draft_free(&l.draft);
	buf_free(&l.key);
	return result;
}
