#include "trust/stamp.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 20000

struct stamp {
	char *name; /* owned */
	struct stat st;
};

struct stamps {
	char dir[PATH_MAX];
	int fd; /* of the directory that was looked at; -1: none */
	struct stat st;
	bool (*wanted)(const char *name);
	DIR *reading; /* NULL: all was read */
	size_t count;
	struct stamp *stamp; /* owned */
};

/* All zeroes for what is not there. */
static void
look(int dir, const char *name, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	if (dir < 0 || fstatat(dir, name, st, 0) < 0)
		memset(st, 0, sizeof(*st));
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && a->st_mode == b->st_mode &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int
by_name(const void *a, const void *b)
{
	const struct stamp *one = a;
	const struct stamp *two = b;

	return strcmp(one->name, two->name);
}

static int
add(struct stamps *s, const char *name, struct fault *f)
{
	struct stamp *more;

	if (s->count == FILES_MAX)
		return fault_set(f, FAULT_INPUT, "%s: more than %d files",
		    s->dir, FILES_MAX);
	more = reallocarray(s->stamp, s->count + 1, sizeof(*more));
	if (more != NULL)
		s->stamp = more;
	if (more == NULL || (more[s->count].name = strdup(name)) == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", s->dir);
	look(s->fd, name, &more[s->count].st);
	s->count++;
	return 0;
}

/* The directory itself: links to it are followed. */
static int
open_dir(const char *dir)
{
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Begin to read the directory, which is open. */
static int
begin(struct stamps *s, struct fault *f)
{
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);

	s->reading = fd < 0 ? NULL : fdopendir(fd);
	if (s->reading != NULL)
		return 0;
	if (fd >= 0)
		(void)close(fd);
	return fault_set(f, FAULT_SYSTEM, "%s: %s", s->dir, strerror(errno));
}

struct stamps *
stamps_open(const char *dir, bool (*wanted)(const char *name), struct fault *f)
{
	OWN_STRUCT(stamps) s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->fd = -1;
	if (s == NULL || text_copy(s->dir, sizeof(s->dir), dir) < 0) {
		(void)fault_set(f, s == NULL ? FAULT_MEMORY : FAULT_INPUT, "%s",
		    dir);
		return NULL;
	}
	s->wanted = wanted;
	if ((s->fd = open_dir(dir)) < 0) {
		if (errno == ENOENT)
			return TAKE(s);
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
		return NULL;
	}
	/* Before its names are read, so that no change goes unseen. */
	if (fstat(s->fd, &s->st) < 0)
		memset(&s->st, 0, sizeof(s->st));
	return begin(s, f) < 0 ? NULL : TAKE(s);
}

int
stamps_read(struct stamps *s, size_t count, struct fault *f)
{
	const struct dirent *entry = NULL;

	while (s->reading != NULL && count-- > 0 &&
	    (entry = readdir(s->reading)) != NULL)
		if (s->wanted(entry->d_name) && add(s, entry->d_name, f) < 0)
			return -1;
	if (entry != NULL)
		return 0;
	if (s->reading != NULL)
		(void)closedir(s->reading);
	s->reading = NULL;
	if (s->count > 0)
		qsort(s->stamp, s->count, sizeof(*s->stamp), by_name);
	return 1;
}

struct stamps *
stamps_new(const char *dir, bool (*wanted)(const char *name), struct fault *f)
{
	OWN_STRUCT(stamps) s = stamps_open(dir, wanted, f);

	return s == NULL || stamps_read(s, SIZE_MAX, f) < 0 ? NULL : TAKE(s);
}

int
stamps_fd(const struct stamps *s)
{
	return s->fd;
}

void
stamps_free(struct stamps *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->stamp[i].name);
	free(s->stamp);
	if (s->reading != NULL)
		(void)closedir(s->reading);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

const char *
stamps_name(const struct stamps *s, size_t i)
{
	return i < s->count ? s->stamp[i].name : NULL;
}

size_t
stamps_count(const struct stamps *s)
{
	return s->count;
}

const struct stat *
stamps_state(const struct stamps *s, size_t i)
{
	return i < s->count ? &s->stamp[i].st : NULL;
}

bool
stamps_changed(const struct stamps *s)
{
	struct stat now;
	bool changed;
	int fd;

	/* Most often nothing did. */
	if (stat(s->dir, &now) < 0)
		memset(&now, 0, sizeof(now));
	if (!same(&s->st, &now))
		return true;
	if (s->count == 0)
		return false;
	if ((fd = open_dir(s->dir)) < 0)
		return true;
	changed = fstat(fd, &now) < 0 || !same(&s->st, &now);
	for (size_t i = 0; i < s->count && !changed; i++) {
		look(fd, s->stamp[i].name, &now);
		changed = !same(&s->stamp[i].st, &now);
	}
	(void)close(fd);
	return changed;
}
