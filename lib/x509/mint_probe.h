#ifndef X509_MINT_PROBE_H
#define X509_MINT_PROBE_H

/* A root, a CA under it and what it signs, made with real keys, for tests. */

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "x509/authority.h"
#include "x509/mint.h"
#include "x509/pem.h"
#include "x509/tbs.h"

#include <stdlib.h>
#include <string.h>

#define MINT_NOW ((time_t)1800000000)

struct made {
	struct key *key;
	struct buf tbs;
	struct buf der;
};

static inline void
made_free(struct made *m)
{
	key_free(m->key);
	buf_free(&m->tbs);
	buf_free(&m->der);
}

static inline struct profile *
probe_profile(const char *name)
{
	OWN_BUF(text, CONF_MAX_TEXT);
	struct profile *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	char path[512];

	assert_non_null(p);
	snprintf(path, sizeof(path), "%s/profiles/%s.profile", SIGNET_SHARE,
	    name);
	if (file_read(path, &text, &f) < 0 ||
	    profile_read(p, name, (const char *)text.data, text.len, &f) < 0)
		fail_msg("%s: %s", path, f.text);
	return p;
}

/* Sign m->tbs with ${key}, after the last gate if there is an ${issuer}. */
static inline void
probe_sign(struct made *m, const struct authority *issuer,
    const struct key *key)
{
	OWN_BUF(signature, 4096);
	struct wire_bytes tbs = { m->tbs.data, m->tbs.len };
	struct fault f = { 0 };

	if (issuer != NULL && tbs_check(tbs, issuer, MINT_NOW, &f) < 0)
		fail_msg("tbs_check: %s", f.text);
	if (key_sign(key, tbs, &signature, &f) < 0 ||
	    mint_finish(tbs, key_kind_of(key),
		(struct wire_bytes){ signature.data, signature.len }, &m->der,
		&f) < 0)
		fail_msg("sign: %s", f.text);
}

/* A certificate by ${profile} for a new ${kind} of key, signed by
 * ${issuer}'s ${signer}, or by itself if that is NULL. */
static inline struct made
probe_make(const char *profile_name, const char *kind, const char *subject,
    const struct authority *issuer, const struct key *signer,
    const char *const *dns, const char *const *emails)
{
	static const uint8_t serial[] = { 0x7f, 1, 2, 3 };
	struct made m = { NULL, BUF(CERT_MAX), BUF(CERT_MAX) };
	struct profile *profile = probe_profile(profile_name);
	struct fault f = { 0 };
	struct mint *mint = calloc(1, sizeof(*mint));

	assert_non_null(mint);
	m.key = key_make(kind, &f);
	assert_non_null(m.key);
	mint->profile = profile;
	mint->issuer = issuer;
	mint->serial = serial;
	mint->serial_len = sizeof(serial);
	mint->spki = *key_spki(m.key);
	mint->dns_names = dns;
	mint->emails = emails;
	mint->signer_kind = key_kind_of(issuer == NULL ? m.key : signer);
	if (dn_read_slash(&mint->subject, subject, &f) < 0 ||
	    mint_times(profile, issuer, MINT_NOW, 0, &mint->not_before,
		&mint->not_after, &f) < 0 ||
	    mint_tbs(mint, &m.tbs, &f) < 0)
		fail_msg("mint: %s", f.text);
	probe_sign(&m, issuer, issuer == NULL ? m.key : signer);
	free(mint);
	free(profile);
	return m;
}

/* The authority that ${m} became, as ca.conf ${conf} says. */
static inline struct authority *
probe_authority(const struct made *m, const char *conf)
{
	OWN_BUF(pem, 1 << 20);
	struct authority *a = calloc(1, sizeof(*a));
	struct fault f = { 0 };

	assert_non_null(a);
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ m->der.data, m->der.len });
	if (authority_read(a, conf, strlen(conf), pem.data, pem.len, &f) < 0)
		fail_msg("authority: %s", f.text);
	return a;
}

#define PROBE_ROOT_CONF                                           \
	"name root\nkind ca\nmay-sign-under /DC=org/O=Ex/OU=CA\n" \
	"max-lifetime 20y\nusage keyCertSign\nusage cRLSign\n"    \
	"crl-url http://ca.example.org/root.crl\n"                \
	"issuer-url http://ca.example.org/root.cer\n"
#define PROBE_SUB_CONF                                                 \
	"name sub\nmay-sign-under /DC=org/O=Ex/OU=People\n"            \
	"may-sign-under /DC=org/O=Ex/OU=Services\nmax-lifetime 395d\n" \
	"usage digitalSignature\nusage keyEncipherment\n"              \
	"purpose clientAuth\npurpose serverAuth\n"                     \
	"crl-url http://ca.example.org/sub.crl\n"
#define PROBE_ROOT "/DC=org/O=Ex/OU=CA/CN=Root 1"
#define PROBE_SUB "/DC=org/O=Ex/OU=CA/CN=Sub 1"

#endif
