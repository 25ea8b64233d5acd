#include "anchor/house_site.h"

#include "anchor/house.h"
#include "anchor/house_tree.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_SIZE 16
#define LOCK_PAUSE_US 20000

static int
failed(const struct house_site *s, const char *what, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s: %s", s->dir, what,
	    strerror(errno));
}

static int
open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The number that ${text} is in its one form; -1 if it is none. */
static int64_t
number_of(const char *text)
{
	int64_t number;

	if ((text[0] == '0' && text[1] != '\0') ||
	    text_number(text, 0, INT32_MAX, &number) < 0)
		return -1;
	return number;
}

/* Whether DIR is one of our links; its number then. */
static int64_t
our_link(const struct house_site *s)
{
	char target[PATH_MAX], ours[PATH_MAX];
	ssize_t len =
	    readlinkat(s->parent, s->name, target, sizeof(target) - 1);
	size_t lead;

	if (len < 0 || text_fmt(ours, sizeof(ours), ".%s.gen/", s->name) < 0)
		return -1;
	target[len] = '\0';
	lead = strlen(ours);
	return strncmp(target, ours, lead) == 0 ? number_of(target + lead) : -1;
}

/* Take the path apart, and open the directory above. */
static int
find_parent(struct house_site *s, const char *dir, bool look, struct fault *f)
{
	char parent[PATH_MAX];
	char *slash;
	size_t len;

	if (text_copy(s->dir, sizeof(s->dir), dir) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	while ((len = strlen(s->dir)) > 1 && s->dir[len - 1] == '/')
		s->dir[len - 1] = '\0';
	memcpy(parent, s->dir, sizeof(parent));
	slash = strrchr(parent, '/');
	if (text_fmt(s->name, sizeof(s->name), "%s",
		slash == NULL ? s->dir : slash + 1) < 0 ||
	    s->name[0] == '\0' || s->name[0] == '.')
		return fault_set(f, FAULT_INPUT,
		    "%s cannot be kept: give a directory with a name", dir);
	if (slash == NULL)
		memcpy(parent, ".", 2);
	else
		slash[slash == parent ? 1 : 0] = '\0';
	if (!look && file_mkdir(parent, 0755, f) < 0)
		return -1;
	if ((s->parent = open_dir(AT_FDCWD, parent)) < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    parent, strerror(errno));
	return 0;
}

/* A link that is not ours leads to what we keep. */
static int
find(struct house_site *s, const char *dir, bool look, struct fault *f)
{
	struct stat st;
	int64_t number;
	char *real;
	int answer;

	if (find_parent(s, dir, look, f) < 0)
		return -1;
	if ((number = our_link(s)) >= 0) {
		s->linked = true;
		s->number = (unsigned)number;
		return 0;
	}
	if (fstatat(s->parent, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISLNK(st.st_mode))
		return 0;
	if ((real = realpath(s->dir, NULL)) == NULL)
		return failed(s, "link", f);
	(void)close(s->parent);
	s->parent = -1;
	answer = find_parent(s, real, look, f);
	free(real);
	return answer;
}

/* Say who has it, as far as he wrote it down. */
static int
busy(const struct house_site *s, int fd, struct fault *f)
{
	char who[NUMBER_SIZE] = "";
	ssize_t len = pread(fd, who, sizeof(who) - 1, 0);

	who[len > 0 ? len : 0] = '\0';
	return fault_set(f, FAULT_BUSY,
	    "%s is being changed by process %s; try again when it has ended",
	    s->dir, number_of(text_trim(who)) > 0 ? who : "(unknown)");
}

static int
take_lock(const struct house_site *s, int fd, int wait_ms, struct fault *f)
{
	int64_t until = clock_mono() + wait_ms;
	char who[NUMBER_SIZE];

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failed(s, "lock", f);
		if (clock_mono() >= until)
			return busy(s, fd, f);
		(void)usleep(LOCK_PAUSE_US);
	}
	/* For people alone: whether it is there, or right, changes nothing. */
	if (text_fmt(who, sizeof(who), "%-10d\n", (int)getpid()) == 0)
		(void)!pwrite(fd, who, strlen(who), 0);
	return 0;
}

static int
lock(struct house_site *s, int wait_ms, struct fault *f)
{
	char name[NAME_MAX + 1];
	int fd;

	if (text_fmt(name, sizeof(name), ".%s.lock", s->name) < 0)
		return fault_set(f, FAULT_INPUT, "name too long");
	fd = openat(s->parent, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return failed(s, "lock", f);
	if (take_lock(s, fd, wait_ms, f) < 0) {
		(void)close(fd);
		return -1;
	}
	s->lock = fd;
	return 0;
}

static int
gens_name(const struct house_site *s, char name[NAME_MAX + 1], struct fault *f)
{
	if (text_fmt(name, NAME_MAX + 1, ".%s.gen", s->name) < 0)
		return fault_set(f, FAULT_INPUT, "name too long");
	return 0;
}

/* What is there is looked at under the lock. */
static int
open_all(struct house_site *s, struct fault *f)
{
	char name[NAME_MAX + 1];
	int64_t number = our_link(s);

	if (number >= 0)
		s->number = (unsigned)number;
	s->here = open_dir(s->parent, s->name);
	if (s->here < 0 && errno != ENOENT)
		return failed(s, "directory", f);
	if (gens_name(s, name, f) < 0)
		return -1;
	s->gens = openat(s->parent, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->gens < 0 && errno != ENOENT ? failed(s, name, f) : 0;
}

int
house_site_open(struct house_site *s, const char *dir, bool look, int wait_ms,
    struct fault *f)
{
	*s = (struct house_site){
		.parent = -1, .gens = -1, .here = -1, .lock = -1
	};
	if (find(s, dir, look, f) == 0 && (look || lock(s, wait_ms, f) == 0) &&
	    open_all(s, f) == 0)
		return 0;
	house_site_close(s);
	return -1;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void
house_site_close(struct house_site *s)
{
	shut(&s->parent);
	shut(&s->gens);
	shut(&s->here);
	shut(&s->lock);
}

static int
read_list(int fd, struct house_list *list, struct fault *f)
{
	OWN_BUF(text, HOUSE_LIST_BYTES);
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_INPUT,
		    HOUSE_LIST ": not a regular file");
	if (file_read_fd(fd, HOUSE_LIST, &text, f) < 0)
		return -1;
	if (house_list_read(list, (const char *)text.data, text.len, f) < 0)
		return fault_wrap(f, HOUSE_LIST);
	return 0;
}

int
house_site_list(int dir, struct house_list *list, struct fault *f)
{
	int fd = openat(dir, HOUSE_LIST,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int answer;

	*list = (struct house_list){ .item = NULL };
	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_INPUT, "%s: %s",
		    HOUSE_LIST, strerror(errno));
	answer = read_list(fd, list, f);
	(void)close(fd);
	return answer;
}

/* The number in the list of generation ${name}; 0 if it has none. */
static unsigned
listed_number(const struct house_site *s, const char *name)
{
	int fd = open_dir(s->gens, name);
	struct house_list list;
	unsigned number = 0;
	struct fault f;

	if (fd < 0)
		return 0;
	if (house_site_list(fd, &list, &f) == 0)
		number = list.number;
	house_list_clear(&list);
	(void)close(fd);
	return number;
}

static int
call_it(const struct house_site *s, unsigned number, struct fault *f)
{
	char name[NUMBER_SIZE];

	(void)snprintf(name, sizeof(name), "%u", number);
	if (house_remove(s->gens, name, f) < 0)
		return -1;
	if (renameat(s->gens, "next", s->gens, name) < 0)
		return failed(s, "rename", f);
	return house_sync(s->gens, false, f);
}

/*
 * A "next" is either a generation that was never DIR, or what DIR was before
 * one that is: then it is older than DIR, or has no list at all, as nothing of
 * ours is without.
 */
static int
mend_next(struct house_site *s, unsigned current, struct fault *f)
{
	struct stat st;
	unsigned number;

	if (fstatat(s->gens, "next", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	number = listed_number(s, "next");
	if (s->linked || number >= (current > 0 ? current : 1))
		return house_remove(s->gens, "next", f);
	if (number == 0)
		number = current > 0 ? current - 1 : 0;
	return call_it(s, number, f);
}

static int
by_number(const void *a, const void *b)
{
	const unsigned *one = a;
	const unsigned *two = b;

	return *one < *two ? -1 : *one > *two;
}

static int
numbers_add(struct house_numbers *n, const char *name, struct fault *f)
{
	int64_t number = number_of(name);
	unsigned *more;

	if (number < 0)
		return 0;
	more = reallocarray(n->number, n->count + 1, sizeof(*more));
	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "generations");
	n->number = more;
	n->number[n->count++] = (unsigned)number;
	return 0;
}

int
house_site_numbers(const struct house_site *s, struct house_numbers *n,
    struct fault *f)
{
	struct house_view view;
	int answer = 0;

	*n = (struct house_numbers){ 0, NULL };
	if (s->gens < 0)
		return 0;
	if (house_view_read(&view, s->gens, f) < 0)
		return -1;
	for (size_t i = 0; i < view.count && answer == 0; i++)
		answer = numbers_add(n, view.seen[i].name, f);
	house_view_clear(&view);
	if (answer < 0)
		free(TAKE(n->number));
	else if (n->count > 0)
		qsort(n->number, n->count, sizeof(*n->number), by_number);
	return answer;
}

static int
drop(const struct house_site *s, unsigned number, struct fault *f)
{
	char name[NUMBER_SIZE];

	(void)snprintf(name, sizeof(name), "%u", number);
	if (renameat(s->gens, name, s->gens, "drop") < 0)
		return failed(s, "rename", f);
	return house_remove(s->gens, "drop", f) < 0
	    ? fault_wrap(f, "%s: clearing up .%s.gen/drop", s->dir, s->name)
	    : 0;
}

/* Generations that no link has ever led to. */
static int
mend_numbers(struct house_site *s, struct fault *f)
{
	struct house_numbers n;
	int answer;

	if ((answer = house_site_numbers(s, &n, f)) < 0)
		return -1;
	for (size_t i = 0; i < n.count && answer == 0; i++)
		if (n.number[i] > s->number)
			answer = drop(s, n.number[i], f);
	free(n.number);
	return answer;
}

int
house_site_mend(struct house_site *s, unsigned current, struct fault *f)
{
	if (s->gens < 0)
		return 0;
	if (house_remove(s->gens, "new", f) < 0 ||
	    house_remove(s->gens, "drop", f) < 0 ||
	    house_remove(s->gens, "link", f) < 0 ||
	    mend_next(s, current, f) < 0)
		return fault_wrap(f, "%s: clearing up .%s.gen", s->dir,
		    s->name);
	return s->linked && s->here >= 0 ? mend_numbers(s, f) : 0;
}

int
house_site_begin(struct house_site *s, struct fault *f)
{
	char name[NAME_MAX + 1];
	int fd;

	if (gens_name(s, name, f) < 0)
		return -1;
	if (s->gens < 0) {
		if (mkdirat(s->parent, name, 0755) < 0 && errno != EEXIST)
			return failed(s, name, f);
		if ((s->gens = open_dir(s->parent, name)) < 0)
			return failed(s, name, f);
	}
	if (mkdirat(s->gens, "new", 0700) < 0 ||
	    (fd = open_dir(s->gens, "new")) < 0)
		return failed(s, "new generation", f);
	return fd;
}

/* The oldest go; what was there before us has no list, and stays. */
static int
prune(const struct house_site *s, unsigned keep, struct fault *f)
{
	struct house_numbers n;
	size_t most = keep, have = 0;
	char name[NUMBER_SIZE];
	int answer;

	if (!s->linked && s->here >= 0 && most > 0)
		most--; /* what DIR is will be one of them */
	if ((answer = house_site_numbers(s, &n, f)) < 0)
		return -1;
	for (size_t i = n.count; i-- > 0 && answer == 0;) {
		if (s->linked && n.number[i] == s->number) {
			have++;
			continue;
		}
		(void)snprintf(name, sizeof(name), "%u", n.number[i]);
		if (listed_number(s, name) != 0 && have++ >= most)
			answer = drop(s, n.number[i], f);
	}
	free(n.number);
	return answer;
}

static int
cannot_exchange(const struct house_site *s, struct fault *f)
{
	if (errno == EBUSY || errno == EXDEV)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s is a mount point and cannot be exchanged: name a "
		    "directory in it",
		    s->dir);
	if (errno == EINVAL || errno == ENOSYS)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s: this file system cannot exchange directories: move it "
		    "away and let it be made anew as a link",
		    s->dir);
	return failed(s, "exchange", f);
}

/* A link of ours in DIR's place, in one step. */
static int
switch_link(struct house_site *s, unsigned number, struct fault *f)
{
	char target[NAME_MAX + 32], name[NUMBER_SIZE];

	(void)snprintf(name, sizeof(name), "%u", number);
	if (text_fmt(target, sizeof(target), ".%s.gen/%s", s->name, name) < 0)
		return fault_set(f, FAULT_INPUT, "name too long");
	if (renameat(s->gens, "next", s->gens, name) < 0 ||
	    house_sync(s->gens, false, f) < 0 ||
	    symlinkat(target, s->gens, "link") < 0 ||
	    renameat(s->gens, "link", s->parent, s->name) < 0)
		return failed(s, "link", f);
	return 0;
}

static int
switch_directory(struct house_site *s, struct fault *f)
{
	unsigned how = s->here >= 0 ? RENAME_EXCHANGE : RENAME_NOREPLACE;

	if (renameat2(s->gens, "next", s->parent, s->name, how) == 0)
		return 0;
	return s->here >= 0 ? cannot_exchange(s, f) : failed(s, "rename", f);
}

int
house_site_switch(struct house_site *s, const struct house_step *step,
    struct fault *f)
{
	bool link = s->linked || (s->here < 0 && step->as_link);

	if (prune(s, step->keep, f) < 0)
		return -1;
	if (renameat(s->gens, "new", s->gens, "next") < 0)
		return failed(s, "rename", f);
	if (house_sync(s->gens, false, f) < 0)
		return -1;
	if ((link ? switch_link(s, step->next, f) : switch_directory(s, f)) < 0)
		return -1;
	s->linked = link;
	return house_sync(s->parent, false, f);
}

int
house_site_settle(struct house_site *s, const struct house_step *step,
    struct fault *f)
{
	struct stat st;

	if (s->linked || fstatat(s->gens, "next", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return call_it(s, step->last, f);
}

int
house_site_generation(const struct house_site *s, unsigned number,
    struct fault *f)
{
	char name[NUMBER_SIZE];
	int fd;

	(void)snprintf(name, sizeof(name), "%u", number);
	fd = s->gens < 0 ? -1 : open_dir(s->gens, name);
	if (fd < 0)
		return fault_set(f, FAULT_ABSENT,
		    "%s: there is no generation %u", s->dir, number);
	return fd;
}
