#include "map/mapfile.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/wire.h"
#include "map/map_name.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)1 << 16)

struct mapfile {
	int fd;		   /* -1: the text is in memory */
	const char *block; /* what has been read: own, or the borrowed text */
	char *own;
	size_t at;
	size_t have;
	size_t number;	 /* of the line read last */
	struct buf line; /* one that more than one block holds */
	bool ended;
};

void
mapfile_line_free(struct mapfile_line *line)
{
	buf_free(&line->dn);
	map_accounts_free(&line->accounts);
}

static struct mapfile *
mapfile_new(void)
{
	struct mapfile *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->fd = -1;
	m->line = BUF(MAP_TEXT_MAX);
	return m;
}

struct mapfile *
mapfile_of(const char *text, size_t len, struct fault *f)
{
	struct mapfile *m = mapfile_new();

	if (m == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory to read a map");
		return NULL;
	}
	m->block = text;
	m->have = len;
	return m;
}

struct mapfile *
mapfile_open(const char *path, struct fault *f)
{
	OWN_STRUCT(mapfile) m = mapfile_new();
	struct stat st;

	if (m == NULL || (m->own = malloc(BLOCK)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory to read a map");
		return NULL;
	}
	m->block = m->own;
	m->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (m->fd < 0 || fstat(m->fd, &st) < 0) {
		(void)fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: not a file", path);
		return NULL;
	}
	return TAKE(m);
}

void
mapfile_free(struct mapfile *m)
{
	if (m == NULL)
		return;
	if (m->fd >= 0)
		(void)close(m->fd);
	buf_free(&m->line);
	free(m->own);
	free(m);
}

void
mapfile_rewind(struct mapfile *m)
{
	m->at = 0;
	m->number = 0;
	m->ended = false;
	if (m->fd >= 0) {
		m->have = 0;
		m->ended = lseek(m->fd, 0, SEEK_SET) != 0;
	}
}

/* Read the next block: 1, 0 at the end. */
static int
next_block(struct mapfile *m, struct fault *f)
{
	ssize_t n = 0;

	if (m->fd < 0 || m->ended) {
		m->ended = true;
		return 0;
	}
	do
		n = read(m->fd, m->own, BLOCK);
	while (n < 0 && errno == EINTR);
	m->at = 0;
	m->have = n < 0 ? 0 : (size_t)n;
	m->ended = n <= 0;
	if (n < 0)
		return fault_set(f, FAULT_SYSTEM, "reading a map: %s",
		    strerror(errno));
	return n > 0;
}

/*
 * The next line, without its newline: of the block, or, if it goes over the
 * block's end, put together in m->line.  1, 0 at the end; FAULT_INPUT for one
 * that is too long, which is passed over.
 */
static int
next_line(struct mapfile *m, struct wire_bytes *line, struct fault *f)
{
	bool any = false;
	int more = 1;

	buf_clear(&m->line);
	m->number++;
	while (more > 0) {
		const char *from = m->block + m->at;
		size_t left = m->have - m->at;
		const char *newline =
		    left > 0 ? memchr(from, '\n', left) : NULL;
		size_t n = newline != NULL ? (size_t)(newline - from) : left;

		m->at += n + (newline != NULL);
		*line = (struct wire_bytes){ (const uint8_t *)from, n };
		if (newline != NULL && !any)
			return 1;
		any = any || n > 0;
		buf_put(&m->line, from, n);
		if (newline != NULL)
			break;
		if ((more = next_block(m, f)) < 0)
			return -1;
	}
	if (m->line.failed)
		return fault_set(f, FAULT_INPUT, "line %zu is too long",
		    m->number);
	*line = (struct wire_bytes){ m->line.data, m->line.len };
	return any;
}

int
mapfile_next(struct mapfile *m, struct mapfile_line *line, struct fault *f)
{
	struct wire_bytes text;
	int got;

	do {
		got = next_line(m, &text, f);
		line->number = m->number;
		if (got <= 0)
			return got;
		got = mapfile_line_read(line, (const char *)text.data, text.len,
		    f);
	} while (got == 0);
	return got;
}

/* The next entry that can be read. */
static int
next_good(struct mapfile *m, struct mapfile_line *line, struct fault *f)
{
	int got;

	do
		got = mapfile_next(m, line, f);
	while (got < 0 && f->code == FAULT_INPUT);
	return got;
}

static void
key_of(enum mapfile_sense sense, const char *dn, size_t len, struct buf *key)
{
	key->len = 0;
	if (sense == MAPFILE_GCT)
		map_name_key_gct(dn, len, key);
	else
		map_name_key(dn, len, key);
}

/* Find the line of ${dn}: 1, 0 or -1. */
static int
find_line(struct mapfile *m, enum mapfile_sense sense, const char *dn,
    struct mapfile_line *line, struct fault *f)
{
	OWN_BUF(want, 8 * MAP_TEXT_MAX);
	OWN_BUF(key, 8 * MAP_TEXT_MAX);
	struct fault passed_over = { 0 };
	int got;

	key_of(sense, dn, strlen(dn), &want);
	mapfile_rewind(m);
	while ((got = next_good(m, line, &passed_over)) > 0) {
		key_of(sense, (const char *)line->dn.data, line->dn.len, &key);
		if (want.failed || key.failed)
			return fault_set(f, FAULT_MEMORY,
			    "no memory to compare names");
		if (key.len == want.len &&
		    memcmp(key.data, want.data, key.len) == 0)
			return 1;
	}
	if (got < 0)
		*f = passed_over;
	return got;
}

int
mapfile_find(struct mapfile *m, enum mapfile_sense sense, const char *dn,
    struct map_accounts *accounts, struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	int found = find_line(m, sense, dn, &line, f);

	if (found != 1)
		return found;
	map_accounts_free(accounts);
	*accounts = line.accounts;
	line.accounts = MAP_ACCOUNTS;
	return 1;
}

int
mapfile_may(struct mapfile *m, enum mapfile_sense sense, const char *dn,
    const char *account, struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	int found = find_line(m, sense, dn, &line, f);

	return found == 1 ? map_accounts_has(&line.accounts, account) : found;
}

int
mapfile_each_of(struct mapfile *m, const char *account, mapfile_name_fn *fn,
    void *arg, struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	struct fault passed_over = { 0 };
	int got;

	mapfile_rewind(m);
	while ((got = next_good(m, &line, &passed_over)) > 0) {
		int said;

		if (!map_accounts_has(&line.accounts, account))
			continue;
		said = fn(arg, (const char *)line.dn.data,
		    strcmp(map_accounts_at(&line.accounts, 0), account) == 0);
		if (said != 0)
			return said;
	}
	if (got < 0)
		*f = passed_over;
	return got;
}

struct reverse {
	struct buf *dn;
	bool any;
	bool first;
};

static int
keep_name(void *arg, const char *dn, bool first)
{
	struct reverse *r = arg;

	if (first || !r->any) {
		r->dn->len = 0;
		buf_text(r->dn, dn);
	}
	r->any = true;
	return first;
}

int
mapfile_reverse(struct mapfile *m, const char *account, struct buf *dn,
    struct fault *f)
{
	struct reverse r = { dn, false, false };

	if (mapfile_each_of(m, account, keep_name, &r, f) < 0)
		return -1;
	if (dn->failed || (r.any && buf_cstr(dn) == NULL))
		return fault_set(f, FAULT_MEMORY, "no memory for a name");
	return r.any;
}
