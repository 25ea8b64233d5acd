#include "signetd/auth/auth_probe.h"

/* The realm and three mechanisms, as they are tried. */
#define THREE "realm EX.ORG\nauth passwd\nauth ldap\nauth pam\n"
#define ONE "realm EX.ORG\nauth passwd\n"

static const struct msg_pam_ask *
pam_work(struct house *h)
{
	return &house_hear(h, h->pam_fd, MSG_ROLE_PAM, MSG_PAM_ASK)->pam_ask;
}

static void
pam_answer(struct house *h, uint32_t id, enum fault_code code, const char *text)
{
	struct msg m = { .type = MSG_PAM_DONE };

	m.pam_done.id = id;
	m.pam_done.fault = code;
	memcpy(m.pam_done.text, text, strlen(text) + 1);
	house_tell(h, h->pam_fd, &m);
}

/* One guess that is wrong, of ${user}. */
static void
guess_wrong(struct house *h, uint32_t connection, const char *user)
{
	house_ask(h, connection, user, "guess");
	house_answer(h, house_work(h, "passwd", user).id, FAULT_LOGIN, "");
	house_refuses(h, connection, FAULT_LOGIN);
}

static void
each_mechanism_is_tried_until_one_says_yes(void **state)
{
	struct house *h = house_open(THREE);
	const struct msg_pam_ask *pam;
	struct msg_work_ask work;

	(void)state;
	house_ask(h, 1, "ann", "secret");
	work = house_work(h, "passwd", "ann");
	assert_string_equal(work.ref, "0123456789ab");
	assert_int_equal(work.passphrase.len, 6);
	house_answer(h, work.id, FAULT_LOGIN, "");
	house_answer(h, house_work(h, "ldap", "ann").id, FAULT_FAILED, "");
	pam = pam_work(h);
	assert_string_equal(pam->username, "ann");
	assert_string_equal(pam->peer, PROBE_PEER);
	assert_int_equal(pam->passphrase.len, 6);
	assert_memory_equal(pam->passphrase.data, "secret", 6);
	assert_true(probe_is_silent(h->front_fd));
	pam_answer(h, pam->id, FAULT_NONE, "ann");
	assert_string_equal(house_vouches(h, 1).method, "pam");
	house_close(h);
}

static void
the_first_that_says_yes_ends_it(void **state)
{
	struct house *h = house_open(THREE);
	struct msg_vouch vouch;

	(void)state;
	house_ask(h, 1, "ann@EX.ORG", "secret");
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
	vouch = house_vouches(h, 1);
	assert_string_equal(vouch.principal, "ann@EX.ORG");
	assert_string_equal(vouch.username, "ann@EX.ORG");
	assert_string_equal(vouch.method, "passwd");
	assert_true(probe_is_silent(h->worker_fd));
	assert_true(probe_is_silent(h->pam_fd));
	house_close(h);
}

static void
if_none_could_be_asked_it_was_no_guess(void **state)
{
	struct house *h = house_open(ONE);

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		house_ask(h, i, "ann", "secret");
		house_answer(h, house_work(h, "passwd", "ann").id, FAULT_FAILED,
		    "");
		house_refuses(h, i, FAULT_FAILED);
	}
	assert_int_equal(authn_slow_wait(h->auth.slow, "ann", PROBE_PEER,
			     clock_mono()),
	    0);
	house_close(h);
}

static void
one_no_among_failures_is_a_guess(void **state)
{
	struct house *h = house_open("realm EX.ORG\nauth passwd\nauth ldap\n");

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		house_ask(h, i, "ann", "guess");
		house_answer(h, house_work(h, "passwd", "ann").id, FAULT_LOGIN,
		    "");
		house_answer(h, house_work(h, "ldap", "ann").id, FAULT_FAILED,
		    "");
		house_refuses(h, i, FAULT_LOGIN);
	}
	house_ask(h, 4, "ann", "guess");
	house_refuses(h, 4, FAULT_SLOWED);
	house_close(h);
}

static void
who_guesses_is_slowed_and_nobody_is_asked_for_him(void **state)
{
	struct house *h = house_open(ONE);

	(void)state;
	/* The three that are free, and the first after which one waits. */
	for (uint32_t i = 0; i < 4; i++)
		guess_wrong(h, i, "ann");
	house_ask(h, 5, "ann", "the right one");
	house_refuses(h, 5, FAULT_SLOWED);
	assert_true(probe_is_silent(h->worker_fd));
	/* Others from there are heard: an address has more tries. */
	house_ask(h, 6, "bob", "secret");
	house_answer(h, house_work(h, "passwd", "bob").id, FAULT_NONE, "");
	(void)house_vouches(h, 6);
	house_close(h);
}

/* They come at once, before any has failed. */
static void
guesses_are_judged_when_their_turn_comes(void **state)
{
	struct house *h = house_open(ONE);

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		house_ask(h, i, "ann", "guess");
	for (uint32_t i = 0; i < 4; i++) {
		house_answer(h, house_work(h, "passwd", "ann").id, FAULT_LOGIN,
		    "");
		(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_NO);
		assert_int_equal(h->heard.auth_no.connection, i);
		assert_int_equal(h->heard.auth_no.fault, FAULT_LOGIN);
	}
	for (uint32_t i = 4; i < 6; i++) {
		(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_NO);
		assert_int_equal(h->heard.auth_no.connection, i);
		assert_int_equal(h->heard.auth_no.fault, FAULT_SLOWED);
	}
	assert_true(probe_is_silent(h->worker_fd));
	house_close(h);
}

static void
a_right_password_forgets_the_wrong_ones(void **state)
{
	struct house *h = house_open(ONE);

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 3; i++)
			guess_wrong(h, i, "ann");
		house_ask(h, 3, "ann", "secret");
		house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE,
		    "");
		(void)house_vouches(h, 3);
	}
	house_close(h);
}

/* It takes as long as for one that is known, and is no's answer whatever the
 * worker says. */
static void
a_name_of_no_person_is_asked_for_all_the_same(void **state)
{
	static const char *const names[] = { "", "host/a.org", "ann@OTHER.ORG",
		"-ann" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct house *h = house_open(ONE);

		house_ask(h, 1, names[i], "secret");
		house_answer(h, house_work(h, "passwd", "").id, FAULT_NONE,
		    "root");
		house_refuses(h, 1, FAULT_LOGIN);
		house_close(h);
	}
}

static void
the_name_is_as_the_mechanism_spells_it(void **state)
{
	struct house *h = house_open("realm EX.ORG\nauth ldap\n");

	(void)state;
	house_ask(h, 1, "ANN", "secret");
	house_answer(h, house_work(h, "ldap", "ANN").id, FAULT_NONE, "ann");
	assert_string_equal(house_vouches(h, 1).principal, "ann@EX.ORG");
	/* But nobody becomes a stranger by it, or a host. */
	house_ask(h, 2, "ANN", "secret");
	house_answer(h, house_work(h, "ldap", "ANN").id, FAULT_NONE,
	    "ann@OTHER.ORG");
	house_refuses(h, 2, FAULT_LOGIN);
	house_ask(h, 3, "ANN", "secret");
	house_answer(h, house_work(h, "ldap", "ANN").id, FAULT_NONE, "ann/x");
	house_refuses(h, 3, FAULT_LOGIN);
	house_close(h);
}

static void
who_hangs_up_has_guessed_and_nobody_asks_on(void **state)
{
	struct house *h = house_open(THREE);
	int64_t wait;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t id;

		house_ask(h, i, "ann", "guess");
		id = house_work(h, "passwd", "ann").id;
		talk_abandon(h->auth.talks,
		    talk_find(h->auth.talks, h->front, i));
		house_answer(h, id, FAULT_LOGIN, "");
		assert_true(probe_is_silent(h->worker_fd));
		assert_true(probe_is_silent(h->front_fd));
	}
	wait = authn_slow_wait(h->auth.slow, "ann", PROBE_PEER, clock_mono());
	assert_true(wait > 0);
	/* One whose answer is yes is told to nobody, either. */
	house_ask(h, 9, "bob", "secret");
	talk_abandon(h->auth.talks, talk_find(h->auth.talks, h->front, 9));
	house_answer(h, house_work(h, "passwd", "bob").id, FAULT_NONE, "");
	assert_true(probe_is_silent(h->front_fd));
	assert_true(probe_is_silent(h->issuer_fd));
	house_close(h);
}

static void
too_many_at_once_are_told_to_come_again(void **state)
{
	struct house *h = house_open(ONE);

	(void)state;
	/* One with the worker, and eight that wait. */
	for (uint32_t i = 0; i < 9; i++)
		house_ask(h, i, "ann", "secret");
	house_ask(h, 9, "ann", "secret");
	house_refuses(h, 9, FAULT_BUSY);
	talk_abandon_all(h->auth.talks, h->front);
	/* The eight are gone, the one is waited for. */
	house_answer(h, house_work(h, "passwd", "ann").id, FAULT_NONE, "");
	assert_true(probe_is_silent(h->worker_fd));
	house_close(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mechanism_is_tried_until_one_says_yes),
		cmocka_unit_test(the_first_that_says_yes_ends_it),
		cmocka_unit_test(if_none_could_be_asked_it_was_no_guess),
		cmocka_unit_test(one_no_among_failures_is_a_guess),
		cmocka_unit_test(
		    who_guesses_is_slowed_and_nobody_is_asked_for_him),
		cmocka_unit_test(guesses_are_judged_when_their_turn_comes),
		cmocka_unit_test(a_right_password_forgets_the_wrong_ones),
		cmocka_unit_test(a_name_of_no_person_is_asked_for_all_the_same),
		cmocka_unit_test(the_name_is_as_the_mechanism_spells_it),
		cmocka_unit_test(who_hangs_up_has_guessed_and_nobody_asks_on),
		cmocka_unit_test(too_many_at_once_are_told_to_come_again),
	};

	return cmocka_run_group_tests_name("auth/password", tests, NULL, NULL);
}
