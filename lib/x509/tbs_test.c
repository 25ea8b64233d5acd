#include "x509/tbs.h"

#include "x509/tbs_stage_probe.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_refuses_by_name_what_breaks_it),
		cmocka_unit_test(weak_and_foreign_keys_are_refused),
		cmocka_unit_test(an_ec_key_enciphers_no_keys),
		cmocka_unit_test(rsa_keys_pass_as_well),
	};

	return cmocka_run_group_tests_name("x509/tbs", tests, NULL, NULL);
}
