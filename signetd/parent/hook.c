#include "signetd/parent/hook.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/parent/child.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAITING_MAX 64
#define LINES_MAX 50 /* of what a hook prints; the rest is dropped */
#define LINE_SIZE 256
#define KEEPER_MS 5000 /* in which a keeper ends what it keeps */

struct running {
	struct hooks *hooks;
	enum hook which;
	pid_t pid; /* its keeper, and process group; 0: none */
	int out;   /* what it prints; -1: that has ended */
	struct loop_watch *watch;
	struct loop_timer *deadline;
	int64_t began;
	bool late;
	unsigned lines;
	size_t len;
	char line[LINE_SIZE];
	struct hook_event event;
};

struct waiting {
	struct waiting *next;
	enum hook which;
	struct hook_event event;
};

struct hooks {
	struct loop *loop;
	const struct signetd_conf *conf;
	struct waiting *first;
	size_t waiting;
	struct running running[HOOK_COUNT];
};

static const char *const names[HOOK_COUNT] = {
	[HOOK_TOKEN] = "token-hook",
	[HOOK_CRL] = "crl-hook",
};

static void start_next(struct hooks *h, enum hook which);

static const char *
program_of(const struct hooks *h, enum hook which)
{
	return which == HOOK_TOKEN ? h->conf->token_hook : h->conf->crl_hook;
}

void
hook_event_add(struct hook_event *e, const char *name, const char *value)
{
	char *var;

	if (e->count == HOOK_VARS_MAX)
		return;
	var = e->var[e->count];
	(void)snprintf(var, HOOK_VAR_SIZE, "%s=%s", name, value);
	text_clean(var);
	e->count++;
}

/* ---- the process */

struct start {
	char keeper[PATH_MAX]; /* signetd-hook, which see */
	const char *path;
	int in;
	int out;
	char parent[16];
	char user[16];
	char group[16];
	char search[48];
	char *env[HOOK_VARS_MAX + 6];
};

/* In the child, between fork and exec: nothing of ours goes along. */
static void __attribute__((noreturn)) become(struct start *s)
{
	char *argv[] = { s->keeper, s->parent, s->user, s->group,
		strdup(s->path), NULL };
	int in = s->in >= 0 ? s->in : open("/dev/null", O_RDONLY);
	sigset_t kept;

	if (in < 0 || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(s->out, STDOUT_FILENO) < 0 || dup2(s->out, STDERR_FILENO) < 0)
		_exit(126);
	(void)close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	/* It waits for these, and one may be on its way. */
	(void)sigemptyset(&kept);
	(void)sigaddset(&kept, SIGTERM);
	(void)sigaddset(&kept, SIGCHLD);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &kept, NULL);
	(void)setpgid(0, 0);
	(void)execve(argv[0], argv, s->env);
	_exit(126);
}

/* The environment of a hook is this and nothing else. */
static int
make_environment(struct start *s, struct hook_event *e, char name[2][96],
    struct fault *f)
{
	size_t n = 0;

	if (text_copy(s->search, sizeof(s->search),
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin") < 0 ||
	    text_fmt(name[0], sizeof(name[0]), "SIGNET_EVENT=%s", e->event) <
		0 ||
	    text_fmt(name[1], sizeof(name[1]), "SIGNET_CA=%s", e->ca) < 0)
		return fault_set(f, FAULT_INTERNAL, "%s: name too long", e->ca);
	s->env[n++] = s->search;
	s->env[n++] = name[0];
	s->env[n++] = name[1];
	for (size_t i = 0; i < e->count; i++)
		s->env[n++] = e->var[i];
	s->env[n] = NULL;
	return 0;
}

/* The directory is another user's, and we may be root: what he has put there
 * instead is not for the hook to see. */
static int
open_input(const struct hook_event *e, struct fault *f)
{
	struct stat st;
	int fd;

	if (*e->input == '\0')
		return -1;
	fd = open(e->input, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == e->owner && st.st_nlink == 1)
		return fd;
	(void)fault_set(f, FAULT_DENIED, "%s is not what it should be",
	    e->input);
	log_fault(f, NULL);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* Who the hook is to be; "-" is who we are. */
static int
name_user(const struct signetd_conf *conf, struct start *s, struct fault *f)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0)
		return text_copy(s->user, sizeof(s->user), "-") < 0 ||
			text_copy(s->group, sizeof(s->group), "-") < 0
		    ? fault_set(f, FAULT_INTERNAL, "a short name is long")
		    : 0;
	if (sandbox_user(conf->user_hook, &uid, &gid, f) < 0)
		return fault_wrap(f, "user-hook");
	if (uid == 0 || gid == 0)
		return fault_set(f, FAULT_CONFIG, "user-hook must not be root");
	if (text_fmt(s->user, sizeof(s->user), "%u", uid) < 0 ||
	    text_fmt(s->group, sizeof(s->group), "%u", gid) < 0)
		return fault_set(f, FAULT_INTERNAL, "a number is long");
	return 0;
}

/* No signal of ours is handled in the child, which shares its loop's pipe. */
static pid_t
fork_quietly(struct start *s)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	if ((pid = fork()) == 0)
		become(s);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static pid_t
spawn(const struct hooks *h, struct running *r, int in, int out,
    struct fault *f)
{
	struct start s = {
		.path = program_of(h, r->which), .in = in, .out = out
	};
	char name[2][96];
	pid_t pid;

	if (name_user(h->conf, &s, f) < 0 ||
	    make_environment(&s, &r->event, name, f) < 0 ||
	    child_find("hook", s.keeper, sizeof(s.keeper), f) < 0)
		return -1;
	if (text_fmt(s.parent, sizeof(s.parent), "%d", (int)getpid()) < 0)
		return fault_set(f, FAULT_INTERNAL, "a number is long");
	pid = fork_quietly(&s);
	if (pid < 0)
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	/* Whichever of us comes first; it may have begun already. */
	(void)setpgid(pid, pid);
	return pid;
}

/* ---- what it prints */

static void
say_line(struct running *r)
{
	r->line[r->len] = '\0';
	r->len = 0;
	text_clean(r->line);
	if (r->line[0] == '\0' || r->lines > LINES_MAX)
		return;
	if (++r->lines > LINES_MAX)
		LOG(HOOK_SAID, LOG_TEXT("hook", names[r->which]),
		    LOG_TEXT("ca", r->event.ca),
		    LOG_TEXT("text", "(it says more than the log takes)"));
	else
		LOG(HOOK_SAID, LOG_TEXT("hook", names[r->which]),
		    LOG_TEXT("ca", r->event.ca), LOG_TEXT("text", r->line));
}

static void
take(struct running *r, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			say_line(r);
		} else if (r->len + 1 < sizeof(r->line)) {
			/* The end of a line that is too long is dropped. */
			r->line[r->len] = '?';
			if (data[i] != '\0')
				r->line[r->len] = data[i];
			r->len++;
		}
	}
}

static void
stop_reading(struct running *r)
{
	loop_watch_free(r->watch);
	r->watch = NULL;
	if (r->out >= 0)
		(void)close(r->out);
	r->out = -1;
	if (r->len > 0)
		say_line(r);
}

/* One piece; whether there may be more now. */
static bool
read_some(struct running *r)
{
	char data[4096];
	ssize_t got = read(r->out, data, sizeof(data));

	if (got > 0) {
		take(r, data, (size_t)got);
		return true;
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR))
		stop_reading(r);
	return false;
}

static void
printed(void *arg, int fd, unsigned what)
{
	(void)fd;
	(void)what;
	(void)read_some(arg);
}

/* ---- its life */

/* The keeper (signetd-hook) ends all; one that cannot is ended, and the group.
 */
static void
too_long(void *arg)
{
	struct running *r = arg;

	if (r->late) {
		(void)kill(-r->pid, SIGKILL);
		return;
	}
	r->late = true;
	LOG(HOOK_LATE, LOG_TEXT("hook", names[r->which]),
	    LOG_TEXT("event", r->event.event), LOG_TEXT("ca", r->event.ca),
	    LOG_NUMBER("seconds", r->hooks->conf->hook_timeout));
	loop_timer_set(r->deadline, KEEPER_MS);
	(void)kill(r->pid, SIGTERM);
}

static int
start(struct hooks *h, struct running *r, struct fault *f)
{
	int out[2], in;

	if (pipe2(out, O_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "pipe: %s", strerror(errno));
	/* Only our end must not wait. */
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	in = open_input(&r->event, f);
	r->pid = spawn(h, r, in, out[1], f);
	(void)close(out[1]);
	if (in >= 0)
		(void)close(in);
	if (r->pid < 0) {
		r->pid = 0;
		(void)close(out[0]);
		return -1;
	}
	r->out = out[0];
	r->began = clock_mono();
	r->late = false;
	r->lines = 0;
	r->len = 0;
	loop_timer_set(r->deadline, h->conf->hook_timeout * 1000);
	r->watch = loop_watch_new(h->loop, r->out, LOOP_READ, printed, r, f);
	if (r->watch == NULL)
		log_fault(f, NULL);
	return 0;
}

static struct waiting *
take_first(struct hooks *h, enum hook which)
{
	for (struct waiting **at = &h->first; *at != NULL; at = &(*at)->next) {
		struct waiting *w = *at;

		if (w->which != which)
			continue;
		*at = w->next;
		h->waiting--;
		return w;
	}
	return NULL;
}

static void
start_next(struct hooks *h, enum hook which)
{
	struct running *r = &h->running[which];
	struct waiting *w;

	while (r->pid == 0 && (w = take_first(h, which)) != NULL) {
		struct fault f = { 0 };

		r->event = w->event;
		free(w);
		if (*program_of(h, which) != '\0' && start(h, r, &f) < 0)
			LOG(HOOK_FAILED, LOG_TEXT("hook", names[which]),
			    LOG_TEXT("event", r->event.event),
			    LOG_TEXT("ca", r->event.ca),
			    LOG_TEXT("how", f.text));
	}
}

static bool
is_same(const struct waiting *w, enum hook which, const struct hook_event *e)
{
	return w->which == which && strcmp(w->event.event, e->event) == 0 &&
	    strcmp(w->event.ca, e->ca) == 0;
}

/* An older one of the same kind is not told any more; nor is the oldest of all
 * when there are too many. */
static void
make_way(struct hooks *h, enum hook which, const struct hook_event *e)
{
	for (struct waiting **at = &h->first; *at != NULL;) {
		struct waiting *w = *at;

		if (!is_same(w, which, e) && h->waiting < WAITING_MAX) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		h->waiting--;
		free(w);
	}
}

void
hooks_tell(struct hooks *h, enum hook which, const struct hook_event *e)
{
	struct waiting **last = &h->first;
	struct waiting *w;

	if (*program_of(h, which) == '\0')
		return;
	make_way(h, which, e);
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return;
	w->which = which;
	w->event = *e;
	while (*last != NULL)
		last = &(*last)->next;
	*last = w;
	h->waiting++;
	start_next(h, which);
}

static struct running *
find(struct hooks *h, pid_t pid)
{
	for (size_t i = 0; h != NULL && pid > 0 && i < HOOK_COUNT; i++)
		if (h->running[i].pid == pid)
			return &h->running[i];
	return NULL;
}

/* While it is not reaped, its number is nobody else's. */
void
hooks_ending(struct hooks *h, pid_t pid)
{
	struct running *r = find(h, pid);

	if (r != NULL)
		(void)kill(-r->pid, SIGKILL);
}

static void
log_end(const struct running *r, int status)
{
	const int64_t took = clock_mono() - r->began;
	char how[128];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		LOG(HOOK_DONE, LOG_TEXT("hook", names[r->which]),
		    LOG_TEXT("event", r->event.event),
		    LOG_TEXT("ca", r->event.ca), LOG_NUMBER("ms", took));
		return;
	}
	child_end_text(status, how, sizeof(how));
	LOG(HOOK_FAILED, LOG_TEXT("hook", names[r->which]),
	    LOG_TEXT("event", r->event.event), LOG_TEXT("ca", r->event.ca),
	    LOG_TEXT("how", r->late ? "it took too long" : how),
	    LOG_NUMBER("ms", took));
}

bool
hooks_ended(struct hooks *h, pid_t pid, int status)
{
	struct running *r = find(h, pid);

	if (r == NULL)
		return false;
	loop_timer_stop(r->deadline);
	/* What it printed last; a pipe holds so much. */
	for (int i = 0; i < 16 && r->out >= 0; i++)
		if (!read_some(r))
			break;
	stop_reading(r);
	log_end(r, status);
	r->pid = 0;
	start_next(h, r->which);
	return true;
}

struct hooks *
hooks_new(struct loop *loop, const struct signetd_conf *conf, struct fault *f)
{
	OWN_STRUCT(hooks) h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for hooks");
		return NULL;
	}
	h->loop = loop;
	h->conf = conf;
	for (int i = 0; i < HOOK_COUNT; i++) {
		struct running *r = &h->running[i];

		r->hooks = h;
		r->which = (enum hook)i;
		r->out = -1;
		r->deadline = loop_timer_new(loop, too_long, r, f);
		if (r->deadline == NULL)
			return NULL;
	}
	return TAKE(h);
}

void
hooks_free(struct hooks *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct running *r = &h->running[i];

		if (r->pid > 0)
			(void)kill(r->pid, SIGTERM);
		r->lines = LINES_MAX + 1;
		stop_reading(r);
		loop_timer_free(r->deadline);
	}
	while (h->first != NULL) {
		struct waiting *w = h->first;

		h->first = w->next;
		free(w);
	}
	free(h);
}
