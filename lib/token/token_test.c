#include "token/token.h"

#include "token/token_probe.h"

static int
start(void **state)
{
	*state = probe_start();
	return 0;
}

static int
end(void **state)
{
	probe_end(*state);
	return 0;
}

static void
every_kind_of_key_signs_what_x509_verifies(void **state)
{
	static const struct {
		const char *object;
		const char *what;
		enum key_kind kind;
	} keys[] = {
		{ "rsa", "rsa:2048", KEY_RSA },
		{ "p256", "ec:P-256", KEY_P256 },
		{ "p384", "ec:P-384", KEY_P384 },
	};
	struct probe *p = *state;

	probe_put_back(p);
	for (size_t i = 0; i < 3; i++) {
		struct token_uri uri = probe_uri(p, keys[i].object);
		struct token_signature signature;
		uint8_t der[512], data[KEY_HASH_MAX];
		struct fault f = { 0 };
		struct spki spki;

		probe_add_key(p, keys[i].object, keys[i].what, der, &spki);
		OWN_STRUCT(token) token = token_open(&uri, &spki, &f);
		probe_must(token == NULL ? -1 : 0, &f);
		probe_must(probe_login(token, p->pin, &f), &f);
		for (int n = 0; n < 20; n++) {
			probe_must(token_sign(token, NULL,
				       probe_digest("to be signed",
					   keys[i].kind, data),
				       &signature, &f),
			    &f);
			assert_true(probe_verifies(&spki, &signature));
		}
		assert_int_equal(token_sign(token, NULL,
				     (struct wire_bytes){ data, 20 },
				     &signature, &f),
		    -1);
		assert_int_equal(f.code, FAULT_USAGE);
		assert_int_equal(token_state(token, NULL), TOKEN_READY);
	}
}

static void
the_state_says_what_is_there(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct token_signature signature;
	struct token_info info;
	struct fault f = { 0 }, why;
	OWN_STRUCT(token) token = NULL;

	probe_put_back(p);
	token = token_open(&uri, &p->ca, &f);
	probe_must(token == NULL ? -1 : 0, &f);
	assert_int_equal(token_state(token, &why), TOKEN_NEEDS_PIN);
	assert_non_null(strstr(why.text, "waits for its PIN"));
	assert_int_equal(probe_sign(token, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_int_equal(signature.len, 0);
	probe_must(probe_login(token, p->pin, &f), &f);
	assert_int_equal(token_state(token, &why), TOKEN_READY);
	assert_int_equal(why.code, FAULT_NONE);
	token_info(token, &info);
	assert_string_equal(info.label, PROBE_LABEL);
	assert_int_equal(strlen(info.serial), 16);
	assert_int_equal(info.sessions, 4);
	assert_true(info.threads && info.events);
	assert_false(info.each_time || info.pin_low || info.pin_locked);
	assert_int_equal(token_longest(token), 0);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
}

static void
a_wrong_pin_is_tried_once(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct token_info info;
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, &p->ca, &f);

	probe_forget_calls(p);
	assert_int_equal(probe_login(token, "0000", &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "CKR_PIN_INCORRECT"));
	assert_int_equal(probe_calls(p, "Login"), 1);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
	token_info(token, &info);
	assert_true(info.pin_low);
	/* It is the login that counts, not what was there of one before. */
	assert_int_equal(probe_calls(p, "CloseAllSessions"), 2);
	probe_must(probe_login(token, p->pin, &f), &f);
}

static void
the_last_try_is_never_used(void **state)
{
	static const struct {
		const char *play;
		enum fault_code code;
		const char *says;
		unsigned tries;
	} cases[] = {
		{ "flags=final\n", FAULT_DENIED, "one try left", 0 },
		{ "flags=locked\n", FAULT_DENIED, "is locked", 0 },
		{ "break=Login\ncode=0xa4\n", FAULT_DENIED, "CKR_PIN_LOCKED",
		    1 },
		{ "break=Login\ncode=0xa0\n", FAULT_LOGIN, "CKR_PIN_INCORRECT",
		    1 },
		{ "break=Login\ncode=0x30\n", FAULT_FAILED, "CKR_DEVICE_ERROR",
		    1 },
	};
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, &p->ca, &f);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		probe_play(p, cases[i].play);
		probe_forget_calls(p);
		assert_int_equal(probe_login(token, p->pin, &f), -1);
		if (f.code != cases[i].code ||
		    strstr(f.text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].play, f.text);
		assert_int_equal(probe_calls(p, "Login"), cases[i].tries);
		assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
	}
	/* A wrong PIN before: nothing to stop the right one. */
	probe_play(p, "flags=low\n");
	probe_must(probe_login(token, p->pin, &f), &f);
	probe_put_back(p);
}

static void
a_pin_that_cannot_be_right_is_not_tried(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, &p->ca, &f);

	probe_forget_calls(p);
	assert_int_equal(probe_login(token, "123", &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "nothing was tried"));
	assert_int_equal(token_login(token, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	assert_int_equal(probe_calls(p, "Login"), 0);
}

static void
the_pin_may_be_entered_at_the_reader(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct fault f = { 0 };
	OWN_STRUCT(token) token = NULL;

	probe_play(p, "flags=pad\n");
	token = token_open(&uri, &p->ca, &f);
	probe_must(token_login(token, NULL, &f), &f);
	assert_int_equal(token_state(token, NULL), TOKEN_READY);
	probe_put_back(p);
}

static void
the_key_must_be_the_one_of_the_ca(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "another");
	uint8_t der[512];
	struct fault f = { 0 };
	struct spki another;
	OWN_STRUCT(token) token = NULL;

	probe_add_key(p, "another", "ec:P-256", der, &another);
	token = token_open(&uri, &p->ca, &f);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "not the one of the CA"));
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
}

static void
there_must_be_one_key_and_no_more(void **state)
{
	struct probe *p = *state;
	struct token_uri none = probe_uri(p, "nonesuch");
	struct token_uri any = probe_uri(p, NULL);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&none, &p->ca, &f);

	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "no such private key"));
	token_close(TAKE(token));
	token = token_open(&any, &p->ca, &f);
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "several"));
	/* By its id there is one. */
	spki_id(&p->ca, any.id);
	any.id_len = KEY_ID_SIZE;
	token_close(TAKE(token));
	token = token_open(&any, &p->ca, &f);
	probe_must(probe_login(token, p->pin, &f), &f);
}

static void
there_must_be_one_token_and_no_more(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct token_info info;
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, &p->ca, &f);

	token_info(token, &info);
	token_close(TAKE(token));
	probe_add_token(p, PROBE_LABEL);
	token = token_open(&uri, &p->ca, &f);
	assert_int_equal(token_state(token, &f), TOKEN_ABSENT);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, "2 tokens match"));
	assert_int_equal(probe_login(token, p->pin, &f), -1);
	token_close(TAKE(token));
	memcpy(uri.serial, info.serial, sizeof(uri.serial));
	token = token_open(&uri, &p->ca, &f);
	probe_must(probe_login(token, p->pin, &f), &f);
	token_close(TAKE(token));
	/* The same by the number of its slot. */
	uri.serial[0] = '\0';
	uri.has_slot = true;
	uri.slot = info.slot;
	token = token_open(&uri, &p->ca, &f);
	probe_must(probe_login(token, p->pin, &f), &f);
	token_close(TAKE(token));
	uri.slot ^= 0x40;
	token = token_open(&uri, &p->ca, &f);
	assert_int_equal(token_state(token, NULL), TOKEN_ABSENT);
}

/* Log in to the one token with a serial; how many sessions there are. */
static unsigned
sessions_with(struct probe *p, const char *play, unsigned wanted)
{
	struct token_uri uri = probe_uri(p, "ca");
	struct token_signature signature;
	struct token_info info;
	struct fault f = { 0 };
	OWN_STRUCT(token) token = NULL;

	probe_play(p, play);
	uri.max_sessions = wanted;
	token = token_open(&uri, &p->ca, &f);
	probe_must(token == NULL ? -1 : 0, &f);
	probe_must(probe_login(token, p->pin, &f), &f);
	probe_must(probe_sign(token, &signature, &f), &f);
	assert_true(probe_verifies(&p->ca, &signature));
	assert_int_equal(token_poll(token), TOKEN_READY);
	token_info(token, &info);
	return info.sessions;
}

static void
as_many_sessions_as_the_token_allows(void **state)
{
	struct probe *p = *state;

	assert_int_equal(sessions_with(p, "", 0), 4);
	assert_int_equal(sessions_with(p, "", 9), 9);
	assert_int_equal(sessions_with(p, "sessions=3\n", 9), 3);
	assert_int_equal(sessions_with(p, "sessions=1\n", 4), 1);
	assert_int_equal(sessions_with(p, "locks=0\n", 4), 1);
	probe_play(p, "");
}

static void
a_point_may_be_bare(void **state)
{
	struct probe *p = *state;

	assert_int_equal(sessions_with(p, "bare=1\n", 2), 2);
	probe_play(p, "");
}

static void
a_key_may_want_its_pin_each_time(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "careful");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_STRUCT(secret) wrong = probe_secret("0000");
	OWN_STRUCT(token) token = NULL;
	struct token_signature signature;
	struct token_info info;
	struct fault f = { 0 };
	uint8_t der[512], data[KEY_HASH_MAX];
	struct wire_bytes digest = probe_digest("to be signed", KEY_P256, data);
	struct spki spki;

	probe_add_careful_key(p, der, &spki);
	token = token_open(&uri, &spki, &f);
	probe_must(token_login(token, pin, &f), &f);
	token_info(token, &info);
	assert_true(info.each_time);
	assert_int_equal(info.sessions, 1);
	for (int i = 0; i < 3; i++) {
		probe_must(token_sign(token, pin, digest, &signature, &f), &f);
		assert_true(probe_verifies(&spki, &signature));
	}
	/* A wrong one is given once, and then no more is signed. */
	probe_forget_calls(p);
	assert_int_equal(token_sign(token, wrong, digest, &signature, &f), -1);
	assert_int_equal(f.code, FAULT_SUSPENDED);
	assert_int_equal(token_sign(token, wrong, digest, &signature, &f), -1);
	assert_int_equal(probe_calls(p, "Login"), 1);
	assert_int_equal(token_state(token, NULL), TOKEN_NEEDS_PIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_key_signs_what_x509_verifies),
		cmocka_unit_test(the_state_says_what_is_there),
		cmocka_unit_test(a_wrong_pin_is_tried_once),
		cmocka_unit_test(the_last_try_is_never_used),
		cmocka_unit_test(a_pin_that_cannot_be_right_is_not_tried),
		cmocka_unit_test(the_pin_may_be_entered_at_the_reader),
		cmocka_unit_test(the_key_must_be_the_one_of_the_ca),
		cmocka_unit_test(there_must_be_one_key_and_no_more),
		cmocka_unit_test(as_many_sessions_as_the_token_allows),
		cmocka_unit_test(a_point_may_be_bare),
		cmocka_unit_test(a_key_may_want_its_pin_each_time),
		cmocka_unit_test(there_must_be_one_token_and_no_more),
	};

	return cmocka_run_group_tests(tests, start, end);
}
