#include "keygen.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "x509/key.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX 32768

struct keygen {
	char what[32];
	struct key *ready;
	pid_t pid; /* 0: no child is at work */
	int fd;
};

/* The child: one key, then the end. */
_Noreturn static void
work(const char *what, int fd, pid_t parent)
{
	OWN_BUF(pem, PEM_MAX);
	struct fault f;
	struct key *key;
	int status = 1;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* It may have died before it could have killed us. */
	if (getppid() != parent)
		_exit(status);
	key = key_make(what, &f);
	if (key != NULL && key_write_pem(key, NULL, &pem, &f) == 0 &&
	    file_write_all(fd, pem.data, pem.len, &f) == 0)
		status = 0;
	key_free(key);
	buf_free(&pem);
	_exit(status);
}

static int
start_child(struct keygen *g, struct fault *f)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	g->pid = fork();
	if (g->pid == 0) {
		(void)close(ends[0]);
		work(g->what, ends[1], parent);
	}
	(void)close(ends[1]);
	if (g->pid < 0) {
		(void)close(ends[0]);
		g->pid = 0;
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	}
	g->fd = ends[0];
	return 0;
}

struct keygen *
keygen_start(const char *what, struct fault *f)
{
	OWN_STRUCT(keygen) g = calloc(1, sizeof(*g));

	if (g == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a key");
		return NULL;
	}
	g->fd = -1;
	if (text_copy(g->what, sizeof(g->what), what) < 0) {
		(void)fault_set(f, FAULT_USAGE, "no such kind of key: %s",
		    what);
		return NULL;
	}
	/* An EC key is made in less time than a process; whatever is no key at
	 * all is refused here and now. */
	if (!text_starts(what, "rsa:")) {
		g->ready = key_make(what, f);
		return g->ready == NULL ? NULL : TAKE(g);
	}
	return start_child(g, f) < 0 ? NULL : TAKE(g);
}

static void
reap(struct keygen *g)
{
	int status;

	if (g->pid > 0)
		while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
			;
	g->pid = 0;
	if (g->fd >= 0)
		(void)close(g->fd);
	g->fd = -1;
}

struct key *
keygen_take(struct keygen *g, struct fault *f)
{
	OWN_BUF(pem, PEM_MAX);
	int result;

	if (g->ready != NULL)
		return TAKE(g->ready);
	if (g->pid == 0) {
		(void)fault_set(f, FAULT_INTERNAL, "a key taken twice");
		return NULL;
	}
	result = file_read_fd(g->fd, "key", &pem, f);
	reap(g);
	if (result < 0)
		return NULL;
	/* A child that failed wrote nothing; here the same call says why. */
	if (pem.len == 0)
		return key_make(g->what, f);
	return key_read_pem(pem.data, pem.len, NULL, f);
}

void
keygen_free(struct keygen *g)
{
	if (g == NULL)
		return;
	if (g->pid > 0)
		(void)kill(g->pid, SIGKILL);
	reap(g);
	key_free(g->ready);
	free(g);
}
