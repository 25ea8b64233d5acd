#include "fetch/fetch_wait.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/wire.h"
#include "fetch/fetch_cache.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD 16
#define FORM 1
#define WISH_MOST 86400

struct record {
	uint32_t failures;
	uint64_t until;
};

static int
path_of(const struct fetch_wait *w, const char *url, char path[PATH_MAX])
{
	uint8_t digest[FETCH_DIGEST];
	char hex[2 * 16 + 1];
	struct fault f;

	if (w->dir == NULL || fetch_digest(url, digest, &f) < 0)
		return -1;
	text_hex(digest, 16, hex);
	return text_fmt(path, PATH_MAX, "%s/.wait.%s", w->dir, hex);
}

/* What is written of ${path}; all zeroes if nothing, or nothing whole. */
static struct record
record_read(const char *path)
{
	struct record none = { 0, 0 };
	struct record r;
	uint8_t bytes[RECORD + 1];
	struct wire_in in = { bytes, RECORD, false };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t got;

	if (fd < 0)
		return none;
	got = read(fd, bytes, sizeof(bytes));
	(void)close(fd);
	if (got != RECORD || wire_get_u32(&in) != FORM)
		return none;
	r.failures = wire_get_u32(&in);
	r.until = wire_get_u64(&in);
	return wire_ended(&in) ? r : none;
}

int
fetch_wait_check(const struct fetch_wait *w, const char *url, time_t now,
    struct fault *f)
{
	char path[PATH_MAX], until[CLOCK_TEXT_SIZE];
	uint64_t most = w->most_s > WISH_MOST ? w->most_s : WISH_MOST;
	struct record r;

	if (path_of(w, url, path) < 0)
		return 0;
	r = record_read(path);
	/* Longer than anyone waits: a clock was wrong. */
	if (r.until <= (uint64_t)now || r.until > (uint64_t)now + most)
		return 0;
	clock_text((time_t)r.until, until);
	return fault_set(f, FAULT_BUSY, "failed %u times, not asked before %s",
	    r.failures, until);
}

static uint64_t
wait_after(const struct fetch_wait *w, uint32_t failures, int64_t wish_s)
{
	uint64_t wait = w->first_s;

	for (uint32_t i = 1; i < failures && wait < w->most_s; i++)
		wait *= 2;
	if (wait > w->most_s)
		wait = w->most_s;
	if (wish_s > WISH_MOST)
		wish_s = WISH_MOST;
	return wish_s > 0 && (uint64_t)wish_s > wait ? (uint64_t)wish_s : wait;
}

/* In one step, unsynced: after a power failure somebody is asked too soon. */
static void
record_write(const struct fetch_wait *w, const char *path,
    const struct record *r)
{
	uint8_t bytes[RECORD];
	struct wire_out out = { bytes, sizeof(bytes), false };
	char temporary[PATH_MAX];
	struct fault f;
	int answer, fd;

	wire_put_u32(&out, FORM);
	wire_put_u32(&out, r->failures);
	wire_put_u64(&out, r->until);
	if (text_fmt(temporary, sizeof(temporary), "%s/" FETCH_PART "XXXXXX",
		w->dir) < 0 ||
	    (fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return;
	answer = file_write_all(fd, bytes, sizeof(bytes), &f);
	(void)close(fd);
	if (answer < 0 || rename(temporary, path) < 0)
		(void)unlink(temporary);
}

void
fetch_wait_failed(const struct fetch_wait *w, const char *url, time_t now,
    int64_t wish_s)
{
	char path[PATH_MAX];
	struct record r;

	if (path_of(w, url, path) < 0)
		return;
	r = record_read(path);
	if (r.failures < 1000)
		r.failures++;
	r.until = (uint64_t)now + wait_after(w, r.failures, wish_s);
	record_write(w, path, &r);
}

void
fetch_wait_over(const struct fetch_wait *w, const char *url)
{
	char path[PATH_MAX];

	if (path_of(w, url, path) == 0)
		(void)unlink(path);
}
