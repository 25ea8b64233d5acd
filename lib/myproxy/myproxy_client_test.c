#include "myproxy/myproxy_client.h"

#include "anchor/house_probe.h"
#include "myproxy/myproxy_peer_probe.h"
#include "myproxy/trustroots.h"

#define GREETED "0VERSION=MYPROXYv2\nCOMMAND=0\n"

static struct peer peer;
static struct key *key;

static int
set_up(void **state)
{
	struct fault f;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	peer_init(&peer);
	key = key_make("ec:P-256", &f);
	return key == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	peer_free(&peer);
	key_free(key);
	return 0;
}

/* One logon to a server that follows ${script}. */
struct trial {
	struct myproxy_wish wish;
	struct myproxy_result result;
	struct fault f;
	char servers[64];
	struct buf seen;
};

static int
try(struct trial *t, const struct peer_step *script)
{
	int done;

	peer_start(&peer, script);
	if (t->wish.servers == NULL)
		t->wish.servers = "localhost";
	t->wish.port = peer.port;
	t->wish.timeout_ms = 5000;
	t->wish.trust_dir = peer.pki.dir;
	if (t->wish.username == NULL)
		t->wish.username = "alice";
	if (!t->wish.authenticate_only)
		t->wish.key = key;
	t->wish.lifetime = 60;
	done = myproxy_logon(&t->wish, &t->result, &t->f);
	t->seen = BUF(65536);
	peer_stop(&peer, &t->seen);
	return done;
}

static void
forget(struct trial *t)
{
	myproxy_result_clear(&t->result);
	buf_free(&t->seen);
}

static bool
saw(const struct trial *t, const char *text)
{
	return memmem(t->seen.data, t->seen.len, text, strlen(text)) != NULL;
}

static struct secret *
tell(void *arg, const char *server, struct fault *f)
{
	int *times = arg;

	assert_string_equal(server, "localhost");
	(*times)++;
	return secret_copy("secret123", 9, f);
}

static const struct peer_step plain[] = { { PEER_REQUEST, NULL, 0 },
	PEER_TEXT(PEER_OK), { PEER_CSR, NULL, 0 }, { PEER_CERTIFY, NULL, 0 },
	PEER_TEXT(PEER_OK), { PEER_END, NULL, 0 } };

static void
a_certificate_for_our_key_comes_back_however_it_is_cut(void **state)
{
	static const size_t pieces[] = { 0, 1, 2, 7, 100, 600 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct trial t = { .wish = { .ask = tell } };
		const struct spki *ours = key_spki(key);
		int times = 0;

		t.wish.ask_arg = &times;
		peer.piece = pieces[i];
		if (try(&t, plain) < 0)
			fail_msg("%zu: %s", pieces[i], t.f.text);
		peer.piece = 0;
		assert_int_equal(times, 1);
		assert_string_equal(t.result.server, "localhost");
		assert_int_equal(t.result.chain.count, 1);
		assert_int_equal(t.result.chain.cert[0]->spki.der.len,
		    ours->der.len);
		assert_memory_equal(t.result.chain.cert[0]->spki.der.data,
		    ours->der.data, ours->der.len);
		assert_true(saw(&t,
		    GREETED "USERNAME=alice\nPASSPHRASE=secret123\n"
			    "LIFETIME=60\n"));
		forget(&t);
	}
}

static void
a_certificate_for_another_key_is_refused(void **state)
{
	static const struct peer_step script[] = { { PEER_REQUEST, NULL, 0 },
		PEER_TEXT(PEER_OK), { PEER_CSR, NULL, 0 },
		{ PEER_CERTIFY_ME, NULL, 0 }, PEER_TEXT(PEER_OK),
		{ PEER_END, NULL, 0 } };
	struct trial t = { .wish = { .ask = NULL } };

	(void)state;
	assert_int_equal(try(&t, script), -1);
	assert_int_equal(t.f.code, FAULT_UNTRUSTED);
	assert_int_equal(t.result.chain.count, 0);
	forget(&t);
}

static void
a_server_that_is_not_who_was_meant_hears_nothing(void **state)
{
	struct trial t = { .wish = { .servers = "127.0.0.1" } };
	struct trial other = { .wish = { .server_dn = "/CN=other" } };
	int times = 0;

	(void)state;
	t.wish.ask = other.wish.ask = tell;
	t.wish.ask_arg = other.wish.ask_arg = &times;
	assert_int_equal(try(&t, plain), -1);
	assert_int_equal(t.f.code, FAULT_UNTRUSTED);
	assert_int_equal(try(&other, plain), -1);
	assert_int_equal(other.f.code, FAULT_UNTRUSTED);
	assert_int_equal(t.seen.len + other.seen.len, 0);
	assert_int_equal(times, 0);
	forget(&t);
	forget(&other);
}

static void
a_subject_may_stand_for_the_host_name(void **state)
{
	struct trial t = { .wish = { .servers = "127.0.0.1",
			       .server_dn =
				   PKI_BASE "/OU=People/CN=localhost" } };

	(void)state;
	assert_int_equal(try(&t, plain), 0);
	forget(&t);
}

static void
the_servers_words_are_kept_whole_and_their_kind_is_known(void **state)
{
	static const struct peer_step script[] = { { PEER_REQUEST, NULL, 0 },
		PEER_TEXT("VERSION=MYPROXYv2\nRESPONSE=1\n"
			  "ERROR=invalid password\nERROR=ask again\n\0"),
		{ PEER_END, NULL, 0 } };
	struct trial t = { .wish = { .ask = NULL } };

	(void)state;
	assert_int_equal(try(&t, script), -1);
	assert_int_equal(t.f.code, FAULT_LOGIN);
	assert_string_equal(t.result.words, "invalid password\nask again");
	assert_string_equal(t.f.text, "localhost says: invalid password");
	forget(&t);
}

static void
who_only_proves_who_he_is_sends_no_request(void **state)
{
	static const struct peer_step script[] = { { PEER_REQUEST, NULL, 0 },
		PEER_TEXT(PEER_OK), { PEER_CSR, NULL, 0 },
		{ PEER_END, NULL, 0 } };
	struct trial t = { .wish = { .authenticate_only = true } };

	(void)state;
	assert_int_equal(try(&t, script), 0);
	assert_int_equal(t.result.chain.count, 0);
	assert_int_equal(t.seen.data[t.seen.len - 1], 0);
	forget(&t);
}

static void
count(void *arg, const char *line)
{
	int *lines = arg;

	assert_true(strlen(line) > 0);
	(*lines)++;
}

static void
servers_are_tried_in_turn_and_each_failure_is_said(void **state)
{
	struct trial t = { .wish = { .say = count } };
	int lines = 0;

	(void)state;
	/* Nobody listens on port 1. */
	t.wish.servers = "localhost:1, localhost:1,localhost";
	t.wish.say_arg = &lines;
	assert_int_equal(try(&t, plain), 0);
	assert_int_equal(lines, 2);
	forget(&t);
	memset(&t, 0, sizeof(t));
	t.wish.servers = "localhost:1";
	assert_int_equal(try(&t, plain), -1);
	assert_int_equal(t.f.code, FAULT_UNREACHABLE);
	forget(&t);
	memset(&t, 0, sizeof(t));
	t.wish.servers = " , ";
	assert_int_equal(try(&t, plain), -1);
	assert_int_equal(t.f.code, FAULT_USAGE);
	forget(&t);
}

static void
names_that_do_not_fit_are_not_cut(void **state)
{
	char longest[300];
	struct trial t = { .wish = { .username = longest } };

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(try(&t, plain), -1);
	assert_int_equal(t.f.code, FAULT_USAGE);
	assert_int_equal(t.seen.len, 0);
	forget(&t);
}

#define CHALLENGE "0123456789abcdef0123456789abcdef"

static void
a_challenge_is_signed_with_the_credential(void **state)
{
	static const struct peer_step script[] = { { PEER_REQUEST, NULL, 0 },
		PEER_TEXT("VERSION=MYPROXYv2\nRESPONSE=2\n"
			  "AUTHORIZATION_DATA=X509_certificate:" CHALLENGE "\n"
			  "AUTHORIZATION_DATA=X509_certificate_"
			  "SHA256:" CHALLENGE "\n\0"),
		{ PEER_BYTES, NULL, 8 }, PEER_TEXT(PEER_OK),
		{ PEER_END, NULL, 0 } };
	struct trial t = { .wish = { .authenticate_only = true } };
	struct credential c = { .key = key };
	const uint8_t *at;
	struct wire_bytes signature;
	struct fault f;

	(void)state;
	assert_true(pki_chain(&peer.pki, EEC, &c.chain));
	t.wish.renew_with = &c;
	if (try(&t, script) < 0)
		fail_msg("%s", t.f.text);
	/* Method 4, the length, the signature, two certificates. */
	at = (const uint8_t *)memchr(t.seen.data, 0, t.seen.len) + 1;
	assert_memory_equal(at, "\4\0\0\0\0\0\0", 7);
	signature = (struct wire_bytes){ at + 8, at[7] };
	assert_int_equal(spki_verify(key_spki(key),
			     key_signature_algorithm(KEY_P256),
			     (struct wire_bytes){
				 (const uint8_t *)CHALLENGE, 32 },
			     signature, &f),
	    0);
	at += 8 + signature.len;
	assert_int_equal(*at++, 2);
	assert_memory_equal(at, c.chain.cert[0]->der, c.chain.cert[0]->len);
	cert_list_free(&c.chain);
	forget(&t);
}

static void
a_challenge_of_another_form_or_of_sha1_alone_is_not_signed(void **state)
{
	static const struct peer_step scripts[][3] = {
		{ { PEER_REQUEST, NULL, 0 },
		    PEER_TEXT("VERSION=MYPROXYv2\nRESPONSE=2\n"
			      "AUTHORIZATION_DATA=X509_certificate:" CHALLENGE
			      "\n\0"),
		    { PEER_END, NULL, 0 } },
		{ { PEER_REQUEST, NULL, 0 },
		    PEER_TEXT("VERSION=MYPROXYv2\nRESPONSE=2\n"
			      "AUTHORIZATION_DATA=X509_certificate_SHA256:"
			      "please sign this cheque\n\0"),
		    { PEER_END, NULL, 0 } },
	};
	struct credential c = { .key = key };

	(void)state;
	assert_true(pki_chain(&peer.pki, EEC, &c.chain));
	for (size_t i = 0; i < 2; i++) {
		struct trial t = { .wish = { .authenticate_only = true,
				       .renew_with = &c } };

		assert_int_equal(try(&t, scripts[i]), -1);
		assert_true(t.f.code == FAULT_UNSUPPORTED ||
		    t.f.code == FAULT_INPUT);
		assert_int_equal(t.seen.data[t.seen.len - 1], 0);
		forget(&t);
	}
	cert_list_free(&c.chain);
}

static void
trust_roots_that_come_with_it_are_installed(void **state)
{
	static char answer[65536];
	struct peer_step script[] = { { PEER_REQUEST, NULL, 0 },
		{ PEER_SEND, answer, 0 }, { PEER_CSR, NULL, 0 },
		{ PEER_CERTIFY, NULL, 0 }, PEER_TEXT(PEER_OK),
		{ PEER_END, NULL, 0 } };
	struct trial t = { .wish = { .want_trustroots = true } };
	struct place place;
	size_t files = 0;
	struct fault f;
	OWN_BUF(lines, 32768);
	OWN_BUF(message, 65536);

	(void)state;
	assert_int_equal(trustroots_write(peer.pki.dir, &lines, &files, NULL,
			     NULL, &f),
	    0);
	assert_true(files > 0);
	myproxy_write_ok_lines(&message, lines.data, lines.len);
	assert_true(message.len < sizeof(answer));
	memcpy(answer, message.data, message.len);
	script[1].len = message.len;
	place_init(&place);
	t.wish.install_dir = place.dir;
	peer.piece = 1000;
	if (try(&t, script) < 0)
		fail_msg("%s", t.f.text);
	peer.piece = 0;
	assert_int_equal(t.result.trustroots, files);
	assert_string_equal(t.result.install_dir, place.dir);
	assert_true(saw(&t, "TRUSTED_CERTS=1\n"));
	place_drop(&place);
	forget(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_certificate_for_our_key_comes_back_however_it_is_cut),
		cmocka_unit_test(a_certificate_for_another_key_is_refused),
		cmocka_unit_test(
		    a_server_that_is_not_who_was_meant_hears_nothing),
		cmocka_unit_test(a_subject_may_stand_for_the_host_name),
		cmocka_unit_test(
		    the_servers_words_are_kept_whole_and_their_kind_is_known),
		cmocka_unit_test(who_only_proves_who_he_is_sends_no_request),
		cmocka_unit_test(
		    servers_are_tried_in_turn_and_each_failure_is_said),
		cmocka_unit_test(names_that_do_not_fit_are_not_cut),
		cmocka_unit_test(a_challenge_is_signed_with_the_credential),
		cmocka_unit_test(
		    a_challenge_of_another_form_or_of_sha1_alone_is_not_signed),
		cmocka_unit_test(trust_roots_that_come_with_it_are_installed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
