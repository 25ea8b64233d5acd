/* A map changed name by name. */
#include "base/fault.h"
#include "base/log.h"
#include "map/mapfile.h"
#include "out_part.h"

#include <string.h>

#define DELTA_MEMORY ((size_t)1 << 30)

/* What is to be changed, until it is known that it may be. */
struct turn {
	struct out *out;
	struct maprule_part *part;
	const struct out_when *when;
	struct fault *f;
	struct changes *todo;
	struct buf before;
	size_t gone; /* not those who are banned */
};

static int
note(struct turn *t, const char *name, const struct maprule_line *line,
    const char *reason)
{
	const char *after = line == NULL ? NULL : line->accounts;
	struct out_story story = { t->when->now, name, NULL, after, line,
		reason };

	if (out_accounts(t->out, name, &t->before))
		story.before = buf_cstr(&t->before);
	if (out_tell(t->out, &story, t->f) < 0)
		return -1;
	return changes_put(t->todo, name, after, t->f);
}

/* ${name} is to be in the map no more. */
static int
remove_name(struct turn *t, const char *name)
{
	const char *banned = "";

	if (shadow_get(t->out->shadow, names_hash(name)) == 0)
		return 0;
	if (out_accounts(t->out, name, &t->before) &&
	    (banned = out_banned(t->part, name, buf_cstr(&t->before), t->f)) ==
		NULL)
		return -1;
	t->gone += banned[0] == '\0';
	return note(t, name, NULL,
	    banned[0] == '\0' ? "not mapped any more" : banned);
}

static int
hear_line(void *arg, const struct maprule_line *line)
{
	struct turn *t = arg;
	uint64_t old = shadow_get(t->out->shadow, names_hash(line->name));
	OWN_BUF(spelt, MAP_TEXT_MAX);
	struct fault why = { 0 };

	if (old == names_hash_accounts(line->accounts))
		return 0;
	if (out_put_line(t->out, &spelt, line->name, line->accounts, &why) <
	    0) {
		LOG(MAP_UNSPELT, LOG_TEXT("service", t->out->name),
		    LOG_TEXT("name", line->name),
		    LOG_TEXT("entry", line->entry), LOG_TEXT("text", why.text));
		return remove_name(t, line->name);
	}
	return note(t, line->name, line, "other accounts");
}

static void
hear_gone(void *arg, const char *name)
{
	struct turn *t = arg;

	if (t->f->code == FAULT_NONE && remove_name(t, name) < 0 &&
	    t->f->code == FAULT_NONE)
		(void)fault_set(t->f, FAULT_INTERNAL, "%s", name);
}

static int
fold_entry(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct fault f = { 0 };

	return map_build_add(arg, dn, accounts, &f) < 0 ? 1 : 0;
}

/* An index with what an earlier process wrote beside it: the next delta
 * replaces that one. */
static int
fold(struct out *out, struct fault *f)
{
	OWN_STRUCT(map_build) b = map_build_new(DELTA_MEMORY, f);
	struct map_index_head head = { .seq = out->seq + 1,
		.made = (int64_t)out->made,
		.fresh = (int64_t)out->fresh };
	int result;

	if (b == NULL)
		return -1;
	if (out_index(out) == NULL)
		return fault_set(f, FAULT_INPUT, "%s: the index cannot be read",
		    out->path);
	if ((result = map_index_each(out->ix, fold_entry, b, f)) > 0)
		return fault_set(f, FAULT_MEMORY, "%s", out->path);
	if (result < 0 || map_build_write(b, out->index, &head, f) < 0 ||
	    out_give(out, MAP_INDEX_SUFFIX, f) < 0)
		return -1;
	out->seq = head.seq;
	out->delta_old = false;
	return 0;
}

int
out_write_delta(struct out *out, const struct out_when *when, struct fault *f)
{
	OWN_STRUCT(map_build) b = map_build_new(DELTA_MEMORY, f);
	struct map_index_head head = { .seq = out->delta_seq + 1,
		.made = (int64_t)when->now,
		.fresh = (int64_t)when->fresh };

	if (b == NULL || (out->delta_old && fold(out, f) < 0))
		return -1;
	head.base = out->seq;
	for (size_t i = 0; i < changes_count(out->beside); i++) {
		const struct change *c = changes_at(out->beside, i);
		OWN_MAP_ACCOUNTS(accounts);
		int result;

		if (c->accounts == NULL) {
			result = map_build_remove(b, c->name, f);
		} else {
			map_accounts_split(&accounts,
			    (struct wire_bytes){ (const uint8_t *)c->accounts,
				strlen(c->accounts) });
			result = map_build_add(b, c->name, &accounts, f);
		}
		if (result < 0)
			return -1;
	}
	out->delta_late = true;
	if (map_delta_write(b, out->index, &head, f) < 0 ||
	    out_give(out, MAP_DELTA_SUFFIX, f) < 0)
		return -1;
	out->delta_late = false;
	out->delta_seq = head.seq;
	out->fresh = when->fresh;
	return 0;
}

/* It may be: history, then the delta; the text follows. */
static int
apply(struct turn *t)
{
	struct out *out = t->out;
	size_t count = changes_count(t->todo);

	if (out->world->book != NULL &&
	    map_book_sync(out->world->book, t->f) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct change *c = changes_at(t->todo, i);
		uint64_t value =
		    c->accounts == NULL ? 0 : names_hash_accounts(c->accounts);

		if (changes_put(out->beside, c->name, c->accounts, t->f) < 0 ||
		    changes_put(out->unwritten, c->name, c->accounts, t->f) <
			0 ||
		    shadow_put(out->shadow, c->hash, value, t->f) < 0)
			return -1;
	}
	if (out_write_delta(out, t->when, t->f) < 0)
		return -1;
	out->made = t->when->now;
	LOG(MAP_CHANGED, LOG_TEXT("service", out->name),
	    LOG_NUMBER("changed", count - t->gone), LOG_NUMBER("gone", t->gone),
	    LOG_NUMBER("names", shadow_count(out->shadow)));
	return 0;
}

static int
settle(struct turn *t)
{
	if (changes_count(t->todo) == 0)
		return 0;
	if (out_lets(t->out, t->gone, t->when->now))
		return apply(t);
	if (t->out->world->book != NULL)
		map_book_forget(t->out->world->book);
	out_hold(t->out, t->gone);
	return out_expel(t->out, t->part, t->when, t->f);
}

static int
begin(struct turn *t)
{
	t->before = BUF(MAP_TEXT_MAX);
	return (t->todo = changes_new(t->f)) == NULL ? -1 : 0;
}

static int
end(struct turn *t, int result)
{
	if (result < 0 && t->out->world->book != NULL)
		map_book_forget(t->out->world->book);
	changes_free(t->todo);
	buf_free(&t->before);
	return result < 0 ? fault_wrap(t->f, "service %s", t->out->name) : 0;
}

/* Whether the index should be made anew with what is beside it. */
static bool
is_full(const struct out *out)
{
	size_t beside = changes_count(out->beside);

	return beside > (size_t)out->world->conf->merge_after &&
	    beside > shadow_count(out->shadow) / 100;
}

int
out_change(struct out *out, struct maprule_part *part,
    const struct out_when *when, const char *const *names, size_t count,
    struct fault *f)
{
	struct turn t = { .out = out, .part = part, .when = when, .f = f };
	struct maprule_hear hear = {
		.line = hear_line, .gone = hear_gone, .arg = &t
	};
	int result;

	if (out->seq == 0 || out->held)
		return out_build(out, part, when, f);
	result = begin(&t);
	for (size_t i = 0; i < count && result == 0; i++) {
		result = maprule_name(part, names[i], &hear, f) != 0 ||
			f->code != FAULT_NONE
		    ? -1
		    : 0;
	}
	if (result == 0)
		result = settle(&t);
	if (end(&t, result) < 0)
		return -1;
	return is_full(out) ? out_build(out, part, when, f) : 0;
}

/* Of ${accounts} those that no ban forbids; *${why}: of the last one that is
 * forbidden, else NULL. */
static int
weed(struct turn *t, const char *name, const struct map_accounts *accounts,
    struct map_accounts *left, const char **why)
{
	*why = NULL;
	for (size_t i = 0; i < accounts->count; i++) {
		const char *account = map_accounts_at(accounts, i);
		const struct maprule_ban *ban;
		int forbidden =
		    maprule_forbids(t->part, name, account, &ban, t->f);

		if (forbidden < 0)
			return -1;
		if (forbidden > 0)
			*why = out_ban_text(ban);
		else
			map_accounts_put(left, account, strlen(account));
	}
	return 0;
}

static int
see_banned(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct turn *t = arg;
	OWN_MAP_ACCOUNTS(left);
	OWN_BUF(before, MAP_TEXT_MAX);
	OWN_BUF(after, MAP_TEXT_MAX);
	struct out_story story = { .when = t->when->now, .name = dn };

	if (weed(t, dn, accounts, &left, &story.reason) < 0)
		return -1;
	if (story.reason == NULL)
		return 0;
	map_accounts_join(accounts, &before);
	map_accounts_join(&left, &after);
	story.before = buf_cstr(&before);
	story.after = left.count == 0 ? NULL : buf_cstr(&after);
	if (before.failed || after.failed || left.text.failed)
		return fault_set(t->f, FAULT_MEMORY, "%s", t->out->path);
	if (out_tell(t->out, &story, t->f) < 0)
		return -1;
	return changes_put(t->todo, dn, story.after, t->f);
}

int
out_expel(struct out *out, struct maprule_part *part,
    const struct out_when *when, struct fault *f)
{
	struct turn t = { .out = out, .part = part, .when = when, .f = f };
	int result = begin(&t);

	if (result == 0 && out_index(out) != NULL)
		result =
		    map_index_each(out->ix, see_banned, &t, f) < 0 ? -1 : 0;
	if (result == 0 && changes_count(t.todo) > 0)
		result = apply(&t);
	return end(&t, result);
}

int
out_touch(struct out *out, const struct out_when *when, struct fault *f)
{
	if (out->seq == 0 || (!out->delta_late && when->fresh <= out->fresh))
		return 0;
	return out_write_delta(out, when, f) < 0
	    ? fault_wrap(f, "service %s", out->name)
	    : 0;
}
