#ifndef X509_TBS_STAGE_PROBE_H
#define X509_TBS_STAGE_PROBE_H

/* For tests of the gate: what is to be minted, and what the gate says of it. */
#include "x509/mint_probe.h"
#include "x509/tbs.h"
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

static inline struct stage *
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

static inline void
stage_free(struct stage *s)
{
	key_free(s->key);
	free(s->profile);
	free(s);
}

static inline struct stage *
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

static inline struct stage *
stage_ca(void)
{
	return stage_new("sub-ca", true, "/DC=org/DC=ex/O=Ex/OU=CA/CN=Sub 1");
}

/* What the gate says of ${s}: "" if it lets it through. */
static inline const char *
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

#endif
