#include "anchor/want.h"

#include "anchor/spelling.h"
#include "base/fault.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_MAX 4096

struct anchor_want *
want_new(enum want_from from, const char *file, struct fault *f)
{
	OWN_STRUCT(anchor_want) want = calloc(1, sizeof(*want));

	if (want == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a CA's description");
		return NULL;
	}
	want->from = from;
	if (want_set(&want->file, file, f) < 0)
		return NULL;
	return TAKE(want);
}

void
want_free(struct anchor_want *want)
{
	struct want_list *lists[] = { &want->wrong, &want->notes,
		&want->cert_urls, &want->may_sign, &want->requires,
		&want->obsoletes };
	char *texts[] = { want->file, want->alias, want->title, want->subject,
		want->issuer, want->policy, want->policy_url, want->namespaces,
		want->status, want->version, want->page, want->contact };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		want_list_clear(lists[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < WANT_PINS; i++)
		free(want->pin[i]);
	for (size_t i = 0; i < WANT_CRLS_MAX; i++)
		want_list_clear(&want->crl[i].urls);
	cert_free(want->cert);
	free(want);
}

int
want_list_add(struct want_list *list, const char *text, struct fault *f)
{
	char **more;

	/* Room doubles at each power of two. */
	if ((list->count & (list->count - 1)) == 0) {
		more = reallocarray(list->item,
		    list->count > 0 ? 2 * list->count : 1, sizeof(*more));
		if (more == NULL)
			return fault_set(f, FAULT_MEMORY, "a list");
		list->item = more;
	}
	if ((list->item[list->count] = strdup(text)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a list");
	list->count++;
	return 0;
}

int
want_add(struct anchor_want *want, struct want_list *list, const char *text,
    struct fault *f)
{
	char said[64];

	if (list->count < WANT_LIST_MAX)
		return want_list_add(list, text, f);
	(void)snprintf(said, sizeof(said), "more than %d of one kind",
	    WANT_LIST_MAX);
	return want_list_has(&want->wrong, said)
	    ? 0
	    : want_say(&want->wrong, f, "%s", said);
}

void
want_list_clear(struct want_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct want_list){ 0 };
}

bool
want_list_has(const struct want_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

int
want_set(char **to, const char *text, struct fault *f)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return fault_set(f, FAULT_MEMORY, "a CA's description");
	free(*to);
	*to = copy;
	return 0;
}

int
want_say(struct want_list *list, struct fault *f, const char *fmt, ...)
{
	OWN(char) text = NULL;
	va_list ap;
	int len;

	if (list->count >= WANT_LIST_MAX)
		return 0;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return fault_set(f, FAULT_MEMORY, "a CA's description");
	}
	return want_list_add(list, text, f);
}

bool
want_pinned_well(const struct anchor_want *want)
{
	return want->cert != NULL || want->pin[WANT_SHA256] != NULL ||
	    want->pin[WANT_SHA384] != NULL;
}

bool
want_has_profile(const struct anchor_want *want, const char *profile)
{
	const char *status = want->status != NULL ? want->status : "";

	if (text_starts(status, "accredited:"))
		return strcmp(status + strlen("accredited:"), profile) == 0;
	return strcmp(status, profile) == 0;
}

static bool
same_directory(const char *a, const char *b)
{
	const char *left = strrchr(a, '/'), *right = strrchr(b, '/');

	return left != NULL && right != NULL && left - a == right - b &&
	    strncmp(a, b, (size_t)(left - a)) == 0;
}

/* Where ${want} belongs: the place of one that it replaces, or the end. */
static size_t
place_of(const struct anchor_set *set, const struct anchor_want *want)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct anchor_want *old = set->item[i];

		if (want->hash[0] == '\0' ||
		    strcmp(want->hash, old->hash) != 0 ||
		    want->meta != old->meta)
			continue;
		if (want->from == WANT_CADESC ||
		    !same_directory(want->file, old->file))
			return i;
	}
	return set->count;
}

static int
make_room(struct anchor_set *set, struct fault *f)
{
	struct anchor_want **more;
	size_t size = set->size > 0 ? 2 * set->size : 64;

	if (set->count < set->size)
		return 0;
	if (set->count >= SET_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d CAs", SET_MAX);
	if ((more = reallocarray(set->item, size,
		 sizeof(struct anchor_want *))) == NULL)
		return fault_set(f, FAULT_MEMORY, "descriptions of CAs");
	set->item = more;
	set->size = size;
	return 0;
}

int
anchor_set_add(struct anchor_set *set, struct anchor_want *want,
    struct fault *f)
{
	OWN_STRUCT(anchor_want) own = want;
	size_t at = place_of(set, want);

	if (make_room(set, f) < 0)
		return -1;
	if (at == set->count) {
		set->item[set->count++] = TAKE(own);
		return 0;
	}
	if (want_say(&want->notes, f, "overrides %s", set->item[at]->file) < 0)
		return -1;
	want_free(set->item[at]);
	set->item[at] = TAKE(own);
	return 0;
}

void
anchor_set_clear(struct anchor_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		want_free(set->item[i]);
	free(set->item);
	*set = (struct anchor_set){ 0 };
}

struct anchor_want *
anchor_set_find(const struct anchor_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->item[i]->hash, name) == 0)
			return set->item[i];
	for (size_t i = 0; i < set->count; i++)
		if (set->item[i]->alias != NULL &&
		    strcmp(set->item[i]->alias, name) == 0)
			return set->item[i];
	return NULL;
}

struct anchor_want *
anchor_set_find_subject(const struct anchor_set *set, const char *subject)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->item[i]->subject != NULL &&
		    spelling_same(set->item[i]->subject, subject))
			return set->item[i];
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const struct anchor_want *const *left = a;
	const struct anchor_want *const *right = b;
	int order = strcmp((*left)->hash, (*right)->hash);

	if (order == 0 && (*left)->alias != NULL && (*right)->alias != NULL)
		order = strcmp((*left)->alias, (*right)->alias);
	return order != 0 ? order : strcmp((*left)->file, (*right)->file);
}

void
anchor_set_sort(struct anchor_set *set)
{
	if (set->count > 0)
		qsort(set->item, set->count, sizeof(struct anchor_want *),
		    compare);
}
