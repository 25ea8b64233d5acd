#include "signetd/auth/auth_probe.h"
#include "trust/long_probe.h"
#include "trust/verify.h"

#define CERTIFICATE "realm EX.ORG\nauth certificate\n"
#define METHOD_SHA256 4
#define NEVER 3600000

/* A house, the directory that it trusts, and a timer that goes off in each turn
 * of the loop: others that want to be served. */
struct yard {
	struct house *h;
	struct pki p;
	struct loop_timer *other;
	size_t turns;
	void (*each)(struct yard *y);
};

static void
other_turn(void *arg)
{
	struct yard *y = arg;

	y->turns++;
	if (y->each != NULL)
		y->each(y);
	loop_timer_set(y->other, 0);
}

static void
build(struct yard *y, uint32_t entries, int64_t every)
{
	struct fault f = { 0 };
	long from_now = (long)(clock_wall() - PKI_NOW);

	memset(y, 0, sizeof(*y));
	y->h = house_open(CERTIFICATE);
	pki_init(&y->p);
	for (int i = 0; i < PKI_COUNT; i++) {
		y->p.spec[i].begins += from_now;
		y->p.spec[i].ends += from_now;
	}
	pki_make(&y->p);
	pki_dir(&y->p);
	(void)long_list_at(&y->p, ROOT, entries, 0, from_now);
	assert_true(strlen(y->p.dir) < sizeof(y->h->role.conf.trust_dir));
	memcpy(y->h->role.conf.trust_dir, y->p.dir, strlen(y->p.dir) + 1);
	memcpy(y->h->auth.profile[0].subject, PKI_PERSON, sizeof(PKI_PERSON));
	if (trusted_start(&y->h->auth, every, &f) < 0)
		fail_msg("%s", f.text);
	y->other = loop_timer_new(y->h->role.loop, other_turn, y, &f);
	assert_non_null(y->other);
}

static void
raze(struct yard *y)
{
	talk_abandon_all(y->h->auth.talks, y->h->front);
	loop_timer_free(y->other);
	house_close(y->h);
	pki_free(&y->p);
}

/* What the client sends for ${challenge}. */
static void
sign_answer(const struct pki *p, const char *challenge, struct buf *out)
{
	OWN(EVP_MD_CTX) context = EVP_MD_CTX_new();
	uint8_t signature[1024], length[4];
	struct wire_out wire = { length, sizeof(length), false };
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL,
			     p->key[EEC]),
	    1);
	assert_int_equal(EVP_DigestSign(context, signature, &len,
			     (const uint8_t *)challenge, strlen(challenge)),
	    1);
	wire_put_u32(&wire, (uint32_t)len);
	buf_put(out, length, sizeof(length));
	buf_put(out, signature, len);
	buf_put_u8(out, 2);
	for (int i = (int)EEC; i >= (int)SUB; i--) {
		unsigned char *der = NULL;
		int n = i2d_X509(p->cert[i], &der);

		assert_true(n > 0);
		buf_put(out, der, (size_t)n);
		OPENSSL_free(der);
	}
	assert_false(out->failed);
}

/* The person comes as ${connection}, and shows his certificate. */
static void
come(struct yard *y, uint32_t connection)
{
	OWN_BUF(out, 65536);
	struct msg_auth_step m = { .connection = connection,
		.method = METHOD_SHA256 };
	struct msg_auth_offer o;

	house_ask(y->h, connection, "alice", "");
	o = house_hear(y->h, y->h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_OFFER)
		->auth_offer;
	sign_answer(&y->p, o.challenge_sha256, &out);
	m.token = (struct wire_bytes){ out.data, out.len };
	challenge_step(talk_find(y->h->auth.talks, y->h->front, connection),
	    &m);
}

static void
run_loop(struct yard *y)
{
	struct fault f = { 0 };

	loop_timer_set(y->h->stop, 20000); /* who hangs has failed */
	loop_timer_set(y->other, 0);
	assert_int_equal(loop_run(y->h->role.loop, &f), 0);
	loop_timer_stop(y->other);
}

static void
until_answered(struct yard *y)
{
	if (!probe_is_silent(y->h->front_fd))
		loop_stop(y->h->role.loop);
}

static size_t
list_size(const struct yard *y)
{
	char path[PATH_MAX];
	struct stat st;

	pki_path(&y->p, y->p.cert[ROOT], "r0", path);
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* The first who is judged by a long list waits for it, and all others have
 * their turns meanwhile. */
static void
a_login_waits_for_a_long_list_and_nobody_else_does(void **state)
{
	struct yard y;

	(void)state;
	build(&y, LONG, NEVER);
	come(&y, 1);
	assert_true(probe_is_silent(y.h->front_fd));
	come(&y, 2);
	assert_true(probe_is_silent(y.h->front_fd));
	y.each = until_answered;
	run_loop(&y);
	assert_true(y.turns >= list_size(&y) / (2 * UPKEEP_PIECE));
	assert_string_equal(house_vouches(y.h, 1).subject, PKI_PERSON);
	assert_string_equal(house_vouches(y.h, 2).subject, PKI_PERSON);
	/* Nobody waits any more. */
	come(&y, 3);
	assert_string_equal(house_vouches(y.h, 3).subject, PKI_PERSON);
	raze(&y);
}

static void
who_waits_may_leave_and_takes_no_other_step(void **state)
{
	const struct msg_auth_step more = { .connection = 2,
		.method = METHOD_SHA256,
		.token = { (const uint8_t *)"x", 1 } };
	struct yard y;

	(void)state;
	build(&y, LONG, NEVER);
	come(&y, 1);
	talk_abandon(y.h->auth.talks,
	    talk_find(y.h->auth.talks, y.h->front, 1));
	come(&y, 2);
	challenge_step(talk_find(y.h->auth.talks, y.h->front, 2), &more);
	house_refuses(y.h, 2, FAULT_INPUT);
	come(&y, 3);
	y.each = until_answered;
	run_loop(&y);
	assert_string_equal(house_vouches(y.h, 3).subject, PKI_PERSON);
	assert_true(probe_is_silent(y.h->front_fd));
	raze(&y);
}

/* Somebody logs in in each turn; the list that is switched in revokes the CA
 * above him. */
static void
log_in_each_turn(struct yard *y)
{
	const struct msg *m;

	come(y, 7);
	assert_false(probe_is_silent(y->h->front_fd));
	if (probe_is_silent(y->h->issuer_fd)) {
		m = house_hear(y->h, y->h->front_fd, MSG_ROLE_FRONT,
		    MSG_AUTH_NO);
		assert_int_equal(m->auth_no.fault, FAULT_UNTRUSTED);
		loop_stop(y->h->role.loop);
		return;
	}
	(void)house_vouches(y->h, 7);
}

static void
logins_go_on_in_each_turn_while_a_list_is_switched_in(void **state)
{
	struct yard y;

	(void)state;
	build(&y, 100, 1);
	come(&y, 1);
	assert_string_equal(house_vouches(y.h, 1).subject, PKI_PERSON);
	(void)long_list_at(&y.p, ROOT, LONG, 1001,
	    (long)(clock_wall() - PKI_NOW));
	y.each = log_in_each_turn;
	run_loop(&y);
	assert_true(y.turns > list_size(&y) / (2 * UPKEEP_PIECE));
	raze(&y);
}

/* The operator says that it is to be read: it counts for who comes next. */
static void
after_a_reload_nobody_is_judged_by_what_was_before(void **state)
{
	struct fault f = { 0 };
	struct yard y;

	(void)state;
	build(&y, LONG, NEVER);
	come(&y, 1);
	y.each = until_answered;
	run_loop(&y);
	(void)house_vouches(y.h, 1);
	(void)long_list_at(&y.p, ROOT, LONG, 1001,
	    (long)(clock_wall() - PKI_NOW));
	assert_int_equal(trusted_reload(&y.h->auth, &f), 0);
	come(&y, 2);
	assert_true(probe_is_silent(y.h->front_fd));
	run_loop(&y);
	house_refuses(y.h, 2, FAULT_UNTRUSTED);
	y.h->role.conf.trust_dir[4] = '\0';
	y.h->role.conf.trust_dir[0] = 'x'; /* none: nobody is trusted */
	assert_int_equal(trusted_reload(&y.h->auth, &f), 0);
	come(&y, 3);
	house_refuses(y.h, 3, FAULT_UNTRUSTED);
	raze(&y);
}

static void
without_the_method_there_is_no_directory(void **state)
{
	struct house *h = house_open("realm EX.ORG\nauth passwd\n");
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(trusted_start(&h->auth, NEVER, &f), 0);
	assert_int_equal(trusted_reload(&h->auth, &f), 0);
	assert_null(h->auth.trust);
	house_close(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_login_waits_for_a_long_list_and_nobody_else_does),
		cmocka_unit_test(who_waits_may_leave_and_takes_no_other_step),
		cmocka_unit_test(
		    logins_go_on_in_each_turn_while_a_list_is_switched_in),
		cmocka_unit_test(
		    after_a_reload_nobody_is_judged_by_what_was_before),
		cmocka_unit_test(without_the_method_there_is_no_directory),
	};

	return cmocka_run_group_tests_name("auth/trusted", tests, NULL, NULL);
}
