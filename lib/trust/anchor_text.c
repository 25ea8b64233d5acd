#include "trust/anchor_text.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/ossl.h"

#include <openssl/evp.h>

#include <string.h>

bool
anchor_alias_good(const char *alias)
{
	static const char *const letters =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(alias);

	return len > 0 && len <= ANCHOR_ALIAS_MAX &&
	    strchr(letters, *alias) != NULL &&
	    alias[strspn(alias,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_.-")] == '\0';
}

/* A name as all these files write it: none has an escape for a quote. */
static int
name_text(const struct dn *dn, const char *what, char text[DN_TEXT_MAX],
    struct fault *f)
{
	if (dn_show_slash(dn, text, DN_TEXT_MAX) < 0 ||
	    strpbrk(text, "\"'\\") != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "%s cannot be written in a trust anchor's files", what);
	return 0;
}

static int
ended(const struct buf *out, const char *what, struct fault *f)
{
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "%s", what);
	return 0;
}

/*
 * Letters that mean something in an expression stand in a class of their own,
 * which POSIX and Java read alike; readers differ over backslashes.
 */
static int
put_expression(struct buf *out, const char *name, struct fault *f)
{
	for (; *name != '\0'; name++) {
		if (strchr("[]^", *name) != NULL)
			return fault_set(f, FAULT_CONFIG,
			    "a name with '%c' cannot be written in .namespaces",
			    *name);
		if (strchr(".+(){}|$*?", *name) != NULL)
			buf_fmt(out, "[%c]", *name);
		else
			buf_put(out, name, 1);
	}
	return 0;
}

int
anchor_namespaces(const struct anchor *a, struct buf *out, struct fault *f)
{
	char issuer[DN_TEXT_MAX], name[DN_TEXT_MAX];

	if (name_text(&a->cert->subject, "the subject", issuer, f) < 0)
		return -1;
	buf_text(out, "#NAMESPACES-VERSION: 1.0\n");
	buf_fmt(out, "# %s\n", a->title);
	for (size_t i = 0; i < a->under_count; i++) {
		if (name_text(&a->under[i], "may-sign-under", name, f) < 0)
			return -1;
		buf_fmt(out, "TO Issuer \"%s\" \\\n  PERMIT Subject \"",
		    issuer);
		if (put_expression(out, name, f) < 0)
			return -1;
		buf_text(out, "/.*\"\n");
	}
	return ended(out, ".namespaces", f);
}

static void
put_pair(struct buf *out, const char *key, const char *value)
{
	if (value != NULL && *value != '\0')
		buf_fmt(out, "%s = %s\n", key, value);
}

int
anchor_info(const struct anchor *a, struct buf *out, struct fault *f)
{
	char subject[DN_TEXT_MAX], print[ANCHOR_PRINT_SIZE];

	if (name_text(&a->cert->subject, "the subject", subject, f) < 0 ||
	    anchor_print(a->cert, "SHA1", print, f) < 0)
		return -1;
	buf_fmt(out, "# %s\n", a->title);
	put_pair(out, "alias", a->alias);
	put_pair(out, "url", a->page);
	put_pair(out, "email", a->email);
	put_pair(out, "ca_url", a->cert_url);
	buf_text(out, "crl_url = ");
	for (size_t i = 0; i < a->crl_urls->count; i++)
		buf_fmt(out, "%s%s", i > 0 ? ";" : "", a->crl_urls->item[i]);
	buf_text(out, "\n");
	put_pair(out, "policy_url", a->policy_url);
	put_pair(out, "status", a->status);
	put_pair(out, "version", a->version);
	put_pair(out, "sha1fp.0", print);
	buf_fmt(out, "subjectdn = \"%s\"\n", subject);
	put_pair(out, "requires", a->parent);
	return ended(out, ".info", f);
}

int
anchor_crl_url(const struct anchor *a, struct buf *out, struct fault *f)
{
	for (size_t i = 0; i < a->crl_urls->count; i++)
		buf_fmt(out, "%s\n", a->crl_urls->item[i]);
	return ended(out, ".crl_url", f);
}

/* "Sun 2026-11-22 04:28:00 UTC", whatever the locale. */
static void
put_date(struct buf *out, const char *key, time_t when)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL)
		return;
	buf_fmt(out, "%s %.3s %04d-%02d-%02d %02d:%02d:%02d UTC\n", key,
	    days + (size_t)3 * (size_t)tm.tm_wday, tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int
put_prints(const struct anchor *a, struct buf *out, struct fault *f)
{
	static const char *const names[] = { "MD5", "SHA1", "SHA256" };
	char print[ANCHOR_PRINT_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool known = i < 2 || a->sha256_key;

		if (anchor_print(a->cert, names[i], print, f) < 0)
			return -1;
		buf_fmt(out, "%sCERTIFICATE_%s %s\n", known ? "" : "# ",
		    names[i], print);
	}
	return 0;
}

int
anchor_cadesc(const struct anchor *a, struct buf *out, struct fault *f)
{
	char name[DN_TEXT_MAX], hash[9];

	if (dn_hash(&a->cert->subject, hash, f) < 0 ||
	    name_text(&a->cert->subject, "the subject", name, f) < 0)
		return -1;
	buf_fmt(out, "CA_NAME %s\nHASH %s\nSUBJECT %s\n", a->title, hash, name);
	if (name_text(&a->cert->issuer, "the issuer", name, f) < 0)
		return -1;
	/* gx-map takes the absent key for "self", and the name for an error. */
	if (!cert_is_self_issued(a->cert))
		buf_fmt(out, "SIGNED_BY %s\n", name);
	for (size_t i = 0; i < a->under_count; i++) {
		if (name_text(&a->under[i], "may-sign-under", name, f) < 0)
			return -1;
		buf_fmt(out, "MAY_SIGN %s/*\n", name);
	}
	if (put_prints(a, out, f) < 0)
		return -1;
	buf_fmt(out, "CERTIFICATE_URL %s\nSIGNING_POLICY_URL %s\n", a->cert_url,
	    a->sigpolicy_url);
	buf_fmt(out, "CRL_URL %s\nCRL_FORM DER\n",
	    a->crl_urls->count > 0 ? a->crl_urls->item[0] : "?");
	buf_fmt(out, "HOMEPAGE %s\nCONTACT %s\n", a->page, a->email);
	put_date(out, "CERT_BEGINS", a->cert->not_before);
	put_date(out, "CERT_EXPIRES", a->cert->not_after);
	return ended(out, "cadesc", f);
}

int
anchor_print(const struct cert *cert, const char *name,
    char text[ANCHOR_PRINT_SIZE], struct fault *f)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	char *at = text;

	/* OpenSSL's own configuration may forbid MD5. */
	if (EVP_Q_digest(NULL, name, NULL, cert->der, cert->len, digest,
		&len) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "%s", name);
	if (3 * len > ANCHOR_PRINT_SIZE)
		return fault_set(f, FAULT_INTERNAL, "digest %s", name);
	for (size_t i = 0; i < len; i++)
		for (int shift = 4; shift >= 0; shift -= 4) {
			if (i > 0 && shift == 4)
				*at++ = ':';
			*at++ = "0123456789ABCDEF"[(digest[i] >> shift) & 15];
		}
	*at = '\0';
	return 0;
}
