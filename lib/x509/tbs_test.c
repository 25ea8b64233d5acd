#include "x509/tbs.h"

#include "x509/mint_probe.h"
#include "x509/tbs_probe.h"

#include <stdio.h>

/* A CA of constants, and what is to be minted under it. */
struct stage {
	struct probe ca;
	struct probe other;
	struct profile *profile;
	struct key *key;
	struct mint m;
	uint8_t serial[21];
};

static struct stage *
stage_new(const char *profile, bool signs_ca, const char *subject)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	assert_non_null(s);
	probe_fill(&s->ca, signs_ca);
	probe_fill(&s->other, signs_ca);
	probe_dn(&s->other.cert.subject, "/DC=org/DC=ex/O=Ex/OU=CA/CN=Other");
	s->profile = probe_profile(profile);
	s->key = key_make("ec:P-256", &f);
	assert_non_null(s->key);
	s->serial[0] = 0x11;
	s->m.profile = s->profile;
	s->m.issuer = &s->ca.a;
	s->m.serial = s->serial;
	s->m.serial_len = 1;
	s->m.not_before = PROBE_NOW - 300;
	s->m.not_after = PROBE_NOW + 43200;
	s->m.spki = *key_spki(s->key);
	s->m.signer_kind = KEY_P256;
	probe_dn(&s->m.subject, subject);
	return s;
}

static void
stage_free(struct stage *s)
{
	key_free(s->key);
	free(s->profile);
	free(s);
}

static struct stage *
stage_host(void)
{
	static const char *const dns[] = { "h.example.org", NULL };
	static const char *const emails[] = { "o.p+s@example.org", NULL };
	struct stage *s = stage_new("host", false,
	    "/DC=org/DC=ex/O=Ex/OU=Services/CN=h.example.org");

	s->m.dns_names = dns;
	s->m.emails = emails;
	memcpy(s->ca.a.conf.crl_url.item[0], "http://e.org/c", 15);
	s->ca.a.conf.crl_url.count = 1;
	memcpy(s->ca.a.conf.issuer_url, "http://e.org/i", 15);
	return s;
}

static struct stage *
stage_ca(void)
{
	return stage_new("sub-ca", true, "/DC=org/DC=ex/O=Ex/OU=CA/CN=Sub 1");
}

/* What the gate says of ${s}: "" if it lets it through. */
static const char *
verdict(const struct stage *s, struct fault *f)
{
	OWN_BUF(tbs, CERT_MAX);
	uint8_t *exact;
	int result;

	assert_int_equal(mint_tbs(&s->m, &tbs, f), 0);
	exact = malloc(tbs.len);
	assert_non_null(exact);
	memcpy(exact, tbs.data, tbs.len);
	f->text[0] = '\0';
	result = tbs_check((struct wire_bytes){ exact, tbs.len }, &s->ca.a,
	    PROBE_NOW, f);
	free(exact);
	assert_int_equal(result, f->text[0] == '\0' ? 0 : -1);
	if (result < 0)
		assert_int_equal(f->code, FAULT_DENIED);
	return f->text;
}

typedef void spoil_fn(struct stage *s);

static void
nothing(struct stage *s)
{
	(void)s;
}

static void
wrong_issuer(struct stage *s)
{
	s->m.issuer = &s->other.a;
}

static void
wrong_algorithm(struct stage *s)
{
	s->m.signer_kind = KEY_RSA;
}

static void
long_serial(struct stage *s)
{
	s->serial[0] = 0x7f;
	s->m.serial_len = 20;
	/* The CA numbers by range. */
	s->ca.a.serial_random = false;
	s->ca.a.serial_start = 1;
	s->ca.a.serial_span = 1000;
}

static void
serial_after_range(struct stage *s)
{
	s->ca.a.serial_random = false;
	s->ca.a.serial_start = 1;
	s->ca.a.serial_span = 0x10;
}

static void
serial_before_range(struct stage *s)
{
	s->ca.a.serial_random = false;
	s->ca.a.serial_start = 0x12;
	s->ca.a.serial_span = 0x10;
}

static void
early(struct stage *s)
{
	s->m.not_before = PROBE_NOW - 86401;
}

static void
late(struct stage *s)
{
	s->m.not_before = PROBE_NOW + 3601;
}

static void
over(struct stage *s)
{
	s->m.not_after = PROBE_NOW;
}

static void
too_long(struct stage *s)
{
	s->m.not_after = s->m.not_before + s->ca.a.conf.max_lifetime + 1;
}

static void
past_the_ca(struct stage *s)
{
	s->ca.cert.not_after = s->m.not_after - 1;
}

static void
outside(struct stage *s)
{
	probe_dn(&s->m.subject, "/DC=org/DC=ex/O=Ex/OU=Elsewhere/CN=a");
}

static void
the_space_itself(struct stage *s)
{
	s->m.subject = s->ca.a.under[0];
}

static void
half_an_rdn(struct stage *s)
{
	probe_dn(&s->m.subject, "/DC=org/DC=ex/O=Ex/OU=Peoples/CN=a");
}

static void
own_name(struct stage *s)
{
	s->m.subject = s->ca.cert.subject;
}

static void
proxy_name(struct stage *s)
{
	probe_dn(&s->m.subject, "/DC=org/DC=ex/O=Ex/OU=People/CN=a/CN=proxy");
}

static void
limited_proxy_name(struct stage *s)
{
	probe_dn(&s->m.subject,
	    "/DC=org/DC=ex/O=Ex/OU=People/CN=a/CN=limited proxy");
}

static void
the_cas_key(struct stage *s)
{
	s->ca.cert.spki.bits = s->m.spki.bits;
}

static void
makes_a_ca(struct stage *s)
{
	s->profile->conf.ca = true;
}

static void
signs_certificates(struct stage *s)
{
	s->profile->usage |= CERT_KU_KEY_CERT_SIGN;
}

static void
beyond_usage(struct stage *s)
{
	s->profile->usage |= CERT_KU_DATA_ENCIPHERMENT;
}

static void
beyond_purpose(struct stage *s)
{
	s->profile->purpose |= CERT_EKU_EMAIL;
}

static void
no_servers_here(struct stage *s)
{
	s->ca.a.purpose = CERT_EKU_CLIENT_AUTH;
	s->profile->purpose = CERT_EKU_CLIENT_AUTH;
}

static void
wildcard(struct stage *s)
{
	static const char *const names[] = { "*.example.org", NULL };

	s->m.dns_names = names;
}

static void
no_host(struct stage *s)
{
	static const char *const names[] = { "a..b", NULL };

	s->m.dns_names = names;
}

static void
no_mailbox(struct stage *s)
{
	static const char *const names[] = { "a@b@c", NULL };

	s->m.emails = names;
}

static void
other_key_id(struct stage *s)
{
	s->other.cert.subject = s->ca.cert.subject;
	s->other.a.key_id[0] ^= 1;
	s->m.issuer = &s->other.a;
}

static void
https_crl(struct stage *s)
{
	memcpy(s->ca.a.conf.crl_url.item[0], "https://e.org/", 15);
}

static void
policy_twice(struct stage *s)
{
	conf_list *list = &s->profile->conf.policy;

	memcpy(list->item[list->count++], list->item[0], sizeof(list->item[0]));
}

static void
end_entity(struct stage *s)
{
	s->profile->conf.ca = false;
}

static void
no_cert_sign(struct stage *s)
{
	s->profile->usage = CERT_KU_CRL_SIGN;
}

static void
no_path_length(struct stage *s)
{
	s->ca.cert.path_length = 1;
	s->profile->conf.path_length = -1;
}

static void
long_path(struct stage *s)
{
	s->ca.cert.path_length = 1;
	s->profile->conf.path_length = 1;
}

static void
ca_with_purpose(struct stage *s)
{
	s->profile->purpose = CERT_EKU_CLIENT_AUTH;
}

static void
ca_with_mail(struct stage *s)
{
	static const char *const names[] = { "a@b", NULL };

	s->m.emails = names;
}

struct rule {
	spoil_fn *spoil;
	const char *says; /* part of the refusal; "" means it passes */
};

static const struct rule host_rules[] = {
	{ nothing, "" },
	{ wrong_issuer, "issuer is not" },
	{ wrong_algorithm, "signature algorithm" },
	{ long_serial, "serial is outside" },
	{ serial_after_range, "serial is outside" },
	{ serial_before_range, "serial is outside" },
	{ early, "notBefore" },
	{ late, "notBefore" },
	{ over, "notAfter has passed" },
	{ too_long, "above the CA's ceiling" },
	{ past_the_ca, "past that of the CA" },
	{ outside, "name space" },
	{ the_space_itself, "name space" },
	{ half_an_rdn, "name space" },
	{ own_name, "name space" },
	{ proxy_name, "malformed subject" },
	{ limited_proxy_name, "malformed subject" },
	{ the_cas_key, "the CA's own" },
	{ makes_a_ca, "end entities only" },
	{ signs_certificates, "keyUsage goes beyond" },
	{ beyond_usage, "keyUsage goes beyond" },
	{ beyond_purpose, "extKeyUsage goes beyond" },
	{ no_servers_here, "certifies no servers" },
	{ wildcard, "malformed subjectAltName" },
	{ no_host, "malformed subjectAltName" },
	{ no_mailbox, "malformed subjectAltName" },
	{ other_key_id, "authorityKeyIdentifier" },
	{ https_crl, "malformed cRLDistributionPoints" },
	{ policy_twice, "policy given twice" },
};

static const struct rule ca_rules[] = {
	{ nothing, "" },
	{ own_name, "the CA's own name" },
	{ end_entity, "CAs only" },
	{ no_cert_sign, "keyUsage does not fit" },
	{ no_path_length, "path length" },
	{ long_path, "path length" },
	{ ca_with_purpose, "extKeyUsage goes beyond" },
	{ ca_with_mail, "subjectAltName of a CA" },
};

static void
check_rules(struct stage *(*make)(void), const struct rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct stage *s = make();
		struct fault f = { 0 };
		const char *says;

		rules[i].spoil(s);
		says = verdict(s, &f);
		if (*rules[i].says == '\0')
			assert_string_equal(says, "");
		else if (strstr(says, rules[i].says) == NULL)
			fail_msg("rule %zu: \"%s\"", i, says);
		stage_free(s);
	}
}

static void
each_rule_refuses_by_name_what_breaks_it(void **state)
{
	(void)state;
	check_rules(stage_host, host_rules,
	    sizeof(host_rules) / sizeof(host_rules[0]));
	check_rules(stage_ca, ca_rules, sizeof(ca_rules) / sizeof(ca_rules[0]));
}

/* RFC 8813, and keys that are too small, by the writer's own hand. */
static void
weak_and_foreign_keys_are_refused(void **state)
{
	static const uint8_t ed25519[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
		0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, [43] = 7 };
	static const uint8_t head[] = { 0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06,
		0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
		0x05, 0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81, 0x89, 0x02,
		0x81, 0x81, 0x00 };
	uint8_t rsa1024[162];
	struct stage *s = stage_host();
	struct fault f = { 0 };

	(void)state;
	memset(rsa1024, 0xff, sizeof(rsa1024));
	memcpy(rsa1024, head, sizeof(head));
	memcpy(rsa1024 + 157, "\x02\x03\x01\x00\x01", 5);
	s->m.spki.der = (struct wire_bytes){ rsa1024, sizeof(rsa1024) };
	assert_non_null(strstr(verdict(s, &f), "neither RSA of 2048"));
	s->m.spki.der = (struct wire_bytes){ ed25519, sizeof(ed25519) };
	assert_non_null(strstr(verdict(s, &f), "neither RSA of 2048"));
	stage_free(s);
}

static void
an_ec_key_enciphers_no_keys(void **state)
{
	struct stage *s = stage_host();
	struct fault f = { 0 };

	(void)state;
	/* The writer is told that the key is RSA. */
	s->m.spki.kind = KEY_RSA;
	assert_non_null(strstr(verdict(s, &f), "keyEncipherment"));
	stage_free(s);
}

static void
rsa_keys_pass_as_well(void **state)
{
	struct stage *s = stage_host();
	struct fault f = { 0 };

	(void)state;
	key_free(s->key);
	s->key = key_make("rsa:2048", &f);
	assert_non_null(s->key);
	s->m.spki = *key_spki(s->key);
	assert_string_equal(verdict(s, &f), "");
	stage_free(s);
}

/* Whether ${at} lies in a copy of the ${len} bytes ${what} inside ${tbs}. */
static bool
inside(const struct buf *tbs, size_t at, const void *what, size_t len)
{
	const uint8_t *from = tbs->data;

	while ((from = memmem(from, tbs->len - (size_t)(from - tbs->data), what,
		    len)) != NULL) {
		if (at >= (size_t)(from - tbs->data) &&
		    at < (size_t)(from - tbs->data) + len)
			return true;
		from++;
	}
	return false;
}

/* Where the writer has a choice: serial, times, the name below the space, the
 * bits of usage, names, addresses, policies. */
static bool
in_a_hole(const struct stage *s, const struct buf *tbs, size_t at)
{
	static const uint8_t usage[] = { 0x03, 0x02, 0x07, 0x80 };
	static const uint8_t policy[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x4c,
		0x05, 0x02 };
	static const uint8_t purpose[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x03 };
	const struct dn *name = &s->m.subject;
	size_t space = s->ca.a.under[1].len - 2;
	struct dn holes;

	/* The last octets of an OID vary: one more than its known part. */
	for (size_t back = 0; back <= 3; back++)
		if (inside(tbs, at - back, policy, sizeof(policy)))
			return true;
	if (inside(tbs, at - 1, purpose, sizeof(purpose)) ||
	    inside(tbs, at, usage, sizeof(usage)))
		return true;
	/* The subject without its header and without the space above. */
	memcpy(holes.der, name->der + 2 + space, name->len - 2 - space);
	if (inside(tbs, at, holes.der, name->len - 2 - space))
		return true;
	return inside(tbs, at, "\x02\x01\x11", 3) ||
	    inside(tbs, at, "\x55\x1d\x20\x00", 4) || /* anyPolicy */
	    inside(tbs, at, "\xff\x02\x01\x00", 4) || /* path length */
	    inside(tbs, at, "http://e.org/c", 14) ||
	    inside(tbs, at, "http://e.org/i", 14) ||
	    inside(tbs, at, "\x30\x07\x30\x01", 4) || /* OCSP, caIssuers */
	    inside(tbs, at, "\x30\x07\x30\x02", 4) ||
	    inside(tbs, at, "\x01\x05\x05\x07\x30\x02", 6) ||
	    inside(tbs, at, "\x82\x0dh.example.org", 15) ||
	    inside(tbs, at, "\x81\x11o.p+s@example.org", 19) ||
	    inside(tbs, at, "270115075500Z", 13) ||
	    inside(tbs, at, "270115200000Z", 13);
}

/* Every byte, in every way of a few: refused, or a choice the writer has, and
 * then all rules still hold for another reader. */
static void
mutate(const struct stage *s)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x03, 0x10, 0x20, 0x40,
		0x80, 0xff };
	OWN_BUF(tbs, CERT_MAX);
	struct fault f = { 0 };
	unsigned accepted = 0;

	assert_int_equal(mint_tbs(&s->m, &tbs, &f), 0);
	for (size_t at = 0; at < tbs.len; at++) {
		for (size_t i = 0; i < sizeof(flips); i++) {
			struct wire_bytes bytes = { tbs.data, tbs.len };
			const char *broken;

			tbs.data[at] ^= flips[i];
			if (tbs_check(bytes, &s->ca.a, PROBE_NOW, &f) == 0) {
				broken =
				    probe_broken(bytes, &s->ca.a, PROBE_NOW);
				if (broken != NULL)
					fail_msg("byte %zu: %s", at, broken);
				accepted++;
				tbs.data[at] ^= flips[i];
				if (!in_a_hole(s, &tbs, at))
					fail_msg("byte %zu ^ %02x passed", at,
					    flips[i]);
				tbs.data[at] ^= flips[i];
			}
			tbs.data[at] ^= flips[i];
		}
	}
	/* The holes are there: this test can tell both. */
	assert_true(accepted > 20);
}

static void
no_changed_byte_passes_but_where_the_writer_has_a_choice(void **state)
{
	struct stage *host = stage_host();
	struct stage *ca = stage_ca();

	(void)state;
	mutate(host);
	stage_free(host);
	ca->ca.a.under[1] = ca->ca.a.under[0];
	mutate(ca);
	stage_free(ca);
}

static void
every_cut_and_every_excess_is_refused(void **state)
{
	struct stage *s = stage_host();
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_int_equal(mint_tbs(&s->m, &tbs, &f), 0);
	for (size_t len = 0; len < tbs.len; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, tbs.data, len);
		assert_int_equal(tbs_check((struct wire_bytes){ exact, len },
				     &s->ca.a, PROBE_NOW, &f),
		    -1);
		free(exact);
	}
	buf_put_u8(&tbs, 0);
	assert_int_equal(tbs_check((struct wire_bytes){ tbs.data, tbs.len },
			     &s->ca.a, PROBE_NOW, &f),
	    -1);
	stage_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_refuses_by_name_what_breaks_it),
		cmocka_unit_test(weak_and_foreign_keys_are_refused),
		cmocka_unit_test(an_ec_key_enciphers_no_keys),
		cmocka_unit_test(rsa_keys_pass_as_well),
		cmocka_unit_test(
		    no_changed_byte_passes_but_where_the_writer_has_a_choice),
		cmocka_unit_test(every_cut_and_every_excess_is_refused),
	};

	return cmocka_run_group_tests_name("x509/tbs", tests, NULL, NULL);
}
