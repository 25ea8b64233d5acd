#ifndef X509_TBS_PROBE_H
#define X509_TBS_PROBE_H

/*
 * What must hold of every certificate and CRL that tbs_check lets through, as
 * OpenSSL sees it: another reader, by other hands.  Each function names the
 * rule that is broken, or returns NULL.
 */

#include "x509/authority_probe.h"
#include "x509/own_ssl.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#define PROBE_MUST(condition)              \
	do {                               \
		if (!(condition))          \
			return #condition; \
	} while (0)

static inline time_t
probe_time(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : -1;
}

/* SEQUENCE { tbs, ecdsa-with-SHA256, a BIT STRING }. */
static inline void
probe_wrap(struct wire_bytes tbs, struct buf *der)
{
	static const uint8_t tail[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03, 0x02, 0x00, 0x00 };
	size_t whole = der_open(der, DER_SEQUENCE);

	buf_put(der, tbs.data, tbs.len);
	buf_put(der, tail, sizeof(tail));
	der_close(der, whole);
}

/* Whether the DER of ${name} begins with all RDNs of ${base}. */
static inline bool
probe_below(const X509_NAME *name, const struct dn *base)
{
	const uint8_t *der = NULL, *at = base->der;
	X509_NAME *above = d2i_X509_NAME(NULL, &at, (long)base->len);
	size_t len = 0;
	bool below = above != NULL &&
	    X509_NAME_entry_count(name) > X509_NAME_entry_count(above) &&
	    X509_NAME_get0_der(name, &der, &len) == 1;

	for (int i = 0; below && i < X509_NAME_entry_count(above); i++) {
		X509_NAME_ENTRY *a = X509_NAME_get_entry(name, i);
		X509_NAME_ENTRY *b = X509_NAME_get_entry(above, i);

		below = OBJ_cmp(X509_NAME_ENTRY_get_object(a),
			    X509_NAME_ENTRY_get_object(b)) == 0 &&
		    ASN1_STRING_cmp(X509_NAME_ENTRY_get_data(a),
			X509_NAME_ENTRY_get_data(b)) == 0;
	}
	X509_NAME_free(above);
	return below;
}

static inline const char *
probe_extension_set(const X509 *x)
{
	static const int allowed[] = { NID_basic_constraints, NID_key_usage,
		NID_ext_key_usage, NID_subject_key_identifier,
		NID_authority_key_identifier, NID_subject_alt_name,
		NID_crl_distribution_points, NID_info_access,
		NID_certificate_policies };

	for (int i = 0; i < X509_get_ext_count(x); i++) {
		X509_EXTENSION *e = X509_get_ext(x, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
		bool known = false;

		for (size_t j = 0; j < sizeof(allowed) / sizeof(int); j++)
			known = known || allowed[j] == nid;
		PROBE_MUST(known);
		PROBE_MUST(X509_get_ext_by_NID(x, nid, i) < 0);
		PROBE_MUST(X509_EXTENSION_get_critical(e) ==
		    (nid == NID_basic_constraints || nid == NID_key_usage));
	}
	return NULL;
}

static inline const char *
probe_names(X509 *x)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool good = true;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type = sk_GENERAL_NAME_value(names, i)->type;

		good = good && (type == GEN_DNS || type == GEN_EMAIL);
	}
	GENERAL_NAMES_free(names);
	PROBE_MUST(good);
	return NULL;
}

static inline const char *
probe_extensions(X509 *x, const struct authority *a)
{
	uint32_t flags = X509_get_extension_flags(x);
	uint32_t usage = X509_get_key_usage(x);
	const uint32_t sign = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x);
	const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(x);
	uint8_t digest[SHA_DIGEST_LENGTH];
	unsigned len = 0;
	const char *broken = probe_extension_set(x);

	PROBE_MUST((flags & EXFLAG_INVALID) == 0);
	PROBE_MUST((flags & EXFLAG_PROXY) == 0);
	PROBE_MUST((flags & EXFLAG_BCONS) != 0);
	PROBE_MUST(((flags & EXFLAG_CA) != 0) == a->signs_ca);
	PROBE_MUST((flags & EXFLAG_KUSAGE) != 0);
	PROBE_MUST(a->signs_ca ? (usage & ~sign) == 0 : (usage & sign) == 0);
	PROBE_MUST(a->signs_ca ||
	    (usage & ~(uint32_t)(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)) ==
		0);
	if ((flags & EXFLAG_XKUSAGE) != 0)
		PROBE_MUST((X509_get_extended_key_usage(x) &
			       ~(uint32_t)(XKU_SSL_SERVER | XKU_SSL_CLIENT)) ==
		    0);
	PROBE_MUST(id != NULL && aki != NULL);
	PROBE_MUST(X509_pubkey_digest(x, EVP_sha1(), digest, &len) == 1);
	PROBE_MUST(ASN1_STRING_length(id) == SHA_DIGEST_LENGTH);
	PROBE_MUST(memcmp(ASN1_STRING_get0_data(id), digest, len) == 0);
	PROBE_MUST(ASN1_STRING_length(aki) == KEY_ID_SIZE);
	PROBE_MUST(memcmp(ASN1_STRING_get0_data(aki), a->key_id, KEY_ID_SIZE) ==
	    0);
	PROBE_MUST(X509_get0_authority_issuer(x) == NULL);
	return broken != NULL ? broken : probe_names(x);
}

static inline const char *
probe_fields(X509 *x, const struct authority *a, time_t now)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	const uint8_t *octets = ASN1_STRING_get0_data(serial);
	int len = ASN1_STRING_length(serial);
	time_t from = probe_time(X509_get0_notBefore(x));
	time_t until = probe_time(X509_get0_notAfter(x));
	const X509_NAME *subject = X509_get_subject_name(x);
	const uint8_t *issuer = NULL;
	size_t issuer_len = 0;
	bool below = false;

	PROBE_MUST(X509_get_version(x) == 2);
	PROBE_MUST((ASN1_STRING_type(serial) & V_ASN1_NEG) == 0);
	PROBE_MUST(len >= 1 && len <= 20);
	PROBE_MUST(octets[0] != 0 && (len < 20 || octets[0] < 0x80));
	PROBE_MUST(X509_NAME_get0_der(X509_get_issuer_name(x), &issuer,
		       &issuer_len) == 1);
	PROBE_MUST(issuer_len == a->cert->subject.len);
	PROBE_MUST(memcmp(issuer, a->cert->subject.der, issuer_len) == 0);
	PROBE_MUST(from >= now - 86400 && from <= now + 3600);
	PROBE_MUST(until > now && until <= a->cert->not_after);
	PROBE_MUST(until - from <= a->conf.max_lifetime);
	for (size_t i = 0; i < a->under_count; i++)
		below = below || probe_below(subject, &a->under[i]);
	PROBE_MUST(below);
	return probe_extensions(x, a);
}

/* The rule that the accepted ${tbs} breaks, or NULL. */
static inline const char *
probe_broken(struct wire_bytes tbs, const struct authority *a, time_t now)
{
	OWN_BUF(der, 2 * CERT_MAX);
	OWN(X509) x = NULL;
	const uint8_t *at;
	uint8_t *again = NULL;
	int len;
	bool same;

	probe_wrap(tbs, &der);
	at = der.data;
	x = d2i_X509(NULL, &at, (long)der.len);
	PROBE_MUST(x != NULL && at == der.data + der.len);
	/* Coded anew from what was understood, it is the same. */
	len = i2d_re_X509_tbs(x, &again);
	same = len >= 0 && (size_t)len == tbs.len &&
	    memcmp(again, tbs.data, tbs.len) == 0;
	OPENSSL_free(again);
	PROBE_MUST(same);
	return probe_fields(x, a, now);
}

static inline const char *
probe_crl_entries(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
	const ASN1_INTEGER *last = NULL;

	PROBE_MUST(list == NULL || sk_X509_REVOKED_num(list) > 0);
	for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
		X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
		const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(r);

		PROBE_MUST(last == NULL || ASN1_INTEGER_cmp(last, serial) < 0);
		PROBE_MUST(X509_REVOKED_get_ext_count(r) <= 1);
		PROBE_MUST(X509_REVOKED_get_ext_count(r) == 0 ||
		    X509_REVOKED_get_ext_by_NID(r, NID_crl_reason, -1) == 0);
		last = serial;
	}
	return NULL;
}

/* The same for a CRL. */
static inline const char *
probe_crl_broken(struct wire_bytes tbs, const struct authority *a, time_t now)
{
	OWN_BUF(der, 2 * CERT_MAX);
	OWN(X509_CRL) crl = NULL;
	const uint8_t *at, *issuer = NULL;
	time_t from, until;
	size_t len = 0;

	probe_wrap(tbs, &der);
	at = der.data;
	crl = d2i_X509_CRL(NULL, &at, (long)der.len);
	PROBE_MUST(crl != NULL && at == der.data + der.len);
	from = probe_time(X509_CRL_get0_lastUpdate(crl));
	until = probe_time(X509_CRL_get0_nextUpdate(crl));
	PROBE_MUST(X509_CRL_get_version(crl) == 1);
	PROBE_MUST(X509_NAME_get0_der(X509_CRL_get_issuer(crl), &issuer,
		       &len) == 1);
	PROBE_MUST(len == a->cert->subject.len);
	PROBE_MUST(memcmp(issuer, a->cert->subject.der, len) == 0);
	PROBE_MUST(from >= now - 86400 && from <= now + 172800 && until > now);
	PROBE_MUST(until - from <= a->conf.crl_lifetime + 3600);
	PROBE_MUST(X509_CRL_get_ext_count(crl) == 2);
	PROBE_MUST(X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1) >= 0);
	PROBE_MUST(X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier,
		       -1) >= 0);
	PROBE_MUST(X509_CRL_get_ext_by_critical(crl, 1, -1) < 0);
	return probe_crl_entries(crl);
}

#endif
