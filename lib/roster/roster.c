#include "roster/roster.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"
#include "roster/roster_part.h"
#include "roster/roster_value.h"
#include "x509/dn.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX ((size_t)8 * ROSTER_NAME_SIZE)

struct roster *
roster_new(struct fault *f)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (r != NULL)
		r->climb = calloc(1, sizeof(*r->climb));
	if (r == NULL || r->climb == NULL) {
		free(r);
		(void)fault_set(f, FAULT_MEMORY, "a roster");
		return NULL;
	}
	roster_table_init(&r->table);
	roster_intern_init(&r->groups);
	roster_intern_init(&r->dns);
	return r;
}

static void
free_source(struct roster_source *s)
{
	free(s->name);
	free(s->subject);
	free(s->subject_before);
	free(s->subject_after);
	free(s->digest);
	roster_cookie_clear(s);
	roster_nest_forget(s);
}

void
roster_free(struct roster *r)
{
	if (r == NULL)
		return;
	roster_table_free(&r->table);
	roster_intern_free(&r->groups);
	roster_intern_free(&r->dns);
	for (uint32_t i = 0; i < r->source_count; i++)
		free_source(&r->sources[i]);
	roster_draft_free(&r->climb->draft);
	free(r->climb);
	free(r);
}

static bool
is_person(const struct roster *r, const struct roster_rec *rec)
{
	return rec != NULL && !r->sources[rec->source].shadow;
}

size_t
roster_count(const struct roster *r)
{
	size_t count = 0;

	for (uint32_t i = 0; i < r->source_count; i++)
		if (!r->sources[i].shadow)
			count += r->sources[i].count;
	return count;
}

size_t
roster_count_of(const struct roster *r, uint32_t source)
{
	return source < r->source_count ? r->sources[source].count : 0;
}

size_t
roster_memory(const struct roster *r)
{
	size_t bytes = r->table.bytes + r->table.room * sizeof(void *) +
	    r->table.hash_size * sizeof(uint32_t);

	return bytes + r->groups.bytes + r->dns.bytes +
	    (r->dns.room + r->groups.room) * sizeof(void *) +
	    (r->dns.table_size + r->groups.table_size) * sizeof(uint32_t);
}

bool
roster_person(const struct roster *r, uint32_t id, struct roster_person *out)
{
	if (id >= r->table.used || !is_person(r, r->table.slots[id]))
		return false;
	roster_rec_show(r->table.slots[id], id, out);
	return true;
}

int
roster_each(const struct roster *r, roster_each_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < r->table.used; i++) {
		struct roster_person p;
		int result;

		if (!roster_person(r, i, &p))
			continue;
		if ((result = fn(arg, &p)) != 0)
			return result;
	}
	return 0;
}

static const char *
text_at(const struct roster_person *p, size_t i)
{
	const char *at = p->texts;

	for (; i > 0; i--)
		at += strlen(at) + 1;
	return at;
}

const char *
roster_account_at(const struct roster_person *p, size_t i)
{
	return text_at(p, i);
}

bool
roster_name_next(const struct roster *r, const struct roster_person *p,
    size_t *at, char text[ROSTER_NAME_SIZE])
{
	size_t i;

	if (*at == 0) {
		*at = 1;
		if (roster_subject(&r->sources[p->source], p->principal,
			p->account, text))
			return true;
	}
	if ((i = *at - 1) >= p->name_count)
		return false;
	(*at)++;
	return text_copy(text, ROSTER_NAME_SIZE,
		   text_at(p, p->account_count + i)) == 0;
}

struct find {
	const struct roster *r;
	struct buf *wanted;
	struct buf *key;
	roster_each_fn *fn;
	void *arg;
};

static int
find_one(void *arg, const struct roster_person *p)
{
	struct find *find = arg;
	char text[ROSTER_NAME_SIZE];
	size_t at = 0;

	while (roster_name_next(find->r, p, &at, text)) {
		buf_clear(find->key);
		map_name_key(text, strlen(text), find->key);
		if (!find->key->failed && find->key->len == find->wanted->len &&
		    memcmp(find->key->data, find->wanted->data,
			find->key->len) == 0)
			return find->fn(find->arg, p);
	}
	return 0;
}

int
roster_find_name(const struct roster *r, const char *text, roster_each_fn *fn,
    void *arg)
{
	OWN_BUF(wanted, KEY_MAX);
	OWN_BUF(key, KEY_MAX);
	struct find find = { r, &wanted, &key, fn, arg };

	map_name_key(text, strlen(text), &wanted);
	if (wanted.failed || wanted.len == 0)
		return 0;
	return roster_each(r, find_one, &find);
}

size_t
roster_source_count(const struct roster *r)
{
	return r->source_count;
}

const char *
roster_source_name(const struct roster *r, uint32_t source)
{
	return r->sources[source].name;
}

uint32_t
roster_source_find(const struct roster *r, const char *name)
{
	for (uint32_t i = 0; i < r->source_count; i++)
		if (!r->sources[i].shadow &&
		    strcmp(r->sources[i].name, name) == 0)
			return i;
	return ROSTER_NONE;
}

time_t
roster_source_fresh(const struct roster *r, uint32_t source)
{
	return source < r->source_count ? r->sources[source].fresh : 0;
}

/* The group whose entry has the DN ${name}, however that is spelled. */
static uint32_t
find_by_dn(const struct roster *r, uint32_t source, const char *name)
{
	const struct roster_source *s = &r->sources[source];
	OWN_BUF(dn, KEY_MAX);
	uint32_t number;

	if (!s->nested || strchr(name, '=') == NULL)
		return ROSTER_NONE;
	roster_dn_fold(name, strlen(name), &dn);
	if (dn.failed || dn.len == 0)
		return ROSTER_NONE;
	if (!s->by_member)
		return roster_intern_find(&r->groups, source,
		    (const char *)dn.data, dn.len);
	number = roster_intern_find(&r->dns, 0, (const char *)dn.data, dn.len);
	return number < s->in_dns ? s->group_of[number] : ROSTER_NONE;
}

uint32_t
roster_group_find(const struct roster *r, uint32_t source, const char *name)
{
	uint32_t group;

	if (source >= r->source_count)
		return ROSTER_NONE;
	group = roster_intern_find(&r->groups, source, name, strlen(name));
	return group != ROSTER_NONE ? group : find_by_dn(r, source, name);
}

size_t
roster_group_count(const struct roster *r)
{
	return r->groups.count;
}

const char *
roster_group_name(const struct roster *r, uint32_t group)
{
	return roster_intern_text(&r->groups, group);
}

uint32_t
roster_group_source(const struct roster *r, uint32_t group)
{
	return r->groups.words[group]->tag;
}

bool
roster_in(const struct roster_person *p, uint32_t group)
{
	size_t low = 0, high = p->group_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (p->groups[middle] == group)
			return true;
		if (p->groups[middle] < group)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
roster_watch(struct roster *r, roster_watch_fn *fn, void *arg)
{
	r->watch = fn;
	r->watch_arg = arg;
}

static void
tell(struct roster *r, uint32_t id, const struct roster_rec *before,
    const struct roster_rec *after)
{
	struct roster_person was, is;

	if (r->watch == NULL || !is_person(r, before != NULL ? before : after))
		return;
	if (before != NULL)
		roster_rec_show(before, id, &was);
	if (after != NULL)
		roster_rec_show(after, id, &is);
	r->watch(r->watch_arg, before != NULL ? &was : NULL,
	    after != NULL ? &is : NULL);
}

int
roster_rec_put(struct roster *r, struct roster_rec *rec, struct fault *f)
{
	struct roster_rec *old;
	uint32_t slot;

	if (roster_table_put(&r->table, rec, &slot, &old, f) < 0) {
		free(rec);
		return -1;
	}
	if (old == NULL)
		r->sources[rec->source].count++;
	tell(r, slot, old, rec);
	free(old);
	return 0;
}

void
roster_rec_drop(struct roster *r, uint32_t slot)
{
	struct roster_rec *old = roster_table_take(&r->table, slot);

	r->sources[old->source].count--;
	tell(r, slot, old, NULL);
	free(old);
}

static void
drop_all_of(struct roster *r, uint32_t source)
{
	for (uint32_t i = 0; i < r->table.used; i++)
		if (r->table.slots[i] != NULL &&
		    r->table.slots[i]->source == source)
			roster_rec_drop(r, i);
	r->sources[source].fresh = 0;
	roster_cookie_clear(&r->sources[source]);
}

int
roster_drop_source(struct roster *r, uint32_t source, struct fault *f)
{
	if (source >= r->source_count || r->sources[source].shadow)
		return fault_set(f, FAULT_INTERNAL, "no such source");
	drop_all_of(r, source);
	if (r->sources[source].nested) {
		drop_all_of(r, source + 1);
		roster_nest_forget(&r->sources[source]);
	}
	return 0;
}

static int
set_text(char **to, const char *text, struct fault *f)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return fault_set(f, FAULT_MEMORY, "a source's settings");
	free(*to);
	*to = copy;
	return 0;
}

static struct roster_source *
new_source(struct roster *r, const char *name, struct fault *f)
{
	struct roster_source *s = &r->sources[r->source_count];

	if (r->source_count + 2 > ROSTER_SOURCES_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "too many sources");
		return NULL;
	}
	*s = (struct roster_source){ 0 };
	if (set_text(&s->name, name, f) < 0 ||
	    set_text(&s->digest, "", f) < 0 ||
	    set_text(&s->subject, "", f) < 0) {
		free_source(s);
		return NULL;
	}
	r->source_count++;
	return s;
}

/* Settings changed: what was answered to others says nothing any more. */
static int
set_digest(struct roster_source *s, const char *digest, struct fault *f)
{
	if (strcmp(s->digest, digest) == 0)
		return 0;
	roster_cookie_clear(s);
	return set_text(&s->digest, digest, f);
}

static int
set_nesting(struct roster *r, uint32_t source, bool nested, bool by_member,
    struct fault *f)
{
	struct roster_source *s = &r->sources[source];

	s->by_member = by_member;
	if (!nested || s->nested)
		return 0;
	s->nested = true;
	if (new_source(r, s->name, f) == NULL)
		return -1;
	r->sources[source + 1].shadow = true;
	return 0;
}

/* A source keeps its place only while it is nested, or not, as it was. */
static uint32_t
find_fitting(struct roster *r, const char *name, bool nested, bool by_member,
    struct fault *f)
{
	uint32_t found = roster_source_find(r, name);

	if (found == ROSTER_NONE ||
	    (r->sources[found].nested == nested &&
		r->sources[found].by_member == by_member))
		return found;
	if (roster_drop_source(r, found, f) < 0)
		return ROSTER_NONE;
	/* Its name is nobody's any more. */
	r->sources[found].name[0] = '\0';
	return ROSTER_NONE;
}

uint32_t
roster_source_make(struct roster *r, const char *name, const char *subject,
    const char *digest, bool nested, bool by_member, struct fault *f)
{
	uint32_t found = find_fitting(r, name, nested, by_member, f);
	struct roster_source *s;

	if (found == ROSTER_NONE) {
		found = r->source_count;
		if (new_source(r, name, f) == NULL)
			return ROSTER_NONE;
	}
	s = &r->sources[found];
	if (set_nesting(r, found, nested, by_member, f) < 0 ||
	    set_text(&s->subject, subject, f) < 0 ||
	    roster_subject_prepare(s, f) < 0 || set_digest(s, digest, f) < 0 ||
	    (nested && set_digest(&r->sources[found + 1], digest, f) < 0))
		return ROSTER_NONE;
	return found;
}

uint32_t
roster_source_add(struct roster *r, const char *name, const char *subject,
    const char *digest, struct fault *f)
{
	return roster_source_make(r, name, subject, digest, false, false, f);
}

const struct roster_cookie *
roster_cookie_get(const struct roster_source *s, const char *server)
{
	for (size_t i = 0; i < s->cookie_count; i++)
		if (strcmp(s->cookies[i].server, server) == 0)
			return &s->cookies[i];
	return NULL;
}

void
roster_cookie_clear(struct roster_source *s)
{
	for (size_t i = 0; i < s->cookie_count; i++) {
		free(s->cookies[i].server);
		free(s->cookies[i].data);
	}
	free(s->cookies);
	s->cookies = NULL;
	s->cookie_count = 0;
}

int
roster_cookie_set(struct roster_source *s, const char *server, const void *data,
    size_t len, struct fault *f)
{
	struct roster_cookie *made;

	/*
	 * What another server gave before says how the people were then, not
	 * how they are now: one cookie is all there can be.
	 */
	roster_cookie_clear(s);
	if (data == NULL)
		return 0;
	if ((made = calloc(1, sizeof(*made))) == NULL)
		return fault_set(f, FAULT_MEMORY, "a cookie");
	s->cookies = made;
	s->cookie_count = 1;
	made->server = strdup(server);
	made->data = malloc(len + 1);
	if (made->server == NULL || made->data == NULL) {
		roster_cookie_clear(s);
		return fault_set(f, FAULT_MEMORY, "a cookie");
	}
	memcpy(made->data, data, len);
	made->len = len;
	return 0;
}

static int
put_list(struct roster_draft *d, const char *text)
{
	buf_put(&d->lists, text, strlen(text) + 1);
	return d->lists.failed ? -1 : 0;
}

static int
put_lists(struct roster_draft *d, const struct roster_put *put, struct fault *f)
{
	char name[ROSTER_NAME_SIZE];

	for (size_t i = 0; i < put->account_count; i++, d->accounts++)
		if (!roster_value_account(put->accounts[i],
			strlen(put->accounts[i]), true) ||
		    put_list(d, put->accounts[i]) < 0)
			return fault_set(f, FAULT_INPUT, "not an account");
	for (size_t i = 0; i < put->name_count; i++, d->names++) {
		int read = roster_value_name(put->names[i],
		    strlen(put->names[i]), name, f);

		if (read < 0)
			return -1;
		if (read == 0 || put_list(d, name) < 0)
			return fault_set(f, FAULT_INPUT, "not a name");
	}
	return 0;
}

static int
put_groups(struct roster *r, struct roster_draft *d,
    const struct roster_put *put, struct fault *f)
{
	for (size_t i = 0; i < put->group_count; i++) {
		const char *name = put->groups[i];
		uint32_t group;

		if (!roster_value_group(name, strlen(name)))
			return fault_set(f, FAULT_INPUT, "not a group");
		group = roster_intern_add(&r->groups, d->source, name,
		    strlen(name), f);
		if (group == ROSTER_NONE ||
		    roster_draft_number(d, group, f) < 0)
			return -1;
	}
	roster_draft_order(d);
	return 0;
}

static int
put_draft(struct roster *r, struct roster_draft *d,
    const struct roster_put *put, struct fault *f)
{
	struct roster_rec *rec;

	if (put->principal != NULL)
		buf_text(&d->principal, put->principal);
	if (put->where != NULL)
		buf_text(&d->where, put->where);
	memcpy(d->uuid, put->uuid, ROSTER_UUID);
	if (put_lists(d, put, f) < 0 || put_groups(r, d, put, f) < 0 ||
	    (rec = roster_rec_make(d, false, f)) == NULL)
		return -1;
	return roster_rec_put(r, rec, f);
}

int
roster_put(struct roster *r, uint32_t source, const struct roster_put *put,
    struct fault *f)
{
	struct roster_draft d = ROSTER_DRAFT;
	int result;

	if (source >= r->source_count || r->sources[source].shadow ||
	    r->sources[source].nested)
		return fault_set(f, FAULT_INTERNAL, "not such a source");
	if (put->principal != NULL && put->principal[0] != '\0' &&
	    !roster_value_principal(put->principal, strlen(put->principal)))
		return fault_set(f, FAULT_INPUT, "not a principal");
	roster_draft_begin(&d);
	d.source = (uint16_t)source;
	result = put_draft(r, &d, put, f);
	roster_draft_free(&d);
	return result;
}

int
roster_drop(struct roster *r, uint32_t source, const uint8_t uuid[ROSTER_UUID],
    struct fault *f)
{
	uint32_t slot = roster_table_find(&r->table, source, uuid);

	if (source >= r->source_count || r->sources[source].shadow)
		return fault_set(f, FAULT_INTERNAL, "not such a source");
	if (slot != ROSTER_NONE)
		roster_rec_drop(r, slot);
	return 0;
}
