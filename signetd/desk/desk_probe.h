#ifndef SIGNETD_DESK_PROBE_H
#define SIGNETD_DESK_PROBE_H

/*
 * For _test.c: a desk without its process.  The test is all others: who comes
 * (with the uid that the test has), the keeper and the issuer, each at the far
 * end.
 */

#include "base/clock.h"
#include "base/text.h"
#include "krb/keytab_probe.h"
#include "office/office_probe.h"
#include "signetd/desk/desk.h"
#include "x509/mint_probe.h"

#include <sys/socket.h>

#include <jansson.h>
#include <poll.h>
#include <unistd.h>

#define COUNTER_ME "administrator me account me\n"
#define COUNTER_OTHERS                                   \
	"administrator bob account bob\n"                \
	"administrator cyd account cyd\n"                \
	"role bob requester approver\nmay-ask bob * *\n" \
	"role cyd approver\n"
#define COUNTER_SUBJECT "/DC=org/O=Ex/OU=Services/CN=gw.example.org"

struct counter {
	struct role_spec spec;
	struct role role;
	struct desk desk;
	struct desk_door local;
	struct desk_door afar;
	struct loop_timer *stop;
	int keeper_fd;
	int issuer_fd;
	int fd; /* of who has come */
	char heard[2 * DESK_LINE_MAX];
	size_t heard_len;
	struct desk_answer answer;
	uint8_t frame[MSG_MAX_FRAME];
	struct msg said;
};

static inline void
counter_stop(void *arg)
{
	loop_stop(arg);
}

/* All that has been said by now is heard. */
static inline void
counter_turn(struct counter *c)
{
	struct fault f = { 0 };

	/* A line may take two: it is read, then its answer is written. */
	for (int i = 0; i < 2; i++) {
		loop_timer_set(c->stop, 0);
		assert_int_equal(loop_run(c->role.loop, &f), 0);
	}
}

static inline bool
counter_is_silent(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 0) == 0;
}

/* ---- keeper and issuer */

static inline const struct msg *
counter_hears(struct counter *c, enum msg_role who, enum msg_type type)
{
	struct fault f = { 0 };
	int fd = who == MSG_ROLE_KEEPER ? c->keeper_fd : c->issuer_fd;
	int passed;

	if (counter_is_silent(fd))
		fail_msg("%s hears nothing", msg_role_name(who));
	if (channel_hear(fd, who, MSG_ROLE_DESK, c->frame, &c->said, &passed,
		&f) != 1)
		fail_msg("%s", f.text);
	assert_string_equal(msg_name(c->said.type), msg_name(type));
	return &c->said;
}

static inline void
counter_tell(struct counter *c, const struct msg *m)
{
	struct fault f = { 0 };

	if (channel_tell(m->type == MSG_OFFICE_SIGNED ? c->issuer_fd
						      : c->keeper_fd,
		m, &f) < 0)
		fail_msg("%s", f.text);
	counter_turn(c);
}

/* The end of an answer of the keeper. */
static inline void
counter_kept(struct counter *c, uint32_t id, enum fault_code code)
{
	struct msg m = { .type = MSG_KEPT };

	m.kept.id = id;
	m.kept.fault = code;
	m.kept.count = 1;
	if (code != FAULT_NONE)
		memcpy(m.kept.text, "no", sizeof("no"));
	counter_tell(c, &m);
}

/* ---- who comes */

/* One comes by the Unix socket. */
static inline int
counter_enter(struct counter *c, struct desk_door *door,
    const struct sockaddr *from)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	visitor_enter(door, fds[0], from);
	counter_turn(c);
	return fds[1];
}

static inline void
counter_say(struct counter *c, int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	counter_turn(c);
}

/* The next line that he who has come hears. */
static inline const struct desk_answer *
counter_answer(struct counter *c)
{
	struct fault f = { 0 };
	char *end;
	ssize_t got;

	desk_answer_clear(&c->answer);
	counter_turn(c);
	got = read(c->fd, c->heard + c->heard_len,
	    sizeof(c->heard) - c->heard_len);
	if (got > 0)
		c->heard_len += (size_t)got;
	end = memchr(c->heard, '\n', c->heard_len);
	if (end == NULL) {
		fail_msg("no line was said");
		return NULL;
	}
	if (desk_answer_read((struct wire_bytes){ (uint8_t *)c->heard,
				 (size_t)(end - c->heard) },
		&c->answer, &f) < 0)
		fail_msg("%s", f.text);
	c->heard_len -= (size_t)(end + 1 - c->heard);
	memmove(c->heard, end + 1, c->heard_len);
	return &c->answer;
}

static inline void
counter_refuses(struct counter *c, enum fault_code code, const char *says)
{
	(void)counter_answer(c);
	assert_int_equal(c->answer.kind, DESK_FAULT);
	assert_string_equal(fault_name(c->answer.fault), fault_name(code));
	if (strstr(c->answer.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", c->answer.text, says);
}

static inline const char *
counter_text(const struct counter *c, const char *member)
{
	const char *text =
	    json_string_value(json_object_get(c->answer.body, member));

	return text == NULL ? "" : text;
}

/* The last line of an answer, with this state in it if not NULL. */
static inline void
counter_ends(struct counter *c, const char *state)
{
	if (counter_answer(c)->kind == DESK_FAULT)
		fail_msg("%s", c->answer.text);
	assert_int_equal(c->answer.kind, DESK_END);
	if (state != NULL)
		assert_string_equal(counter_text(c, "state"), state);
}

/* Nothing more is said to ${fd}, which the desk has closed. */
static inline bool
counter_has_left(int fd)
{
	char rest[4096];
	ssize_t got;

	do
		got = read(fd, rest, sizeof(rest));
	while (got > 0);
	return got == 0;
}

/* ---- what the desk goes by */

static inline int
counter_uid(void *arg, const char *account, uid_t *uid)
{
	(void)arg;
	*uid = strcmp(account, "me") == 0 ? getuid() : getuid() + 1;
	*uid += strcmp(account, "cyd") == 0;
	return 0;
}

/* The staff file is ${text} from now on. */
static inline void
counter_staff(struct counter *c, const char *text)
{
	struct fault f = { 0 };

	staff_free(c->desk.staff);
	c->desk.staff = staff_read(text, strlen(text), counter_uid, NULL, &f);
	if (c->desk.staff == NULL)
		fail_msg("%s", f.text);
}

static inline void
counter_rules(struct counter *c, const char *profile)
{
	struct made ca =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);

	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ ca.der.data, ca.der.len });
	assert_non_null(c->desk.rules = office_rules_new(&f));
	if (office_rules_add_ca(c->desk.rules,
		(struct wire_bytes){
		    (const uint8_t *)PROBE_SUB_CONF, strlen(PROBE_SUB_CONF) },
		(struct wire_bytes){ pem.data, pem.len },
		(struct wire_bytes){ NULL, 0 }, &f) < 0 ||
	    office_rules_add_profile(c->desk.rules,
		(struct wire_bytes){
		    (const uint8_t *)profile, strlen(profile) },
		&f) < 0)
		fail_msg("%s", f.text);
	made_free(&ca);
}

static inline void
counter_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	(void)ch;
	(void)fd;
	errand_heard(arg, m);
}

static inline void
counter_gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	fail_msg("a channel has gone: %s", f == NULL ? "closed" : f->text);
}

static inline struct channel *
counter_channel(struct counter *c, enum msg_role peer, int *far)
{
	struct fault f = { 0 };
	struct channel *ch;
	int fds[2];

	if (channel_pair(fds, &f) < 0 ||
	    (ch = channel_new(c->role.loop, fds[0], MSG_ROLE_DESK, peer,
		 counter_heard, counter_gone, &c->desk, &f)) == NULL) {
		fail_msg("%s", f.text);
		return NULL;
	}
	*far = fds[1];
	return ch;
}

/* With this profile, and the roles that ${staff} gives to the test itself:
 * who comes first, by the Unix socket. */
static inline struct counter *
counter_open(const char *profile, const char *staff)
{
	struct counter *c = calloc(1, sizeof(*c));
	struct fault f = { 0 };

	assert_non_null(c);
	c->spec.self = MSG_ROLE_DESK;
	c->role.spec = &c->spec;
	assert_non_null(c->role.loop = loop_new(&f));
	assert_non_null(c->stop = loop_timer_new(c->role.loop, counter_stop,
			    c->role.loop, &f));
	c->desk.role = &c->role;
	assert_non_null(c->desk.guard = guard_new(&f));
	counter_rules(c, profile);
	counter_staff(c, staff);
	c->desk.keeper = counter_channel(c, MSG_ROLE_KEEPER, &c->keeper_fd);
	c->desk.issuer = counter_channel(c, MSG_ROLE_ISSUER, &c->issuer_fd);
	c->local = (struct desk_door){ .desk = &c->desk, .local = true };
	c->afar = (struct desk_door){ .desk = &c->desk };
	c->fd = counter_enter(c, &c->local, NULL);
	return c;
}

static inline void
counter_close(struct counter *c)
{
	for (size_t i = 0; i < DESK_VISITORS; i++)
		if (c->desk.visitor[i] != NULL)
			visitor_leave(c->desk.visitor[i]);
	for (size_t i = 0; i < DESK_ERRANDS; i++)
		if (c->desk.errand[i] != NULL)
			errand_end(c->desk.errand[i]);
	desk_answer_clear(&c->answer);
	channel_free(c->desk.keeper);
	channel_free(c->desk.issuer);
	(void)close(c->keeper_fd);
	(void)close(c->issuer_fd);
	(void)close(c->fd);
	guard_free(c->desk.guard);
	staff_free(c->desk.staff);
	office_rules_free(c->desk.rules);
	krb_keys_free(c->desk.keys);
	loop_timer_free(c->stop);
	loop_free(c->role.loop);
	free(c);
}

#endif
