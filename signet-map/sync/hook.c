#include "hook.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_US 20000

/* What is sent: one message an alarm. */
struct order {
	char begins; /* 'b' or 'e' */
	char what[96];
	char text[ALARM_TEXT];
};

static void
become(const char *program, const struct order *order)
{
	char *argv[] = { strdup(program),
		strdup(order->begins == 'b' ? "begins" : "ends"),
		strdup(order->what), strdup(order->text), NULL };

	(void)setpgid(0, 0);
	if (dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO &&
	    argv[0] != NULL && argv[1] != NULL && argv[2] != NULL &&
	    argv[3] != NULL)
		(void)execv(program, argv);
	fprintf(stderr, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

static void
run(const struct map_conf *conf, const struct order *order)
{
	int64_t until = clock_mono() + conf->hook_timeout * 1000;
	pid_t pid = fork(), ended;
	int status = 0;

	if (pid == 0)
		become(conf->alarm_hook, order);
	if (pid < 0)
		return;
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0 &&
	    clock_mono() < until)
		(void)usleep(PAUSE_US);
	if (ended == 0) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		LOG(HOOK_LATE, LOG_TEXT("hook", "alarm-hook"),
		    LOG_NUMBER("seconds", conf->hook_timeout));
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		LOG(HOOK_FAILED, LOG_TEXT("hook", "alarm-hook"),
		    LOG_NUMBER("status", status));
	}
}

/* In the process of its own: until the other end is closed. */
static void
serve(const struct map_conf *conf, int fd)
{
	struct order order;
	ssize_t got;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)signal(SIGHUP, SIG_IGN);
	while ((got = recv(fd, &order, sizeof(order), 0)) > 0 ||
	    (got < 0 && errno == EINTR)) {
		if (got != (ssize_t)sizeof(order))
			continue;
		order.what[sizeof(order.what) - 1] = '\0';
		order.text[sizeof(order.text) - 1] = '\0';
		run(conf, &order);
	}
	_exit(0);
}

int
hook_start(const struct map_conf *conf, int *fd, struct fault *f)
{
	int pair[2];
	pid_t pid;

	*fd = -1;
	if (conf->alarm_hook[0] == '\0')
		return 0;
	if (conf->alarm_hook[0] != '/' || access(conf->alarm_hook, X_OK) < 0)
		return fault_set(f, FAULT_CONFIG, "alarm-hook %s cannot be run",
		    conf->alarm_hook);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    (pid = fork()) < 0)
		return fault_set(f, FAULT_SYSTEM, "alarm-hook: %s",
		    strerror(errno));
	if (pid == 0) {
		(void)close(pair[0]);
		serve(conf, pair[1]);
	}
	(void)close(pair[1]);
	*fd = pair[0];
	return 0;
}

void
hook_tell(int fd, const struct alarm *alarm, bool begins)
{
	struct order order = { .begins = begins ? 'b' : 'e' };

	if (fd < 0)
		return;
	(void)snprintf(order.what, sizeof(order.what), "%s", alarm->what);
	(void)snprintf(order.text, sizeof(order.text), "%s", alarm->text);
	if (send(fd, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		LOG(HOOK_FAILED, LOG_TEXT("hook", "alarm-hook"),
		    LOG_TEXT("how", strerror(errno)));
}
