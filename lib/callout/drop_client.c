#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "callout/drop.h"
#include "callout/drop_part.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int
failed(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s", what, strerror(errno));
}

int
drop_client_open(struct drop_client *c, const char *path, struct fault *f)
{
	struct stat st = { 0 };

	*c = (struct drop_client){ .watch = -1, .file = -1 };
	c->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_UNREACHABLE : FAULT_SYSTEM,
		    "%s: %s", path, strerror(errno));
	if (drop_check_mode(c->dir, path, &st, f) == 0 &&
	    (c->watch = drop_watch(c->dir, IN_DELETE | IN_MOVED_TO, f)) >= 0) {
		c->intake = st.st_uid;
		return 0;
	}
	drop_client_close(c);
	return -1;
}

bool
drop_client_served(const struct drop_client *c)
{
	int fd = openat(c->dir, DROP_SERVED,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool served;

	if (fd < 0)
		return false;
	served = drop_locked(fd);
	(void)close(fd);
	return served;
}

/* The intake is another user and not of our group; nobody else may enter the
 * directory. */
static int
fill(int fd, const struct buf *request, struct fault *f)
{
	if (!drop_lock(fd))
		return failed("locking the request", f);
	if (file_write_all(fd, request->data, request->len, f) < 0)
		return -1;
	return fchmod(fd, 0644) < 0 ? failed("request", f) : 0;
}

int
drop_client_put(struct drop_client *c, const struct buf *request,
    struct fault *f)
{
	uint8_t number[(DROP_ID_SIZE - 1) / 2];
	char name[DROP_NAME_SIZE];

	rand_bytes(number, sizeof(number));
	text_hex(number, sizeof(number), c->id);
	drop_name(name, 'q', c->id);
	c->file = openat(c->dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (c->file < 0)
		return failed("making a request", f);
	return fill(c->file, request, f);
}

int
drop_client_announce(struct drop_client *c, struct fault *f)
{
	char name[DROP_NAME_SIZE];

	drop_name(name, 'q', c->id);
	if (symlinkat(name, c->dir, DROP_LINK) == 0)
		return 1;
	return errno == EEXIST ? 0 : failed("announcing the request", f);
}

/* An answer is the intake's, or it is none. */
static int
check_answer(const struct drop_client *c, int fd, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed("answer", f);
	if (!S_ISREG(st.st_mode) || st.st_uid != c->intake)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the answer does not come from signetd");
	return 0;
}

int
drop_client_answer(struct drop_client *c, struct buf *answer, struct fault *f)
{
	char name[DROP_NAME_SIZE];
	int fd, result;

	drop_name(name, 'a', c->id);
	fd = openat(c->dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : failed("answer", f);
	result = check_answer(c, fd, f);
	if (result == 0)
		result = file_read_fd(fd, "answer", answer, f);
	(void)close(fd);
	return result < 0 ? -1 : 1;
}

void
drop_client_quiet(struct drop_client *c)
{
	drop_watch_quiet(c->watch);
}

void
drop_client_close(struct drop_client *c)
{
	char name[DROP_NAME_SIZE];

	/* An answer without a taken request is nobody's: t goes last. */
	for (const char *kind = "qat"; c->file >= 0 && *kind != '\0'; kind++) {
		drop_name(name, *kind, c->id);
		(void)unlinkat(c->dir, name, 0);
	}
	if (c->file >= 0)
		(void)close(c->file);
	if (c->watch >= 0)
		(void)close(c->watch);
	if (c->dir >= 0)
		(void)close(c->dir);
	*c = (struct drop_client){ .dir = -1, .watch = -1, .file = -1 };
}
