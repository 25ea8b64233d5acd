#include "myproxy/trustroots.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>

#include <sys/stat.h>

#include <fts.h>
#include <string.h>
#include <unistd.h>

/* A directory, a place for another, and a CA's certificate, CRL and policy
 * under its hash. */
struct yard {
	char from[64], top[64], to[128];
	char hash[9], old_hash[9];
	char *cert, *crl;
};

static const struct root_install how = { .by = "trustroots:test" };

static const char policy[] = "access_id_CA X509 '/O=Test/CN=Root'\n"
			     "pos_rights globus CA:sign\n"
			     "cond_subjects globus '\"/O=Test/*\"'\n";

static char *
text_of(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = strndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static void
name_fill(X509_NAME *name)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
			     (const unsigned char *)"Test", -1, -1, 0),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"Root", -1, -1, 0),
	    1);
}

static void
make_certificate(struct yard *y, EVP_PKEY *key)
{
	OWN(X509) cert = X509_new();
	BIO *out = BIO_new(BIO_s_mem());

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	name_fill(X509_get_subject_name(cert));
	name_fill(X509_get_issuer_name(cert));
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, cert), 1);
	y->cert = text_of(out);
	assert_int_equal(text_fmt(y->hash, sizeof(y->hash), "%08lx",
			     X509_subject_name_hash(cert)),
	    0);
	assert_int_equal(text_fmt(y->old_hash, sizeof(y->old_hash), "%08lx",
			     X509_subject_name_hash_old(cert)),
	    0);
}

static void
make_crl(struct yard *y, EVP_PKEY *key)
{
	OWN(X509_CRL) crl = X509_CRL_new();
	OWN(ASN1_TIME) now = X509_gmtime_adj(NULL, 0);
	OWN(ASN1_TIME) then = X509_gmtime_adj(NULL, 3600);
	OWN(ASN1_INTEGER) number = ASN1_INTEGER_new();
	OWN(X509_NAME) name = X509_NAME_new();
	BIO *out = BIO_new(BIO_s_mem());

	name_fill(name);
	ASN1_INTEGER_set(number, 1);
	assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
	assert_int_equal(X509_CRL_set_issuer_name(crl, name), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, now), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, then), 1);
	assert_int_equal(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0,
			     0),
	    1);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_CRL(out, crl), 1);
	y->crl = text_of(out);
}

static int
build_yard(void **state)
{
	struct yard *y = calloc(1, sizeof(*y));
	OWN(EVP_PKEY) key = EVP_EC_gen("P-256");

	if (y == NULL)
		return -1;
	memcpy(y->from, "/tmp/trustroots.XXXXXX", 23);
	memcpy(y->top, "/tmp/trustroots.XXXXXX", 23);
	assert_non_null(mkdtemp(y->from));
	assert_non_null(mkdtemp(y->top));
	(void)snprintf(y->to, sizeof(y->to), "%s/certificates", y->top);
	make_certificate(y, key);
	make_crl(y, key);
	*state = y;
	return 0;
}

static void
remove_tree(char *path)
{
	char *paths[] = { path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL, NULL);
	FTSENT *entry;

	while ((entry = fts_read(tree)) != NULL)
		if (entry->fts_info != FTS_D)
			(void)remove(entry->fts_path);
	(void)fts_close(tree);
}

static int
raze_yard(void **state)
{
	struct yard *y = *state;

	remove_tree(y->from);
	remove_tree(y->top);
	free(y->cert);
	free(y->crl);
	free(y);
	return 0;
}

static void
put(const char *dir, const char *hash, const char *suffix, mode_t mode,
    const char *text)
{
	struct fault f = { 0 };
	char path[256];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s%s", dir, hash,
			     suffix),
	    0);
	assert_int_equal(file_write(path, mode, text, strlen(text), &f), 0);
}

static bool
holds(const char *dir, const char *hash, const char *suffix, const char *text)
{
	struct fault f = { 0 };
	struct stat st;
	char path[256];
	OWN_BUF(data, 65536);

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s%s", dir, hash,
			     suffix),
	    0);
	if (file_read(path, &data, &f) < 0)
		return false;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	return data.len == strlen(text) &&
	    memcmp(data.data, text, data.len) == 0;
}

static void
a_directory_arrives_as_it_was_sent(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_BUF(out, TRUSTROOTS_MAX);
	size_t files;

	put(y->from, y->hash, ".0", 0644, y->cert);
	put(y->from, y->old_hash, ".0", 0644, y->cert);
	put(y->from, y->hash, ".r0", 0644, y->crl);
	put(y->from, y->hash, ".signing_policy", 0644, policy);
	put(y->from, "test-root", ".info", 0644, "alias = test-root\n");
	assert_int_equal(trustroots_write(y->from, &out, &files, NULL, NULL,
			     &f),
	    0);
	assert_int_equal(files, 5);
	assert_memory_equal(out.data, "TRUSTED_CERTS=", 14);
	assert_int_equal(trustroots_install((const char *)out.data, out.len,
			     y->to, &how, &files, &f),
	    0);
	assert_int_equal(files, 5);
	assert_true(holds(y->to, y->hash, ".0", y->cert));
	assert_true(holds(y->to, y->old_hash, ".0", y->cert));
	assert_true(holds(y->to, y->hash, ".r0", y->crl));
	assert_true(holds(y->to, y->hash, ".signing_policy", policy));
	assert_true(holds(y->to, "test-root", ".info", "alias = test-root\n"));
}

static void
only_what_is_for_everybody_is_sent(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_BUF(out, TRUSTROOTS_MAX);
	char path[256], alias[256];
	size_t files;

	put(y->from, y->hash, ".0", 0644, y->cert);
	put(y->from, "private", ".0", 0600, y->cert);
	put(y->from, "a,b", ".0", 0644, y->cert);
	put(y->from, ".hidden", "", 0644, y->cert);
	put(y->from, "empty", ".info", 0644, "");
	put(y->from, "forgotten", ".pem", 0644,
	    "-----BEGIN RSA PRIVATE KEY-----\n");
	assert_int_equal(text_fmt(path, sizeof(path), "%s/folder", y->from), 0);
	assert_int_equal(file_mkdir(path, 0755, &f), 0);
	/* IGTF bundles are made of links. */
	assert_int_equal(text_fmt(path, sizeof(path), "%s.0", y->hash), 0);
	assert_int_equal(text_fmt(alias, sizeof(alias), "%s/%s.0", y->from,
			     y->old_hash),
	    0);
	assert_int_equal(symlink(path, alias), 0);
	assert_int_equal(trustroots_write(y->from, &out, &files, NULL, NULL,
			     &f),
	    0);
	assert_int_equal(files, 2);
	assert_null(strstr(buf_cstr(&out), "private"));
	assert_null(strstr(buf_cstr(&out), "forgotten"));
}

static void
an_empty_directory_sends_nothing_and_a_missing_one_is_a_fault(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_BUF(out, TRUSTROOTS_MAX);
	size_t files = 7;

	assert_int_equal(trustroots_write(y->from, &out, &files, NULL, NULL,
			     &f),
	    0);
	assert_int_equal(files, 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(trustroots_write("/no/such/folder", &out, &files, NULL,
			     NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

/* A reply with one good file and one called ${name}. */
static int
install_with(const struct yard *y, const char *name, const char *text,
    size_t *files, struct fault *f)
{
	OWN_BUF(lines, 65536);
	char base64[8192];

	text_base64(policy, strlen(policy), base64);
	buf_fmt(&lines, "FILEDATA_%s.signing_policy=%s\n", y->hash, base64);
	text_base64(text, strlen(text), base64);
	buf_fmt(&lines, "FILEDATA_%s=%s\n", name, base64);
	return trustroots_install((const char *)lines.data, lines.len, y->to,
	    &how, files, f);
}

static void
names_that_leave_the_folder_refuse_the_whole_reply(void **state)
{
	static const char *const names[] = { "../5a4e7850.0", "a/b.0",
		".bashrc", "", "5a4e7850.0\x01", "-rf", "a b.0" };
	const struct yard *y = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fault f = { 0 };
		size_t files = 9;

		assert_int_equal(install_with(y, names[i], y->cert, &files, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
		assert_int_equal(files, 9);
		assert_false(holds(y->to, y->hash, ".signing_policy", policy));
	}
}

static void
broken_base64_refuses_the_whole_reply(void **state)
{
	static const char line[] = "FILEDATA_5a4e7850.0=AAA!\n";
	const struct yard *y = *state;
	struct fault f = { 0 };
	size_t files;

	assert_int_equal(trustroots_install(line, sizeof(line) - 1, y->to, &how,
			     &files, &f),
	    -1);
	assert_int_equal(f.code, FAULT_INPUT);
}

static void
a_file_that_is_not_what_its_name_says_is_left_out(void **state)
{
	const struct yard *y = *state;
	char r0[32], zero[32];
	const char *cases[][2] = {
		{ "0a0a0a0a.0", y->cert },    /* another hash */
		{ "0a0a0a0a.r0", y->crl },    /* another hash */
		{ r0, y->cert },	      /* no CRL */
		{ zero, y->crl },	      /* no certificate */
		{ zero, "" },		      /* nothing */
		{ "profile", "export A=b\n" } /* no kind of ours */
	};

	assert_int_equal(text_fmt(r0, sizeof(r0), "%s.r0", y->hash), 0);
	assert_int_equal(text_fmt(zero, sizeof(zero), "%s.0", y->hash), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault f = { 0 };
		size_t files;

		assert_int_equal(install_with(y, cases[i][0], cases[i][1],
				     &files, &f),
		    0);
		assert_int_equal(files, 1);
		assert_true(holds(y->to, y->hash, ".signing_policy", policy));
		assert_false(holds(y->to, cases[i][0], "", cases[i][1]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_directory_arrives_as_it_was_sent, build_yard, raze_yard),
		cmocka_unit_test_setup_teardown(
		    only_what_is_for_everybody_is_sent, build_yard, raze_yard),
		cmocka_unit_test_setup_teardown(
		    an_empty_directory_sends_nothing_and_a_missing_one_is_a_fault,
		    build_yard, raze_yard),
		cmocka_unit_test_setup_teardown(
		    names_that_leave_the_folder_refuse_the_whole_reply,
		    build_yard, raze_yard),
		cmocka_unit_test_setup_teardown(
		    broken_base64_refuses_the_whole_reply, build_yard,
		    raze_yard),
		cmocka_unit_test_setup_teardown(
		    a_file_that_is_not_what_its_name_says_is_left_out,
		    build_yard, raze_yard),
	};

	return cmocka_run_group_tests_name("myproxy/trustroots", tests, NULL,
	    NULL);
}
