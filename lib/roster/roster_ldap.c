#include "roster/roster_ldap.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ldap/dial.h"
#include "roster/roster_dial.h"
#include "roster/roster_part.h"
#include "roster/roster_search.h"
#include "roster/roster_skip.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_MAX 512
#define STEP_MS 50
#define SILENCE_S 60
#define PAGE_LIMITED 500
#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 60000
#define DUMP_AGAIN_MS 300000
/* So often a server that has nothing to say is asked whether it is there. */
#define PING_MS 20000
#define PING_MOST_MS 10000

struct roster_ldap {
	struct roster_source_conf conf;
	struct roster *r;
	uint32_t source;
	struct roster_skips skips;
	bool once; /* refreshOnly, waiting */
	bool no_sync;
	unsigned page;
	char server[SERVER_MAX];
	size_t server_at; /* of the next in conf.servers */
	enum roster_ldap_state state;
	struct fault fault;
	struct roster_dial *dial;
	LDAP *ld;
	int fd;
	struct roster_search searches[2];
	size_t search_count;
	bool more;	  /* there may be something to read already */
	int64_t heard_ms; /* when the server last said something */
	int64_t next_ms;  /* LOST, WAITING: when to try again */
	int64_t retry_ms;
	int ping_id; /* -1: none is under way */
	int64_t ping_ms;
	uint64_t entries;
	uint64_t refreshes;
	uint64_t changes;
};

static void
hang_up(struct roster_ldap *l)
{
	for (size_t i = 0; i < l->search_count; i++)
		roster_search_free(&l->searches[i]);
	l->search_count = 0;
	roster_dial_end(TAKE(l->dial));
	if (l->ld != NULL)
		own_ldap_close(TAKE(l->ld));
	l->fd = -1;
	l->ping_id = -1;
	l->more = false;
}

/* The next server of the list, or false at its end. */
static bool
next_server(struct roster_ldap *l)
{
	const char *at = l->conf.servers + l->server_at;
	size_t blanks = strspn(at, " \t"), len = strcspn(at + blanks, " \t");

	if (len == 0 || len >= sizeof(l->server))
		return false;
	memcpy(l->server, at + blanks, len);
	l->server[len] = '\0';
	l->server_at += blanks + len;
	return true;
}

/* Nobody answers: try again later, for what is known is still good. */
static void
lost(struct roster_ldap *l)
{
	hang_up(l);
	l->state = ROSTER_LDAP_LOST;
	l->next_ms = clock_mono() + l->retry_ms;
	l->retry_ms *= 2;
	if (l->retry_ms > RETRY_MOST_MS)
		l->retry_ms = RETRY_MOST_MS;
	l->server_at = 0;
}

static void
dial_next(struct roster_ldap *l)
{
	hang_up(l);
	while (next_server(l)) {
		l->state = ROSTER_LDAP_CONNECTING;
		l->entries = 0;
		l->dial = roster_dial_begin(&l->conf, l->server, &l->fault);
		if (l->dial != NULL)
			return;
	}
	lost(l);
}

/* This server is no good: the next one, if a refresh was not over; else begin
 * with the first again. */
static void
give_up(struct roster_ldap *l)
{
	bool current = l->state == ROSTER_LDAP_CURRENT;
	struct fault f = l->fault;

	(void)fault_wrap(&f, "%s", l->server);
	if (!text_starts(l->fault.text, l->server))
		l->fault = f;
	if (current) {
		l->retry_ms = RETRY_FIRST_MS;
		l->server_at = 0;
	}
	dial_next(l);
}

static const char *
filter_of(const char *filter)
{
	return filter != NULL && filter[0] != '\0' ? filter : "(objectClass=*)";
}

static bool
has_shadow(const struct roster_source_conf *conf)
{
	return conf->groups == ROSTER_GROUPS_MEMBER ||
	    (conf->groups == ROSTER_GROUPS_DNS && conf->group_base != NULL &&
		conf->group_base[0] != '\0');
}

static int
add_search(struct roster_ldap *l, bool groups, struct fault *f)
{
	struct roster_plan *plan = roster_plan_new(&l->conf, groups, f);
	struct roster_search *s = &l->searches[l->search_count];

	if (plan == NULL)
		return -1;
	roster_search_init(s, l->r, l->source + (groups ? 1 : 0), plan,
	    &l->skips);
	l->search_count++;
	s->base = groups ? l->conf.group_base : l->conf.base;
	s->filter = filter_of(groups ? l->conf.group_filter : l->conf.filter);
	s->server = l->server;
	s->page = l->page;
	s->how = l->no_sync ? ROSTER_SEARCH_DUMP
	    : l->once	    ? ROSTER_SEARCH_REFRESH
			    : ROSTER_SEARCH_FOLLOW;
	return 0;
}

/* Ask everything there is to ask.  Groups first: people are put into them. */
static int
start_searches(struct roster_ldap *l, bool full, struct fault *f)
{
	for (size_t i = 0; i < l->search_count; i++) {
		if (l->searches[i].id >= 0)
			(void)ldap_abandon_ext(l->ld, l->searches[i].id, NULL,
			    NULL);
		roster_search_free(&l->searches[i]);
	}
	l->search_count = 0;
	if ((has_shadow(&l->conf) && add_search(l, true, f) < 0) ||
	    add_search(l, false, f) < 0)
		return -1;
	/* People and groups are of one time: if one of them cannot go on from
	 * where it was, both are asked for anew. */
	for (size_t i = 0; i < l->search_count; i++)
		if (roster_cookie_get(&l->r->sources[l->searches[i].source],
			l->server) == NULL)
			full = true;
	for (size_t i = 0; i < l->search_count; i++)
		if (roster_search_start(&l->searches[i], l->ld, full, f) < 0)
			return -1;
	l->state = ROSTER_LDAP_REFRESHING;
	l->heard_ms = clock_mono();
	l->entries = 0;
	l->more = true;
	return 0;
}

static int
connected(struct roster_ldap *l, struct fault *f)
{
	l->fd = -1;
	if (ldap_get_option(l->ld, LDAP_OPT_DESC, &l->fd) != LDAP_SUCCESS)
		return fault_set(f, FAULT_SYSTEM, "no descriptor");
	return start_searches(l, false, f);
}

static void
step_connecting(struct roster_ldap *l)
{
	int done = roster_dial_done(l->dial, &l->ld, &l->fault);

	if (done == 0)
		return;
	roster_dial_end(TAKE(l->dial));
	if (done < 0 || connected(l, &l->fault) < 0)
		give_up(l);
}

static bool
all_refreshed(const struct roster_ldap *l)
{
	for (size_t i = 0; i < l->search_count; i++)
		if (!l->searches[i].refreshed)
			return false;
	return l->search_count > 0;
}

/* The refresh is over and whole: now it shows, all of it. */
static int
commit_all(struct roster_ldap *l, struct fault *f)
{
	for (size_t i = 0; i < l->search_count; i++) {
		l->changes += roster_stage_changes(l->searches[i].stage);
		if (roster_search_commit(&l->searches[i], f) < 0)
			return -1;
	}
	l->refreshes++;
	l->retry_ms = RETRY_FIRST_MS;
	l->fault.code = FAULT_NONE;
	if (l->searches[0].how == ROSTER_SEARCH_FOLLOW) {
		l->state = ROSTER_LDAP_CURRENT;
		l->ping_ms = clock_mono() + PING_MS;
		return 0;
	}
	hang_up(l);
	l->state = ROSTER_LDAP_WAITING;
	l->next_ms = clock_mono() + DUMP_AGAIN_MS;
	l->server_at = 0;
	return 0;
}

static int
commit_change(struct roster_ldap *l, struct roster_search *s, struct fault *f)
{
	l->changes += roster_stage_changes(s->stage);
	return roster_search_commit(s, f);
}

/* -1: memory is out.  The directory's own faults end in give_up(). */
static int
heard_by(struct roster_ldap *l, struct roster_search *s, LDAPMessage *m,
    struct fault *f)
{
	enum roster_heard what = roster_search_hear(s, l->ld, m, &l->fault);
	int result = 0;

	switch (what) {
	case ROSTER_HEARD_MORE:
		l->entries++;
		return 0;
	case ROSTER_HEARD_REFRESHED:
		return all_refreshed(l) ? commit_all(l, f) : 0;
	case ROSTER_HEARD_CHANGE:
		return commit_change(l, s, f);
	case ROSTER_HEARD_NOTHING:
		return 0;
	case ROSTER_HEARD_NEXT_PAGE:
		result = roster_search_next_page(s, l->ld, &l->fault);
		break;
	case ROSTER_HEARD_STALE:
		result = start_searches(l, true, &l->fault);
		break;
	case ROSTER_HEARD_NO_SYNC:
		l->no_sync = true;
		result = start_searches(l, true, &l->fault);
		break;
	case ROSTER_HEARD_LIMITED:
		l->no_sync = true;
		l->page = PAGE_LIMITED;
		result = start_searches(l, true, &l->fault);
		break;
	case ROSTER_HEARD_FAULT:
		result = -1;
		break;
	}
	if (result < 0)
		give_up(l);
	return 0;
}

/* What a message belongs to; answers to searches that were given up are
 * nobody's. */
static int
take_message(struct roster_ldap *l, LDAPMessage *m, struct fault *f)
{
	int id = ldap_msgid(m);

	if (id == 0) {
		/* RFC 4511 4.4.1: the server is about to hang up. */
		(void)fault_set(&l->fault, FAULT_UNREACHABLE,
		    "the server ended the connection");
		give_up(l);
		return 0;
	}
	if (id == l->ping_id) {
		l->ping_id = -1;
		return 0;
	}
	for (size_t i = 0; i < l->search_count; i++)
		if (l->searches[i].id == id)
			return heard_by(l, &l->searches[i], m, f);
	return 0;
}

static bool
is_reading(const struct roster_ldap *l)
{
	return l->state == ROSTER_LDAP_REFRESHING ||
	    l->state == ROSTER_LDAP_CURRENT;
}

static void
note_heard(struct roster_ldap *l)
{
	l->heard_ms = clock_mono();
	l->ping_ms = l->heard_ms + PING_MS;
	if (l->state != ROSTER_LDAP_CURRENT)
		return;
	for (size_t i = 0; i < l->search_count; i++)
		l->r->sources[l->searches[i].source].fresh = clock_wall();
}

static int
read_messages(struct roster_ldap *l, struct fault *f)
{
	int64_t until = clock_mono() + STEP_MS;
	/* One who has nothing else to do may as well wait in libldap, which
	 * saves a system call or two for each time. */
	struct timeval wait = { .tv_sec = l->once ? 1 : 0 };
	unsigned count = 0;

	l->more = false;
	while (is_reading(l)) {
		LDAPMessage *m = NULL;
		LDAP *ld = l->ld;
		int type =
		    ldap_result(ld, LDAP_RES_ANY, LDAP_MSG_ONE, &wait, &m);
		int result;

		if (type == 0)
			return 0;
		if (type < 0) {
			int error = LDAP_SERVER_DOWN;

			(void)ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &error);
			(void)dial_fault(&l->fault, FAULT_UNREACHABLE, ld,
			    error, "the connection broke");
			give_up(l);
			return 0;
		}
		if (count % 64 == 0)
			note_heard(l);
		result = take_message(l, m, f);
		(void)ldap_msgfree(m);
		if (result < 0)
			return -1;
		if (++count % 64 == 0 && clock_mono() >= until) {
			l->more = true;
			return 0;
		}
	}
	return 0;
}

static int64_t
silence_ms(const struct roster_ldap *l)
{
	return 1000 *
	    (int64_t)(l->conf.silence_s > 0 ? l->conf.silence_s : SILENCE_S);
}

/* Whether the server is still there, though it has nothing to say. */
static void
ping(struct roster_ldap *l, int64_t now)
{
	char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	int result;

	if (now < l->ping_ms)
		return;
	if (l->ping_id >= 0) {
		(void)fault_set(&l->fault, FAULT_UNREACHABLE,
		    "the server is silent");
		give_up(l);
		return;
	}
	result = ldap_search_ext(l->ld, "", LDAP_SCOPE_BASE, NULL, attributes,
	    1, NULL, NULL, NULL, 1, &l->ping_id);
	if (result != LDAP_SUCCESS) {
		(void)dial_fault(&l->fault, FAULT_UNREACHABLE, l->ld, result,
		    "the connection broke");
		give_up(l);
		return;
	}
	l->ping_ms = now + PING_MOST_MS;
}

static void
watch_silence(struct roster_ldap *l)
{
	int64_t now = clock_mono();

	if (l->state == ROSTER_LDAP_CURRENT) {
		ping(l, now);
	} else if (l->state == ROSTER_LDAP_REFRESHING &&
	    now - l->heard_ms >= silence_ms(l)) {
		(void)fault_set(&l->fault, FAULT_TIMEOUT,
		    "the server is silent in the middle of its answer");
		give_up(l);
	}
}

int
roster_ldap_step(struct roster_ldap *l, struct fault *f)
{
	switch (l->state) {
	case ROSTER_LDAP_CONNECTING:
		step_connecting(l);
		break;
	case ROSTER_LDAP_REFRESHING:
	case ROSTER_LDAP_CURRENT:
		if (read_messages(l, f) < 0)
			return -1;
		if (!l->more && is_reading(l))
			watch_silence(l);
		break;
	case ROSTER_LDAP_WAITING:
	case ROSTER_LDAP_LOST:
		if (clock_mono() >= l->next_ms)
			dial_next(l);
		break;
	}
	return 0;
}

int
roster_ldap_fd(const struct roster_ldap *l)
{
	return l->dial != NULL ? roster_dial_fd(l->dial) : l->fd;
}

int64_t
roster_ldap_wait_ms(const struct roster_ldap *l)
{
	int64_t now = clock_mono(), until = 0;

	switch (l->state) {
	case ROSTER_LDAP_CONNECTING:
		return -1;
	case ROSTER_LDAP_REFRESHING:
		until = l->heard_ms + silence_ms(l);
		break;
	case ROSTER_LDAP_CURRENT:
		until = l->ping_ms;
		break;
	case ROSTER_LDAP_WAITING:
	case ROSTER_LDAP_LOST:
		until = l->next_ms;
		break;
	}
	return l->more || until <= now ? 0 : until - now;
}

void
roster_ldap_retry(struct roster_ldap *l)
{
	if (l->state == ROSTER_LDAP_LOST || l->state == ROSTER_LDAP_WAITING)
		l->next_ms = clock_mono();
}

void
roster_ldap_status(const struct roster_ldap *l, struct roster_ldap_status *out)
{
	*out = (struct roster_ldap_status){ .state = l->state,
		.server = l->server,
		.entries = l->entries,
		.refreshes = l->refreshes,
		.changes = l->changes,
		.skipped = l->skips.count,
		.fault = l->state == ROSTER_LDAP_LOST ? &l->fault : NULL };
}

static struct roster_ldap *
ldap_new(const struct roster_source_conf *conf, struct roster *r,
    roster_skip_fn *skip, void *arg, struct fault *f)
{
	char digest[ROSTER_DIGEST_SIZE];
	OWN_STRUCT(roster_ldap) l = NULL;

	if (roster_source_check(conf, f) < 0 ||
	    roster_source_digest(conf, digest, f) < 0)
		return NULL;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a directory");
		return NULL;
	}
	l->conf = *conf;
	l->r = r;
	l->skips = (struct roster_skips){ skip, arg, conf->name, 0 };
	l->no_sync = conf->no_sync;
	l->page = conf->page;
	l->fd = l->ping_id = -1;
	l->retry_ms = RETRY_FIRST_MS;
	l->source = roster_source_make(r, conf->name,
	    conf->subject != NULL ? conf->subject : "", digest,
	    conf->groups == ROSTER_GROUPS_DNS ||
		conf->groups == ROSTER_GROUPS_MEMBER,
	    conf->groups == ROSTER_GROUPS_MEMBER, f);
	return l->source == ROSTER_NONE ? NULL : TAKE(l);
}

struct roster_ldap *
roster_ldap_begin(const struct roster_source_conf *conf, struct roster *r,
    roster_skip_fn *skip, void *arg, struct fault *f)
{
	struct roster_ldap *l = ldap_new(conf, r, skip, arg, f);

	if (l != NULL)
		dial_next(l);
	return l;
}

void
roster_ldap_end(struct roster_ldap *l)
{
	if (l == NULL)
		return;
	hang_up(l);
	free(l);
}

static int
wait_for(const struct roster_ldap *l, struct fault *f)
{
	struct pollfd p = { .fd = roster_ldap_fd(l), .events = POLLIN };
	int64_t ms = roster_ldap_wait_ms(l);

	if (ms != 0 && poll(&p, 1, (int)(ms > 60000 ? 60000 : ms)) < 0 &&
	    errno != EINTR)
		return fault_set(f, FAULT_SYSTEM, "poll: %s", strerror(errno));
	return 0;
}

/* One server after the other, each until it is through or has failed. */
int
roster_ldap_once(const struct roster_source_conf *conf, struct roster *r,
    roster_skip_fn *skip, void *arg, struct fault *f)
{
	OWN_STRUCT(roster_ldap) l = ldap_new(conf, r, skip, arg, f);

	if (l == NULL)
		return -1;
	l->once = true;
	dial_next(l);
	while (l->state != ROSTER_LDAP_WAITING) {
		if (l->state == ROSTER_LDAP_LOST) {
			*f = l->fault;
			return -1;
		}
		if (wait_for(l, f) < 0 || roster_ldap_step(l, f) < 0)
			return -1;
	}
	return 0;
}
