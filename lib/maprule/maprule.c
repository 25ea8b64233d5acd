#include "maprule/maprule.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- sources */

static const char *const source_kinds[] = { "ldap", "file", "list",
	"requests" };

static int
check_place(struct maprule_source *s, const struct maprule_block *b,
    struct fault *f)
{
	bool ldap = strcmp(s->kind, "ldap") == 0;

	if (ldap && b->head.count == 3)
		return fault_set(f, FAULT_CONFIG,
		    "an ldap source says where it is with server and base");
	if (ldap) {
		s->where = "";
		if (maprule_source_get(s, "server").count == 0)
			return fault_set(f, FAULT_CONFIG,
			    "an ldap source needs a server");
		if (maprule_source_get(s, "base").count == 0)
			return fault_set(f, FAULT_CONFIG,
			    "an ldap source needs a base");
		return 0;
	}
	if (b->head.count < 3)
		return fault_set(f, FAULT_CONFIG, "source %s %s: of which %s?",
		    s->name, s->kind,
		    strcmp(s->kind, "list") == 0 ? "URL or file" : "file");
	s->where = b->head.word[2];
	if (strcmp(s->kind, "list") == 0 &&
	    (text_starts(s->where, "https://") ||
		text_starts(s->where, "http://")))
		return 0;
	return maprule_path_check(s->where, f);
}

/* All but the template of subjects is about directories. */
static int
check_source_settings(const struct maprule_source *s, struct fault *f)
{
	if (strcmp(s->kind, "ldap") == 0)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->setting[i].keyword, "subject") != 0)
			return fault_set(f, FAULT_CONFIG,
			    "%s is no setting of a source of kind %s",
			    s->setting[i].keyword, s->kind);
	return 0;
}

static int
put_source(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	struct maprule_source *s = &r->sources[r->source_count];
	struct maprule_setting *kept =
	    maprule_take(&r->text.arena, (b->count + 1) * sizeof(*kept), f);

	if (kept == NULL || maprule_label_check(b->head.word[0], f) < 0)
		return -1;
	*s = (struct maprule_source){ .name = b->head.word[0],
		.kind = b->head.word[1],
		.line = b->line,
		.setting = kept };
	if (maprule_one_of("kind of source", s->kind, source_kinds,
		COUNT_OF(source_kinds), f) < 0)
		return -1;
	for (size_t i = 0; i < r->source_count; i++)
		if (strcmp(r->sources[i].name, s->name) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "source %s is there already, on line %d", s->name,
			    r->sources[i].line);
	for (size_t i = 0; i < b->count; i++) {
		const struct maprule_setting *had = &b->setting[i];

		if (strcmp(had->keyword, "max-age") != 0)
			kept[s->count++] = *had;
		else if (maprule_seconds_read(had->words.word[0], &s->max_age,
			     f) < 0)
			return fault_wrap(f, "max-age");
	}
	if (check_place(s, b, f) < 0 || check_source_settings(s, f) < 0 ||
	    maprule_source_conf_read(&r->text.arena, s,
		&r->confs[r->source_count], f) < 0)
		return -1;
	r->source_count++;
	return 0;
}

/* ---- the whole */

static int
put_bans(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	const char **word;
	struct maprule_words *w = &r->bans_paths;

	if (maprule_path_check(b->head.word[0], f) < 0)
		return -1;
	word = maprule_take(&r->text.arena, (w->count + 1) * sizeof(*word), f);
	if (word == NULL)
		return -1;
	if (w->count > 0)
		memcpy(word, w->word, w->count * sizeof(*word));
	word[w->count] = b->head.word[0];
	*w = (struct maprule_words){ w->count + 1, word };
	return 0;
}

static int
put_block(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	switch (b->kind) {
	case MAPRULE_BLOCK_SOURCE:
		return put_source(r, b, f);
	case MAPRULE_BLOCK_SERVICE:
		return maprule_service_read(r, b, f);
	case MAPRULE_BLOCK_MAP:
	case MAPRULE_BLOCK_SPLICE:
		return maprule_rule_read(r, b, f);
	case MAPRULE_BLOCK_BAN:
		if (maprule_ban_read(b, &r->bans[r->ban_count], f) < 0)
			return -1;
		r->ban_count++;
		return 0;
	case MAPRULE_BLOCK_BANS:
		return put_bans(r, b, f);
	case MAPRULE_BLOCK_COUNT:
		break;
	}
	return fault_set(f, FAULT_INTERNAL, "a block of no kind");
}

/* Sources and services are defined before or behind those that name them. */
static bool
is_named(enum maprule_block_kind kind)
{
	return kind == MAPRULE_BLOCK_SOURCE || kind == MAPRULE_BLOCK_SERVICE;
}

static int
put_blocks(struct maprule *r, size_t from, bool named, struct fault *f)
{
	for (size_t i = from; i < r->text.count; i++) {
		const struct maprule_block *b = &r->text.blocks[i];

		if (is_named(b->kind) == named && put_block(r, b, f) < 0)
			return fault_wrap(f, "%s%s%d", b->path,
			    *b->path != '\0' ? ":" : "line ", b->line);
	}
	return 0;
}

/* Room for as many of each as there are blocks. */
static int
make_room(struct maprule *r, struct fault *f)
{
	size_t n = r->text.count + 1;
	struct maprule_ban *bans = reallocarray(r->bans, n, sizeof(*bans));

	if (bans == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for rules");
	r->bans = bans;
	if (r->sources != NULL)
		return 0;
	r->sources = calloc(n, sizeof(*r->sources));
	r->confs = calloc(n, sizeof(*r->confs));
	r->services = calloc(n, sizeof(*r->services));
	r->rules = calloc(n, sizeof(*r->rules));
	if (r->sources == NULL || r->confs == NULL || r->services == NULL ||
	    r->rules == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for rules");
	return 0;
}

static int
read_rules(struct maprule *r, const char *path, const char *text, size_t len,
    struct fault *f)
{
	r->path = maprule_take_text(&r->text.arena, path == NULL ? "" : path,
	    path == NULL ? 0 : strlen(path), f);
	if (r->path == NULL ||
	    maprule_text_read(&r->text, path, text, len, false, f) < 0 ||
	    make_room(r, f) < 0 || put_blocks(r, 0, true, f) < 0 ||
	    put_blocks(r, 0, false, f) < 0)
		return -1;
	for (size_t i = 0; i < r->rule_count; i++)
		if (maprule_rule_services(r, &r->rules[i], f) < 0)
			return -1;
	qsort(r->rules, r->rule_count, sizeof(*r->rules), maprule_rule_order);
	return 0;
}

struct maprule *
maprule_read(const char *path, const char *text, size_t len, struct fault *f)
{
	OWN_STRUCT(maprule) r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for rules");
		return NULL;
	}
	if (read_rules(r, path, text, len, f) < 0)
		return NULL;
	return TAKE(r);
}

int
maprule_bans_read(struct maprule *r, const char *path, const char *text,
    size_t len, struct fault *f)
{
	size_t from = r->text.count;

	if (maprule_text_read(&r->text, path, text, len, true, f) < 0 ||
	    make_room(r, f) < 0)
		return -1;
	return put_blocks(r, from, false, f);
}

static int
read_bans_file(struct maprule *r, const char *path, struct fault *f)
{
	OWN_BUF(text, MAPRULE_MAX);
	struct stat s;

	/* A pipe that nobody writes reads as a file without bans. */
	if (stat(path, &s) == 0 && !S_ISREG(s.st_mode))
		return fault_set(f, FAULT_CONFIG, "%s is not a file", path);
	if (file_read(path, &text, f) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	return maprule_bans_read(r, path, (const char *)text.data, text.len, f);
}

struct maprule *
maprule_open(const char *path, struct fault *f)
{
	OWN_STRUCT(maprule) r = NULL;
	OWN_BUF(text, MAPRULE_MAX);

	if (file_read(path, &text, f) < 0 ||
	    (r = maprule_read(path, (const char *)text.data, text.len, f)) ==
		NULL)
		return NULL;
	for (size_t i = 0; i < r->bans_paths.count; i++)
		if (read_bans_file(r, r->bans_paths.word[i], f) < 0)
			return NULL;
	return TAKE(r);
}

void
maprule_free(struct maprule *r)
{
	if (r == NULL)
		return;
	free(r->sources);
	free(r->confs);
	free(r->services);
	free(r->rules);
	free(r->bans);
	maprule_text_free(&r->text);
	free(r);
}

void
maprule_dump(const struct maprule *r, struct buf *out)
{
	maprule_text_dump(&r->text, out);
}

const char *
maprule_path(const struct maprule *r)
{
	return r->path;
}

struct maprule_words
maprule_bans_paths(const struct maprule *r)
{
	return r->bans_paths;
}

size_t
maprule_source_count(const struct maprule *r)
{
	return r->source_count;
}

const struct maprule_source *
maprule_source(const struct maprule *r, size_t i)
{
	return i < r->source_count ? &r->sources[i] : NULL;
}

const struct roster_source_conf *
maprule_source_conf(const struct maprule *r, size_t i)
{
	return i < r->source_count ? &r->confs[i] : NULL;
}

struct maprule_words
maprule_source_get(const struct maprule_source *s, const char *keyword)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->setting[i].keyword, keyword) == 0)
			return s->setting[i].words;
	return (struct maprule_words){ 0 };
}

int
maprule_services(const struct maprule *r, const struct maprule_host *host,
    maprule_service_fn *fn, void *arg)
{
	for (size_t i = 0; i < r->service_count; i++) {
		const struct maprule_service_block *s = &r->services[i];
		bool had = false;
		int result;

		if (!maprule_host_fits(&s->hosts, host))
			continue;
		for (size_t j = 0; j < i && !had; j++)
			had = strcmp(r->services[j].said.name, s->said.name) ==
				0 &&
			    maprule_host_fits(&r->services[j].hosts, host);
		if (!had && (result = fn(arg, &s->said)) != 0)
			return result;
	}
	return 0;
}

size_t
maprule_ban_count(const struct maprule *r)
{
	return r->ban_count;
}

const struct maprule_ban *
maprule_ban(const struct maprule *r, size_t i)
{
	return i < r->ban_count ? &r->bans[i] : NULL;
}

size_t
maprule_rule_count(const struct maprule *r)
{
	return r->rule_count;
}

const struct maprule_rule *
maprule_rule(const struct maprule *r, size_t i)
{
	return i < r->rule_count ? &r->rules[i] : NULL;
}
