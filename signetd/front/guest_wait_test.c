#include "trust/long_probe.h"

/* Behind it, for the sake of names that both have. */
#include "signetd/front/guest_probe.h"

void
house_left(struct house *house)
{
	door_resume(house->door);
}

/* A stage whose directory trusts the root of somebody, with a long list. */
struct court {
	struct stage *stage;
	struct pki p;
	size_t news;
};

static void
look_again(void *arg, void *guest)
{
	(void)arg;
	guest_again(guest);
}

static void
told(void *arg)
{
	struct court *c = arg;

	c->news++;
	crowd_each(c->stage->house.crowd, look_again, NULL);
}

/* Certificates that are good now, and a list that says something of one. */
static void
open_court(struct court *c, struct stage *s, long revoked)
{
	long from_now = (long)(clock_wall() - PKI_NOW);
	struct house *h = &s->house;
	struct fault f = { 0 };

	memset(c, 0, sizeof(*c));
	c->stage = s;
	pki_init(&c->p);
	for (int i = 0; i < PKI_COUNT; i++) {
		c->p.spec[i].begins += from_now;
		c->p.spec[i].ends += from_now;
	}
	pki_make(&c->p);
	pki_dir(&c->p);
	(void)long_list_at(&c->p, ROOT, LONG, revoked, from_now);
	roots_free(h->roots);
	h->roots = roots_new(c->p.dir, false, &f);
	assert_non_null(h->roots);
	assert_int_equal(roots_attend(h->roots, s->role.loop, told, c, &f), 0);
}

static char *
credential_of(const struct pki *p)
{
	BIO *out = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(out, p->cert[EEC]), 1);
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(out, p->key[EEC], NULL,
			     NULL, 0, NULL, NULL),
	    1);
	assert_int_equal(PEM_write_bio_X509(out, p->cert[SUB]), 1);
	return text_of(out);
}

static const char *credential_pem; /* of the client that is next */

static void
client_shows_his_certificate(uint16_t port)
{
	struct fault f = { 0 };
	struct credential c = { 0 };
	struct tls *t;

	CONTENT(credential_read(&c, credential_pem, strlen(credential_pem),
		    NULL, &f) == 0);
	t = greet_with(come(port), &c);
	hear(t, "", 1);
	tell(t, "0", 1);
	tell(t, REQUEST, sizeof(REQUEST));
	hear(t, OK, sizeof(OK));
}

static bool
is_named(struct stage *s, long revoked)
{
	struct court c;
	char *text;

	open_court(&c, s, revoked);
	credential_pem = text = credential_of(&c.p);
	play(s, client_shows_his_certificate);
	assert_int_equal(c.news, 1);
	free(text);
	pki_free(&c.p);
	return s->named;
}

static void
a_client_waits_for_the_list_that_he_is_judged_by(void **state)
{
	assert_true(is_named(*state, 0));
}

static void
a_client_whose_ca_it_revokes_is_anonymous_when_it_is_read(void **state)
{
	assert_false(is_named(*state, 1001));
}

/* He need not stay for it. */
static void
client_shows_it_and_goes(uint16_t port)
{
	struct fault f = { 0 };
	struct credential c = { 0 };
	int fd = come(port);

	CONTENT(credential_read(&c, credential_pem, strlen(credential_pem),
		    NULL, &f) == 0);
	(void)greet_with(fd, &c);
	(void)close(fd);
}

static void
who_leaves_while_it_is_read_leaves_nothing_behind(void **state)
{
	int64_t begun = clock_mono();
	struct stage *s = *state;
	struct fault f = { 0 };
	struct court c;
	char *text;

	open_court(&c, s, 0);
	credential_pem = text = credential_of(&c.p);
	play(s, client_shows_it_and_goes);
	/* Who hangs is seen off by the deadline of the handshake. */
	while (crowd_count(s->house.crowd) > 0) {
		loop_timer_set(s->end, 20);
		assert_int_equal(loop_run(s->role.loop, &f), 0);
	}
	assert_true(clock_mono() < begun + LONGEST_MS);
	assert_false(s->named);
	free(text);
	pki_free(&c.p);
}

#define GUEST_TEST(name) \
	cmocka_unit_test_setup_teardown(name, build_stage, raze_stage)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GUEST_TEST(a_client_waits_for_the_list_that_he_is_judged_by),
		GUEST_TEST(
		    a_client_whose_ca_it_revokes_is_anonymous_when_it_is_read),
		GUEST_TEST(who_leaves_while_it_is_read_leaves_nothing_behind),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/guest_wait", tests, NULL,
	    NULL);
}
