#include "trust/stamp.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 20000

struct stamp {
	char *name; /* owned */
	struct stat st;
};

struct stamps {
	char dir[PATH_MAX];
	struct stat st;
	size_t count;
	struct stamp *stamp; /* owned */
};

/* All zeroes for what is not there. */
static void
look(const char *dir, const char *name, struct stat *st)
{
	char path[PATH_MAX];

	memset(st, 0, sizeof(*st));
	if (text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0 ||
	    stat(path, st) < 0)
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
	look(s->dir, name, &more[s->count].st);
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

struct stamps *
stamps_new(const char *dir, bool (*wanted)(const char *name), struct fault *f)
{
	OWN_STRUCT(stamps) s = calloc(1, sizeof(*s));
	int answer;
	DIR *open;

	if (s == NULL || text_copy(s->dir, sizeof(s->dir), dir) < 0) {
		(void)fault_set(f, s == NULL ? FAULT_MEMORY : FAULT_INPUT, "%s",
		    dir);
		return NULL;
	}
	look(s->dir, "", &s->st);
	if ((open = opendir(dir)) == NULL) {
		if (errno == ENOENT)
			return TAKE(s);
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
		return NULL;
	}
	answer = add_all(s, open, wanted, f);
	(void)closedir(open);
	if (answer < 0)
		return NULL;
	if (s->count > 0)
		qsort(s->stamp, s->count, sizeof(*s->stamp), by_name);
	return TAKE(s);
}

void
stamps_free(struct stamps *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->count; i++)
		free(s->stamp[i].name);
	free(s->stamp);
	free(s);
}

const char *
stamps_name(const struct stamps *s, size_t i)
{
	return i < s->count ? s->stamp[i].name : NULL;
}

bool
stamps_changed(const struct stamps *s)
{
	struct stat now;

	look(s->dir, "", &now);
	if (!same(&s->st, &now))
		return true;
	for (size_t i = 0; i < s->count; i++) {
		look(s->dir, s->stamp[i].name, &now);
		if (!same(&s->stamp[i].st, &now))
			return true;
	}
	return false;
}
