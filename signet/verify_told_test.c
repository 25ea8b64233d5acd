#include "verify_told.h"

#include "trust/pki_probe.h"
#include "trust/verify.h"

#include <sys/mman.h>

#include <stdio.h>

/* The plain chain from ${leaf}, judged by the directory of ${p}. */
static json_t *
told(const struct pki *p, enum pki_who leaf, const char *host, time_t when,
    struct fault *why)
{
	const struct verify_question q = { .what = "a file",
		.host = host,
		.purpose = "client",
		.time = when,
		.flags = 0 };
	struct fault f = { 0 };
	OWN_STRUCT(trust_store) store =
	    trust_load(p->dir, true, NULL, NULL, &f);
	struct cert_list chain;
	json_t *answer;

	assert_non_null(store);
	assert_true(pki_chain(p, leaf, &chain));
	answer = verify_told(store, &chain, &q, why, &f);
	assert_non_null(answer);
	cert_list_free(&chain);
	return answer;
}

static const char *
text(const json_t *object, const char *key)
{
	const char *found = json_string_value(json_object_get(object, key));

	return found != NULL ? found : "(nothing)";
}

static void
set_up(struct pki *p)
{
	pki_init(p);
	pki_make(p);
	pki_dir(p);
}

static void
who_is_accepted_is_told_with_his_way(void **state)
{
	static const char *const by[] = { "the next", "the next", "the next",
		"the next", "itself" };
	const json_t *path;
	struct fault why;
	struct pki p;
	json_t *a;

	(void)state;
	set_up(&p);
	a = told(&p, DEEPER, NULL, PKI_NOW, &why);
	assert_int_equal(why.code, FAULT_NONE);
	assert_true(json_is_true(json_object_get(a, "accepted")));
	assert_null(json_object_get(a, "error"));
	assert_string_equal(text(a, "identity"), PKI_PERSON);
	assert_true(json_is_true(json_object_get(a, "proxy")));
	assert_true(json_is_false(json_object_get(a, "limited")));
	assert_string_equal(text(a, "what"), "a file");
	assert_string_equal(text(a, "trust_dir"), p.dir);
	path = json_object_get(a, "path");
	assert_int_equal(json_array_size(path), PKI_COUNT);
	for (size_t i = 0; i < PKI_COUNT; i++) {
		const json_t *cert = json_array_get(path, i);
		bool last = i + 1 == PKI_COUNT;
		const json_t *rule;
		size_t n;

		assert_string_equal(text(cert, "signed_by"), by[i]);
		assert_int_equal(json_is_null(json_object_get(cert, "anchor")),
		    !last);
		assert_true(json_array_size(json_object_get(cert, "rules")) >
		    0);
		json_array_foreach(json_object_get(cert, "rules"), n, rule)
		    assert_true(json_is_true(json_object_get(rule, "kept")));
	}
	json_decref(a);
	pki_free(&p);
}

static void
who_is_refused_is_told_by_which_rule(void **state)
{
	const json_t *rules, *rule;
	struct fault why;
	struct pki p;
	bool dates = false;
	json_t *a;
	size_t n;

	(void)state;
	set_up(&p);
	a = told(&p, EEC, NULL, PKI_NOW + 100L * PKI_DAY, &why);
	assert_int_equal(why.code, FAULT_EXPIRED);
	assert_true(json_is_false(json_object_get(a, "accepted")));
	assert_string_equal(text(a, "error"), why.text);
	assert_null(json_object_get(a, "identity"));
	rules = json_object_get(json_array_get(json_object_get(a, "path"), 0),
	    "rules");
	json_array_foreach(rules, n,
	    rule) if (strcmp(text(rule, "rule"), "dates") == 0) dates =
	    json_is_false(json_object_get(rule, "kept"));
	assert_true(dates);
	json_decref(a);
	pki_free(&p);
}

static void
a_chain_to_nowhere_says_whose_signature_it_is(void **state)
{
	char path[PATH_MAX];
	const json_t *certs, *last;
	struct fault why;
	struct pki p;
	json_t *a;

	(void)state;
	set_up(&p);
	pki_path(&p, p.cert[ROOT], "0", path);
	assert_int_equal(unlink(path), 0);
	a = told(&p, EEC, NULL, PKI_NOW, &why);
	assert_int_equal(why.code, FAULT_UNTRUSTED);
	certs = json_object_get(a, "path");
	last = json_array_get(certs, json_array_size(certs) - 1);
	assert_true(json_is_null(json_object_get(last, "signed_by")));
	assert_true(json_is_null(json_object_get(last, "anchor")));
	assert_string_equal(text(last, "issuer"), PKI_BASE "/CN=Root");
	json_decref(a);
	pki_free(&p);
}

static void
who_is_not_who_was_called_is_refused(void **state)
{
	struct fault why;
	struct pki p;
	json_t *a;

	(void)state;
	pki_init(&p);
	pki_set(&p, EEC, "subjectAltName", "DNS:host.example.org");
	pki_make(&p);
	pki_dir(&p);
	a = told(&p, EEC, "other.example.org", PKI_NOW, &why);
	assert_int_equal(why.code, FAULT_UNTRUSTED);
	assert_non_null(strstr(text(a, "error"), "other.example.org"));
	json_decref(a);
	a = told(&p, EEC, "host.example.org", PKI_NOW, &why);
	assert_int_equal(why.code, FAULT_NONE);
	json_decref(a);
	pki_free(&p);
}

/* What is printed of ${told}, in ${said}. */
static void
print_to(const json_t *told, char *said, size_t size)
{
	int kept = memfd_create("said", MFD_CLOEXEC);
	int out = dup(STDOUT_FILENO);
	ssize_t len;

	assert_true(kept >= 0 && out >= 0);
	(void)fflush(stdout);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	verify_print(told, false);
	(void)fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	assert_int_equal(close(out), 0);
	len = pread(kept, said, size - 1, 0);
	assert_true(len > 0);
	said[len] = '\0';
	assert_int_equal(close(kept), 0);
}

static void
people_read_the_same(void **state)
{
	char said[16384];
	struct fault why;
	struct pki p;
	json_t *a;

	(void)state;
	set_up(&p);
	a = told(&p, PROXY, NULL, PKI_NOW, &why);
	print_to(a, said, sizeof(said));
	assert_non_null(strstr(said, "a file, for client, at "));
	assert_non_null(strstr(said, "1. " PKI_PERSON "/CN=1234567890\n"));
	assert_non_null(strstr(said, "signed by  2, whose key made"));
	assert_non_null(strstr(said, "accepted: " PKI_PERSON ", until "));
	assert_null(strstr(said, "   NO"));
	json_decref(a);
	a = told(&p, PROXY, NULL, PKI_NOW + 100L * PKI_DAY, &why);
	print_to(a, said, sizeof(said));
	assert_non_null(strstr(said, "refused: "));
	assert_non_null(strstr(said, why.text));
	assert_non_null(strstr(said, "   NO"));
	json_decref(a);
	pki_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_accepted_is_told_with_his_way),
		cmocka_unit_test(who_is_refused_is_told_by_which_rule),
		cmocka_unit_test(a_chain_to_nowhere_says_whose_signature_it_is),
		cmocka_unit_test(who_is_not_who_was_called_is_refused),
		cmocka_unit_test(people_read_the_same),
	};

	return cmocka_run_group_tests_name("signet/verify_told", tests, NULL,
	    NULL);
}
