/* What publish did, or would do. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_publish.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* "new", "changed" or NULL. */
static const char *
change_of(const struct publish_site *s, const struct publish_file *file)
{
	const struct publish_file *before =
	    publish_tree_find(&s->old, file->name);

	if (before == NULL)
		return "new";
	return publish_file_same(file, before) ? NULL : "changed";
}

bool
publish_site_changed(const struct publish_site *s)
{
	bool changed = s->tree.count != s->old.count;

	for (size_t i = 0; i < s->tree.count; i++)
		changed |= change_of(s, &s->tree.file[i]) != NULL;
	return changed;
}

static void
tell_text(const struct publish_site *s)
{
	for (size_t i = 0; i < s->tree.count; i++) {
		const char *change = change_of(s, &s->tree.file[i]);

		if (change != NULL)
			printf("%s %s\n", change, s->tree.file[i].name);
	}
	for (size_t i = 0; i < s->old.count; i++)
		if (publish_tree_find(&s->tree, s->old.file[i].name) == NULL)
			printf("removed %s\n", s->old.file[i].name);
	if (s->unsigned_yet)
		printf("the tarball would be signed anew\n");
}

static json_t *
files_json(const struct publish_site *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->tree.count; i++) {
		const struct publish_file *file = &s->tree.file[i];
		const char *change = change_of(s, file);
		char hex[2 * PUBLISH_SHA256 + 1];
		json_t *one = json_pack("{s:s, s:s}", "name", file->name,
		    "state", change == NULL ? "same" : change);

		text_hex(file->sha256, PUBLISH_SHA256, hex);
		if (*file->link != '\0')
			json_object_set_new(one, "link",
			    json_string(file->link));
		else {
			json_object_set_new(one, "size",
			    json_integer((json_int_t)file->data.len));
			json_object_set_new(one, "sha256", json_string(hex));
		}
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
removed_json(const struct publish_site *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->old.count; i++)
		if (publish_tree_find(&s->tree, s->old.file[i].name) == NULL)
			json_array_append_new(list,
			    json_string(s->old.file[i].name));
	return list;
}

static json_t *
cas_json(const struct publish_site *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->set->count; i++) {
		const struct publish_ca *ca = &s->set->ca[i];
		const struct cert *cert = ca->dir->authority.cert;
		char subject[DN_TEXT_MAX] = "", print[ANCHOR_PRINT_SIZE] = "";
		char ends[CLOCK_TEXT_SIZE], next[CLOCK_TEXT_SIZE];
		struct fault ignored = { 0 };

		(void)!dn_show_slash(&cert->subject, subject, sizeof(subject));
		(void)!anchor_print(cert, "SHA256", print, &ignored);
		clock_text(cert->not_after, ends);
		clock_text(ca->crl.next_update, next);
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "alias",
			ca->alias, "subject", subject, "hash", ca->hash,
			"sha256", print, "expires", ends, "crl_number",
			(json_int_t)ca->crl.number, "crl_next_update", next));
	}
	return list;
}

/* Lines become texts; the buffer has no NUL of its own. */
static json_t *
warnings_json(const struct buf *warnings)
{
	json_t *list = json_array();
	const char *at = (const char *)warnings->data;
	const char *end = at == NULL ? at : at + warnings->len;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop == NULL ? end : stop) - at);

		json_array_append_new(list, json_stringn(at, len));
		at += len + (stop != NULL);
	}
	return list;
}

static int
tell_json(const struct publish_site *s, struct fault *f)
{
	json_t *all = json_pack("{s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o}",
	    "dir", s->dir, "changed", publish_site_changed(s), "check",
	    s->args->check, "draft", s->args->draft, "cas", cas_json(s),
	    "files", files_json(s), "removed", removed_json(s), "warnings",
	    warnings_json(&s->warnings));
	int result = all == NULL ? -1 : json_dumpf(all, stdout, JSON_INDENT(2));

	json_decref(all);
	if (result < 0)
		return fault_set(f, FAULT_MEMORY, "JSON");
	printf("\n");
	return 0;
}

int
publish_site_tell(const struct publish_site *s, struct fault *f)
{
	if (s->args->json)
		return tell_json(s, f);
	if (s->args->check)
		tell_text(s);
	if (s->warnings.len > 0)
		fprintf(stderr, "%.*s", (int)s->warnings.len,
		    (const char *)s->warnings.data);
	return 0;
}
