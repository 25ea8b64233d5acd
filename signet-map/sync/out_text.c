/* The text of a map, changed line by line in pieces: what did not change is
 * copied as it stands. */
#include "base/fault.h"
#include "base/file_part.h"
#include "map/map_accounts.h"
#include "map/mapfile.h"
#include "out_part.h"
#include "out_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 20) /* of the old text in a step */

/* The text while it is written. */
struct retext {
	struct changes *changes; /* that this text is to have */
	struct file_part part;
	struct buf in; /* read, and no whole line yet */
	int fd;	       /* the old text */
};

int
out_put_line(const struct out *out, struct buf *text, const char *name,
    const char *accounts, struct fault *f)
{
	OWN_MAP_ACCOUNTS(list);

	map_accounts_split(&list,
	    (struct wire_bytes){ (const uint8_t *)accounts, strlen(accounts) });
	if (list.text.failed)
		return fault_set(f, FAULT_MEMORY, "accounts");
	return mapfile_put(text, name, &list, out->readers, f);
}

void
out_text_done(struct out *out)
{
	out->text_ours = stat(out->path, &out->text) == 0;
	out->text_gone = false;
}

bool
out_text_is_ours(const struct out *out)
{
	struct stat now;

	return out->text_ours && stat(out->path, &now) == 0 &&
	    now.st_dev == out->text.st_dev && now.st_ino == out->text.st_ino &&
	    now.st_size == out->text.st_size &&
	    now.st_mtim.tv_sec == out->text.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == out->text.st_mtim.tv_nsec;
}

bool
out_text_late(const struct out *out)
{
	return out->job != NULL || out->text_gone ||
	    changes_count(out->unwritten) > 0;
}

/* The job is over; what it was to write is still unwritten, but where newer
 * changes of the same name are. */
static void
give_up(struct out *out)
{
	struct retext *job = TAKE(out->job);
	struct fault ignored = { 0 };

	for (size_t i = 0; i < changes_count(job->changes); i++) {
		const struct change *c = changes_at(job->changes, i);

		if (changes_find(out->unwritten, c->hash) == NULL &&
		    changes_put(out->unwritten, c->name, c->accounts,
			&ignored) < 0)
			/* The next whole build will see to it. */
			out->text_ours = false;
	}
	changes_free(job->changes);
	file_part_drop(&job->part);
	buf_free(&job->in);
	if (job->fd >= 0)
		(void)close(job->fd);
	free(job);
}

void
out_text_drop(struct out *out)
{
	if (out->job != NULL)
		give_up(out);
}

/* The index on its way to be a text. */
struct rewriting {
	struct out *out;
	struct out_sink sink;
	struct fault *f;
};

static int
rewrite_entry(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct rewriting *r = arg;

	if (mapfile_put(out_sink_text(&r->sink), dn, accounts, r->out->readers,
		r->f) < 0)
		return -1;
	return out_sink_flow(&r->sink, r->f);
}

static int
rewrite_all(struct rewriting *r)
{
	struct out *out = r->out;
	int differs;

	if (out_index(out) == NULL)
		return fault_set(r->f, FAULT_ABSENT, "%s has no index",
		    out->path);
	if (out_sink_open(&r->sink, out->path, out->mode, r->f) < 0)
		return -1;
	buf_text(out_sink_text(&r->sink), OUT_HEADER);
	if (map_index_each(out->ix, rewrite_entry, r, r->f) != 0 ||
	    (differs = out_sink_whole(&r->sink, r->f)) < 0 ||
	    (differs && out_dress(out, r->sink.part.fd, r->f) < 0))
		return -1;
	return out_sink_end(&r->sink, r->f);
}

/* The text is not what we wrote, or an earlier process wrote it: it is made of
 * the index, which has all changes. */
static int
rewrite(struct out *out, struct fault *f)
{
	struct rewriting r = { .out = out, .f = f };
	int result;

	r.sink.old = -1;
	result = rewrite_all(&r);
	out_sink_drop(&r.sink);
	if (result < 0)
		return -1;
	changes_clear(out->unwritten);
	out_text_done(out);
	return 0;
}

static int
begin(struct out *out, struct fault *f)
{
	struct retext *job;
	struct changes *fresh;

	job = calloc(1, sizeof(*job));
	fresh = changes_new(f);
	if (job == NULL || fresh == NULL) {
		free(job);
		changes_free(fresh);
		return fault_set(f, FAULT_MEMORY, "%s", out->path);
	}
	job->in = BUF(MAP_TEXT_MAX);
	job->part.fd = -1;
	job->changes = out->unwritten;
	out->unwritten = fresh;
	out->job = job;
	job->fd = open(out->path, O_RDONLY | O_CLOEXEC);
	if (job->fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", out->path,
		    strerror(errno));
	if (file_part_open(&job->part, out->path, out->mode, f) < 0)
		return -1;
	return out_dress(out, job->part.fd, f);
}

/* Whether the line stays as it is. */
static int
stays(const struct retext *job, struct mapfile_line *line, const char *text,
    size_t len)
{
	struct fault f = { 0 };

	/* What is no entry is a comment, or nothing that anybody reads. */
	if (mapfile_line_read(line, text, len, &f) != 1)
		return 1;
	return changes_find(job->changes,
		   names_hash((const char *)line->dn.data)) == NULL;
}

/* Copy the whole lines that have been read; at the ${end} the last one too. */
static int
copy_lines(struct retext *job, bool end, struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	OWN_BUF(text, (size_t)1 << 30);
	size_t at = 0;

	while (at < job->in.len) {
		const char *from = (const char *)job->in.data + at;
		size_t left = job->in.len - at;
		const char *newline = memchr(from, '\n', left);
		size_t len = newline != NULL ? (size_t)(newline - from) : left;

		if (newline == NULL && !end)
			break;
		if (stays(job, &line, from, len)) {
			buf_put(&text, from, len);
			buf_put_u8(&text, '\n');
		}
		at += len + (newline != NULL);
	}
	buf_eat(&job->in, at);
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "the text of a map");
	return file_part_put(&job->part,
	    (struct wire_bytes){ text.data, text.len }, f);
}

/* What is new, or has other accounts, at the end. */
static int
put_changes(struct out *out, struct fault *f)
{
	OWN_BUF(text, (size_t)1 << 30);

	for (size_t i = 0; i < changes_count(out->job->changes); i++) {
		const struct change *c = changes_at(out->job->changes, i);

		if (c->accounts != NULL &&
		    out_put_line(out, &text, c->name, c->accounts, f) < 0)
			return -1;
	}
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "the text of a map");
	return file_part_put(&out->job->part,
	    (struct wire_bytes){ text.data, text.len }, f);
}

/* 1: there is more, 0: it is in its place. */
static int
step(struct out *out, struct fault *f)
{
	struct retext *job = out->job;
	uint8_t *room = buf_room(&job->in, READ_SIZE);
	ssize_t got;

	if (room == NULL)
		return fault_set(f, FAULT_INPUT, "%s: a line too long",
		    out->path);
	if ((got = read(job->fd, room, READ_SIZE)) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", out->path,
		    strerror(errno));
	job->in.len += (size_t)got;
	if (copy_lines(job, got == 0, f) < 0)
		return -1;
	if (got > 0)
		return 1;
	if (put_changes(out, f) < 0 ||
	    file_part_end(&job->part, true, NULL, f) < 0)
		return -1;
	changes_clear(job->changes);
	return 0;
}

int
out_text_step(struct out *out, struct fault *f)
{
	int result;

	if (!out_text_late(out))
		return 0;
	if (out->job == NULL && !out_text_is_ours(out))
		return rewrite(out, f);
	result = out->job == NULL ? begin(out, f) : 0;
	if (result == 0)
		result = step(out, f);
	if (result == 1)
		return 1;
	out_text_drop(out);
	if (result == 0)
		out_text_done(out);
	return result < 0 ? -1 : 0;
}
