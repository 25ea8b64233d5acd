#include "signetd/keeper/queue.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/queue_note.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_MS 100
#define PAUSE_MS 1
#define NAMES_MOST 1024 /* that are looked at in one go */
#define TOLD_MOST 10	/* serials of a file that are named in the log */
#define STALE_S 86400	/* for one that its writer never finished */

struct queue {
	struct ledger *ledger;
	struct books *books;
	struct loop_timer *timer;
	char path[PATH_MAX];
};

/* One file. */
struct task {
	const struct queue *q;
	int dir;
	const char *name;
	char who[32]; /* its owner */
	struct queue_note note;
	unsigned revoked;
	unsigned already;
	unsigned refused;
};

OWN_FREE_STRUCT(task, free)

/* The names in the directory, oldest first: they begin with the time. */
struct names {
	size_t count;
	bool more;
	char *item[NAMES_MOST]; /* owned */
};

static void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->item[i]);
}

static void
refuse(struct task *t, const char *serial, const char *why)
{
	if (++t->refused <= TOLD_MOST)
		LOG(QUEUE_REFUSED, LOG_TEXT("file", t->name),
		    LOG_TEXT("who", t->who), LOG_TEXT("serial", serial),
		    LOG_TEXT("text", why));
}

/* Whether ${ca} made a certificate of ${serial}, and how that stands. */
static int
find_in(const struct task *t, const char *ca, struct wire_bytes serial,
    enum ledger_state *state, struct fault *f)
{
	int found = ledger_state_find(t->q->ledger, ca, serial, state, f);

	if (found <= 0)
		return found;
	return *state == LEDGER_ISSUED || *state == LEDGER_REVOKED ||
	    *state == LEDGER_HELD;
}

/* Whoever names a CA means one that there is. */
static int
check_ca(const struct task *t, struct fault *f)
{
	if (*t->note.ca == '\0')
		return 0;
	for (size_t i = 0; i < books_count(t->q->books); i++)
		if (strcmp(t->note.ca,
			books_at(t->q->books, i)->authority.conf.name) == 0)
			return 0;
	return fault_set(f, FAULT_INPUT, "no CA is called %s", t->note.ca);
}

/* The CA that ${serial} is of: 1, or 0 with the reason why there is none. */
static int
find_ca(const struct task *t, struct wire_bytes serial, const char **ca,
    enum ledger_state *state, const char **why, struct fault *f)
{
	unsigned found = 0;

	*why = "was never issued";
	for (size_t i = 0; i < books_count(t->q->books); i++) {
		const char *name =
		    books_at(t->q->books, i)->authority.conf.name;
		enum ledger_state at;
		int has;

		if (*t->note.ca != '\0' && strcmp(t->note.ca, name) != 0)
			continue;
		if ((has = find_in(t, name, serial, &at, f)) < 0)
			return -1;
		if (has == 0)
			continue;
		*ca = name;
		*state = at;
		found++;
	}
	if (found > 1)
		*why = "is of more than one CA: say which";
	return found == 1;
}

/* Whether it is to be entered; what is revoked stays so, and a hold may become
 * a revocation. */
static bool
is_due(const struct task *t, enum ledger_state state)
{
	return state == LEDGER_ISSUED ||
	    (state == LEDGER_HELD && t->note.reason != 6);
}

static int
revoke_one(struct task *t, const uint8_t *data, struct fault *f)
{
	const struct wire_bytes serial = { data, QUEUE_NOTE_SERIAL };
	char hex[2 * QUEUE_NOTE_SERIAL + 1];
	enum ledger_state state = LEDGER_VOID;
	const char *ca = NULL, *why;
	int found = find_ca(t, serial, &ca, &state, &why, f);

	if (found < 0)
		return -1;
	queue_note_hex(data, hex);
	if (found == 0) {
		refuse(t, hex, why);
		return 0;
	}
	if (!is_due(t, state)) {
		t->already++;
		return 0;
	}
	if (ledger_revoke(t->q->ledger, ca, serial, t->note.reason, t->who,
		clock_wall(), f) == 0) {
		t->revoked++;
		return 0;
	}
	if (ledger_spoilt(t->q->ledger))
		return -1;
	refuse(t, hex, f->text);
	return 0;
}

/* All that it asks for and that can be done is one transaction. */
static int
revoke_all(struct task *t, struct fault *f)
{
	int result = 0;

	if (ledger_begin(t->q->ledger, f) < 0)
		return -1;
	for (size_t i = 0; i < t->note.count && result == 0; i++)
		result = revoke_one(t, t->note.serial[i], f);
	return ledger_settle(t->q->ledger, result, f);
}

/* It could be anything: a pipe that never ends, a link out of here. */
static int
check_file(struct task *t, int fd, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, FAULT_INPUT, "%s", strerror(errno));
	if (text_fmt(t->who, sizeof(t->who), "uid %lu, queue",
		(unsigned long)st.st_uid) < 0 ||
	    !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_INPUT, "not a regular file");
	if (st.st_nlink != 1)
		return fault_set(f, FAULT_INPUT,
		    "it has another name elsewhere: whose it is is not known");
	if (st.st_size > QUEUE_NOTE_MAX)
		return fault_set(f, FAULT_INPUT, "longer than %d octets",
		    QUEUE_NOTE_MAX);
	return 0;
}

static int
read_file(struct task *t, struct fault *f)
{
	OWN_BUF(text, QUEUE_NOTE_MAX);
	int fd = openat(t->dir, t->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_INPUT, "%s",
		    strerror(errno));
	result = check_file(t, fd, f);
	if (result == 0)
		result = file_read_fd(fd, t->name, &text, f);
	(void)close(fd);
	if (result < 0)
		return -1;
	return queue_note_read(&t->note,
	    (struct wire_bytes){ text.data, text.len }, f);
}

/* For a person to look at.  It stays in its directory; a link or a pipe is
 * taken away, since walls (Landlock) let us move files and directories alone.
 */
static void
put_aside(const struct task *t)
{
	char to[PATH_MAX];

	if (text_fmt(to, sizeof(to), QUEUE_NOTE_REFUSED "%s", t->name) == 0 &&
	    renameat(t->dir, t->name, t->dir, to) == 0)
		return;
	if (unlinkat(t->dir, t->name, 0) < 0)
		LOG(QUEUE_REFUSED, LOG_TEXT("file", t->name),
		    LOG_TEXT("text", "it stays where it is: take it away"));
}

/* -1 if the ledger takes nothing now, so that what waits goes on waiting. */
static int
take(struct task *t)
{
	struct fault f = { 0 };

	if (read_file(t, &f) < 0 || check_ca(t, &f) < 0) {
		/* Who queued it may have taken it back. */
		if (f.code == FAULT_ABSENT)
			return 0;
		refuse(t, NULL, f.text);
	} else if (revoke_all(t, &f) < 0) {
		LOG(LEDGER_FAULT, LOG_TEXT("text", f.text));
		return -1;
	} else {
		LOG(QUEUE_DONE, LOG_TEXT("file", t->name),
		    LOG_TEXT("who", t->who), LOG_NUMBER("revoked", t->revoked),
		    LOG_NUMBER("already", t->already),
		    LOG_NUMBER("refused", t->refused));
	}
	if (t->refused > 0)
		put_aside(t);
	else if (unlinkat(t->dir, t->name, 0) < 0 && errno != ENOENT)
		LOG(QUEUE_REFUSED, LOG_TEXT("file", t->name),
		    LOG_TEXT("text", "done, and cannot be removed"));
	return 0;
}

/* What begins with a dot is being written, or was never finished. */
static void
tidy(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_mtime < clock_wall() - STALE_S)
		(void)unlinkat(dir, name, 0);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
list(int dir, struct names *names, struct fault *f)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (stream == NULL) {
		if (copy >= 0)
			(void)close(copy);
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	}
	while ((entry = readdir(stream)) != NULL && !names->more) {
		if (text_starts(entry->d_name, QUEUE_NOTE_REFUSED))
			continue;
		if (entry->d_name[0] == '.')
			tidy(dir, entry->d_name);
		else if (names->count == NAMES_MOST ||
		    (names->item[names->count] = strdup(entry->d_name)) == NULL)
			names->more = true;
		else
			names->count++;
	}
	(void)closedir(stream);
	qsort(names->item, names->count, sizeof(names->item[0]), compare);
	return 0;
}

/* Whoever may write here may revoke: all the world may not. */
static int
open_queue(const struct queue *q, struct fault *f)
{
	struct stat st;
	int dir =
	    open(q->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    q->path, strerror(errno));
	if (fstat(dir, &st) == 0 &&
	    (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (st.st_mode & S_IWOTH) == 0)
		return dir;
	(void)close(dir);
	return fault_set(f, FAULT_DENIED,
	    "%s: it is neither root's nor ours, or all may write into it",
	    q->path);
}

/* Whether something is left to do at once. */
static bool
take_names(const struct queue *q, int dir, const struct names *names,
    struct task *t)
{
	int64_t until = clock_mono() + SLICE_MS;

	for (size_t i = 0; i < names->count; i++) {
		*t =
		    (struct task){ .q = q, .dir = dir, .name = names->item[i] };
		if (take(t) < 0)
			return false;
		if (clock_mono() > until)
			return true;
	}
	return names->more;
}

static int
run(const struct queue *q, bool *more, struct fault *f)
{
	OWN_STRUCT(task) t = calloc(1, sizeof(*t));
	struct names names = { 0 };
	int dir;

	if (t == NULL)
		return fault_set(f, FAULT_MEMORY, "queue");
	if ((dir = open_queue(q, f)) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	if (list(dir, &names, f) < 0) {
		(void)close(dir);
		return -1;
	}
	*more = take_names(q, dir, &names, t);
	names_clear(&names);
	(void)close(dir);
	return 0;
}

void
queue_run(struct queue *q)
{
	struct fault f = { 0 };
	bool more = false;

	if (q == NULL)
		return;
	if (run(q, &more, &f) < 0)
		log_fault(&f, NULL);
	loop_timer_set(q->timer, more ? PAUSE_MS : QUEUE_EACH_MS);
}

static void
tick(void *arg)
{
	queue_run(arg);
}

struct queue *
queue_new(struct loop *loop, struct ledger *ledger, struct books *books,
    const char *dir, struct fault *f)
{
	OWN_STRUCT(queue) q = calloc(1, sizeof(*q));

	if (q == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "queue");
		return NULL;
	}
	q->ledger = ledger;
	q->books = books;
	if (text_fmt(q->path, sizeof(q->path), "%s/" QUEUE_NOTE_DIR, dir) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "path too long");
		return NULL;
	}
	if ((q->timer = loop_timer_new(loop, tick, q, f)) == NULL)
		return NULL;
	/* A full disk, say: then there is no queue until the next start, and
	 * everything else goes on. */
	if (mkdir(q->path, 0700) < 0 && errno != EEXIST)
		LOG(QUEUE_REFUSED, LOG_TEXT("file", q->path),
		    LOG_TEXT("text", strerror(errno)));
	loop_timer_set(q->timer, PAUSE_MS);
	return TAKE(q);
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	loop_timer_free(q->timer);
	free(q);
}

void
queue_set_books(struct queue *q, struct books *books)
{
	q->books = books;
}
