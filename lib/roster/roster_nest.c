/*
 * Groups that are entries: who is in which, directly and through other groups.
 * A DN's groups are found by going up from group to group; one that was seen
 * already is not gone through again, so that a circle ends.
 */
#include "base/fault.h"
#include "roster/roster_part.h"

#include <ldap.h>

#include <stdlib.h>
#include <string.h>

/* RFC 4514 leaves many spellings of one DN; libldap knows them all, and is only
 * asked about those with something to unfold. */
static bool
fold_hard(const char *dn, size_t len, struct buf *out)
{
	char *text = strndup(dn, len), *made = NULL;
	bool done = text != NULL &&
	    ldap_dn_normalize(text, LDAP_DN_FORMAT_LDAP, &made,
		LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    made != NULL;

	if (done)
		buf_put(out, made, strlen(made));
	ldap_memfree(made);
	free(text);
	return done;
}

void
roster_dn_fold(const char *dn, size_t len, struct buf *out)
{
	size_t first = out->len;
	uint8_t *at;
	size_t kept = first;
	bool start = true;

	if ((memchr(dn, '\\', len) == NULL && memchr(dn, '"', len) == NULL &&
		memchr(dn, ';', len) == NULL && memchr(dn, '+', len) == NULL &&
		memchr(dn, '#', len) == NULL) ||
	    !fold_hard(dn, len, out))
		buf_put(out, dn, len);
	if (out->failed)
		return;
	at = out->data;
	/* Blanks around ',' and '=' say nothing (RFC 4514 3, RFC 1779). */
	for (size_t i = first; i < out->len; i++) {
		uint8_t c = at[i];

		if (c == ' ' && start)
			continue;
		start = c == ',' || c == '=';
		while (start && kept > first && at[kept - 1] == ' ' &&
		    !(kept - 1 > first && at[kept - 2] == '\\'))
			kept--;
		at[kept++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
	}
	out->len = kept;
}

void
roster_nest_forget(struct roster_source *s)
{
	free(s->in_start);
	free(s->in_groups);
	free(s->group_of);
	s->in_start = s->in_groups = s->group_of = NULL;
	s->in_dns = 0;
}

/* The group that the entry ${rec} of a shadow is, by its name. */
static uint32_t
group_of_rec(struct roster *r, uint32_t source, const struct roster_rec *rec,
    struct fault *f)
{
	struct roster_person p;
	const char *name;

	roster_rec_show(rec, 0, &p);
	name = p.account;
	return roster_intern_add(&r->groups, source, name, strlen(name), f);
}

typedef void member_fn(struct roster_source *s, uint32_t dn, uint32_t in);

static void
count_one(struct roster_source *s, uint32_t dn, uint32_t in)
{
	(void)in;
	s->in_start[dn]++;
}

static void
place_one(struct roster_source *s, uint32_t dn, uint32_t in)
{
	s->in_groups[--s->in_start[dn]] = in;
}

/* ${fn} for each member of each group of ${source}. */
static int
each_member(struct roster *r, uint32_t source, member_fn *fn, struct fault *f)
{
	struct roster_source *s = &r->sources[source];

	for (uint32_t i = 0; i < r->table.used; i++) {
		const struct roster_rec *rec = r->table.slots[i];

		if (rec == NULL || rec->source != source + 1 ||
		    rec->dn >= s->in_dns)
			continue;
		s->group_of[rec->dn] = group_of_rec(r, source, rec, f);
		if (s->group_of[rec->dn] == ROSTER_NONE)
			return -1;
		for (uint32_t m = 0; m < rec->direct; m++)
			if (rec->numbers[rec->groups + m] < s->in_dns)
				fn(s, rec->numbers[rec->groups + m], rec->dn);
	}
	return 0;
}

/* Sort the members by DN: count them, and then put each in its place. */
static int
index_members(struct roster *r, uint32_t source, struct fault *f)
{
	struct roster_source *s = &r->sources[source];
	uint32_t dns = r->dns.count, total = 0;

	roster_nest_forget(s);
	s->in_start = calloc((size_t)dns + 1, sizeof(uint32_t));
	s->group_of = malloc(((size_t)dns + 1) * sizeof(uint32_t));
	if (s->in_start == NULL || s->group_of == NULL)
		return fault_set(f, FAULT_MEMORY, "groups of %u DNs", dns);
	memset(s->group_of, 0xff, ((size_t)dns + 1) * sizeof(uint32_t));
	s->in_dns = dns;
	if (each_member(r, source, count_one, f) < 0)
		return -1;
	for (uint32_t i = 0; i < dns; i++)
		s->in_start[i] = total += s->in_start[i];
	s->in_start[dns] = total;
	s->in_groups = malloc(((size_t)total + 1) * sizeof(uint32_t));
	if (s->in_groups == NULL)
		return fault_set(f, FAULT_MEMORY, "%u members", total);
	return each_member(r, source, place_one, f);
}

static void
climb_to(struct roster_climb *c, uint32_t dn)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->dns[i] == dn)
			return;
	if (c->count < sizeof(c->dns) / sizeof(c->dns[0]))
		c->dns[c->count++] = dn;
}

static void
climb_from(const struct roster_source *s, uint32_t dn, struct roster_climb *c)
{
	if (dn >= s->in_dns)
		return;
	for (uint32_t i = s->in_start[dn]; i < s->in_start[dn + 1]; i++)
		climb_to(c, s->in_groups[i]);
}

/* The numbers of the groups whose DNs were found. */
static int
name_groups(struct roster *r, uint32_t source, struct roster_climb *c,
    struct roster_draft *d, struct fault *f)
{
	const struct roster_source *s = &r->sources[source];

	d->count = 0;
	for (size_t i = 0; i < c->count; i++) {
		uint32_t dn = c->dns[i], group = ROSTER_NONE;

		if (s->by_member && dn < s->in_dns)
			group = s->group_of[dn];
		else if (!s->by_member)
			group = roster_intern_add(&r->groups, source,
			    roster_intern_text(&r->dns, dn),
			    r->dns.words[dn]->len, f);
		if (group == ROSTER_NONE && !s->by_member)
			return -1;
		if (group != ROSTER_NONE &&
		    roster_draft_number(d, group, f) < 0)
			return -1;
	}
	roster_draft_order(d);
	return 0;
}

static int
resolve(struct roster *r, const struct roster_rec *rec, struct roster_climb *c,
    struct roster_draft *d, struct fault *f)
{
	const struct roster_source *s = &r->sources[rec->source];

	c->count = 0;
	if (s->by_member)
		climb_from(s, rec->dn, c);
	else
		for (uint32_t i = 0; i < rec->direct; i++)
			climb_to(c, rec->numbers[rec->groups + i]);
	for (size_t i = 0; i < c->count; i++)
		climb_from(s, c->dns[i], c);
	return name_groups(r, rec->source, c, d, f);
}

static bool
has_groups(const struct roster_rec *rec, const struct roster_draft *d)
{
	return rec->groups == d->count &&
	    (d->count == 0 ||
		memcmp(rec->numbers, d->numbers, d->count * sizeof(uint32_t)) ==
		    0);
}

int
roster_nest_one(struct roster *r, struct roster_rec **rec, struct fault *f)
{
	struct roster_draft *d = &r->climb->draft;
	struct roster_rec *made;

	if (resolve(r, *rec, r->climb, d, f) < 0)
		return -1;
	if (has_groups(*rec, d))
		return 0;
	made = roster_rec_regroup(*rec, d->numbers, (uint32_t)d->count, f);
	if (made == NULL)
		return -1;
	free(*rec);
	*rec = made;
	return 0;
}

static int
resolve_everyone(struct roster *r, uint32_t source, struct fault *f)
{
	struct roster_draft *d = &r->climb->draft;

	for (uint32_t i = 0; i < r->table.used; i++) {
		const struct roster_rec *rec = r->table.slots[i];
		struct roster_rec *made;

		if (rec == NULL || rec->source != source)
			continue;
		if (resolve(r, rec, r->climb, d, f) < 0)
			return -1;
		if (has_groups(rec, d))
			continue;
		made =
		    roster_rec_regroup(rec, d->numbers, (uint32_t)d->count, f);
		if (made == NULL || roster_rec_put(r, made, f) < 0)
			return -1;
	}
	return 0;
}

int
roster_nest_all(struct roster *r, uint32_t source, struct fault *f)
{
	return index_members(r, source, f) < 0 ? -1
					       : resolve_everyone(r, source, f);
}
