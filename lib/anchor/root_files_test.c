#include "anchor/root_files.h"

#include "anchor/house_probe.h"
#include "trust/pki_probe.h"
#include "trust/sigpolicy.h"
#include "x509/pem.h"

#include <openssl/pem.h>

/* Two CAs, and a place to install what they publish. */
struct yard {
	struct pki pki;
	struct place place;
	char hash[2][9]; /* of root and sub */
	struct root_files files;
	char left[512]; /* "name: why; " of what was left out */
};

static struct yard *
yard_new(void)
{
	struct yard *y = calloc(1, sizeof(*y));

	assert_non_null(y);
	pki_init(&y->pki);
	pki_make(&y->pki);
	place_init(&y->place);
	for (int i = 0; i < 2; i++)
		(void)snprintf(y->hash[i], sizeof(y->hash[i]), "%08lx",
		    X509_NAME_hash_ex(X509_get_subject_name(y->pki.cert[i]),
			NULL, NULL, NULL));
	return y;
}

static void
yard_free(struct yard *y)
{
	root_files_clear(&y->files);
	place_drop(&y->place);
	pki_free(&y->pki);
	free(y);
}

static void
note(void *arg, const char *name, const struct fault *why)
{
	struct yard *y = arg;
	size_t at = strlen(y->left);

	(void)snprintf(y->left + at, sizeof(y->left) - at, "%s: %s; ", name,
	    why->text);
}

static void
bio_into(BIO *bio, struct buf *body)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	buf_put(body, data, (size_t)len);
	BIO_free(bio);
}

static void
put_cert(const struct yard *y, int who, struct buf *body)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509(bio, y->pki.cert[who]), 1);
	bio_into(bio, body);
}

/* A list of ${who}, the ${number}th, signed by ${key}'s key. */
static void
put_crl(const struct yard *y, int who, int key, long number, struct buf *body)
{
	const struct pki_crl what = { .reason = -1,
		.begins = (number - 10) * PKI_DAY,
		.ends = (number - 5) * PKI_DAY };
	X509_CRL *crl = pki_crl(y->pki.cert[who], y->pki.key[key], &what);
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_X509_CRL(bio, crl), 1);
	bio_into(bio, body);
	X509_CRL_free(crl);
}

static void
add(struct yard *y, int who, const char *ending, struct buf *body)
{
	char name[ROOT_NAME_SIZE];
	struct fault f = { 0 };

	(void)snprintf(name, sizeof(name), "%s.%s", y->hash[who], ending);
	if (root_files_add(&y->files, name, body, &f) < 0)
		fail_msg("%s", f.text);
}

static void
add_text(struct yard *y, int who, const char *ending, const char *text)
{
	OWN_BUF(body, 65536);

	buf_text(&body, text);
	add(y, who, ending, &body);
}

static void
add_ca(struct yard *y, int who, long number)
{
	OWN_BUF(cert, 65536);
	OWN_BUF(crl, 65536);

	put_cert(y, who, &cert);
	add(y, who, "0", &cert);
	put_crl(y, who, who, number, &crl);
	add(y, who, "r0", &crl);
}

/* Judge and install as ${by}; how many files. */
static size_t
install(struct yard *y, const char *by, bool only_newer, enum fault_code code)
{
	const struct root_install how = {
		.by = by, .only_newer = only_newer, .note = note, .arg = y
	};
	struct fault f = { 0 };
	size_t installed = 99;

	y->left[0] = '\0';
	assert_int_equal(root_files_judge(&y->files, note, y, &f), 0);
	if (root_files_install(&y->files, y->place.dir, &how, &installed, &f) <
	    0)
		assert_int_equal(f.code, code);
	else
		assert_int_equal(code, FAULT_NONE);
	root_files_clear(&y->files);
	return installed;
}

static bool
has(const struct yard *y, int who, const char *ending)
{
	char name[ROOT_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.%s", y->hash[who], ending);
	return is_there(&y->place, name);
}

static void
what_one_installed_is_his_to_remove(void **state)
{
	struct yard *y = yard_new();

	(void)state;
	assert_int_equal(mkdir(y->place.dir, 0755), 0);
	scribble(&y->place, "mine.txt", "a person's own");
	add_ca(y, ROOT, 1);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 2);
	add_ca(y, SUB, 1);
	assert_int_equal(install(y, "trustroots:b", false, FAULT_NONE), 2);
	assert_true(has(y, ROOT, "0") && has(y, ROOT, "r0"));
	/* The one server gave up a list; the other's stays. */
	add_text(y, ROOT, "info", "alias = root\n");
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 1);
	assert_false(has(y, ROOT, "0") || has(y, ROOT, "r0"));
	assert_true(has(y, ROOT, "info"));
	assert_true(has(y, SUB, "0") && has(y, SUB, "r0"));
	reads(&y->place, "mine.txt", "a person's own");
	yard_free(y);
}

static void
one_certificate_is_installed_and_nothing_behind_it(void **state)
{
	struct yard *y = yard_new();
	OWN_BUF(body, 65536);
	OWN_BUF(plain, 65536);
	char name[ROOT_NAME_SIZE];
	BIO *bio = BIO_new(BIO_s_mem());

	(void)state;
	put_cert(y, ROOT, &body);
	put_cert(y, ROOT, &plain);
	/* Under another label, which OpenSSL reads as well. */
	assert_int_equal(PEM_write_bio_X509_AUX(bio, y->pki.cert[SUB]), 1);
	bio_into(bio, &body);
	add(y, ROOT, "0", &body);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 1);
	(void)snprintf(name, sizeof(name), "%s.0", y->hash[ROOT]);
	assert_int_equal(look_at(&y->place, name).st_size, plain.len);
	/* And two of the same label are none. */
	buf_clear(&body);
	put_cert(y, ROOT, &body);
	put_cert(y, SUB, &body);
	add(y, ROOT, "0", &body);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 0);
	assert_non_null(strstr(y->left, "not one certificate"));
	assert_true(has(y, ROOT, "0"));
	yard_free(y);
}

static void
lists_are_signed_and_do_not_go_back(void **state)
{
	struct yard *y = yard_new();
	OWN_BUF(forged, 65536);
	OWN_BUF(cert, 65536);

	(void)state;
	add_ca(y, ROOT, 3);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 2);
	put_cert(y, ROOT, &cert);
	add(y, ROOT, "0", &cert);
	put_crl(y, ROOT, SUB, 4, &forged);
	add(y, ROOT, "r0", &forged);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 1);
	assert_non_null(strstr(y->left, ".r0: "));
	assert_true(has(y, ROOT, "r0"));
	add_ca(y, ROOT, 2);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 1);
	assert_non_null(strstr(y->left, "older"));
	add_ca(y, ROOT, 2);
	(void)install(y, "signet-ca:x", true, FAULT_DENIED);
	/* Another's list, without his certificate. */
	put_crl(y, SUB, SUB, 1, &forged);
	add(y, SUB, "r0", &forged);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 0);
	assert_non_null(strstr(y->left, "certificate is not with it"));
	/* Nothing was good, so nothing was removed. */
	assert_true(has(y, ROOT, "0") && has(y, ROOT, "r0"));
	yard_free(y);
}

static void
texts_are_what_their_names_say(void **state)
{
	static const char *const bad[][2] = {
		{ "signing_policy", "access_id_CA" },
		{ "namespaces", "TO Nobody" },
		{ "info", "a\001b" },
		{ "crl_url", "\177" },
		{ "pem", "anything" },
		{ "r", "anything" },
		{ "0", "nothing" },
		{ "r0", "<html>" },
	};
	struct yard *y = yard_new();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		add_text(y, ROOT, bad[i][0], bad[i][1]);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strstr(y->left, bad[i][0]) == NULL)
			fail_msg("%s in %s", bad[i][0], y->left);
	assert_false(is_there(&y->place, "."));
	yard_free(y);
}

static void
names_are_harmless_and_come_once(void **state)
{
	static const char *const bad[] = { "", ".hidden", "-rf", "a/b", "a b",
		"a\n", "../x" };
	struct root_files files = { 0, NULL };
	OWN_BUF(body, 16);
	struct fault f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(root_files_add(&files, bad[i], &body, &f), -1);
	assert_int_equal(root_files_add(&files, "a.info", &body, &f), 0);
	assert_int_equal(root_files_add(&files, "a.info", &body, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	root_files_clear(&files);
}

static void
a_link_of_a_chain_says_just_that(void **state)
{
	const struct root_install how = { .by = "bootstrap:a",
		.only_new = true };
	const struct root_install then = { .by = "trustroots:a",
		.stopgap = "bootstrap:a" };
	struct yard *y = yard_new();
	struct cert *above = pki_read(y->pki.cert[ROOT]);
	struct cert *below = pki_read(y->pki.cert[SUB]);
	struct fault f = { 0 };
	struct sigpolicy policy;
	size_t installed;

	(void)state;
	assert_int_equal(root_files_link(&y->files, above, below, &f), 0);
	assert_int_equal(y->files.count, 3);
	assert_int_equal(sigpolicy_read(&policy,
			     (const char *)y->files.file[0].body.data,
			     y->files.file[0].body.len, &f),
	    0);
	assert_true(sigpolicy_allows(&policy, PKI_BASE "/CN=Root",
	    PKI_BASE "/CN=Sub"));
	assert_false(sigpolicy_allows(&policy, PKI_BASE "/CN=Root",
	    PKI_BASE "/CN=Sub 2"));
	sigpolicy_clear(&policy);
	assert_int_equal(root_files_install(&y->files, y->place.dir, &how,
			     &installed, &f),
	    0);
	assert_int_equal(installed, 3);
	assert_true(has(y, ROOT, "crl_optional"));
	assert_int_equal(root_files_install(&y->files, y->place.dir, &how,
			     &installed, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	root_files_clear(&y->files);
	/* Its CRL comes, and the word that there need be none goes. */
	add_ca(y, ROOT, 1);
	assert_int_equal(root_files_judge(&y->files, note, y, &f), 0);
	assert_int_equal(root_files_install(&y->files, y->place.dir, &then,
			     &installed, &f),
	    0);
	assert_false(has(y, ROOT, "crl_optional"));
	assert_true(has(y, ROOT, "signing_policy"));
	cert_free(above);
	cert_free(below);
	yard_free(y);
}

/* Where the directory above is not ours to write, as in many containers. */
static void
a_directory_that_stays_where_it_is_is_written_file_by_file(void **state)
{
	struct yard *y = yard_new();

	(void)state;
	assert_int_equal(mkdir(y->place.dir, 0755), 0);
	assert_int_equal(chmod(y->place.top, 0555), 0);
	add_ca(y, ROOT, 1);
	assert_int_equal(install(y, "trustroots:a", false, FAULT_NONE), 2);
	assert_int_equal(chmod(y->place.top, 0755), 0);
	assert_true(has(y, ROOT, "0") && has(y, ROOT, "r0"));
	/* Root may write everywhere. */
	assert_int_equal(is_there(&y->place, HOUSE_LIST), geteuid() == 0);
	yard_free(y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_installed_is_his_to_remove),
		cmocka_unit_test(
		    one_certificate_is_installed_and_nothing_behind_it),
		cmocka_unit_test(lists_are_signed_and_do_not_go_back),
		cmocka_unit_test(texts_are_what_their_names_say),
		cmocka_unit_test(names_are_harmless_and_come_once),
		cmocka_unit_test(a_link_of_a_chain_says_just_that),
		cmocka_unit_test(
		    a_directory_that_stays_where_it_is_is_written_file_by_file),
	};

	return cmocka_run_group_tests_name("anchor/root_files", tests, NULL,
	    NULL);
}
