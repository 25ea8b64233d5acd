/*
 * intake: the call-outs of a MyProxy server beside us.  It hears one account of
 * this host, vouches for nobody and signs nothing: auth says who it is, the
 * issuer what he may have.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "signetd/intake/intake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define TOLD_MS 1000
#define SPARE_FILES 64

const char *
intake_account(const struct intake *in, uid_t uid)
{
	for (size_t i = 0; i < in->accounts; i++)
		if (in->account[i].uid == uid)
			return in->account[i].name;
	return NULL;
}

/* An answer without a reference, where nothing was logged. */
static void
refuse_unlogged(call_answer_fn *fn, void *arg)
{
	const struct callout_answer answer = { .fault = FAULT_DENIED };
	OWN_BUF(bytes, CALLOUT_ANSWER_MAX);

	callout_answer_write(&answer, &bytes);
	fn(arg, &bytes);
}

void
intake_turn_away(struct intake *in, uid_t uid, bool anyone,
    call_answer_fn *answer, void *arg)
{
	const int64_t now = clock_mono();
	char name[CALL_ACCOUNT_SIZE];
	const struct call_from from = { name, answer, arg };
	struct fault f = { 0 };

	in->strangers++;
	if (anyone && in->told != 0 && now - in->told < TOLD_MS) {
		refuse_unlogged(answer, arg);
		return;
	}
	if (text_fmt(name, sizeof(name), "uid %lu", (unsigned long)uid) < 0)
		*name = '\0';
	(void)fault_set(&f, FAULT_DENIED,
	    "not in issue-from (%u since this was said last)", in->strangers);
	in->told = now;
	in->strangers = 0;
	call_refuse(&from, &f);
}

/* ---- what the parent sent */

/* One line, "ACCOUNT UID", as the parent found it. */
static int
read_account(struct intake_account *a, char *line, struct fault *f)
{
	char *blank = strrchr(line, ' ');
	int64_t uid;

	if (blank == NULL)
		return fault_set(f, FAULT_CONFIG, "callers: no uid");
	*blank = '\0';
	if (text_number(blank + 1, 0, UINT32_MAX - 1, &uid) < 0 ||
	    text_copy(a->name, sizeof(a->name), line) < 0)
		return fault_set(f, FAULT_CONFIG, "issue-from: %.64s", line);
	a->uid = (uid_t)uid;
	return 0;
}

static int
read_accounts(struct intake *in, struct fault *f)
{
	struct wire_bytes text = role_text(in->role, "callers.0");
	struct intake_account fresh[INTAKE_ACCOUNTS] = { 0 };
	char line[CONF_STRING_SIZE + 16];
	size_t count = 0;

	for (size_t at = 0; at < text.len; count++) {
		const uint8_t *end =
		    memchr(text.data + at, '\n', text.len - at);
		size_t len = end == NULL ? 0 : (size_t)(end - text.data) - at;

		if (end == NULL || len >= sizeof(line) ||
		    count == INTAKE_ACCOUNTS)
			return fault_set(f, FAULT_CONFIG, "callers: a line");
		memcpy(line, text.data + at, len);
		line[len] = '\0';
		if (read_account(&fresh[count], line, f) < 0)
			return -1;
		at += len + 1;
	}
	memcpy(in->account, fresh, count * sizeof(fresh[0]));
	in->accounts = count;
	return 0;
}

/* ---- before the walls */

/* If the directory must be made, it is made for whoever is named first. */
static int
first_group(const conf_list *from, gid_t *group, struct fault *f)
{
	uid_t uid;

	*group = 0;
	if (from->count == 0)
		return 0;
	return sandbox_user(from->item[0], &uid, group, f);
}

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	const char *directory = role->conf.issue_directory;
	struct intake *in = calloc(1, sizeof(*in));
	gid_t group = 0;

	if (in == NULL)
		return fault_set(f, FAULT_MEMORY, "intake");
	role->state = in;
	in->role = role;
	in->listen = -1;
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(ACCEPT);
	box->files = INTAKE_CALLS + SPARE_FILES;
	box->no_processes = true;
	if (*directory == '\0')
		return 0;
	if (first_group(&role->conf.issue_from, &group, f) < 0)
		return -1;
	box->promises |= SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(WPATH);
	box->paths[0] = (struct sandbox_path){ directory, true };
	in->slot = slot_open(in, directory, box->uid, group, f);
	return in->slot == NULL ? -1 : 0;
}

/* ---- within them */

static void
drain_if_done(struct intake *in)
{
	if (in->draining && call_count(in->calls) == 0 && in->connected == 0)
		role_drained(in->role);
}

void
intake_ended(struct intake *in)
{
	if (in->slot != NULL)
		slot_wake(in->slot);
	drain_if_done(in);
}

static void
tick(void *arg)
{
	struct intake *in = arg;
	const int64_t now = clock_mono();

	call_expire(in->calls, now);
	callers_tick(in, now);
	if (in->slot != NULL)
		slot_tick(in->slot, now);
	drain_if_done(in);
	loop_timer_set(in->tick, TICK_MS);
}

static int
start(struct role *role, struct fault *f)
{
	struct intake *in = role->state;

	in->calls =
	    call_table_new(INTAKE_CALLS, role->conf.request_timeout * 1000, f);
	in->tick = loop_timer_new(role->loop, tick, in, f);
	if (in->calls == NULL || in->tick == NULL || read_accounts(in, f) < 0)
		return -1;
	loop_timer_set(in->tick, TICK_MS);
	return in->slot == NULL ? 0 : slot_start(in->slot, f);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct intake *in = arg;

	(void)ch;
	(void)fd;
	if (m->type == MSG_CALL_YES)
		call_yes(in->calls, &m->call_yes);
	if (m->type == MSG_CALL_NO)
		call_no(in->calls, &m->call_no);
	if (m->type == MSG_CALL_SIGNED) {
		if (m->call_signed.fault == FAULT_NONE)
			in->role->served++;
		call_signed(in->calls, &m->call_signed);
	}
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct intake *in = role->state;
	struct channel **slot = strcmp(name, "auth") == 0 ? &in->auth
	    : strcmp(name, "issuer") == 0		  ? &in->issuer
							  : NULL;

	if (strcmp(name, "issue") == 0)
		return caller_listen(in, fd, f);
	if (slot == NULL || *slot != NULL)
		return fault_set(f, FAULT_INTERNAL, "no use for %s", name);
	*slot = role_channel(role, name, fd, heard, NULL, in, f);
	if (*slot == NULL)
		return -1;
	call_table_attach(in->calls, in->auth, in->issuer);
	if (in->slot != NULL)
		slot_wake(in->slot);
	return 0;
}

static int
reload(struct role *role, struct fault *f)
{
	return read_accounts(role->state, f);
}

static void
drain(struct role *role)
{
	struct intake *in = role->state;

	in->draining = true;
	caller_stop(in);
	drain_if_done(in);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_INTAKE,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
		.drain = drain,
	};

	return role_main(argc, argv, &spec);
}
