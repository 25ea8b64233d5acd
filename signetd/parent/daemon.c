#include "signetd/parent/daemon.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/parent/child.h"
#include "signetd/parent/crew.h"
#include "signetd/parent/doors.h"
#include "signetd/parent/hook.h"
#include "signetd/parent/news.h"
#include "signetd/parent/pin.h"
#include "signetd/parent/place.h"
#include "signetd/parent/reload.h"
#include "sys/loop.h"
#include "sys/net.h"
#include "sys/notify.h"

#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_TIMEOUT_MS 30000
#define KILL_AFTER_MS 5000

/* A process whose neighbour has died ends as well, and may be seen first: the
 * neighbour's death, which ends all, gets this time to show. */
#define RESTART_AFTER_MS 60

/* A module that crashes at once is not tried without a pause. */
#define PATIENCE_MS 10000
#define PATIENT_LIFE_MS 60000

/* ---- ending */

/* Closing its control channel tells a role to end. */
static void
end(struct daemon *d)
{
	if (d->ending)
		return;
	d->ending = true;
	pins_stop(d->pins);
	for (size_t i = 0; i < d->count; i++) {
		channel_free(d->process[i].control);
		d->process[i].control = NULL;
	}
	loop_timer_set(d->deadline, KILL_AFTER_MS);
}

static void
fail(struct daemon *d, const struct fault *f)
{
	log_fault(f, NULL);
	d->failed = true;
	end(d);
}

static bool
all_drained(const struct daemon *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].role == MSG_ROLE_FRONT &&
		    d->process[i].pid != 0 && !d->process[i].drained)
			return false;
	return true;
}

static void
begin_drain(struct daemon *d, const char *reason)
{
	struct msg m = { .type = MSG_DRAIN };
	struct fault f = { 0 };

	if (d->draining || d->ending) {
		/* Asked twice: at once, then. */
		end(d);
		return;
	}
	LOG(STOPPING, LOG_TEXT("reason", reason));
	notify_send("STOPPING=1");
	d->draining = true;
	pins_stop(d->pins);
	m.drain.seconds = (uint32_t)d->gather->conf.drain_timeout;
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].role == MSG_ROLE_FRONT &&
		    d->process[i].control != NULL &&
		    channel_say(d->process[i].control, &m, &f) < 0)
			d->process[i].drained = true;
	loop_timer_set(d->deadline, d->gather->conf.drain_timeout * 1000);
	if (!d->started || all_drained(d))
		end(d);
}

static void
deadline_passed(void *arg)
{
	struct daemon *d = arg;
	struct fault f = { 0 };

	if (d->ending) {
		for (size_t i = 0; i < d->count; i++)
			if (d->process[i].pid > 0)
				(void)kill(d->process[i].pid, SIGKILL);
		return;
	}
	if (!d->draining) {
		(void)fault_set(&f, FAULT_SYSTEM, "the roles did not start");
		fail(d, &f);
		return;
	}
	end(d);
}

/* ---- hearing roles */

static void
announce(struct daemon *d)
{
	char state[64];

	for (size_t i = 0; i < d->listens; i++)
		LOG(STARTED, LOG_NUMBER("port", net_port(d->listen[i])),
		    LOG_NUMBER("pid", getpid()),
		    LOG_TEXT("version", SIGNET_VERSION));
	if (d->listens == 0)
		LOG(STARTED, LOG_NUMBER("pid", getpid()),
		    LOG_TEXT("version", SIGNET_VERSION));
	if (d->office >= 0)
		LOG(OFFICE_OPEN,
		    LOG_TEXT("socket", d->gather->conf.office_socket));
	for (size_t i = 0; i < d->office_listens; i++)
		LOG(OFFICE_OPEN,
		    LOG_NUMBER("port", net_port(d->office_listen[i])));
	if (text_fmt(state, sizeof(state), "READY=1\nMAINPID=%d",
		(int)getpid()) == 0)
		notify_send(state);
}

/* Whether all serve, or need not be waited for. */
static void
look_around(struct daemon *d, uint32_t generation)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].ready != d->generation &&
		    !d->process[i].excused)
			return;
	if (d->started) {
		if (generation > 1)
			notify_send("READY=1");
		return;
	}
	d->started = true;
	if (!d->draining && !d->ending)
		loop_timer_stop(d->deadline);
	/* The keeper is ready, so the ledger is there. */
	place_mark(&d->gather->conf);
	announce(d);
}

static void
on_ready(struct daemon *d, struct process *p, uint32_t generation)
{
	p->ready = generation;
	p->excused = false;
	look_around(d, generation);
}

static void
on_failed(struct daemon *d, struct process *p, const struct msg_boot_failed *m)
{
	struct fault f = { 0 };

	/* Something outside is not as it was when all began: the others serve
	 * on, and it may be mended. */
	if (d->started && crew_is_replaceable(p->role) && p->ready == 0) {
		p->balked = true;
		LOG(ROLE_BALKED, LOG_TEXT("role", p->name),
		    LOG_TEXT("text", m->text));
		return;
	}
	if (d->started && (d->generation > 1 || p->role == MSG_ROLE_TOKEN)) {
		LOG(RELOAD_REFUSED, LOG_TEXT("role", p->name),
		    LOG_TEXT("text", m->text));
		return;
	}
	(void)fault_set(&f,
	    m->fault < FAULT_COUNT ? (enum fault_code)m->fault : FAULT_INTERNAL,
	    "%s: %s", p->name, m->text);
	fail(d, &f);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct process *p = arg;
	struct daemon *d = p->daemon;

	(void)ch;
	if (fd >= 0)
		(void)close(fd);
	if (m->type == MSG_BOOT_READY) {
		on_ready(d, p, m->boot_ready.generation);
	} else if (m->type == MSG_BOOT_FAILED) {
		on_failed(d, p, &m->boot_failed);
	} else if (m->type == MSG_DRAINED) {
		p->drained = true;
		if (d->draining && all_drained(d))
			end(d);
	} else if (m->type == MSG_TOKEN_NEWS) {
		news_token(p, &m->token_news);
	} else if (m->type == MSG_LIST_MADE) {
		news_list(p, &m->list_made);
	}
}

/* The process itself ends a moment later: that is where we act. */
static void
control_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct process *p = arg;

	(void)ch;
	if (f != NULL) {
		LOG(ROLE_REFUSED, LOG_TEXT("role", p->name),
		    LOG_TEXT("text", f->text));
		if (p->pid > 0)
			(void)kill(p->pid, SIGKILL);
	}
}

/* ---- deaths */

static void
start_anew(void *arg)
{
	struct process *p = arg;
	struct fault f = { 0 };

	if (p->daemon->ending || p->daemon->draining)
		return;
	/* It may have died again while we spoke to it; its death, or that of
	 * a neighbour, is seen in a moment. */
	if (crew_restart(p->daemon, p, &f) < 0 && f.code != FAULT_UNREACHABLE)
		fail(p->daemon, &f);
}

/* What is broken lies outside the process: it may die as often as it likes. */
static bool
is_patient(const struct process *p)
{
	return p->role == MSG_ROLE_TOKEN || p->balked;
}

static int
start_anew_soon(struct daemon *d, struct process *p, struct fault *f)
{
	const bool patient = is_patient(p);

	if (!patient || clock_mono() - p->began_ms > PATIENT_LIFE_MS)
		p->deaths = 0;
	if (patient)
		p->deaths++;
	if (p->again == NULL &&
	    (p->again = loop_timer_new(d->loop, start_anew, p, f)) == NULL)
		return -1;
	loop_timer_set(p->again,
	    patient && p->deaths > 2 ? PATIENCE_MS : RESTART_AFTER_MS);
	return 0;
}

static const char *const then[] = {
	[FATE_ANEW] = "started anew",
	[FATE_DRAIN] = "the daemon drains",
	[FATE_BLAME] = "the daemon ends",
	[FATE_END] = "the daemon ends",
};

static void
meet_fate(struct daemon *d, struct process *p, enum fate fate)
{
	struct fault f = { 0 };

	switch (fate) {
	case FATE_NOTHING:
		return;
	case FATE_ANEW:
		if (start_anew_soon(d, p, &f) < 0)
			fail(d, &f);
		return;
	case FATE_DRAIN:
		if (all_drained(d))
			end(d);
		return;
	case FATE_BLAME:
		loop_timer_set(d->blame, RESTART_AFTER_MS);
		return;
	case FATE_END:
		(void)fault_set(&f, FAULT_SYSTEM, "%s died", p->name);
		fail(d, &f);
		return;
	}
}

static void
on_death(struct daemon *d, struct process *p, int status)
{
	struct fate_scene scene = { d->started, d->draining, d->ending, false,
		crew_is_replaceable(p->role) };
	pid_t pid = p->pid;
	enum fate fate;
	char how[128];

	p->pid = 0;
	/* Its last words may say why. */
	if (p->control != NULL && scene.replaceable && d->started &&
	    !d->draining && !d->ending)
		channel_drain(p->control);
	channel_free(p->control);
	p->control = NULL;
	scene.ending = d->ending;
	scene.patient = is_patient(p);
	fate = fate_of(&scene, status, &d->deaths, clock_mono());
	if (fate == FATE_NOTHING)
		return;
	child_end_text(status, how, sizeof(how));
	LOG(ROLE_DIED, LOG_TEXT("role", p->name), LOG_NUMBER("pid", pid),
	    LOG_TEXT("how", how), LOG_TEXT("then", then[fate]));
	if (p->role == MSG_ROLE_TOKEN)
		news_token_gone(p);
	if (is_patient(p))
		p->excused = true;
	meet_fate(d, p, fate);
	if (p->excused && !d->draining && !d->ending)
		look_around(d, d->generation);
}

static void
nobody_to_blame(void *arg)
{
	struct daemon *d = arg;
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_SYSTEM, "a role left");
	if (!d->ending)
		fail(d, &f);
}

/* Some process that has ended, and how; it is reaped.  0 if there is none. */
static pid_t
next_dead(struct daemon *d, int *status)
{
	siginfo_t info = { 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid == 0)
		return 0;
	hooks_ending(d->hooks, info.si_pid);
	return waitpid(info.si_pid, status, WNOHANG);
}

static void
reap(struct daemon *d)
{
	int status;
	pid_t pid;
	bool alive = false;

	while ((pid = next_dead(d, &status)) > 0)
		for (size_t i = 0; i < d->count; i++)
			if (hooks_ended(d->hooks, pid, status))
				break;
			else if (d->process[i].pid == pid)
				on_death(d, &d->process[i], status);
	for (size_t i = 0; i < d->count; i++)
		alive = alive || d->process[i].pid > 0;
	if (d->ending && !alive)
		loop_stop(d->loop);
}

/* SIGUSR1 says so, as it did to the daemon of etoken-ca. */
static void
make_lists(struct daemon *d)
{
	struct msg m = { .type = MSG_LISTS_NOW };
	struct fault f = { 0 };

	m.lists_now.generation = d->generation;
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].role == MSG_ROLE_KEEPER &&
		    d->process[i].control != NULL &&
		    channel_say(d->process[i].control, &m, &f) < 0)
			log_fault(&f, NULL);
	LOG(LISTS_ASKED, LOG_NUMBER("generation", d->generation));
}

static void
on_signal(void *arg, int signo)
{
	struct daemon *d = arg;

	if (signo == SIGUSR1) {
		make_lists(d);
		return;
	}
	if (signo == SIGCHLD)
		reap(d);
	else if (signo == SIGHUP)
		reload_all(d);
	else
		begin_drain(d, signo == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void
feed_watchdog(void *arg)
{
	struct daemon *d = arg;

	notify_send("WATCHDOG=1");
	loop_timer_set(d->watchdog, notify_watchdog_ms());
}

/* ---- the whole */

static int
watch_signals(struct daemon *d, struct fault *f)
{
	static const int signals[CREW_SIGNALS] = { SIGCHLD, SIGHUP, SIGTERM,
		SIGINT, SIGUSR1 };

	for (size_t i = 0; i < CREW_SIGNALS; i++) {
		d->signals[i] =
		    loop_signal_new(d->loop, signals[i], on_signal, d, f);
		if (d->signals[i] == NULL)
			return -1;
	}
	return 0;
}

/* A PIN goes to its token and nowhere else, once. */
static int
tell_pin(void *arg, size_t n, const struct secret *pin, struct fault *f)
{
	struct daemon *d = arg;
	struct msg m = { .type = MSG_TOKEN_PIN };

	m.token_pin.pin =
	    (struct wire_bytes){ (const uint8_t *)secret_text(pin),
		    secret_len(pin) };
	for (size_t i = 0; i < d->count; i++) {
		const struct process *p = &d->process[i];

		if (p->role == MSG_ROLE_TOKEN && p->index == n &&
		    p->control != NULL)
			return channel_say(p->control, &m, f);
	}
	return fault_set(f, FAULT_ABSENT, "the token's process has ended");
}

/* Where PINs are asked for, and what runs hooks. */
static int
open_desks(struct daemon *d, struct fault *f)
{
	const struct pins_wish wish = { .loop = d->loop,
		.conf = &d->gather->conf,
		.tell = tell_pin,
		.arg = d };

	if (gather_has_token(d->gather) && pins_check(wish.conf, NULL, f) < 0)
		return -1;
	d->pins = pins_new(&wish, f);
	d->hooks = hooks_new(d->loop, &d->gather->conf, f);
	return d->pins == NULL || d->hooks == NULL ? -1 : 0;
}

static int
start(struct daemon *d, struct fault *f)
{
	if ((d->loop = loop_new(f)) == NULL || watch_signals(d, f) < 0)
		return -1;
	d->deadline = loop_timer_new(d->loop, deadline_passed, d, f);
	d->watchdog = loop_timer_new(d->loop, feed_watchdog, d, f);
	d->blame = loop_timer_new(d->loop, nobody_to_blame, d, f);
	if (d->deadline == NULL || d->watchdog == NULL || d->blame == NULL)
		return -1;
	if (notify_watchdog_ms() > 0)
		feed_watchdog(d);
	if (doors_open(d, f) < 0 || place_ledger(&d->gather->conf, f) < 0)
		return -1;
	if (open_desks(d, f) < 0)
		return -1;
	loop_timer_set(d->deadline, START_TIMEOUT_MS);
	return crew_start(d, f);
}

static void
close_all(struct daemon *d)
{
	pins_free(d->pins);
	hooks_free(d->hooks);
	for (size_t i = 0; i < d->count; i++) {
		channel_free(d->process[i].control);
		loop_timer_free(d->process[i].again);
	}
	doors_close(d);
	for (size_t i = 0; i < CREW_SIGNALS; i++)
		loop_signal_free(d->signals[i]);
	loop_timer_free(d->deadline);
	loop_timer_free(d->watchdog);
	loop_timer_free(d->blame);
	loop_free(d->loop);
}

int
daemon_run(const struct daemon_wish *wish, struct gather *g, struct fault *f)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int result;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for the daemon");
	d->wish = wish;
	d->gather = g;
	d->generation = 1;
	d->office = -1;
	d->issue = -1;
	d->heard = heard;
	d->gone = control_gone;
	(void)signal(SIGPIPE, SIG_IGN);
	/* Signals without a meaning here end nothing. */
	/* To ask at a terminal in the background is no reason to stop. */
	(void)signal(SIGTTIN, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	result = start(d, f);
	if (result < 0 && d->deadline != NULL) {
		log_fault(f, NULL);
		d->failed = true;
		end(d);
	}
	if (d->count > 0)
		result = loop_run(d->loop, f);
	if (d->failed && result == 0)
		result = fault_set(f, FAULT_SYSTEM, "a part of it failed");
	LOG(STOPPED, LOG_TEXT("how", result < 0 ? "failed" : "in order"));
	close_all(d);
	free(d);
	return result;
}
