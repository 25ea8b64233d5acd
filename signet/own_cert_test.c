#include "own_cert.h"

#include "base/file.h"
#include "trust/pki_probe.h"
#include "x509/p12.h"
#include "x509/proxy.h"

#include <sys/stat.h>

#include <unistd.h>

static struct pki pki;
static char home[] = "/tmp/own_cert_test.XXXXXX";
static char dir[64];
static char certs[3][96]; /* cert, key, bundle */

static int
set_up(void **state)
{
	(void)state;
	pki_init(&pki);
	pki_make(&pki);
	if (mkdtemp(home) == NULL || setenv("HOME", home, 1) < 0)
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/.globus", home);
	(void)snprintf(certs[0], sizeof(certs[0]), "%s/usercert.pem", dir);
	(void)snprintf(certs[1], sizeof(certs[1]), "%s/userkey.pem", dir);
	(void)snprintf(certs[2], sizeof(certs[2]), "%s/usercred.p12", dir);
	return mkdir(dir, 0700);
}

static int
tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < PKI_COUNT; i++) {
		EVP_PKEY_free(pki.key[i]);
		X509_free(pki.cert[i]);
	}
	return rmdir(dir) == 0 ? rmdir(home) : -1;
}

static int
clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		(void)unlink(certs[i]);
	(void)unsetenv("X509_USER_CERT");
	(void)unsetenv("X509_USER_KEY");
	return 0;
}

static void
put_cert(const char *path, enum pki_who who)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, pki.cert[who]), 1);
	assert_int_equal(fclose(out), 0);
}

/* ${phrase} NULL: not encrypted. */
static void
put_key(const char *path, enum pki_who who, const char *phrase)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(PEM_write_PKCS8PrivateKey(out, pki.key[who],
			     phrase == NULL ? NULL : EVP_aes_128_cbc(), phrase,
			     phrase == NULL ? 0 : (int)strlen(phrase), NULL,
			     NULL),
	    1);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* Standard input holds ${text}. */
static void
answer(const char *text)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)),
	    (ssize_t)strlen(text));
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(ends[0]), 0);
}

static void
it_is_looked_for_where_grid_tools_look(void **state)
{
	struct own_cert own;
	struct fault f = { .code = FAULT_NONE };

	(void)state;
	assert_int_equal(own_cert_find(NULL, NULL, &own, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(strstr(f.text, "/.globus/usercert.pem"));
	put_cert(certs[2], EEC); /* any file will do to be found */
	assert_int_equal(own_cert_find(NULL, NULL, &own, &f), 0);
	assert_string_equal(own.cert, certs[2]);
	assert_string_equal(own.key, "");
	put_cert(certs[0], EEC);
	assert_int_equal(own_cert_find(NULL, NULL, &own, &f), 0);
	assert_string_equal(own.cert, certs[0]);
	assert_string_equal(own.key, certs[1]);
}

static void
options_win_over_the_environment_and_that_over_home(void **state)
{
	struct own_cert own;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	assert_int_equal(setenv("X509_USER_CERT", certs[0], 1), 0);
	assert_int_equal(setenv("X509_USER_KEY", "/env/key", 1), 0);
	assert_int_equal(own_cert_find(NULL, NULL, &own, &f), 0);
	assert_string_equal(own.key, "/env/key");
	assert_int_equal(own_cert_find(NULL, "/my/key", &own, &f), 0);
	assert_string_equal(own.key, "/my/key");
	assert_int_equal(own_cert_find("/my/cert", NULL, &own, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(strstr(f.text, "/my/cert"));
	/* Empty is as good as not set. */
	assert_int_equal(setenv("X509_USER_KEY", "", 1), 0);
	assert_int_equal(own_cert_find(NULL, NULL, &own, &f), 0);
	assert_string_equal(own.key, certs[1]);
}

static void
a_file_that_is_named_alone_holds_its_own_key(void **state)
{
	struct own_cert own;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	assert_int_equal(own_cert_find(certs[0], NULL, &own, &f), 0);
	assert_string_equal(own.key, certs[0]);
	assert_int_equal(own_cert_find("/x/a.p12", NULL, &own, &f), 0);
	assert_string_equal(own.key, "");
	assert_true(own_cert_is_bundle("/x/a.pfx"));
	assert_false(own_cert_is_bundle("/x/a.pem"));
}

static int
load(bool from_stdin, struct credential *c, struct fault *f)
{
	const struct own_cert_ask ask = { from_stdin, "never shown" };
	struct own_cert own;
	int result;

	memset(c, 0, sizeof(*c));
	result = own_cert_find(NULL, NULL, &own, f);
	if (result == 0)
		result = own_cert_chain(&own, c, f);
	if (result == 0)
		result = own_cert_key(&own, &ask, c, f);
	return result;
}

static void
certificate_and_key_are_loaded_and_belong_together(void **state)
{
	struct credential c;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	put_key(certs[1], EEC, NULL);
	assert_int_equal(load(true, &c, &f), 0);
	assert_int_equal(c.chain.count, 1);
	assert_non_null(c.key);
	credential_clear(&c);
	put_key(certs[1], SUB, NULL);
	assert_int_equal(load(true, &c, &f), -1);
	assert_non_null(strstr(f.text, "is not that of the certificate"));
	credential_clear(&c);
}

static void
a_pass_phrase_opens_the_key_and_a_wrong_one_is_called_that(void **state)
{
	struct credential c;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	put_key(certs[1], EEC, "secret1");
	answer("secret1\n");
	assert_int_equal(load(true, &c, &f), 0);
	credential_clear(&c);
	/* Only one try where nobody can be asked again. */
	answer("wrong\nsecret1\n");
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "wrong pass phrase for "));
	credential_clear(&c);
	answer("");
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_non_null(strstr(f.text, "no pass phrase for "));
	credential_clear(&c);
}

static void
a_key_that_others_can_read_is_refused_with_what_to_do(void **state)
{
	struct credential c;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	put_key(certs[1], EEC, NULL);
	assert_int_equal(chmod(certs[1], 0644), 0);
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "run: chmod 600 "));
	credential_clear(&c);
}

static void
files_without_what_is_looked_for_say_so(void **state)
{
	struct credential c;
	struct fault f;

	(void)state;
	put_cert(certs[0], EEC);
	put_cert(certs[1], EEC);
	assert_int_equal(chmod(certs[1], 0600), 0);
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_non_null(strstr(f.text, "there is no key in "));
	credential_clear(&c);
	put_key(certs[0], EEC, NULL);
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_non_null(strstr(f.text, "holds no certificate"));
	credential_clear(&c);
}

static void
a_bundle_is_opened_by_its_pass_phrase(void **state)
{
	struct credential c;
	struct fault f;
	OWN_BUF(der, 65536);
	OWN_STRUCT(secret) phrase = secret_copy("secret1", 7, &f);

	(void)state;
	put_cert(certs[0], EEC);
	put_key(certs[1], EEC, NULL);
	assert_int_equal(load(true, &c, &f), 0);
	assert_int_equal(p12_write(&c, "alice", phrase, &der, &f), 0);
	credential_clear(&c);
	(void)unlink(certs[0]);
	(void)unlink(certs[1]);
	assert_int_equal(file_write(certs[2], 0600, der.data, der.len, &f), 0);
	answer("secret1\n");
	assert_int_equal(load(true, &c, &f), 0);
	assert_int_equal(c.chain.count, 1);
	assert_non_null(c.key);
	credential_clear(&c);
	answer("wrong\n");
	assert_int_equal(load(true, &c, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	credential_clear(&c);
}

static void
home_may_be_missing_and_paths_too_long(void **state)
{
	char long_name[PLACE_SIZE];
	char path[PLACE_SIZE];
	struct fault f;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(own_cert_place(long_name, path, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(unsetenv("HOME"), 0);
	/* The account's then. */
	assert_int_equal(own_cert_place("x", path, &f), 0);
	assert_int_equal(path[0], '/');
	assert_int_equal(setenv("HOME", home, 1), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_looked_for_where_grid_tools_look),
		TEST(options_win_over_the_environment_and_that_over_home),
		TEST(a_file_that_is_named_alone_holds_its_own_key),
		TEST(certificate_and_key_are_loaded_and_belong_together),
		TEST(
		    a_pass_phrase_opens_the_key_and_a_wrong_one_is_called_that),
		TEST(a_key_that_others_can_read_is_refused_with_what_to_do),
		TEST(files_without_what_is_looked_for_say_so),
		TEST(a_bundle_is_opened_by_its_pass_phrase),
		TEST(home_may_be_missing_and_paths_too_long),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
