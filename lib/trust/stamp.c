#include "trust/stamp.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

static int
add_all(struct stamps *s, DIR *dir, bool (*wanted)(const char *name),
    struct fault *f)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL)
		if (wanted(entry->d_name) && add(s, entry->d_name, f) < 0)
			return -1;
	return 0;
}

/* The directory itself: links to it are followed. */
static int
open_dir(const char *dir)
{
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Fill ${s} from its directory, which is open. */
static int
read_dir(struct stamps *s, bool (*wanted)(const char *name), struct fault *f)
{
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int answer;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return fault_set(f, FAULT_SYSTEM, "%s: %s", s->dir,
		    strerror(errno));
	}
	answer = add_all(s, dir, wanted, f);
	(void)closedir(dir);
	if (answer == 0 && s->count > 0)
		qsort(s->stamp, s->count, sizeof(*s->stamp), by_name);
	return answer;
}

struct stamps *
stamps_new(const char *dir, bool (*wanted)(const char *name), struct fault *f)
{
	OWN_STRUCT(stamps) s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->fd = -1;
	if (s == NULL || text_copy(s->dir, sizeof(s->dir), dir) < 0) {
		(void)fault_set(f, s == NULL ? FAULT_MEMORY : FAULT_INPUT, "%s",
		    dir);
		return NULL;
	}
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
	return read_dir(s, wanted, f) < 0 ? NULL : TAKE(s);
}

int
stamps_fd(const struct stamps *s)
{
	return s->fd;
}

void
stamps_close(struct stamps *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

void
stamps_free(struct stamps *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->stamp[i].name);
	free(s->stamp);
	stamps_close(s);
	free(s);
}

const char *
stamps_name(const struct stamps *s, size_t i)
{
	return i < s->count ? s->stamp[i].name : NULL;
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
