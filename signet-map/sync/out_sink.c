#include "out_sink.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)1 << 26)
#define PENDING_FULL ((size_t)1 << 18)
#define COPY_SIZE 32768

int
out_sink_open(struct out_sink *s, const char *path, mode_t mode,
    struct fault *f)
{
	*s = (struct out_sink){ .path = path,
		.mode = mode,
		.pending = BUF(PENDING_MAX),
		.old = -1 };
	s->part.fd = -1;
	s->old = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* What is no file of ours is replaced, and so is what was given to
	 * somebody whose files we may not read. */
	if (s->old < 0 && errno != ENOENT && errno != ELOOP && errno != ENXIO &&
	    errno != EACCES)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

struct buf *
out_sink_text(struct out_sink *s)
{
	return &s->pending;
}

/* Exactly ${len} bytes of the old file at ${at}; false if it has not so many.
 */
static bool
read_old(const struct out_sink *s, void *data, size_t len, off_t at)
{
	size_t have = 0;

	while (have < len) {
		ssize_t got = pread(s->old, (uint8_t *)data + have, len - have,
		    at + (off_t)have);

		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return true;
}

/* How much of what is pending is as it was. */
static size_t
compare(const struct out_sink *s)
{
	uint8_t old[COPY_SIZE];
	size_t at = 0;

	while (at < s->pending.len) {
		size_t len = s->pending.len - at;

		if (len > sizeof(old))
			len = sizeof(old);
		if (!read_old(s, old, len, s->same + (off_t)at) ||
		    memcmp(old, s->pending.data + at, len) != 0)
			break;
		at += len;
	}
	return at;
}

/* From here on it is another file. */
static int
diverge(struct out_sink *s, struct fault *f)
{
	uint8_t old[COPY_SIZE];

	if (file_part_open(&s->part, s->path, s->mode, f) < 0)
		return -1;
	s->differs = true;
	for (off_t at = 0; at < s->same;) {
		off_t left = s->same - at;
		size_t len = left < COPY_SIZE ? (size_t)left : COPY_SIZE;

		if (!read_old(s, old, len, at))
			return fault_set(f, FAULT_SYSTEM,
			    "%s was changed by somebody else", s->path);
		if (file_part_put(&s->part, (struct wire_bytes){ old, len },
			f) < 0)
			return -1;
		at += (off_t)len;
	}
	return 0;
}

static int
flow(struct out_sink *s, struct fault *f)
{
	size_t same;

	if (s->pending.failed)
		return fault_set(f, FAULT_MEMORY, "%s", s->path);
	if (!s->differs) {
		same = s->old < 0 ? 0 : compare(s);
		s->same += (off_t)same;
		buf_eat(&s->pending, same);
		if (s->pending.len == 0)
			return 0;
		if (diverge(s, f) < 0)
			return -1;
	}
	if (file_part_put(&s->part,
		(struct wire_bytes){ s->pending.data, s->pending.len }, f) < 0)
		return -1;
	buf_clear(&s->pending);
	return 0;
}

int
out_sink_flow(struct out_sink *s, struct fault *f)
{
	return s->pending.len < PENDING_FULL && !s->pending.failed ? 0
								   : flow(s, f);
}

int
out_sink_whole(struct out_sink *s, struct fault *f)
{
	uint8_t more;

	if (flow(s, f) < 0)
		return -1;
	/* The old one may go on, or there is none. */
	if (!s->differs && (s->old < 0 || read_old(s, &more, 1, s->same)) &&
	    diverge(s, f) < 0)
		return -1;
	if (!s->differs)
		return 0;
	return file_part_sync(&s->part, f) < 0 ? -1 : 1;
}

int
out_sink_end(struct out_sink *s, struct fault *f)
{
	return s->differs ? file_part_end(&s->part, true, NULL, f) : 0;
}

void
out_sink_drop(struct out_sink *s)
{
	if (s->differs)
		file_part_drop(&s->part);
	if (s->old >= 0)
		(void)close(s->old);
	s->old = -1;
	s->differs = false;
	buf_free(&s->pending);
}
