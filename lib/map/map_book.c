#include "map/map_book.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "map/map_book_line.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FLUSH ((size_t)1 << 20) /* of lines that wait to be written */
#define TAIL ((size_t)2 * (MAP_BOOK_LINE_MAX + 1))

struct map_book {
	int fd;
	struct buf wait; /* lines not yet written */
	off_t synced;	 /* where the file ended at the last sync */
	off_t written;	 /* where it ends */
	char synced_head[MAP_BOOK_HASH_SIZE];
	char head[MAP_BOOK_HASH_SIZE];
	struct map_book_hash *hash;
	size_t torn;
	bool dirty; /* the file has more than was synced */
};

static int
system_fault(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s", what, strerror(errno));
}

void
map_book_close(struct map_book *book)
{
	if (book == NULL)
		return;
	if (book->fd >= 0) {
		if (book->written != book->synced || book->dirty)
			(void)!ftruncate(book->fd, book->synced);
		(void)close(book->fd);
	}
	buf_free(&book->wait);
	map_book_hash_free(book->hash);
	free(book);
}

/* The last line of the ${len} bytes at ${tail}, and whether its hash is that of
 * the line before, if that is there too.  ${whole}: the tail is the file. */
static int
check_tail(struct map_book *book, const char *tail, size_t len, bool whole,
    struct fault *f)
{
	struct map_book_line line = { .text = BUF(0) };
	const char *last, *before = NULL;
	char hash[MAP_BOOK_HASH_SIZE];
	size_t n;

	if (len == 0 && whole)
		return 0;
	if ((last = memrchr(tail, '\n', len == 0 ? 0 : len - 1)) != NULL) {
		before = memrchr(tail, '\n', (size_t)(last - tail));
		before = before != NULL ? before + 1 : whole ? tail : NULL;
		last++;
	} else if (whole) {
		last = tail;
	}
	n = last == NULL ? 0 : len - (size_t)(last - tail);
	if (last == NULL || n < MAP_BOOK_HASH_SIZE ||
	    map_book_line_read(&line, last, n - 1, f) < 0) {
		map_book_line_free(&line);
		return fault_set(f, FAULT_INPUT,
		    "its last line is none of a history");
	}
	map_book_line_free(&line);
	if (before != NULL || (whole && last == tail)) {
		const char *from = before != NULL ? before : MAP_BOOK_NOTHING;

		if (map_book_hash_line(book->hash, from,
			last + MAP_BOOK_HASH_SIZE - 1, n - MAP_BOOK_HASH_SIZE,
			hash, f) < 0)
			return -1;
		if (memcmp(hash, last, MAP_BOOK_HASH_SIZE - 1) != 0)
			return fault_set(f, FAULT_INPUT,
			    "its last line does not follow the one before");
	}
	memcpy(book->head, last, MAP_BOOK_HASH_SIZE - 1);
	return 0;
}

/* What follows the last newline was being written when we were killed. */
static int
cut_torn(struct map_book *book, const struct buf *tail, off_t size,
    size_t *left, struct fault *f)
{
	const char *end = memrchr(tail->data, '\n', tail->len);

	*left = end == NULL ? 0 : (size_t)(end - (const char *)tail->data) + 1;
	if (*left == tail->len)
		return 0;
	if (*left == 0 && (off_t)tail->len < size)
		return fault_set(f, FAULT_INPUT,
		    "its last line is longer than %d bytes", MAP_BOOK_LINE_MAX);
	book->torn = tail->len - *left;
	if (ftruncate(book->fd, size - (off_t)book->torn) < 0 ||
	    fsync(book->fd) < 0)
		return system_fault(f, "the torn line at its end stays");
	return 0;
}

static int
read_tail(struct map_book *book, struct fault *f)
{
	struct stat st;
	OWN_BUF(tail, TAIL);
	size_t left;

	if (fstat(book->fd, &st) < 0)
		return system_fault(f, "stat");
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_INPUT, "no regular file");
	size_t want = st.st_size < (off_t)TAIL ? (size_t)st.st_size : TAIL;
	uint8_t *room = buf_room(&tail, want);

	if (room == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for its end");
	while (tail.len < want) {
		ssize_t n = pread(book->fd, room + tail.len, want - tail.len,
		    st.st_size - (off_t)(want - tail.len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return system_fault(f, "read");
		tail.len += (size_t)n;
	}
	if (want == 0)
		return 0;
	if (cut_torn(book, &tail, st.st_size, &left, f) < 0)
		return -1;
	book->synced = book->written = st.st_size - (off_t)book->torn;
	return check_tail(book, (const char *)tail.data, left,
	    (off_t)want == st.st_size, f);
}

static int
open_file(struct map_book *book, const char *path, struct fault *f)
{
	book->fd = open(path,
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
	    0600);
	if (book->fd < 0)
		return system_fault(f, "open");
	if (flock(book->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
		    ? fault_set(f, FAULT_BUSY, "another program writes it")
		    : system_fault(f, "lock");
	if ((book->hash = map_book_hash_new(f)) == NULL ||
	    read_tail(book, f) < 0)
		return -1;
	memcpy(book->synced_head, book->head, sizeof(book->head));
	return file_sync_directory(path, f);
}

struct map_book *
map_book_open(const char *path, struct fault *f)
{
	OWN_STRUCT(map_book) book = calloc(1, sizeof(*book));

	if (book == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for the history");
		return NULL;
	}
	book->fd = -1;
	book->wait = BUF(FLUSH + MAP_BOOK_LINE_MAX + 1);
	memcpy(book->head, MAP_BOOK_NOTHING, sizeof(book->head));
	if (open_file(book, path, f) < 0) {
		(void)fault_wrap(f, "history %s", path);
		return NULL;
	}
	return TAKE(book);
}

/* Back to the last sync: what was written since is not to be believed. */
static int
give_up(struct map_book *book)
{
	buf_clear(&book->wait);
	memcpy(book->head, book->synced_head, sizeof(book->head));
	book->dirty = ftruncate(book->fd, book->synced) < 0;
	book->written = book->synced;
	return -1;
}

static int
flush(struct map_book *book, struct fault *f)
{
	if (file_write_all(book->fd, book->wait.data, book->wait.len, f) < 0) {
		(void)fault_wrap(f, "history");
		return give_up(book);
	}
	book->written += (off_t)book->wait.len;
	book->wait.len = 0;
	return 0;
}

int
map_book_add(struct map_book *book, const struct map_book_entry *e,
    struct fault *f)
{
	size_t at = book->wait.len;
	char hash[MAP_BOOK_HASH_SIZE];

	if (book->dirty && ftruncate(book->fd, book->synced) < 0)
		return system_fault(f,
		    "history: what was not synced cannot be taken back");
	book->dirty = false;
	buf_put(&book->wait, MAP_BOOK_NOTHING, MAP_BOOK_HASH_SIZE - 1);
	map_book_line_write(e, &book->wait);
	if (book->wait.failed || book->wait.len - at > MAP_BOOK_LINE_MAX) {
		(void)fault_set(f, FAULT_INPUT,
		    "history: an entry is longer than %d bytes",
		    MAP_BOOK_LINE_MAX);
		return give_up(book);
	}
	if (map_book_hash_line(book->hash, book->head,
		(const char *)book->wait.data + at + MAP_BOOK_HASH_SIZE - 1,
		book->wait.len - at - (MAP_BOOK_HASH_SIZE - 1), hash, f) < 0)
		return give_up(book);
	memcpy(book->wait.data + at, hash, MAP_BOOK_HASH_SIZE - 1);
	memcpy(book->head, hash, sizeof(hash));
	buf_put_u8(&book->wait, '\n');
	return book->wait.len < FLUSH ? 0 : flush(book, f);
}

int
map_book_sync(struct map_book *book, struct fault *f)
{
	if (flush(book, f) < 0)
		return -1;
	if (book->written == book->synced)
		return 0;
	if (fdatasync(book->fd) < 0) {
		(void)system_fault(f, "history: it cannot be synced");
		return give_up(book);
	}
	book->synced = book->written;
	memcpy(book->synced_head, book->head, sizeof(book->head));
	return 0;
}

void
map_book_forget(struct map_book *book)
{
	(void)!give_up(book);
}

size_t
map_book_torn(const struct map_book *book)
{
	return book->torn;
}

const char *
map_book_head(const struct map_book *book)
{
	return book->synced_head;
}
