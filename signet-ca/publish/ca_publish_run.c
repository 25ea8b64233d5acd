#include "ca_publish_run.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAID_MOST 65536

struct surroundings {
	char path[PATH_MAX];
	char home[PATH_MAX];
	char tmp[PATH_MAX];
	char date[64];
	char locale[16];
	char zone[16];
	char *list[7];
};

static int
surround(struct surroundings *s, const char *home, time_t when, struct fault *f)
{
	const char *path = getenv("PATH");

	if (path == NULL || *path == '\0')
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		       "/sbin:/bin";
	if (text_fmt(s->path, sizeof(s->path), "PATH=%s", path) < 0 ||
	    text_fmt(s->home, sizeof(s->home), "HOME=%s", home) < 0 ||
	    text_fmt(s->tmp, sizeof(s->tmp), "TMPDIR=%s", home) < 0 ||
	    text_fmt(s->date, sizeof(s->date), "SOURCE_DATE_EPOCH=%lld",
		(long long)when) < 0 ||
	    text_copy(s->locale, sizeof(s->locale), "LC_ALL=C") < 0 ||
	    text_copy(s->zone, sizeof(s->zone), "TZ=UTC") < 0)
		return fault_set(f, FAULT_SYSTEM, "PATH is too long");
	s->list[0] = s->path;
	s->list[1] = s->home;
	s->list[2] = s->tmp;
	s->list[3] = s->date;
	s->list[4] = s->locale;
	s->list[5] = s->zone;
	s->list[6] = NULL;
	return 0;
}

/* posix_spawnp takes the arguments as char *, and leaves them alone. */
static int
spawn(const char *const *argv, struct surroundings *s, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	char *words[64];
	size_t count = 0;
	int result =
	    argv[0] == NULL ? EINVAL : posix_spawn_file_actions_init(&actions);

	if (result != 0)
		return result;
	while (count < 63 && argv[count] != NULL) {
		memcpy(&words[count], &argv[count], sizeof(words[0]));
		count++;
	}
	words[count] = NULL;
	result = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
	    O_RDONLY, 0);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&actions, out, 2);
	if (result == 0)
		result =
		    posix_spawnp(pid, argv[0], &actions, NULL, words, s->list);
	(void)posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* All that comes, of which the last part is kept. */
static void
listen_to(int fd, struct buf *said)
{
	char some[4096];
	ssize_t n;

	while ((n = read(fd, some, sizeof(some))) > 0 ||
	    (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (said->len + (size_t)n > said->limit)
			buf_clear(said);
		buf_put(said, some, (size_t)n);
	}
}

static int
wait_for(pid_t pid, const char *program, struct buf *said, struct fault *f)
{
	int status;
	char *last;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_set(f, FAULT_SYSTEM, "%s: %s", program,
			    strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	buf_put_u8(said, '\0');
	if (said->failed)
		return fault_set(f, FAULT_FAILED, "%s failed", program);
	last = text_trim((char *)said->data);
	if (strrchr(last, '\n') != NULL)
		last = strrchr(last, '\n') + 1;
	if (WIFSIGNALED(status))
		return fault_set(f, FAULT_FAILED, "%s: ended by signal %d",
		    program, WTERMSIG(status));
	return fault_set(f, FAULT_FAILED, "%s: exit status %d: %s", program,
	    WEXITSTATUS(status), last);
}

int
publish_run(const char *const *argv, const char *home, time_t when,
    struct fault *f)
{
	OWN_BUF(said, SAID_MOST);
	struct surroundings s;
	int ends[2], result;
	pid_t pid;

	if (surround(&s, home, when, f) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	result = spawn(argv, &s, ends[1], &pid);
	(void)close(ends[1]);
	if (result == 0)
		listen_to(ends[0], &said);
	(void)close(ends[0]);
	if (result == ENOENT)
		return fault_set(f, FAULT_ABSENT, "%s is not installed",
		    argv[0]);
	if (result != 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", argv[0],
		    strerror(result));
	return wait_for(pid, argv[0], &said, f);
}
