#include "signetd/parent/crew.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/parent/child.h"
#include "sys/loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The crew without processes: what would be a child is a socket in our hands,
 * and all that it is told is read there.
 */

#define FIRST_PID 1000

struct child {
	enum msg_role role;
	int fd;
	char told[2048]; /* since it was last looked at */
};

static struct {
	struct child child[64];
	size_t count;
} born;

pid_t
child_spawn(enum msg_role role, int control, const char *const *keep,
    size_t kept, struct fault *f)
{
	struct child *c = &born.child[born.count];

	(void)keep;
	(void)kept;
	(void)f;
	assert_in_range(born.count, 0, 63);
	c->role = role;
	c->fd = fcntl(control, F_DUPFD_CLOEXEC, 3);
	assert_true(c->fd >= 0);
	return (pid_t)(FIRST_PID + born.count++);
}

void
gather_forget_once(struct gather *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->item[i].once)
			buf_free(&g->item[i].data);
}

/* What ${c} hears up to the next GO: "text:NAME fd:NAME". */
static const char *
hear(struct child *c)
{
	uint8_t *frame = malloc(MSG_MAX_FRAME);
	struct fault f = { 0 };
	struct msg m = { .type = MSG_BOOT_TEXT };
	size_t len = 0;

	assert_non_null(frame);
	c->told[0] = '\0';
	while (m.type != MSG_BOOT_GO) {
		int passed = -1;

		if (channel_hear(c->fd, c->role, MSG_ROLE_PARENT, frame, &m,
			&passed, &f) != 1)
			fail_msg("%s", f.text);
		assert_true((m.type == MSG_BOOT_FD) == (passed >= 0));
		if (passed >= 0)
			(void)close(passed);
		if (m.type == MSG_BOOT_GO)
			break;
		assert_int_equal(text_fmt(c->told + len, sizeof(c->told) - len,
				     "%s%s:%s", len == 0 ? "" : " ",
				     passed >= 0 ? "fd" : "text",
				     passed >= 0 ? m.boot_fd.name
						 : m.boot_text.name),
		    0);
		len = strlen(c->told);
	}
	free(frame);
	return c->told;
}

static struct child *
find(enum msg_role role, size_t n)
{
	for (size_t i = 0; i < born.count; i++)
		if (born.child[i].role == role && n-- == 0)
			return &born.child[i];
	return NULL;
}

static void
hears(enum msg_role role, const char *wanted)
{
	struct child *c = find(role, 0);

	assert_non_null(c);
	assert_string_equal(hear(c), wanted);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)arg;
	(void)ch;
	(void)m;
	(void)fd;
}

static void
gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	(void)f;
}

static void
add(struct gather *g, const char *name, unsigned roles, bool once)
{
	struct gathered *item = &g->item[g->count++];

	assert_int_equal(text_copy(item->name, sizeof(item->name), name), 0);
	item->roles = roles;
	item->once = once;
	item->data = BUF(64);
	buf_text(&item->data, name);
}

#define TO(ROLE) (1u << MSG_ROLE_##ROLE)

/* Two CAs, the key of the second in a token. */
static struct daemon *
new_daemon(void)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct gather *g = calloc(1, sizeof(*g));
	static const struct daemon_wish wish = { .conf_path = "none" };
	const unsigned all = TO(SIGNER) | TO(ISSUER) | TO(KEEPER) | TO(TOKEN);
	struct fault f = { 0 };

	assert_non_null(d);
	assert_non_null(g);
	memset(&born, 0, sizeof(born));
	add(g, "conf", ~0u, false);
	add(g, "ca.0.conf", all, false);
	add(g, "ca.0.key", TO(SIGNER), true);
	add(g, "ca.1.conf", all, false);
	add(g, "ca.10.conf", all, false);
	add(g, "callers.0", TO(INTAKE), false);
	g->conf.ca.count = 2;
	g->token[1] = true;
	g->conf.auth_workers = 1;
	g->conf.front_workers = 1;
	d->gather = g;
	d->wish = &wish;
	d->heard = heard;
	d->gone = gone;
	d->office = d->issue = -1;
	d->generation = 1;
	assert_non_null(d->loop = loop_new(&f));
	return d;
}

static void
free_daemon(struct daemon *d)
{
	for (size_t i = 0; i < d->count; i++)
		channel_free(d->process[i].control);
	for (size_t i = 0; i < born.count; i++)
		(void)close(born.child[i].fd);
	for (size_t i = 0; i < d->gather->count; i++)
		buf_free(&d->gather->item[i].data);
	if (d->issue >= 0)
		(void)close(d->issue);
	loop_free(d->loop);
	free(d->gather);
	free(d);
}

static void
start(struct daemon *d)
{
	struct fault f = { 0 };

	if (crew_start(d, &f) < 0)
		fail_msg("%s", f.text);
}

static void
a_token_hears_of_its_own_ca_and_is_joined_to_the_signer_alone(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	d->gather->conf.logins = true;
	start(d);
	hears(MSG_ROLE_TOKEN, "text:conf text:ca.1.conf fd:signer");
	hears(MSG_ROLE_SIGNER,
	    "text:conf text:ca.0.conf text:ca.0.key text:ca.1.conf "
	    "text:ca.10.conf fd:issuer fd:token.1");
	hears(MSG_ROLE_AUTH, "text:conf fd:issuer fd:worker.0 fd:front.0");
	hears(MSG_ROLE_FRONT, "text:conf fd:auth fd:issuer");
	assert_null(find(MSG_ROLE_TOKEN, 1));
	assert_null(find(MSG_ROLE_INTAKE, 0));
	free_daemon(d);
}

static void
call_outs_need_no_front(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	assert_int_equal(text_copy(d->gather->conf.issue_socket,
			     sizeof(d->gather->conf.issue_socket), "/x"),
	    0);
	d->issue = open("/dev/null", O_RDONLY | O_CLOEXEC);
	start(d);
	hears(MSG_ROLE_INTAKE,
	    "text:conf text:callers.0 fd:auth fd:issuer fd:issue");
	hears(MSG_ROLE_AUTH, "text:conf fd:issuer fd:worker.0 fd:intake.0");
	assert_null(find(MSG_ROLE_FRONT, 0));
	free_daemon(d);
}

static void
an_office_alone_has_nobody_who_vouches(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	d->gather->token[1] = false;
	start(d);
	assert_int_equal(born.count, 3);
	hears(MSG_ROLE_ISSUER,
	    "text:conf text:ca.0.conf text:ca.1.conf text:ca.10.conf "
	    "fd:keeper fd:signer");
	free_daemon(d);
}

static struct process *
process_of(struct daemon *d, enum msg_role role)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].role == role)
			return &d->process[i];
	return NULL;
}

static void
what_is_started_anew_is_joined_anew_and_gets_no_key(void **state)
{
	struct daemon *d = new_daemon();
	struct process *token, *signer;
	struct fault f = { 0 };

	(void)state;
	d->gather->conf.logins = true;
	start(d);
	assert_non_null(token = process_of(d, MSG_ROLE_TOKEN));
	assert_non_null(signer = process_of(d, MSG_ROLE_SIGNER));
	(void)hear(find(MSG_ROLE_SIGNER, 0));
	channel_free(token->control);
	token->control = NULL;
	assert_int_equal(crew_restart(d, token, &f), 0);
	assert_string_equal(hear(find(MSG_ROLE_TOKEN, 1)),
	    "text:conf text:ca.1.conf fd:signer");
	/* The signer hears of it, and a reload has no key for it. */
	crew_reload(d);
	hears(MSG_ROLE_SIGNER,
	    "fd:token.1 text:conf text:ca.0.conf text:ca.1.conf "
	    "text:ca.10.conf");
	free_daemon(d);
}

static void
who_holds_nothing_is_replaceable(void **state)
{
	static const enum msg_role yes[] = { MSG_ROLE_FRONT, MSG_ROLE_WORKER,
		MSG_ROLE_PAM, MSG_ROLE_DESK, MSG_ROLE_TOKEN, MSG_ROLE_INTAKE };
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(crew_is_replaceable(yes[i]));
	for (int r = 0; r < MSG_ROLE_COUNT; r++)
		count += crew_is_replaceable((enum msg_role)r) ? 1 : 0;
	assert_int_equal(count, sizeof(yes) / sizeof(yes[0]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_token_hears_of_its_own_ca_and_is_joined_to_the_signer_alone),
		cmocka_unit_test(call_outs_need_no_front),
		cmocka_unit_test(an_office_alone_has_nobody_who_vouches),
		cmocka_unit_test(
		    what_is_started_anew_is_joined_anew_and_gets_no_key),
		cmocka_unit_test(who_holds_nothing_is_replaceable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
