#include "trust/store.h"

#include "base/fault.h"
#include "trust/pki_probe.h"

/* What was complained of, one line a file. */
struct complaints {
	int count;
	char text[2048];
};

static void
complain(void *arg, const char *file, const struct fault *f)
{
	struct complaints *c = arg;
	size_t at = strlen(c->text);

	c->count++;
	(void)snprintf(c->text + at, sizeof(c->text) - at, "%s: %s\n", file,
	    f->text);
}

static struct trust_store *
load(const struct pki *p, struct complaints *c)
{
	struct fault f = { 0 };
	struct trust_store *store;

	memset(c, 0, sizeof(*c));
	store = trust_load(p->dir, true, complain, c, &f);
	if (store == NULL)
		fail_msg("%s", f.text);
	return store;
}

static void
set_up(struct pki *p)
{
	pki_init(p);
	pki_make(p);
	pki_dir(p);
}

static void
anchors_have_their_policies_and_crls(void **state)
{
	const struct pki_crl plain = { -60, PKI_DAY, 0, 0 };
	const struct trust_anchor *root;
	struct trust_store *store;
	struct complaints c;
	X509_CRL *crl;
	struct pki p;

	(void)state;
	set_up(&p);
	crl = pki_crl(p.cert[ROOT], p.key[ROOT], &plain);
	pki_put_crl(&p, p.cert[ROOT], crl, "r0", false);
	X509_CRL_free(crl);
	store = load(&p, &c);
	assert_string_equal(c.text, "");
	assert_int_equal(trust_count(store), 1);
	assert_null(trust_at(store, 1));
	root = trust_at(store, 0);
	assert_non_null(root);
	assert_true(root->has_policy);
	assert_int_equal(root->lists.state, TRUST_LISTS_UNREAD);
	assert_non_null(trust_lists(store, root)->crl);
	assert_int_equal(root->lists.state, TRUST_LISTS_READ);
	assert_true(root->crl_optional);
	assert_null(root->namespaces);
	assert_false(trust_lists(store, root)->bad);
	assert_string_equal(trust_dir(store), p.dir);
	trust_free(store);
	pki_free(&p);
}

static void
a_policy_may_be_there_for_a_ca_that_is_not(void **state)
{
	const struct trust_anchor *record;
	struct trust_store *store;
	struct complaints c;
	struct cert *sub;
	size_t at = 0;
	struct pki p;

	(void)state;
	set_up(&p);
	store = load(&p, &c);
	sub = pki_read(p.cert[SUB]);
	record = trust_next_of(store, &sub->subject, &at);
	assert_non_null(record);
	assert_null(record->cert);
	assert_true(record->has_policy);
	assert_null(trust_next_of(store, &sub->subject, &at));
	cert_free(sub);
	trust_free(store);
	pki_free(&p);
}

static void
the_issuer_is_the_anchor_whose_key_signed(void **state)
{
	struct trust_store *store;
	struct cert *sub, *eec;
	struct complaints c;
	struct pki p;

	(void)state;
	set_up(&p);
	store = load(&p, &c);
	sub = pki_read(p.cert[SUB]);
	eec = pki_read(p.cert[EEC]);
	assert_ptr_equal(trust_find_issuer(store, sub), trust_at(store, 0));
	assert_null(trust_find_issuer(store, eec));
	cert_free(sub);
	cert_free(eec);
	trust_free(store);
	pki_free(&p);
}

static void
links_by_both_hashes_are_one_anchor(void **state)
{
	struct trust_store *store;
	char path[PATH_MAX], old[PATH_MAX];
	struct complaints c;
	struct pki p;

	(void)state;
	set_up(&p);
	pki_path(&p, p.cert[ROOT], "0", path);
	(void)snprintf(old, sizeof(old), "%s/%08lx.0", p.dir,
	    X509_subject_name_hash_old(p.cert[ROOT]));
	assert_int_equal(symlink(path, old), 0);
	store = load(&p, &c);
	assert_int_equal(trust_count(store), 1);
	assert_string_equal(c.text, "");
	trust_free(store);
	pki_free(&p);
}

static void
append(const char *path, X509 *x)
{
	FILE *out = fopen(path, "ae");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, x), 1);
	assert_int_equal(fclose(out), 0);
}

static void
a_certificate_appended_to_an_anchor_is_not_trusted(void **state)
{
	struct trust_store *store;
	struct complaints c;
	char path[PATH_MAX];
	struct pki p;

	(void)state;
	set_up(&p);
	pki_path(&p, p.cert[ROOT], "0", path);
	append(path, p.cert[SUB]);
	store = load(&p, &c);
	assert_int_equal(trust_count(store), 1);
	assert_int_equal(c.count, 1);
	assert_non_null(strstr(c.text, "only the first certificate"));
	trust_free(store);
	pki_free(&p);
}

static void
bad_files_are_reported_and_the_others_stay(void **state)
{
	struct trust_store *store;
	struct complaints c;
	char path[PATH_MAX];
	struct pki p;

	(void)state;
	set_up(&p);
	pki_anchor(&p, p.cert[EEC], "0");
	pki_text(&p, p.cert[SUB], "0", "no certificate at all\n");
	pki_text(&p, p.cert[SUB], "signing_policy", "garbage\n");
	pki_text(&p, p.cert[SUB], "r0", "-----BEGIN X509 CRL-----\n???\n");
	/* A good certificate under a name that is not its hash. */
	(void)snprintf(path, sizeof(path), "%s/00000000.0", p.dir);
	append(path, p.cert[ROOT]);
	/* Names that are none of ours are not even opened. */
	(void)snprintf(path, sizeof(path), "%s/README", p.dir);
	append(path, p.cert[SUB]);
	store = load(&p, &c);
	assert_int_equal(trust_count(store), 1);
	assert_int_equal(c.count, 4);
	/* What is wrong with a CRL is heard when it is read. */
	trust_read_lists(store);
	assert_int_equal(c.count, 5);
	assert_non_null(strstr(c.text, ".0: not a CA certificate"));
	assert_non_null(strstr(c.text, ".0: no certificate"));
	assert_non_null(strstr(c.text, "signing_policy: line 1"));
	assert_non_null(strstr(c.text, "00000000.0: the hash of the name"));
	trust_free(store);
	pki_free(&p);
}

static void
a_store_without_anchors_is_refused_unless_it_may_be_empty(void **state)
{
	struct fault f = { 0 };
	struct trust_store *store;

	(void)state;
	assert_null(trust_load("/nonexistent/x", false, NULL, NULL, &f));
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	store = trust_load("/nonexistent/x", true, NULL, NULL, &f);
	assert_non_null(store);
	assert_int_equal(trust_count(store), 0);
	assert_false(trust_changed(store));
	trust_free(store);
	assert_null(trust_load("/etc/passwd", true, NULL, NULL, &f));
	assert_int_equal(f.code, FAULT_SYSTEM);
}

static void
every_change_of_the_directory_is_seen(void **state)
{
	struct trust_store *store;
	struct complaints c;
	char path[PATH_MAX];
	struct timespec past[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct pki p;

	(void)state;
	set_up(&p);
	store = load(&p, &c);
	assert_false(trust_changed(store));
	pki_text(&p, p.cert[ROOT], "r0", "a CRL has come\n");
	assert_true(trust_changed(store));
	trust_free(store);

	store = load(&p, &c);
	assert_false(trust_changed(store));
	pki_text(&p, p.cert[ROOT], "r0", "a CRL is rewritten in its place\n");
	assert_true(trust_changed(store));
	trust_free(store);

	store = load(&p, &c);
	pki_path(&p, p.cert[ROOT], "r0", path);
	assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
	assert_true(trust_changed(store));
	trust_free(store);

	store = load(&p, &c);
	assert_int_equal(unlink(path), 0);
	assert_true(trust_changed(store));
	trust_free(store);
	pki_free(&p);
}

/* All files of ${p} were written long ago. */
static void
settle(const struct pki *p)
{
	struct timespec past[2] = { { 1000000000, 7 }, { 1000000000, 7 } };
	DIR *dir = opendir(p->dir);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			assert_int_equal(utimensat(dirfd(dir), entry->d_name,
					     past, 0),
			    0);
	(void)closedir(dir);
}

static void
a_reload_reads_what_changed_and_shares_the_rest(void **state)
{
	const struct pki_crl crl = { -60, PKI_DAY, 0, 0 };
	struct trust_store *store, *again;
	struct complaints c;
	struct fault f = { 0 };
	struct pki p;
	X509_CRL *list;

	(void)state;
	set_up(&p);
	list = pki_crl(p.cert[ROOT], p.key[ROOT], &crl);
	pki_put_crl(&p, p.cert[ROOT], list, "r0", false);
	X509_CRL_free(list);
	settle(&p);
	store = load(&p, &c);
	assert_int_equal(trust_read(store), 3);
	assert_non_null(trust_lists(store, trust_at(store, 0))->crl);
	assert_int_equal(trust_read(store), 4);
	pki_text(&p, p.cert[SUB], "signing_policy", "garbage\n");
	trust_demand(store, 0x10);
	again = trust_reload(store, complain, &c, &f);
	assert_non_null(again);
	assert_int_equal(trust_read(again), 1);
	assert_int_equal(trust_demands(again), 0x10);
	assert_int_equal(c.count, 1);
	assert_ptr_equal(trust_at(again, 0)->cert, trust_at(store, 0)->cert);
	assert_int_equal(trust_at(again, 0)->lists.state, TRUST_LISTS_READ);
	assert_ptr_equal(trust_lists(again, trust_at(again, 0))->crl,
	    trust_lists(store, trust_at(store, 0))->crl);
	/* Who still asks the old one is not disturbed, nor who asks the new. */
	trust_free(store);
	assert_string_equal(trust_at(again, 0)->hash, trust_at(again, 0)->hash);
	assert_int_equal(crl_index_count(trust_at(again, 0)->lists.crl), 0);
	trust_free(again);
	pki_free(&p);
}

/* A file that was just written may change once more without its time showing
 * it: it is read again. */
static void
what_is_too_new_is_not_shared(void **state)
{
	struct trust_store *store, *again;
	struct complaints c;
	struct fault f = { 0 };
	struct pki p;

	(void)state;
	set_up(&p);
	store = load(&p, &c);
	again = trust_reload(store, complain, &c, &f);
	assert_int_equal(trust_read(again), 3);
	trust_free(store);
	trust_free(again);
	pki_free(&p);
}

/* A load that began with one directory goes on with it. */
static void
a_directory_that_is_exchanged_is_seen_whole(void **state)
{
	struct trust_store *store, *again;
	struct complaints c;
	struct fault f = { 0 };
	struct pki p, other;
	char kept[80];

	(void)state;
	set_up(&p);
	set_up(&other);
	store = load(&p, &c);
	(void)snprintf(kept, sizeof(kept), "%s.kept", p.dir);
	assert_int_equal(rename(p.dir, kept), 0);
	assert_int_equal(rename(other.dir, p.dir), 0);
	assert_true(trust_changed(store));
	again = trust_reload(store, complain, &c, &f);
	assert_non_null(again);
	assert_int_not_equal(memcmp(trust_at(again, 0)->cert->spki.bits.data,
				 trust_at(store, 0)->cert->spki.bits.data,
				 trust_at(store, 0)->cert->spki.bits.len),
	    0);
	assert_int_equal(trust_count(again), 1);
	trust_free(store);
	trust_free(again);
	assert_int_equal(rename(p.dir, other.dir), 0);
	assert_int_equal(rename(kept, p.dir), 0);
	pki_free(&p);
	pki_free(&other);
}

static void
expect_dir(const char *option, bool install, const char *want)
{
	struct fault f = { 0 };
	char path[PATH_MAX];
	int answer = install
	    ? trust_install_dir(option, path, sizeof(path), &f)
	    : trust_default_dir(option, path, sizeof(path), &f);

	assert_int_equal(answer, 0);
	assert_string_equal(path, want);
}

static void
the_directory_is_that_of_option_environment_home_or_host(void **state)
{
	char home[] = "/tmp/signet_home.XXXXXX";
	char globus[64], certificates[96];
	struct fault f = { 0 };
	char small[8];

	(void)state;
	assert_non_null(mkdtemp(home));
	(void)snprintf(globus, sizeof(globus), "%s/.globus", home);
	(void)snprintf(certificates, sizeof(certificates), "%s/certificates",
	    globus);
	assert_int_equal(setenv("HOME", home, 1), 0);
	assert_int_equal(unsetenv("X509_CERT_DIR"), 0);
	expect_dir(NULL, false, "/etc/grid-security/certificates");
	expect_dir(NULL, true,
	    geteuid() == 0 ? "/etc/grid-security/certificates" : certificates);
	assert_int_equal(mkdir(globus, 0700), 0);
	assert_int_equal(mkdir(certificates, 0700), 0);
	expect_dir(NULL, false, certificates);
	expect_dir(NULL, true, certificates);
	assert_int_equal(setenv("X509_CERT_DIR", "/a/b", 1), 0);
	expect_dir(NULL, false, "/a/b");
	expect_dir(NULL, true, "/a/b");
	expect_dir("/c", false, "/c");
	assert_int_equal(trust_default_dir("/too/long/for/eight", small,
			     sizeof(small), &f),
	    -1);
	assert_int_equal(rmdir(certificates) | rmdir(globus) | rmdir(home), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anchors_have_their_policies_and_crls),
		cmocka_unit_test(a_policy_may_be_there_for_a_ca_that_is_not),
		cmocka_unit_test(the_issuer_is_the_anchor_whose_key_signed),
		cmocka_unit_test(links_by_both_hashes_are_one_anchor),
		cmocka_unit_test(
		    a_certificate_appended_to_an_anchor_is_not_trusted),
		cmocka_unit_test(bad_files_are_reported_and_the_others_stay),
		cmocka_unit_test(
		    a_store_without_anchors_is_refused_unless_it_may_be_empty),
		cmocka_unit_test(every_change_of_the_directory_is_seen),
		cmocka_unit_test(
		    a_reload_reads_what_changed_and_shares_the_rest),
		cmocka_unit_test(what_is_too_new_is_not_shared),
		cmocka_unit_test(a_directory_that_is_exchanged_is_seen_whole),
		cmocka_unit_test(
		    the_directory_is_that_of_option_environment_home_or_host),
	};

	return cmocka_run_group_tests_name("trust/store", tests, NULL, NULL);
}
