#include "map_clerk.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "map/map_book.h"
#include "map/map_name.h"
#include "map/map_replay.h"
#include "map_case.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000
#define COUNTED 256 /* users whose askings are counted */
#define PASSWD_SIZE 16384

struct counted {
	uid_t uid;
	int64_t since;
	int64_t count;
};

struct clerk {
	const struct map_conf *conf;
	struct map_book *book;
	struct map_replay *now;
	struct map_cases cases;
	size_t lines;
	struct counted counted[COUNTED];
};

/* ---- the log */

static int
learn(void *arg, const struct map_request *r, size_t line, struct fault *f)
{
	struct clerk *c = arg;

	c->lines = line;
	if (map_cases_do(&c->cases, r, f) < 0)
		return fault_wrap(f, "line %zu", line);
	return map_replay_do(c->now, r, line, f);
}

struct clerk *
clerk_new(const struct map_conf *conf, struct fault *f)
{
	OWN_STRUCT(clerk) c = calloc(1, sizeof(*c));
	char path[MAP_PATH_SIZE];

	if (c == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for the desk");
		return NULL;
	}
	c->conf = conf;
	if (map_conf_state(conf, MAP_STATE_REQUESTS, path, f) < 0 ||
	    file_mkdir(conf->state, 0755, f) < 0 ||
	    (c->now = map_replay_new(f)) == NULL ||
	    (c->book = map_book_open(path, f)) == NULL)
		return NULL;
	if (map_request_each(path, learn, c, f) < 0) {
		(void)fault_wrap(f, "%s", path);
		return NULL;
	}
	return TAKE(c);
}

void
clerk_free(struct clerk *c)
{
	if (c == NULL)
		return;
	map_book_close(c->book);
	map_replay_free(c->now);
	map_cases_free(&c->cases);
	free(c);
}

/* On the disk before anybody hears of it, and in memory only then.  What cannot
 * be replayed is not written: nobody could read the log again. */
static int
write_down(struct clerk *c, const struct map_request *r, struct fault *f)
{
	struct map_book_entry e;

	if ((r->verb == MAP_REQUEST_ADD || r->verb == MAP_REQUEST_APPROVE) &&
	    !map_replay_room(c->now, r->name, r->account))
		return fault_set(f, FAULT_DENIED,
		    "the name is on too many accounts already");
	map_request_entry(r, &e);
	if (map_book_add(c->book, &e, f) < 0 || map_book_sync(c->book, f) < 0)
		return fault_wrap(f, "the request cannot be recorded");
	c->lines++;
	LOG(MAP_REQUEST, LOG_TEXT("verb", map_request_word(r->verb)),
	    LOG_TEXT("id", r->id), LOG_TEXT("by", r->by),
	    LOG_TEXT("account", r->account), LOG_TEXT("name", r->name));
	if (map_cases_do(&c->cases, r, f) < 0)
		return -1;
	return map_replay_do(c->now, r, c->lines, f);
}

static void
new_id(char id[MAP_REQUEST_ID_SIZE])
{
	uint8_t random[(MAP_REQUEST_ID_SIZE - 1) / 2];

	rand_bytes(random, sizeof(random));
	text_hex(random, sizeof(random), id);
}

/* ---- accounts */

/* 1 and the account, 0 if there is none. */
static int
account_of_uid(uid_t uid, char account[MAP_REQUEST_ACCOUNT_SIZE],
    struct fault *f)
{
	char space[PASSWD_SIZE];
	struct passwd entry, *found = NULL;
	int error = getpwuid_r(uid, &entry, space, sizeof(space), &found);

	if (error != 0)
		return fault_set(f, FAULT_SYSTEM, "the account of uid %lu: %s",
		    (unsigned long)uid, strerror(error));
	if (found == NULL || !map_request_account_good(found->pw_name))
		return 0;
	return text_copy(account, MAP_REQUEST_ACCOUNT_SIZE, found->pw_name) < 0
	    ? 0
	    : 1;
}

static int
uid_of_account(const char *account, uid_t *uid, struct fault *f)
{
	char space[PASSWD_SIZE];
	struct passwd entry, *found = NULL;
	int error = getpwnam_r(account, &entry, space, sizeof(space), &found);

	if (error != 0 && error != ENOENT && error != ESRCH)
		return fault_set(f, FAULT_SYSTEM, "the account %.64s: %s",
		    account, strerror(error));
	if (found == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "there is no account %.64s here", account);
	*uid = found->pw_uid;
	return 0;
}

static bool
is_admin(const struct clerk *c, uid_t uid)
{
	uid_t other;
	struct fault f = { 0 };

	for (size_t i = 0; i < c->conf->request_admin.count; i++)
		if (uid_of_account(c->conf->request_admin.item[i], &other,
			&f) == 0 &&
		    other == uid)
			return true;
	return uid == 0;
}

int
clerk_asker(const struct clerk *c, uid_t uid, struct clerk_asker *who,
    struct fault *f)
{
	*who = (struct clerk_asker){ .uid = uid, .admin = is_admin(c, uid) };
	return account_of_uid(uid, who->account, f) < 0 ? -1 : 0;
}

int
clerk_count(struct clerk *c, const struct clerk_asker *who, int64_t now_ms,
    struct fault *f)
{
	struct counted *his = &c->counted[0];

	for (size_t i = 0; i < COUNTED; i++) {
		struct counted *at = &c->counted[i];

		if (at->count > 0 && at->uid == who->uid) {
			his = at;
			break;
		}
		if (at->count == 0 || at->since < his->since)
			his = at;
	}
	if (his->count == 0 || his->uid != who->uid ||
	    now_ms - his->since >= HOUR_MS)
		*his = (struct counted){ who->uid, now_ms, 0 };
	if (his->count >= c->conf->request_rate && !who->admin)
		return fault_set(f, FAULT_SLOWED,
		    "%lld requests within an hour: try again later",
		    (long long)his->count);
	his->count++;
	return 0;
}

/* Whether anybody at all may be on it: also when it is approved. */
static int
check_account(const struct clerk *c, const char *account, struct fault *f)
{
	uid_t uid;

	if (!map_request_account_good(account))
		return fault_set(f, FAULT_DENIED, "%.64s cannot be asked for",
		    account);
	if (uid_of_account(account, &uid, f) < 0)
		return -1;
	if (uid == 0 || (int64_t)uid < c->conf->request_uid)
		return fault_set(f, FAULT_DENIED,
		    "%s has the uid %lu: accounts below %lld are the system's "
		    "and cannot be asked for",
		    account, (unsigned long)uid,
		    (long long)c->conf->request_uid);
	return 0;
}

/* Whether the account is still that of the uid that asked ("UID ACCOUNT"). */
static int
check_same(const struct map_case *one, struct fault *f)
{
	char digits[24];
	int64_t asked;
	uid_t uid;

	if (text_fmt(digits, sizeof(digits), "%.*s",
		(int)strspn(one->by, "0123456789"), one->by) < 0 ||
	    text_number(digits, 0, UINT32_MAX, &asked) < 0)
		return fault_set(f, FAULT_DENIED,
		    "that request does not say who asked");
	if (uid_of_account(one->account, &uid, f) < 0)
		return -1;
	if ((int64_t)uid != asked)
		return fault_set(f, FAULT_DENIED,
		    "%.64s has the uid %lu now, and who asked had %lld: refuse "
		    "it, and let him ask again",
		    one->account, (unsigned long)uid, (long long)asked);
	return 0;
}

int
clerk_account(const struct clerk *c, const struct clerk_asker *who,
    const char *wanted, char account[MAP_REQUEST_ACCOUNT_SIZE], struct fault *f)
{
	uid_t uid;

	if (*wanted == '\0')
		wanted = who->account;
	if (*wanted == '\0' && who->uid == 0)
		return fault_set(f, FAULT_DENIED,
		    "no certificate may use root's account; whose do you mean? "
		    "(--account)");
	if (*wanted == '\0')
		return fault_set(f, FAULT_ABSENT, "uid %lu has no account here",
		    (unsigned long)who->uid);
	if (!who->admin && strcmp(wanted, who->account) != 0 &&
	    (uid_of_account(wanted, &uid, f) < 0 || uid != who->uid))
		return fault_set(f, FAULT_DENIED,
		    "%.64s is not your account; only an administrator may ask "
		    "for others",
		    wanted);
	if (check_account(c, wanted, f) < 0)
		return -1;
	return text_copy(account, MAP_REQUEST_ACCOUNT_SIZE, wanted) < 0
	    ? fault_set(f, FAULT_INPUT, "the account's name is too long")
	    : 0;
}

static void
show_by(const struct clerk_asker *who, char *by, size_t size)
{
	(void)snprintf(by, size, "%lu %s", (unsigned long)who->uid,
	    *who->account != '\0' ? who->account
		: who->uid == 0	  ? "root"
				  : "?");
}

/* ---- rules */

/* Whether ${name} is ${base} or lies under it: after it comes an attribute,
 * which no value can look like in that form (map_name.h). */
static bool
is_under(const char *name, const char *base)
{
	OWN_BUF(a, 8192);
	OWN_BUF(b, 8192);
	const char *text;

	map_name_key(name, strlen(name), &a);
	map_name_key(base, strlen(base), &b);
	if ((text = buf_cstr(&a)) == NULL || b.failed || a.len < b.len ||
	    memcmp(a.data, b.data, b.len) != 0)
		return false;
	if (*(text += b.len) == '\0')
		return true;
	if (*text++ != '/' || !isalnum((unsigned char)*text))
		return false;
	while (isalnum((unsigned char)*text) || *text == '.' || *text == '-')
		text++;
	return *text == '=';
}

static bool
is_accepted(const struct clerk *c, const struct clerk_wish *wish)
{
	for (size_t i = 0; i < c->conf->request_accept.count; i++) {
		const char *rule = c->conf->request_accept.item[i];

		if (text_starts(rule, "ca ") && *wish->ca != '\0' &&
		    map_name_equal(rule + 3, wish->ca))
			return true;
		if (text_starts(rule, "name ") && *wish->ca != '\0' &&
		    is_under(wish->name, rule + 5))
			return true;
	}
	return false;
}

/* Whether the name is on an account in another spelling: the Toolkit takes the
 * two for one name, other readers do not.  Who has the one has no say about the
 * other. */
static bool
is_spelt_otherwise(const struct clerk *c, const char *name)
{
	const char *spelling = map_replay_spelling(c->now, name);

	return spelling != NULL && strcmp(spelling, name) != 0;
}

static int64_t
count_waiting(const struct clerk *c, const char *account)
{
	int64_t count = 0;

	for (size_t i = 0; i < c->cases.count; i++)
		count += c->cases.at[i].state == MAP_CASE_WAITING &&
		    strcmp(c->cases.at[i].account, account) == 0;
	return count;
}

/* ---- what is asked */

static int
outcome(struct clerk_outcome *out, const char *id, const char *state)
{
	out->state = state;
	return text_copy(out->id, sizeof(out->id), id);
}

/* The comment behind what proved it. */
static int
make_reason(const struct clerk_wish *wish, char *text, size_t size,
    struct fault *f)
{
	if (text_fmt(text, size, "%s%s%s", wish->proof,
		*wish->proof != '\0' && *wish->reason != '\0' ? "; " : "",
		wish->reason) < 0)
		return fault_set(f, FAULT_INPUT, "the reason is too long");
	return 0;
}

static bool
is_so_already(const struct clerk *c, const struct clerk_wish *wish, bool may,
    struct clerk_outcome *out)
{
	const struct map_case *old;

	if (map_replay_has(c->now, wish->name, wish->account)) {
		old = map_cases_of(&c->cases, MAP_CASE_ADDED, wish->name,
		    wish->account);
		return outcome(out, old != NULL ? old->id : "", "added") == 0;
	}
	old = map_cases_of(&c->cases, MAP_CASE_WAITING, wish->name,
	    wish->account);
	return old != NULL && !may && outcome(out, old->id, "waiting") == 0;
}

int
clerk_add(struct clerk *c, const struct clerk_asker *who,
    const struct clerk_wish *wish, time_t now, struct clerk_outcome *out,
    struct fault *f)
{
	const bool may = who->admin ||
	    (is_accepted(c, wish) && !is_spelt_otherwise(c, wish->name));
	char by[MAP_REQUEST_ACCOUNT_SIZE + 32];
	char reason[2048];
	char id[MAP_REQUEST_ID_SIZE];
	struct map_request r = { .verb =
				     may ? MAP_REQUEST_ADD : MAP_REQUEST_ASK,
		.when = now,
		.id = id,
		.account = wish->account,
		.name = wish->name,
		.by = by,
		.reason = reason };

	if (!map_request_name_good(wish->name))
		return fault_set(f, FAULT_INPUT,
		    "that name cannot stand in a map");
	if (*wish->proof == '\0' && !who->admin)
		return fault_set(f, FAULT_DENIED, "no certificate was shown");
	if (*wish->reason == '\0' && *wish->proof == '\0')
		return fault_set(f, FAULT_USAGE,
		    "for a name without its certificate give a --reason");
	if (is_so_already(c, wish, may, out))
		return 0;
	if (!may && count_waiting(c, wish->account) >= c->conf->request_waiting)
		return fault_set(f, FAULT_DENIED,
		    "%lld requests for %s wait already",
		    (long long)c->conf->request_waiting, wish->account);
	if (make_reason(wish, reason, sizeof(reason), f) < 0)
		return -1;
	new_id(id);
	show_by(who, by, sizeof(by));
	if (write_down(c, &r, f) < 0)
		return -1;
	return outcome(out, id, may ? "added" : "waiting");
}

/* Whose: one's own, or of an administrator whoever's he names. */
static int
removal(const struct clerk_asker *who, const struct map_ask *ask,
    struct map_request *r, struct fault *f)
{
	const bool others =
	    *ask->account != '\0' && strcmp(ask->account, who->account) != 0;

	if (others && !who->admin)
		return fault_set(f, FAULT_DENIED, "%.64s is not your account",
		    ask->account);
	if (*ask->name == '\0' && *ask->all == '\0')
		return fault_set(f, FAULT_USAGE, "which name?");
	if (*ask->name != '\0' && !map_request_name_good(ask->name))
		return fault_set(f, FAULT_INPUT, "that is no name");
	r->name = ask->name;
	r->account = ask->account;
	/* An administrator's NAME --all is of every account. */
	if (*r->account == '\0' &&
	    !(who->admin && *ask->all != '\0' && *ask->name != '\0'))
		r->account = who->account;
	if (*r->account == '\0' && (*r->name == '\0' || !who->admin))
		return fault_set(f, FAULT_ABSENT,
		    "you have no account here; whose do you mean? (--account)");
	if (*r->account != '\0' && !map_request_account_good(r->account))
		return fault_set(f, FAULT_INPUT, "that is no account");
	r->verb = *r->name == '\0' ? MAP_REQUEST_REMOVE_ACCOUNT
	    : *r->account == '\0'  ? MAP_REQUEST_REMOVE_NAME
				   : MAP_REQUEST_REMOVE;
	if ((others || r->verb == MAP_REQUEST_REMOVE_NAME) &&
	    *ask->reason == '\0')
		return fault_set(f, FAULT_USAGE,
		    "what is not your own is removed with a --reason");
	return 0;
}

/* Whether anything waits that would go. */
static bool
waits(const struct clerk *c, const struct map_request *r)
{
	for (size_t i = 0; i < c->cases.count; i++) {
		const struct map_case *one = &c->cases.at[i];

		if (one->state == MAP_CASE_WAITING &&
		    (*r->account == '\0' ||
			strcmp(one->account, r->account) == 0) &&
		    (*r->name == '\0' || map_name_equal(one->name, r->name)))
			return true;
	}
	return false;
}

int
clerk_remove(struct clerk *c, const struct clerk_asker *who,
    const struct map_ask *ask, time_t now, struct clerk_outcome *out,
    struct fault *f)
{
	char by[MAP_REQUEST_ACCOUNT_SIZE + 32];
	char id[MAP_REQUEST_ID_SIZE];
	struct map_request r = {
		.when = now, .id = id, .by = by, .reason = ask->reason
	};

	if (removal(who, ask, &r, f) < 0)
		return -1;
	if (!map_replay_has(c->now, r.name, r.account) && !waits(c, &r))
		return fault_set(f, FAULT_ABSENT,
		    "nobody has asked for that: there is nothing to remove");
	new_id(id);
	show_by(who, by, sizeof(by));
	if (write_down(c, &r, f) < 0)
		return -1;
	return outcome(out, id, "removed");
}

int
clerk_decide(struct clerk *c, const struct clerk_asker *who,
    const struct map_ask *ask, time_t now, struct clerk_outcome *out,
    struct fault *f)
{
	const bool yes = ask->verb == MAP_SAY_APPROVE;
	const struct map_case *one;
	char by[MAP_REQUEST_ACCOUNT_SIZE + 32];
	struct map_request r = { .verb = yes ? MAP_REQUEST_APPROVE
					     : MAP_REQUEST_REFUSE,
		.when = now,
		.by = by,
		.reason = ask->reason };

	if (!who->admin)
		return fault_set(f, FAULT_DENIED,
		    "only an administrator decides about requests");
	if ((one = map_cases_find(&c->cases, ask->request)) == NULL)
		return fault_set(f, FAULT_ABSENT, "there is no such request");
	if (one->state != MAP_CASE_WAITING)
		return fault_set(f, FAULT_DENIED,
		    "that request waits no more: it is %s",
		    map_case_word(one->state));
	if (yes &&
	    (check_account(c, one->account, f) < 0 || check_same(one, f) < 0))
		return -1;
	r.id = one->id;
	r.account = one->account;
	r.name = one->name;
	show_by(who, by, sizeof(by));
	if (outcome(out, one->id, yes ? "added" : "refused") < 0)
		return fault_set(f, FAULT_INTERNAL, "a long number");
	return write_down(c, &r, f);
}

/* ---- looking */

static json_t *
case_json(const struct map_case *one)
{
	char asked[CLOCK_TEXT_SIZE], changed[CLOCK_TEXT_SIZE];
	json_t *o;

	clock_text(one->asked, asked);
	clock_text(one->changed, changed);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "request", one->id,
	    "state", map_case_word(one->state), "account", one->account, "name",
	    one->name, "by", one->by, "asked", asked);
	if (o == NULL)
		return NULL;
	if (*one->reason != '\0')
		(void)json_object_set_new(o, "reason",
		    json_string(one->reason));
	if (one->decided_by != NULL) {
		(void)json_object_set_new(o, "decided-by",
		    json_string(one->decided_by));
		(void)json_object_set_new(o, "decided", json_string(changed));
		if (*one->decided_reason != '\0')
			(void)json_object_set_new(o, "decided-because",
			    json_string(one->decided_reason));
	}
	return o;
}

static bool
may_see(const struct clerk_asker *who, const struct map_case *one)
{
	return who->admin ||
	    (*who->account != '\0' && strcmp(one->account, who->account) == 0);
}

int
clerk_list(const struct clerk *c, const struct clerk_asker *who, bool all,
    const char *after, clerk_list_fn *fn, void *arg)
{
	const struct map_case *from =
	    *after == '\0' ? NULL : map_cases_find(&c->cases, after);
	size_t i = from == NULL ? 0 : (size_t)(from - c->cases.at) + 1;
	int result = 0;

	for (; i < c->cases.count && result == 0; i++) {
		const struct map_case *one = &c->cases.at[i];

		if (may_see(who, one) &&
		    (all || one->state == MAP_CASE_WAITING ||
			one->state == MAP_CASE_ADDED))
			result = fn(arg, case_json(one));
	}
	return result;
}

json_t *
clerk_show(const struct clerk *c, const struct clerk_asker *who, const char *id,
    struct fault *f)
{
	const struct map_case *one = map_cases_find(&c->cases, id);
	json_t *o;

	if (one == NULL || !may_see(who, one)) {
		(void)fault_set(f, FAULT_ABSENT, "there is no such request");
		return NULL;
	}
	if ((o = case_json(one)) == NULL)
		(void)fault_set(f, FAULT_MEMORY, "a request");
	return o;
}
