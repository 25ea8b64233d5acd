#include "anchor/anchor_source.h"

#include "anchor/anchor_probe.h"
#include "base/file.h"

struct site {
	struct pki pki;
	struct anchor_set set;
	struct fault f;
	char hash[9];
};

static void
setup(struct site *s)
{
	memset(s, 0, sizeof(*s));
	pki_init(&s->pki);
	pki_make(&s->pki);
	pki_dir(&s->pki);
	(void)snprintf(s->hash, sizeof(s->hash), "%08lx",
	    X509_NAME_hash_ex(X509_get_subject_name(s->pki.cert[ROOT]), NULL,
		NULL, NULL));
}

static void
teardown(struct site *s)
{
	anchor_set_clear(&s->set);
	pki_free(&s->pki);
}

static void
put(struct site *s, const char *name, const char *text)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", s->pki.dir, name);
	assert_int_equal(file_write(path, 0644, text, strlen(text), &s->f), 0);
}

static void
put_pem(struct site *s, const char *name, int times)
{
	char path[PATH_MAX];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", s->pki.dir, name);
	assert_non_null(out = fopen(path, "we"));
	for (int i = 0; i < times; i++)
		assert_int_equal(PEM_write_X509(out, s->pki.cert[ROOT]), 1);
	assert_int_equal(fclose(out), 0);
}

static void
load(struct site *s)
{
	anchor_set_clear(&s->set);
	if (source_directory(&s->set, s->pki.dir, &s->f) < 0 ||
	    source_relate(&s->set, &s->f) < 0)
		fail_msg("%s", s->f.text);
}

static void
a_plain_directory_is_read(void **state)
{
	const struct anchor_want *want;
	struct site s;

	(void)state;
	setup(&s);
	load(&s);
	assert_int_equal(s.set.count, 1);
	assert_non_null(want = anchor_set_find(&s.set, s.hash));
	assert_int_equal(want->from, WANT_PLAIN);
	assert_int_equal(want->wrong.count, 0);
	assert_non_null(want->policy);
	assert_string_equal(want->subject, PKI_BASE "/CN=Root");
	assert_int_equal(want->crls, 0);
	teardown(&s);
}

static void
lists_beside_a_plain_ca_are_its_source(void **state)
{
	struct pki_crl what = { .begins = -10, .ends = PKI_DAY };
	const struct anchor_want *want;
	struct site s;
	X509_CRL *crl;

	(void)state;
	setup(&s);
	crl = pki_crl(s.pki.cert[ROOT], s.pki.key[ROOT], &what);
	pki_put_crl(&s.pki, s.pki.cert[ROOT], crl, "r0", false);
	X509_CRL_free(crl);
	load(&s);
	want = s.set.item[0];
	assert_int_equal(want->crls, 1);
	assert_non_null(strstr(want->crl[0].urls.item[0], "file:///"));
	teardown(&s);
}

static void
a_distribution_is_read_once_under_all_its_names(void **state)
{
	const struct anchor_want *want;
	struct site s;

	(void)state;
	setup(&s);
	put_pem(&s, "Root.pem", 1);
	put(&s, "Root.info",
	    "alias = Root\nversion = 1\nstatus = accredited:classic\n"
	    "crl_url = http://a.example/x\nsubjectdn = \"" PKI_BASE
	    "/CN=Root\"\n");
	put(&s, "Root.crl_url", "http://b.example/x\nhttp://c.example/x\n");
	put(&s, "Root.namespaces", "TO Issuer SELF PERMIT Subject \"/O=A/.*\"");
	load(&s);
	assert_int_equal(s.set.count, 1);
	want = anchor_set_find(&s.set, "Root");
	assert_ptr_equal(want, anchor_set_find(&s.set, s.hash));
	assert_int_equal(want->from, WANT_IGTF);
	assert_int_equal(want->wrong.count, 0);
	assert_int_equal(want->crls, 1);
	assert_int_equal(want->crl[0].urls.count, 2);
	/* By hash, as there is none by alias; with a newline at its end. */
	assert_non_null(want->policy);
	assert_true(want->namespaces[strlen(want->namespaces) - 1] == '\n');
	teardown(&s);
}

static void
what_is_wrong_stays_with_its_ca(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	put_pem(&s, "Two.pem", 2);
	put(&s, "Two.info", "alias = Two\n");
	put(&s, "None.info", "alias = None\n");
	put(&s, "Bad.info", "alias = Bad\nrequires = Nobody\n");
	put(&s, "Bad.pem", "not a certificate");
	put(&s, "notes.pem", "not a certificate");
	load(&s);
	assert_int_equal(s.set.count, 4);
	assert_int_equal(anchor_set_find(&s.set, "Two")->wrong.count, 1);
	assert_int_equal(anchor_set_find(&s.set, "None")->wrong.count, 1);
	assert_int_equal(anchor_set_find(&s.set, "Bad")->wrong.count, 2);
	assert_int_equal(anchor_set_find(&s.set, s.hash)->wrong.count, 0);
	teardown(&s);
}

static void
a_bad_policy_is_wrong(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	pki_text(&s.pki, s.pki.cert[ROOT], "signing_policy", "frob\n");
	load(&s);
	assert_int_equal(s.set.item[0]->wrong.count, 1);
	teardown(&s);
}

static void
what_is_obsolete_is_disabled(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	put_pem(&s, "Root.pem", 1);
	put(&s, "Root.info", "alias = Root\nversion = 2\n");
	put(&s, "New.info", "obsoletes = Root\nrequires = Root = 1\n");
	load(&s);
	assert_true(anchor_set_find(&s.set, "Root")->disabled);
	/* Another version than it asks for is noted. */
	assert_int_equal(anchor_set_find(&s.set, "New")->notes.count, 1);
	teardown(&s);
}

static void
cadesc_directories_follow_one_another(void **state)
{
	char path[PATH_MAX];
	struct site s;

	(void)state;
	setup(&s);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", s.pki.dir,
		    i == 0 ? "ca-config" : "local.ca-config");
		assert_int_equal(mkdir(path, 0755), 0);
	}
	put(&s, "ca-config/00000000.template.cadesc", "frob");
	put(&s, "ca-config/11111111.a.cadesc", "DISABLE yes\n");
	put(&s, "ca-config/bad-name.cadesc", "DISABLE yes\n");
	put(&s, "ca-config/README", "frob");
	put(&s, "local.ca-config/11111111.b.cadesc", "HASH 1\n");
	assert_int_equal(source_gx_map(&s.set, s.pki.dir, &s.f), 0);
	assert_int_equal(s.set.count, 2);
	assert_null(anchor_set_find(&s.set, "a"));
	assert_false(anchor_set_find(&s.set, "11111111")->disabled);
	assert_non_null(strstr(anchor_set_find(&s.set, "bad-name.cadesc")
				   ->wrong.item[0],
	    "Bad file name: "));
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", s.pki.dir,
		    i == 0 ? "ca-config" : "local.ca-config");
		pki_remove(path);
	}
	assert_int_equal(source_cadesc(&s.set, "/nonexistent", &s.f), -1);
	assert_int_equal(s.f.code, FAULT_ABSENT);
	teardown(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_directory_is_read),
		cmocka_unit_test(lists_beside_a_plain_ca_are_its_source),
		cmocka_unit_test(
		    a_distribution_is_read_once_under_all_its_names),
		cmocka_unit_test(what_is_wrong_stays_with_its_ca),
		cmocka_unit_test(a_bad_policy_is_wrong),
		cmocka_unit_test(what_is_obsolete_is_disabled),
		cmocka_unit_test(cadesc_directories_follow_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
