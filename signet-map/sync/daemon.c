/* The maps, kept right as their sources change. */
#include "daemon.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "roster/roster_ldap.h"
#include "sys/loop.h"
#include "sys/notify.h"
#include "walls.h"

#include <sys/stat.h>

#include <signal.h>
#include <string.h>

#define LOOK_MS 500	/* how often files are looked at */
#define SETTLE_MS 100	/* a file that changes is not read at once */
#define SETTLE_MOST 10	/* but after so many looks it is */
#define INSPECT_MS 2000 /* and what was written */
#define SPOILT_MOST 10	/* if they are others each time, they */
#define SPOILT_MS 60000 /* are looked at less often */
#define RETRY_MS 5000	/* after a map could not be written */
#define LOCAL_MS 60000	/* a file that did not change is read again */
#define TELL_S 30	/* the status file is at most so old */
#define SAVE_S 60	/* and the roster's */
#define TOUCH_S 60	/* and what an index says of its freshness */
#define FILES_MAX 256

/* A file that is watched, as it was. */
struct watched {
	const char *path;
	struct stat was;
	bool there;
	int restless; /* looks since it began to change; 0: it does not */
};

/* What follows one directory. */
struct follower {
	struct daemon *daemon;
	size_t source;
	struct roster_ldap *ldap;
	struct loop_watch *watch;
	struct loop_timer *timer;
	int fd;
	uint64_t refreshes;
	enum roster_ldap_state state;
};

struct daemon {
	struct mapper *m;
	struct loop *loop;
	struct loop_timer *look; /* files, times */
	struct loop_timer *flush;
	struct loop_timer *text;
	struct loop_signal *term, *interrupt, *hup;
	struct follower followers[MAPPER_SOURCES_MAX];
	size_t follower_count;
	struct watched files[FILES_MAX];
	size_t file_count;
	struct watched sources[MAPPER_SOURCES_MAX]; /* those that are files */
	struct walls *walls;
	int spoilt;	   /* looks that found one that was not */
	int64_t inspected; /* when maps were last looked at; milliseconds */
	int64_t text_done; /* when texts were last written; milliseconds */
	int64_t read_done[MAPPER_SOURCES_MAX];
	time_t told, saved, touched;
	bool reload;
	bool ready;
	bool failed; /* and why is in *f */
	struct fault *f;
};

static void flush_soon(struct daemon *d);

/* ---- directories */

static void step(struct follower *w);

static void
on_ready(void *arg, int fd, unsigned ready)
{
	(void)fd;
	(void)ready;
	step(arg);
}

static void
on_time(void *arg)
{
	step(arg);
}

static const char *
state_text(enum roster_ldap_state state)
{
	static const char *const texts[] = {
		[ROSTER_LDAP_CONNECTING] = "connecting",
		[ROSTER_LDAP_REFRESHING] = "refreshing",
		[ROSTER_LDAP_CURRENT] = "current",
		[ROSTER_LDAP_WAITING] = "waiting",
		[ROSTER_LDAP_LOST] = "lost",
	};

	return texts[state];
}

/* Wait for what it waits for now. */
static void
rearm(struct follower *w)
{
	int fd = roster_ldap_fd(w->ldap);
	int64_t ms = roster_ldap_wait_ms(w->ldap);
	struct fault f = { 0 };

	/* A descriptor may be closed and its number used again within a step,
	 * so the watch is made anew each time. */
	if (w->watch != NULL)
		loop_watch_free(TAKE(w->watch));
	if (fd >= 0 &&
	    (w->watch = loop_watch_new(w->daemon->loop, fd, LOOP_READ, on_ready,
		 w, &f)) == NULL) {
		log_fault(&f, NULL);
		ms = RETRY_MS;
	}
	if (ms >= 0)
		loop_timer_set(w->timer, ms);
	else
		loop_timer_stop(w->timer);
}

static void
step(struct follower *w)
{
	struct daemon *d = w->daemon;
	struct roster_ldap_status status;
	struct fault f = { 0 };

	/* It may close the descriptor. */
	if (w->watch != NULL)
		loop_watch_free(TAKE(w->watch));
	if (roster_ldap_step(w->ldap, &f) < 0) {
		log_fault(&f, NULL);
		*d->f = f;
		d->failed = true;
		loop_stop(d->loop);
		return;
	}
	roster_ldap_status(w->ldap, &status);
	if (status.state == ROSTER_LDAP_LOST)
		mapper_source_told(d->m, w->source, status.fault, clock_wall());
	else if (status.state == ROSTER_LDAP_CURRENT ||
	    status.state == ROSTER_LDAP_WAITING)
		mapper_source_told(d->m, w->source, NULL, clock_wall());
	if (status.refreshes != w->refreshes || status.state != w->state)
		LOG(MAP_FOLLOWS,
		    LOG_TEXT("source", d->m->sources[w->source].conf.name),
		    LOG_TEXT("server", status.server),
		    LOG_TEXT("state", state_text(status.state)),
		    LOG_NUMBER("refreshes", status.refreshes));
	if (status.refreshes != w->refreshes)
		d->m->unsaved = true;
	w->refreshes = status.refreshes;
	w->state = status.state;
	rearm(w);
	flush_soon(d);
}

static void
end_followers(struct daemon *d)
{
	for (size_t i = 0; i < d->follower_count; i++) {
		struct follower *w = &d->followers[i];

		if (w->watch != NULL)
			loop_watch_free(w->watch);
		if (w->timer != NULL)
			loop_timer_free(w->timer);
		roster_ldap_end(w->ldap);
	}
	memset(d->followers, 0, sizeof(d->followers));
	d->follower_count = 0;
}

static int
begin_followers(struct daemon *d, struct fault *f)
{
	for (size_t i = 0; i < d->m->source_count; i++) {
		struct follower *w = &d->followers[d->follower_count];

		if (d->m->sources[i].conf.kind != ROSTER_LDAP)
			continue;
		*w = (struct follower){ .daemon = d, .source = i };
		d->follower_count++;
		if ((w->timer = loop_timer_new(d->loop, on_time, w, f)) ==
			NULL ||
		    (w->ldap = roster_ldap_begin(&d->m->sources[i].conf,
			 d->m->roster, mapper_skipped, NULL, f)) == NULL)
			return -1;
		rearm(w);
	}
	return 0;
}

/* ---- files */

static bool
is_changed(struct watched *file)
{
	struct stat now = { 0 };
	bool there = stat(file->path, &now) == 0;
	bool same = there == file->there && now.st_ino == file->was.st_ino &&
	    now.st_dev == file->was.st_dev &&
	    now.st_size == file->was.st_size &&
	    now.st_mtim.tv_sec == file->was.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == file->was.st_mtim.tv_nsec &&
	    now.st_ctim.tv_sec == file->was.st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == file->was.st_ctim.tv_nsec;

	file->there = there;
	file->was = now;
	return !same;
}

/* Whether it is to be read: it changed, and nobody is writing it any more. What
 * is half written could lack the bans at its end. */
static bool
has_settled(struct daemon *d, struct watched *file)
{
	if (is_changed(file)) {
		file->restless++;
		if (file->restless < SETTLE_MOST) {
			loop_timer_set(d->look, SETTLE_MS);
			return false;
		}
	} else if (file->restless == 0) {
		return false;
	}
	file->restless = 0;
	return true;
}

static void
watch_file(struct daemon *d, const char *path)
{
	if (d->file_count == FILES_MAX)
		return;
	d->files[d->file_count] = (struct watched){ .path = path };
	(void)is_changed(&d->files[d->file_count]);
	d->file_count++;
}

/* The rules and what they name; accounts, which decide whom the maps may
 * have. */
static void
watch_rules(struct daemon *d)
{
	struct maprule_words bans = maprule_bans_paths(d->m->rules);

	d->file_count = 0;
	watch_file(d, d->m->conf->rules);
	watch_file(d, "/etc/passwd");
	for (size_t i = 0; i < bans.count; i++)
		watch_file(d, bans.word[i]);
}

/* A list that a server has. */
static bool
is_far(const struct roster_source_conf *s)
{
	return s->kind == ROSTER_LIST && strstr(s->path, "://") != NULL;
}

static void
watch_sources(struct daemon *d)
{
	for (size_t i = 0; i < d->m->source_count; i++) {
		const struct roster_source_conf *s = &d->m->sources[i].conf;

		d->sources[i] = (struct watched){ .path = s->path };
		d->read_done[i] = 0;
		if (s->kind != ROSTER_LDAP && !is_far(s))
			(void)is_changed(&d->sources[i]);
	}
}

/* Sources that are files are read when they change, lists of servers now and
 * then.  What is wrong with one stays its own trouble. */
static void
read_source(struct daemon *d, size_t i)
{
	(void)mapper_read(d->m, i);
	d->read_done[i] = clock_mono();
	flush_soon(d);
}

static void
look_at_sources(struct daemon *d)
{
	int64_t now = clock_mono();

	for (size_t i = 0; i < d->m->source_count; i++) {
		const struct roster_source_conf *s = &d->m->sources[i].conf;
		bool local = s->kind != ROSTER_LDAP && !is_far(s);
		int64_t every = is_far(s)	   ? d->m->conf->interval * 1000
		    : d->m->sources[i].failed != 0 ? RETRY_MS
						   : LOCAL_MS;

		bool settled = local && has_settled(d, &d->sources[i]);

		if (s->kind == ROSTER_LDAP)
			continue;
		if (settled || d->read_done[i] == 0 ||
		    (d->sources[i].restless == 0 &&
			now - d->read_done[i] >= every))
			read_source(d, i);
	}
}

/* ---- rules */

static void
reload(struct daemon *d)
{
	struct fault f = { 0 };

	d->reload = false;
	/* They point into the rules. */
	end_followers(d);
	if (mapper_reload(d->m, clock_wall(), &f) < 0)
		LOG(RELOAD_REFUSED, LOG_TEXT("text", f.text));
	else
		LOG(RELOADED, LOG_TEXT("rules", d->m->conf->rules));
	watch_rules(d);
	watch_sources(d);
	if (begin_followers(d, &f) < 0)
		log_fault(&f, NULL);
	flush_soon(d);
}

static void
look_at_rules(struct daemon *d)
{
	for (size_t i = 0; i < d->file_count; i++)
		d->reload = has_settled(d, &d->files[i]) || d->reload;
	if (d->reload)
		reload(d);
}

/* ---- maps */

static void
flush_soon(struct daemon *d)
{
	loop_timer_soon(d->flush);
}

/* Texts follow the index, at most once in text-interval. */
static void
text_later(struct daemon *d)
{
	int64_t wait =
	    d->text_done + d->m->conf->text_interval * 1000 - clock_mono();

	loop_timer_set(d->text, wait > 0 ? wait : 0);
}

static bool
any_late(const struct daemon *d, bool *rebuild)
{
	bool late = false;

	*rebuild = false;
	for (size_t i = 0; i < d->m->out_count; i++) {
		const struct mapper_out *o = &d->m->outs[i];
		/* More can be done only when its sources are there. */
		bool due = o->rebuild && !o->expelled;

		late = late || (!due && out_text_late(o->out));
		*rebuild = *rebuild || due;
	}
	return late;
}

static void
on_flush(void *arg)
{
	struct daemon *d = arg;
	time_t now = clock_wall();
	bool rebuild, ready = mapper_ready(d->m);

	(void)mapper_flush(d->m, false, now);
	if (any_late(d, &rebuild))
		text_later(d);
	/* What could not be written is tried again. */
	if (rebuild)
		loop_timer_set(d->flush, RETRY_MS);
	if (ready && !d->ready) {
		d->ready = true;
		d->told = 0;
		notify_send("STATUS=every source has been read");
		LOG(MAP_READY,
		    LOG_NUMBER("people", roster_count(d->m->roster)));
	}
	/* A monitor learns of a held shrink, or of rules that are refused, at
	 * once. */
	d->told = 0;
}

static void
on_text(void *arg)
{
	struct daemon *d = arg;
	bool rebuild;

	if (mapper_text(d->m)) {
		loop_timer_soon(d->text);
		return;
	}
	d->text_done = clock_mono();
	(void)any_late(d, &rebuild);
	if (rebuild)
		flush_soon(d);
}

/* ---- time */

/* Whether what is needed is still what it was: a directory that was made anew
 * is not within the walls, and a state that is gone would be kept by nobody. */
static void
look_at_places(struct daemon *d)
{
	int64_t now = clock_mono();

	if (now - d->inspected < INSPECT_MS)
		return;
	d->inspected = now;
	if (walls_hold(d->walls, d->m, d->f) < 0) {
		d->failed = true;
		loop_stop(d->loop);
		return;
	}
	if (!mapper_inspect(d->m)) {
		d->spoilt = 0;
		return;
	}
	/* Somebody writes it again and again, or it cannot be read. */
	if (++d->spoilt > SPOILT_MOST)
		d->inspected = now + SPOILT_MS;
	flush_soon(d);
}

static void
on_look(void *arg)
{
	struct daemon *d = arg;
	time_t now = clock_wall(), until;

	loop_timer_set(d->look, LOOK_MS);
	look_at_rules(d);
	look_at_sources(d);
	mapper_withdraw(d->m, now);
	if (confirm_take(d->m))
		flush_soon(d);
	until = mapper_until(d->m);
	if (until != 0 && until <= now)
		flush_soon(d);
	look_at_places(d);
	if (d->ready && (now - d->touched >= TOUCH_S || now < d->touched)) {
		mapper_touch(d->m, now);
		d->touched = now;
	}
	if (now - d->saved >= SAVE_S || now < d->saved) {
		mapper_save(d->m);
		d->saved = now;
	}
	if (now - d->told >= TELL_S || now < d->told) {
		mapper_tell(d->m, now);
		d->told = now;
	}
}

static void
on_end(void *arg, int signo)
{
	struct daemon *d = arg;

	LOG(STOPPING, LOG_TEXT("reason", strsignal(signo)));
	notify_send("STOPPING=1");
	loop_stop(d->loop);
}

static void
on_hup(void *arg, int signo)
{
	struct daemon *d = arg;

	(void)signo;
	d->reload = true;
	loop_timer_soon(d->look);
}

static int
set_up(struct daemon *d, struct fault *f)
{
	if ((d->loop = loop_new(f)) == NULL ||
	    (d->look = loop_timer_new(d->loop, on_look, d, f)) == NULL ||
	    (d->flush = loop_timer_new(d->loop, on_flush, d, f)) == NULL ||
	    (d->text = loop_timer_new(d->loop, on_text, d, f)) == NULL ||
	    (d->term = loop_signal_new(d->loop, SIGTERM, on_end, d, f)) ==
		NULL ||
	    (d->interrupt = loop_signal_new(d->loop, SIGINT, on_end, d, f)) ==
		NULL ||
	    (d->hup = loop_signal_new(d->loop, SIGHUP, on_hup, d, f)) == NULL)
		return -1;
	watch_rules(d);
	watch_sources(d);
	mapper_follow(d->m);
	return begin_followers(d, f);
}

static void
take_down(struct daemon *d)
{
	end_followers(d);
	if (d->look != NULL)
		loop_timer_free(d->look);
	if (d->flush != NULL)
		loop_timer_free(d->flush);
	if (d->text != NULL)
		loop_timer_free(d->text);
	if (d->term != NULL)
		loop_signal_free(d->term);
	if (d->interrupt != NULL)
		loop_signal_free(d->interrupt);
	if (d->hup != NULL)
		loop_signal_free(d->hup);
	if (d->loop != NULL)
		loop_free(d->loop);
}

/* What is known now is what the next process begins with. */
static void
finish(struct daemon *d)
{
	while (mapper_text(d->m))
		;
	d->m->unsaved = true;
	mapper_save(d->m);
	mapper_tell(d->m, clock_wall());
	LOG(STOPPED, LOG_NUMBER("people", roster_count(d->m->roster)));
}

int
daemon_run(struct mapper *m, struct walls *walls, int hook, struct fault *f)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int result;

	if (d == NULL)
		return fault_set(f, FAULT_MEMORY, "daemon");
	d->m = m;
	d->walls = walls;
	d->f = f;
	mapper_tell_to(m, hook);
	d->saved = d->touched = clock_wall();
	if ((result = set_up(d, f)) == 0) {
		LOG(STARTED, LOG_TEXT("rules", m->conf->rules));
		/* With a directory that is away the last maps stand, and nobody
		 * is to wait for it. */
		notify_send("READY=1");
		loop_timer_soon(d->look);
		flush_soon(d);
		result = loop_run(d->loop, f);
		if (d->failed)
			result = -1;
		finish(d);
	}
	take_down(d);
	free(d);
	return result;
}
