/*
 * desk: where administrators ask, decide and look.  It hears strangers, so it
 * can write nothing down and sign nothing: the keeper does the one, the issuer
 * has the other done, and judges for itself.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "signetd/desk/desk.h"
#include "x509/ossl.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define TURN 8 /* connections taken before others have a chance */
#define SPARE_FILES 64
#define STAFF_LIMIT ((size_t)4 << 20)

static bool
hears_elsewhere(const struct role *role)
{
	return role->conf.office_listen.count > 0;
}

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	const char *krb5_conf = getenv("KRB5_CONFIG");
	size_t n = 0, seed = 0;

	if (ossl_start_alone(f) < 0)
		return -1;
	/* Left to itself, jansson opens /dev/urandom for its hash tables when
	 * the first visitor speaks, behind walls without such a file. */
	rand_bytes(&seed, sizeof(seed));
	json_object_seed(seed | 1);
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(ACCEPT);
	box->files = DESK_VISITORS + SPARE_FILES;
	box->no_processes = true;
	if (!hears_elsewhere(role))
		return 0;
	box->promises |= SANDBOX_PROMISE(RPATH);
	box->paths[n++].path = role->conf.office_keytab;
	box->paths[n++].path = "/etc/krb5.conf";
	box->paths[n++].path = "/etc/krb5.conf.d";
	if (krb5_conf != NULL)
		box->paths[n++].path = krb5_conf;
	return 0;
}

/* ---- what the parent sent */

static struct wire_bytes
numbered(const struct role *role, const char *stem, size_t n, const char *part)
{
	char name[64];

	if (text_fmt(name, sizeof(name), "%s.%zu%s%s", stem, n,
		*part == '\0' ? "" : ".", part) < 0)
		return (struct wire_bytes){ NULL, 0 };
	return role_text(role, name);
}

static struct office_rules *
read_rules(const struct role *role, struct fault *f)
{
	OWN_STRUCT(office_rules) rules = office_rules_new(f);

	if (rules == NULL)
		return NULL;
	for (size_t i = 0; i < role->conf.ca.count; i++)
		if (office_rules_add_ca(rules, numbered(role, "ca", i, "conf"),
			numbered(role, "ca", i, "cert"),
			numbered(role, "ca", i, "chain"), f) < 0)
			return NULL;
	for (size_t i = 0; i < role->conf.office_profile.count; i++)
		if (office_rules_add_profile(rules,
			numbered(role, "office", i, ""), f) < 0)
			return NULL;
	return TAKE(rules);
}

/* In lines of "account uid", as the parent found them. */
static int
account_uid(void *arg, const char *account, uid_t *uid)
{
	const struct wire_bytes *accounts = arg;
	const char *at = (const char *)accounts->data;
	const char *end = at + accounts->len;
	size_t len = strlen(account);

	while (at != NULL && at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		char number[16];
		int64_t value;

		if (line_end == NULL)
			return -1;
		if ((size_t)(line_end - at) > len + 1 &&
		    memcmp(at, account, len) == 0 && at[len] == ' ' &&
		    text_fmt(number, sizeof(number), "%.*s",
			(int)(line_end - at - (long)len - 1),
			at + len + 1) == 0 &&
		    text_number(number, 0, UINT32_MAX - 1, &value) == 0) {
			*uid = (uid_t)value;
			return 0;
		}
		at = line_end + 1;
	}
	return -1;
}

static struct staff *
read_staff(const struct role *role, struct fault *f)
{
	struct wire_bytes accounts = numbered(role, "accounts", 0, "");
	OWN_BUF(text, STAFF_LIMIT);
	struct wire_bytes piece;

	for (size_t n = 0;
	     (piece = numbered(role, "staff", n, "")).len > 0 && !text.failed;
	     n++)
		buf_put(&text, piece.data, piece.len);
	if (text.failed) {
		(void)fault_set(f, FAULT_MEMORY, "staff");
		return NULL;
	}
	return staff_read((const char *)text.data, text.len, account_uid,
	    &accounts, f);
}

static struct krb_keys *
read_keys(const struct role *role, struct fault *f)
{
	return krb_keys_open(role->conf.office_keytab, f);
}

/* ---- doors */

static void
somebody(void *arg, int fd, unsigned what)
{
	struct desk_door *door = arg;

	(void)what;
	for (int i = 0; i < TURN; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t len = sizeof(from);
		int conn = accept4(fd, (struct sockaddr *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0)
			return;
		visitor_enter(door, conn, (struct sockaddr *)&from);
	}
}

static int
open_door(struct desk *desk, int fd, bool local, struct fault *f)
{
	struct desk_door *door = &desk->door[desk->doors];

	if (desk->doors == DESK_DOORS)
		return fault_set(f, FAULT_CONFIG, "too many sockets");
	door->desk = desk;
	door->fd = fd;
	door->local = local;
	door->watch =
	    loop_watch_new(desk->role->loop, fd, LOOP_READ, somebody, door, f);
	if (door->watch == NULL)
		return -1;
	desk->doors++;
	return 0;
}

/* ---- the role */

static void
tick(void *arg)
{
	struct desk *desk = arg;
	int64_t now = clock_mono();

	visitors_tick(desk, now);
	errands_tick(desk, now);
	if (desk->owed && desk->sweep_at <= now)
		desk_sweep(desk);
	loop_timer_set(desk->tick, TICK_MS);
}

static int
start(struct role *role, struct fault *f)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL)
		return fault_set(f, FAULT_MEMORY, "desk");
	role->state = desk;
	desk->role = role;
	if ((desk->guard = guard_new(f)) == NULL ||
	    (desk->rules = read_rules(role, f)) == NULL ||
	    (desk->staff = read_staff(role, f)) == NULL ||
	    (hears_elsewhere(role) &&
		(desk->keys = read_keys(role, f)) == NULL) ||
	    (desk->tick = loop_timer_new(role->loop, tick, desk, f)) == NULL)
		return -1;
	loop_timer_set(desk->tick, TICK_MS);
	return 0;
}

static int
reload(struct role *role, struct fault *f)
{
	struct desk *desk = role->state;
	OWN_STRUCT(office_rules) rules = read_rules(role, f);
	OWN_STRUCT(staff) staff = rules == NULL ? NULL : read_staff(role, f);
	struct krb_keys *keys = NULL;

	if (staff == NULL ||
	    (hears_elsewhere(role) && (keys = read_keys(role, f)) == NULL))
		return -1;
	office_rules_free(desk->rules);
	staff_free(desk->staff);
	krb_keys_free(desk->keys);
	desk->rules = TAKE(rules);
	desk->staff = TAKE(staff);
	desk->keys = keys;
	return 0;
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)ch;
	(void)fd;
	errand_heard(arg, m);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct desk *desk = role->state;
	struct channel **slot = NULL;

	if (strcmp(name, "local") == 0)
		return open_door(desk, fd, true, f);
	if (text_starts(name, "krb."))
		return open_door(desk, fd, false, f);
	if (strcmp(name, "keeper") == 0)
		slot = &desk->keeper;
	else if (strcmp(name, "issuer") == 0)
		slot = &desk->issuer;
	if (slot == NULL || *slot != NULL)
		return fault_set(f, FAULT_INTERNAL, "no use for %s", name);
	*slot = role_channel(role, name, fd, heard, NULL, desk, f);
	if (*slot == NULL)
		return -1;
	if (desk->keeper != NULL && desk->issuer != NULL)
		desk_sweep(desk);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_DESK,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
	};

	return role_main(argc, argv, &spec);
}
