/* A map built whole. */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "map/mapfile.h"
#include "out_part.h"
#include "out_pipe.h"
#include "out_sink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INDEX_MEMORY ((size_t)2 << 30)
#define UNSPELT_TOLD 10 /* so many are named, the others counted */

/* The map that is being built beside the one that there is. */
struct draft {
	struct out *out;
	struct maprule_part *part;
	const struct out_when *when;
	struct fault *f;
	struct shadow *shadow;
	struct map_build *index;
	struct out_sink text;
	struct map_accounts accounts;
	struct buf before;
	size_t kept;	/* names that the map has already */
	size_t changed; /* new ones, and those with other accounts */
	size_t gone;
	size_t banned; /* of those that are gone */
	size_t unspelt;
	struct out_pipe *pipe;
	struct out_pipe *to_index;
};

/* A name that some reader of the file would take for something else. */
static int
unspelt(struct draft *d, const struct maprule_line *line)
{
	if (d->f->code != FAULT_DENIED && d->f->code != FAULT_INPUT)
		return -1;
	if (d->unspelt++ < UNSPELT_TOLD)
		LOG(MAP_UNSPELT, LOG_TEXT("service", d->out->name),
		    LOG_TEXT("name", line->name),
		    LOG_TEXT("entry", line->entry),
		    LOG_TEXT("text", d->f->text));
	*d->f = (struct fault){ 0 };
	return 0;
}

/* For the history: what is other than before. */
static int
compare(struct draft *d, const struct maprule_line *line, uint64_t hash,
    uint64_t value)
{
	uint64_t old = shadow_get(d->out->shadow, hash);
	struct out_story story = { d->when->now, line->name, NULL,
		line->accounts, line, "other accounts" };

	d->kept += old != 0;
	if (old == value)
		return 0;
	d->changed++;
	if (old != 0 && out_accounts(d->out, line->name, &d->before))
		story.before = buf_cstr(&d->before);
	return out_tell(d->out, &story, d->f);
}

static int
add_line(struct draft *d, const struct maprule_line *line)
{
	uint64_t hash = names_hash(line->name);
	uint64_t value = names_hash_accounts(line->accounts);

	if (shadow_get(d->shadow, hash) != 0)
		return 0;
	map_accounts_clear(&d->accounts);
	map_accounts_split(&d->accounts,
	    (struct wire_bytes){
		(const uint8_t *)line->accounts, strlen(line->accounts) });
	if (mapfile_put(out_sink_text(&d->text), line->name, &d->accounts,
		d->out->readers, d->f) < 0)
		return unspelt(d, line);
	if (out_pipe_put(d->to_index, line) < 0 ||
	    shadow_put(d->shadow, hash, value, d->f) < 0 ||
	    compare(d, line, hash, value) < 0)
		return -1;
	return out_sink_flow(&d->text, d->f);
}

/* In the thread that makes the index, of the lines that stand in the text. */
static int
index_line(void *arg, const struct maprule_line *line, struct fault *f)
{
	struct draft *d = arg;
	OWN_MAP_ACCOUNTS(accounts);

	map_accounts_split(&accounts,
	    (struct wire_bytes){
		(const uint8_t *)line->accounts, strlen(line->accounts) });
	return map_build_add(d->index, line->name, &accounts, f) < 0 ? -1 : 0;
}

/* In the thread that writes. */
static int
take_line(void *arg, const struct maprule_line *line, struct fault *f)
{
	struct draft *d = arg;

	d->f = f;
	return add_line(d, line);
}

/* In the one that works out whose a name is. */
static int
hear_line(void *arg, const struct maprule_line *line)
{
	struct draft *d = arg;

	return out_pipe_put(d->pipe, line);
}

/* Every line of the part, into text, index and history. */
static int
draw(struct draft *d, struct maprule_stats *stats)
{
	struct maprule_hear hear = { .line = hear_line, .arg = d };
	struct fault *f = d->f;
	int built, written, indexed;

	if ((d->to_index = out_pipe_new(index_line, d, f)) == NULL)
		return -1;
	if ((d->pipe = out_pipe_new(take_line, d, f)) == NULL) {
		(void)!out_pipe_end(d->to_index, &(struct fault){ 0 });
		return -1;
	}
	built = maprule_build(d->part, &hear, stats, f);
	/* Whoever comes later in the row is why those before him failed. */
	written = out_pipe_end(d->pipe, f);
	indexed = out_pipe_end(d->to_index, f);
	d->f = f;
	return built != 0 || written < 0 || indexed < 0 ? -1 : 0;
}

static int
see_old(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct draft *d = arg;
	struct out_story story = { .when = d->when->now,
		.name = dn,
		.reason = "not mapped any more" };
	const char *banned;

	if (shadow_get(d->shadow, names_hash(dn)) != 0)
		return 0;
	buf_clear(&d->before);
	map_accounts_join(accounts, &d->before);
	if ((story.before = buf_cstr(&d->before)) == NULL)
		return fault_set(d->f, FAULT_MEMORY, "%s", d->out->path);
	if ((banned = out_banned(d->part, dn, story.before, d->f)) == NULL)
		return -1;
	if (banned[0] != '\0') {
		d->banned++;
		story.reason = banned;
	}
	return out_tell(d->out, &story, d->f);
}

/* Who is in the map no more. */
static int
find_gone(struct draft *d)
{
	d->gone = shadow_count(d->out->shadow) - d->kept;
	if (d->gone == 0 || out_index(d->out) == NULL)
		return 0;
	if (map_index_each(d->out->ix, see_old, d, d->f) == 0)
		return 0;
	if (d->f->code != FAULT_INPUT)
		return -1;
	/* It is damaged, and written anew; who else is gone, nobody can say. */
	LOG(MAP_INDEX_BAD, LOG_TEXT("service", d->out->name),
	    LOG_TEXT("text", d->f->text));
	*d->f = (struct fault){ 0 };
	d->out->spoilt = true;
	return 0;
}

static int
drop_delta(const struct out *out, struct fault *f)
{
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s" MAP_DELTA_SUFFIX, out->index) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: path too long",
		    out->index);
	if (unlink(path) < 0 && errno != ENOENT)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

static int
write_index(struct draft *d)
{
	struct out *out = d->out;
	struct map_index_head head = { .seq = out->seq + 1,
		.made = (int64_t)d->when->now,
		.fresh = (int64_t)d->when->fresh };

	/* A delta that no index was read with could belong to the one that is
	 * written now, by its number alone. */
	if (out_index(out) == NULL && drop_delta(out, d->f) < 0)
		return -1;
	if (map_build_write(d->index, out->index, &head, d->f) < 0)
		return -1;
	out->seq = head.seq;
	out->delta_late = out->delta_old = out->spoilt = false;
	changes_clear(out->beside);
	return 0;
}

/* The file is as it was; somebody may have changed who may read it. */
static int
dress_old(struct draft *d)
{
	struct stat s;

	if (d->text.differs)
		return out_dress(d->out, d->text.part.fd, d->f);
	if (fstat(d->text.old, &s) < 0 || out_is_dressed(d->out, &s))
		return 0;
	return out_dress(d->out, d->text.old, d->f);
}

/* It is as it should be: history, room for the text, index, text. */
static int
accept_draft(struct draft *d)
{
	struct out *out = d->out;
	bool same = d->changed == 0 && d->gone == 0 && out->seq != 0 &&
	    !out->spoilt && !out->delta_old && changes_count(out->beside) == 0;
	int differs;

	if (out->world->book != NULL &&
	    map_book_sync(out->world->book, d->f) < 0)
		return -1;
	if ((differs = out_sink_whole(&d->text, d->f)) < 0 ||
	    dress_old(d) < 0 || (!same && write_index(d) < 0) ||
	    out_give(out, MAP_INDEX_SUFFIX, d->f) < 0 ||
	    out_sink_end(&d->text, d->f) < 0)
		return -1;
	shadow_free(out->shadow);
	out->shadow = TAKE(d->shadow);
	changes_clear(out->unwritten);
	out_text_done(out);
	out->fresh = d->when->fresh;
	if (!same || differs) {
		out->made = d->when->now;
		LOG(MAP_WRITTEN, LOG_TEXT("service", out->name),
		    LOG_NUMBER("names", shadow_count(out->shadow)),
		    LOG_NUMBER("changed", d->changed),
		    LOG_NUMBER("gone", d->gone));
	}
	out_release(out);
	return 0;
}

static int
build(struct draft *d)
{
	struct out *out = d->out;
	struct maprule_stats stats = { 0 };

	if ((d->shadow = shadow_new(d->f)) == NULL ||
	    (d->index = map_build_new(INDEX_MEMORY, d->f)) == NULL ||
	    out_sink_open(&d->text, out->path, out->mode, d->f) < 0)
		return -1;
	buf_text(out_sink_text(&d->text), OUT_HEADER);
	if (draw(d, &stats) < 0 || find_gone(d) < 0)
		return -1;
	out->stats = stats;
	if (!out_lets(out, d->gone - d->banned, d->when->now)) {
		if (out->world->book != NULL)
			map_book_forget(out->world->book);
		out_hold(out, d->gone - d->banned);
		out->text_gone = out->text_ours && !out_text_is_ours(out);
		return out_expel(out, d->part, d->when, d->f);
	}
	return accept_draft(d);
}

int
out_build(struct out *out, struct maprule_part *part,
    const struct out_when *when, struct fault *f)
{
	struct draft d = { .out = out,
		.part = part,
		.when = when,
		.f = f,
		.accounts = MAP_ACCOUNTS,
		.before = BUF(MAP_TEXT_MAX) };
	int result;

	d.text.old = -1;
	out_text_drop(out);
	result = build(&d);
	if (result < 0 && out->world->book != NULL)
		map_book_forget(out->world->book);
	out_sink_drop(&d.text);
	shadow_free(d.shadow);
	map_build_free(d.index);
	map_accounts_free(&d.accounts);
	buf_free(&d.before);
	return result < 0 ? fault_wrap(f, "service %s", out->name) : 0;
}
