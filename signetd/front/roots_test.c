#include "signetd/front/roots.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/front/reply.h"
#include "x509/own_ssl.h"

#include <openssl/pem.h>

#include <fts.h>
#include <string.h>
#include <unistd.h>

#define POLICY                           \
	"access_id_CA X509 '/CN=Root'\n" \
	"pos_rights globus CA:sign\n"    \
	"cond_subjects globus '\"/CN=*\"'\n"

/* A trust directory with one root, and a person whom it has certified. */
struct yard {
	char dir[64];
	char *root_pem, *person_pem, *stranger_pem;
};

static X509 *
certify(const char *cn, EVP_PKEY *key, const char *issuer_cn, EVP_PKEY *with)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509_EXTENSION *basic =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
		strcmp(cn, issuer_cn) == 0 ? "critical,CA:TRUE"
					   : "critical,CA:FALSE");

	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_issuer_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)issuer_cn, -1, -1, 0);
	X509_set_pubkey(cert, key);
	assert_int_equal(X509_add_ext(cert, basic, -1), 1);
	X509_EXTENSION_free(basic);
	assert_true(X509_sign(cert, with, EVP_sha256()) > 0);
	return cert;
}

static char *
pem_of(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static void
put(const struct yard *y, const char *hash, const char *suffix,
    const char *text)
{
	struct fault f = { 0 };
	char path[128];

	assert_int_equal(text_fmt(path, sizeof(path), "%s/%s%s", y->dir, hash,
			     suffix),
	    0);
	assert_int_equal(file_write(path, 0644, text, strlen(text), &f), 0);
}

static int
build_yard(void **state)
{
	struct yard *y = calloc(1, sizeof(*y));
	OWN(EVP_PKEY) key = EVP_EC_gen("P-256");
	OWN(EVP_PKEY) other = EVP_EC_gen("P-256");
	OWN(X509) root = certify("Root", key, "Root", key);
	OWN(X509) person = certify("Alice", other, "Root", key);
	OWN(X509) stranger = certify("Alice", other, "Root", other);
	char hash[16];

	memcpy(y->dir, "/tmp/roots.XXXXXX", 18);
	assert_non_null(mkdtemp(y->dir));
	y->root_pem = pem_of(root);
	y->person_pem = pem_of(person);
	y->stranger_pem = pem_of(stranger);
	assert_int_equal(text_fmt(hash, sizeof(hash), "%08lx",
			     X509_subject_name_hash(root)),
	    0);
	put(y, hash, ".0", y->root_pem);
	put(y, hash, ".signing_policy", POLICY);
	put(y, hash, ".crl_optional", "in tests\n");
	*state = y;
	return 0;
}

static int
raze_yard(void **state)
{
	struct yard *y = *state;
	char *paths[] = { y->dir, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL, NULL);
	FTSENT *entry;

	while ((entry = fts_read(tree)) != NULL)
		if (entry->fts_info != FTS_D)
			(void)remove(entry->fts_path);
	(void)fts_close(tree);
	free(y->root_pem);
	free(y->person_pem);
	free(y->stranger_pem);
	free(y);
	return 0;
}

static char *
judge(struct roots *roots, const char *pem, struct fault *f)
{
	struct cert_list chain;
	bool limited = true;
	char *identity;

	assert_int_equal(cert_list_read_pem(&chain, pem, strlen(pem), f), 0);
	identity = roots_judge(roots, &chain, &limited, f);
	assert_int_equal(limited, identity == NULL);
	cert_list_free(&chain);
	return identity;
}

static void
a_person_of_a_trusted_authority_is_known(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_STRUCT(roots) roots = roots_new(y->dir, true, &f);
	OWN(char) identity = NULL;

	assert_non_null(roots);
	identity = judge(roots, y->person_pem, &f);
	assert_non_null(identity);
	assert_string_equal(identity, "/CN=Alice");
}

static void
a_person_of_another_is_not(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_STRUCT(roots) roots = roots_new(y->dir, true, &f);

	assert_null(judge(roots, y->stranger_pem, &f));
	assert_int_equal(f.code, FAULT_UNTRUSTED);
}

static void
the_hosts_chain_is_completed_to_its_root(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_STRUCT(roots) roots = roots_new(y->dir, true, &f);
	struct cert_list list;
	OWN_BUF(chain, 65536);

	buf_text(&chain, y->person_pem);
	assert_int_equal(roots_complete(roots, &chain, &f), 0);
	assert_int_equal(cert_list_read_pem(&list, chain.data, chain.len, &f),
	    0);
	assert_int_equal(list.count, 2);
	assert_true(cert_is_self_issued(list.cert[1]));
	cert_list_free(&list);
	/* What is whole already stays as it is. */
	assert_int_equal(roots_complete(roots, &chain, &f), 0);
	assert_int_equal(cert_list_read_pem(&list, chain.data, chain.len, &f),
	    0);
	assert_int_equal(list.count, 2);
	cert_list_free(&list);
}

static void
the_answer_is_made_once_and_outlives_its_maker(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	struct roots *roots = roots_new(y->dir, true, &f);
	struct reply *first = roots_reply(roots);
	struct reply *second = roots_reply(roots);

	assert_non_null(first);
	assert_ptr_equal(first, second);
	assert_int_equal(first->files, 2);
	assert_int_equal(first->data.data[first->data.len - 1], 0);
	assert_non_null(strstr((const char *)first->data.data,
	    "RESPONSE=0\nTRUSTED_CERTS="));
	roots_free(roots);
	reply_drop(first);
	assert_int_equal(second->users, 1);
	reply_drop(second);
}

static void
what_is_not_served_is_not_handed_out(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_STRUCT(roots) roots = roots_new(y->dir, false, &f);

	assert_null(roots_reply(roots));
}

static void
a_change_is_noticed_when_the_directory_is_used_again(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	OWN_STRUCT(roots) roots = roots_new(y->dir, true, &f);
	OWN_STRUCT(reply) before = roots_reply(roots);
	OWN_STRUCT(reply) at_once = NULL;
	OWN_STRUCT(reply) later = NULL;

	put(y, "root", ".info", "alias = root\n");
	/* Looked at once a second at most. */
	at_once = roots_reply(roots);
	assert_ptr_equal(at_once, before);
	roots_look(roots, clock_mono() + 2000);
	later = roots_reply(roots);
	assert_int_equal(later->files, 3);
}

static void
folders_that_links_lead_to_are_found_once(void **state)
{
	const struct yard *y = *state;
	struct fault f = { 0 };
	char other[128], path[160], target[160];
	char *places[2];

	assert_int_equal(text_fmt(other, sizeof(other), "%s/bundle", y->dir),
	    0);
	assert_int_equal(file_mkdir(other, 0755, &f), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(text_fmt(target, sizeof(target), "%s/%d.info",
				     other, i),
		    0);
		assert_int_equal(text_fmt(path, sizeof(path), "%s/%d.info",
				     y->dir, i),
		    0);
		assert_int_equal(file_write(target, 0644, "a\n", 2, &f), 0);
		assert_int_equal(symlink(target, path), 0);
	}
	/* A link within the directory, and one to nowhere. */
	assert_int_equal(text_fmt(path, sizeof(path), "%s/near.info", y->dir),
	    0);
	assert_int_equal(symlink("0.info", path), 0);
	assert_int_equal(text_fmt(path, sizeof(path), "%s/far.info", y->dir),
	    0);
	assert_int_equal(symlink("/no/such/file", path), 0);
	assert_int_equal(roots_places(y->dir, places, 2), 1);
	assert_string_equal(places[0], other);
	free(places[0]);
	assert_int_equal(roots_places(y->dir, places, 0), 0);
	assert_int_equal(roots_places("/no/such/folder", places, 2), 0);
}

#define ROOTS_TEST(name) \
	cmocka_unit_test_setup_teardown(name, build_yard, raze_yard)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROOTS_TEST(a_person_of_a_trusted_authority_is_known),
		ROOTS_TEST(a_person_of_another_is_not),
		ROOTS_TEST(the_hosts_chain_is_completed_to_its_root),
		ROOTS_TEST(the_answer_is_made_once_and_outlives_its_maker),
		ROOTS_TEST(what_is_not_served_is_not_handed_out),
		ROOTS_TEST(folders_that_links_lead_to_are_found_once),
		ROOTS_TEST(
		    a_change_is_noticed_when_the_directory_is_used_again),
	};

	log_open("test", 0);
	return cmocka_run_group_tests_name("front/roots", tests, NULL, NULL);
}
