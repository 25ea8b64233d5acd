#include "signetd/issuer/job.h"

#include "base/text.h"
#include "x509/mint_probe.h"

#include <stdio.h>

#define SUBJECT "/DC=org/O=Ex/OU=People/CN=user@EX.ORG"
#define PROFILE                                                     \
	"# people\nsubject /DC=org/O=Ex/OU=People/CN={principal}\n" \
	"lifetime 12h\nmax-lifetime 1000000\nkey ec:P-256\n"        \
	"usage digitalSignature\npurpose clientAuth\n"

static struct wire_bytes
text(const char *s)
{
	return (struct wire_bytes){ (const uint8_t *)s, strlen(s) };
}

static struct wire_bytes
bytes(const struct buf *b)
{
	return (struct wire_bytes){ b->data, b->len };
}

/* A policy of one CA and one profile, a person with a key, and a job. */
struct office {
	struct made root;
	struct made ca;
	struct policy *policy;
	struct key *key;
	struct buf request;
	struct job_table *jobs;
	struct job *job;
};

static void
add_ca(struct office *o)
{
	struct authority *root = probe_authority(&o->root, PROBE_ROOT_CONF);
	OWN_BUF(cert, 65536);
	OWN_BUF(chain, 65536);
	struct fault f = { 0 };

	o->ca = probe_make("sub-ca", "ec:P-256", PROBE_SUB, root, o->root.key,
	    NULL, NULL);
	pem_put(&cert, "CERTIFICATE", bytes(&o->ca.der));
	pem_put(&chain, "CERTIFICATE", bytes(&o->root.der));
	if (policy_add_ca(o->policy, text(PROBE_SUB_CONF), bytes(&cert),
		bytes(&chain), &f) < 0)
		fail_msg("%s", f.text);
	authority_clear(root);
	free(root);
}

static void
write_request(struct office *o, const char *kind)
{
	struct fault f = { 0 };
	struct dn subject;

	key_free(o->key);
	buf_free(&o->request);
	o->request = BUF(CSR_MAX);
	assert_non_null(o->key = key_make(kind, &f));
	/* What the request calls itself is of no account. */
	assert_int_equal(dn_read_slash(&subject, "/CN=root", &f), 0);
	assert_int_equal(csr_write(&subject, o->key,
			     (struct wire_bytes){ NULL, 0 }, &o->request, &f),
	    0);
}

static int
open_office(void **state)
{
	struct office *o = calloc(1, sizeof(*o));
	struct fault f = { 0 };

	assert_non_null(o);
	*state = o;
	assert_non_null(o->policy = policy_new(&f));
	o->root =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	add_ca(o);
	if (policy_add_profile(o->policy, text(PROFILE), &f) < 0)
		fail_msg("%s", f.text);
	write_request(o, "ec:P-256");
	assert_non_null(o->jobs = job_table_new(4, &f));
	assert_non_null(o->job = job_new(o->jobs, &f));
	o->job->policy = policy_hold(o->policy);
	memcpy(o->job->who.subject, SUBJECT, sizeof(SUBJECT));
	memcpy(o->job->who.principal, "user@EX.ORG", 12);
	return 0;
}

static int
close_office(void **state)
{
	struct office *o = *state;

	job_table_free(o->jobs);
	policy_free(o->policy);
	made_free(&o->root);
	made_free(&o->ca);
	key_free(o->key);
	buf_free(&o->request);
	free(o);
	return 0;
}

static int
check(struct office *o, uint32_t lifetime, struct fault *f)
{
	struct msg_sign_ask ask = { .lifetime = lifetime };

	ask.csr = bytes(&o->request);
	buf_free(&o->job->request);
	return job_check(o->job, &ask, MINT_NOW, f);
}

/* Sign what the job minted, as the signer would. */
static int
finish(struct office *o, struct fault *f)
{
	OWN_BUF(signature, 1024);

	assert_int_equal(key_sign(o->ca.key, bytes(&o->job->tbs), &signature,
			     f),
	    0);
	return job_finish(o->job, bytes(&signature), f);
}

static void
mint(struct office *o)
{
	struct fault f = { 0 };

	if (check(o, 3600, &f) < 0)
		fail_msg("%s", f.text);
	memcpy(o->job->serial, "\x7f\x01", 2);
	o->job->serial_len = 2;
	if (job_mint(o->job, &f) < 0)
		fail_msg("%s", f.text);
}

static void
the_certificate_has_the_vouched_name_and_the_requests_key(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = NULL;
	char name[DN_TEXT_MAX];

	mint(o);
	if (finish(o, &f) < 0)
		fail_msg("%s", f.text);
	cert = cert_read(bytes(&o->job->certificate), &f);
	assert_non_null(cert);
	assert_int_equal(dn_show_slash(&cert->subject, name, sizeof(name)), 0);
	assert_string_equal(name, SUBJECT);
	assert_int_equal(cert->spki.der.len, key_spki(o->key)->der.len);
	assert_memory_equal(cert->spki.der.data, key_spki(o->key)->der.data,
	    cert->spki.der.len);
	assert_int_equal(cert->not_after, MINT_NOW + 3600);
}

static void
the_chain_is_the_cas_certificate_and_those_above(void **state)
{
	struct office *o = *state;
	const struct buf *chain = &policy_ca(o->policy, 0)->chain;

	assert_int_equal(chain->len, o->ca.der.len + o->root.der.len);
	assert_memory_equal(chain->data, o->ca.der.data, o->ca.der.len);
	assert_memory_equal(chain->data + o->ca.der.len, o->root.der.data,
	    o->root.der.len);
}

static void
a_lifetime_is_cut_to_what_is_allowed(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	assert_int_equal(check(o, 0, &f), 0);
	assert_int_equal(o->job->not_after, MINT_NOW + 43200);
	assert_int_equal(check(o, UINT32_MAX, &f), 0);
	assert_int_equal(o->job->not_after - o->job->not_before, 1000000);
}

static void
a_name_outside_the_name_space_is_refused(void **state)
{
	static const char *const names[] = { "/DC=org/O=Ex/OU=CA/CN=user",
		"/DC=org/O=Ex/OU=People", "/DC=org/CN=user", "/CN=user" };
	struct office *o = *state;
	struct fault f = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(text_copy(o->job->who.subject,
				     sizeof(o->job->who.subject), names[i]),
		    0);
		assert_int_equal(check(o, 0, &f), -1);
		assert_int_equal(f.code, FAULT_DENIED);
	}
	memcpy(o->job->who.subject, "no name", 8);
	assert_int_equal(check(o, 0, &f), -1);
}

static void
a_key_that_the_profile_does_not_permit_is_refused(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	write_request(o, "ec:P-384");
	assert_int_equal(check(o, 0, &f), -1);
	assert_int_equal(f.code, FAULT_KEY);
}

static void
a_request_without_proof_of_its_key_is_refused(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	o->request.data[o->request.len - 1] ^= 1;
	assert_int_equal(check(o, 0, &f), -1);
	o->request.data[o->request.len - 1] ^= 1;
	o->request.len--;
	assert_int_equal(check(o, 0, &f), -1);
}

static void
an_unknown_profile_is_refused(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	memcpy(o->job->who.profile, "others", 7);
	assert_int_equal(check(o, 0, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	memcpy(o->job->who.profile, "people", 7);
	assert_int_equal(check(o, 0, &f), 0);
}

/* Should anything ever mix up two jobs, no user gets the other's. */
static void
a_certificate_that_is_not_what_was_asked_for_does_not_leave(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	mint(o);
	o->job->serial[0] ^= 1;
	assert_int_equal(finish(o, &f), -1);
	assert_int_equal(f.code, FAULT_INTERNAL);
	o->job->serial[0] ^= 1;
	buf_free(&o->job->certificate);
	write_request(o, "ec:P-256");
	assert_int_equal(check(o, 3600, &f), 0);
	assert_int_equal(finish(o, &f), -1);
	assert_int_equal(f.code, FAULT_INTERNAL);
}

static void
what_cannot_be_issued_online_is_no_profile(void **state)
{
	struct office *o = *state;
	struct fault f = { 0 };

	assert_int_equal(policy_add_profile(o->policy,
			     text("# sub\nusage keyCertSign\nca yes\n"), &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(
	    policy_add_profile(o->policy,
		text("# x\nauthority nobody\nusage digitalSignature\n"), &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(policy_add_profile(o->policy,
			     text("usage digitalSignature\n"), &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

#define IN_AN_OFFICE(test) \
	cmocka_unit_test_setup_teardown(test, open_office, close_office)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_AN_OFFICE(
		    the_certificate_has_the_vouched_name_and_the_requests_key),
		IN_AN_OFFICE(the_chain_is_the_cas_certificate_and_those_above),
		IN_AN_OFFICE(a_lifetime_is_cut_to_what_is_allowed),
		IN_AN_OFFICE(a_name_outside_the_name_space_is_refused),
		IN_AN_OFFICE(a_key_that_the_profile_does_not_permit_is_refused),
		IN_AN_OFFICE(a_request_without_proof_of_its_key_is_refused),
		IN_AN_OFFICE(an_unknown_profile_is_refused),
		IN_AN_OFFICE(
		    a_certificate_that_is_not_what_was_asked_for_does_not_leave),
		IN_AN_OFFICE(what_cannot_be_issued_online_is_no_profile),
	};

	return cmocka_run_group_tests_name("issuer/job", tests, NULL, NULL);
}
