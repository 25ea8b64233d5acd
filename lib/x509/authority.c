#include "x509/authority.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)                  \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct authority_conf, field), \
		fallback, min, max, doc },
#include "x509/authority.def"
#undef CONF
};

const struct conf_schema authority_schema = { "ca.conf", items,
	COUNT_OF(items) };

static int
read_kind(struct authority *a, struct fault *f)
{
	a->signs_ca = strcmp(a->conf.kind, "ca") == 0;
	if (!a->signs_ca && strcmp(a->conf.kind, "end-entity") != 0)
		return fault_set(f, FAULT_CONFIG,
		    "kind is ca or end-entity, not \"%s\"", a->conf.kind);
	return 0;
}

/*
 * The same lines make the published signing_policy, whose quoting has no
 * escape for these characters; '*' and '?' would be patterns there.
 */
static int
read_spaces(struct authority *a, struct fault *f)
{
	const conf_list *spaces = &a->conf.may_sign_under;

	if (spaces->count == 0)
		return fault_set(f, FAULT_CONFIG, "no may-sign-under is given");
	for (size_t i = 0; i < spaces->count; i++) {
		if (strpbrk(spaces->item[i], "'\"*?\\") != NULL)
			return fault_set(f, FAULT_CONFIG,
			    "may-sign-under cannot be written in a "
			    "signing_policy: %s",
			    spaces->item[i]);
		if (dn_read_slash(&a->under[i], spaces->item[i], f) < 0) {
			f->code = FAULT_CONFIG;
			return fault_wrap(f, "may-sign-under");
		}
	}
	a->under_count = spaces->count;
	return 0;
}

/* "random", or "range START SPAN". */
static int
read_serial(struct authority *a, struct fault *f)
{
	char text[sizeof(a->conf.serial)];
	char *start, *span;
	int64_t first, count;

	a->serial_random = strcmp(a->conf.serial, "random") == 0;
	if (a->serial_random)
		return 0;
	memcpy(text, a->conf.serial, sizeof(text));
	start = text + strlen("range ");
	span = text_starts(text, "range ") ? strchr(start, ' ') : NULL;
	if (span != NULL)
		*span++ = '\0';
	if (span == NULL || text_number(start, 1, INT64_MAX, &first) < 0 ||
	    text_number(span, 1, INT64_MAX, &count) < 0 ||
	    count - 1 > INT64_MAX - first)
		return fault_set(f, FAULT_CONFIG,
		    "serial is random or range START SPAN, not \"%s\"",
		    a->conf.serial);
	a->serial_start = (uint64_t)first;
	a->serial_span = (uint64_t)count;
	return 0;
}

/* What the IGTF has words for (its profiles, levels of assurance, kinds of
 * entity) is the profile's to say: relying parties drop a certificate that
 * says two of a kind (facts: PROFILES). */
static int
check_policies(const conf_list *policies, struct fault *f)
{
	for (size_t i = 0; i < policies->count; i++) {
		const char *oid = policies->item[i];

		if (!profile_oid_good(oid))
			return fault_set(f, FAULT_CONFIG,
			    "policy-oid is no object identifier: \"%s\"", oid);
		if (text_starts(oid, "1.2.840.113612.5.2.") ||
		    text_starts(oid, "2.5.29."))
			return fault_set(f, FAULT_CONFIG,
			    "policy-oid is for the organisation's own, not %s",
			    oid);
		for (size_t j = 0; j < i; j++)
			if (strcmp(policies->item[j], oid) == 0)
				return fault_set(f, FAULT_CONFIG,
				    "policy-oid %s is given twice", oid);
	}
	return 0;
}

int
authority_usb_read(const char *text, unsigned *vendor, unsigned *product,
    struct fault *f)
{
	uint8_t v[2], p[2];
	char first[5];

	if (strlen(text) == 9 && text[4] == ':' &&
	    text_fmt(first, sizeof(first), "%.4s", text) == 0 &&
	    text_unhex(first, v, sizeof(v)) == sizeof(v) &&
	    text_unhex(text + 5, p, sizeof(p)) == sizeof(p)) {
		*vendor = (unsigned)v[0] << 8 | v[1];
		*product = (unsigned)p[0] << 8 | p[1];
		return 0;
	}
	return fault_set(f, FAULT_CONFIG,
	    "usb-device \"%.40s\" is not VENDOR:PRODUCT, as in 0529:0620",
	    text);
}

static int
check_conf(const struct authority *a, struct fault *f)
{
	const unsigned ca_bits = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;
	unsigned vendor, product;

	if (a->usage == 0)
		return fault_set(f, FAULT_CONFIG, "no usage is given");
	if (*a->conf.usb_device != '\0' &&
	    authority_usb_read(a->conf.usb_device, &vendor, &product, f) < 0)
		return -1;
	if (a->signs_ca && (a->usage & CERT_KU_KEY_CERT_SIGN) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "kind ca needs usage keyCertSign");
	if (a->signs_ca && a->purpose != 0)
		return fault_set(f, FAULT_CONFIG, "kind ca has no purpose");
	if (!a->signs_ca && (a->usage & ca_bits) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "keyCertSign and cRLSign are for kind ca");
	for (size_t i = 0; i < a->conf.crl_url.count; i++)
		if (!profile_url_good(a->conf.crl_url.item[i]))
			return fault_set(f, FAULT_CONFIG,
			    "crl-url is no http address: \"%s\"",
			    a->conf.crl_url.item[i]);
	if (*a->conf.issuer_url != '\0' &&
	    !profile_url_good(a->conf.issuer_url))
		return fault_set(f, FAULT_CONFIG,
		    "issuer-url is no http address: \"%s\"",
		    a->conf.issuer_url);
	return check_policies(&a->conf.policy_oid, f);
}

static int
read_conf(struct authority *a, const char *text, size_t len, struct fault *f)
{
	if (conf_read(&authority_schema, &a->conf, text, len, f) < 0)
		return -1;
	if (*a->conf.name == '\0')
		return fault_set(f, FAULT_CONFIG, "no name is given");
	if (read_kind(a, f) < 0 || read_spaces(a, f) < 0 ||
	    profile_usage_read(&a->conf.usage, &a->usage, f) < 0 ||
	    profile_purpose_read(&a->conf.purpose, &a->purpose, f) < 0 ||
	    read_serial(a, f) < 0)
		return -1;
	return check_conf(a, f);
}

/*
 * What is issued names our key by the identifier in our own certificate, or
 * path building fails (RFC 5280 4.2.1.1).
 */
static int
read_key_id(struct authority *a, struct fault *f)
{
	if (a->cert->key_id.len == 0) {
		spki_id(&a->cert->spki, a->key_id);
		return 0;
	}
	if (a->cert->key_id.len != sizeof(a->key_id))
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the CA's key identifier is not of %zu octets",
		    sizeof(a->key_id));
	memcpy(a->key_id, a->cert->key_id.data, sizeof(a->key_id));
	return 0;
}

static int
check_cert(const struct authority *a, struct fault *f)
{
	const struct cert *cert = a->cert;

	if (!cert->ca || cert->kind != CERT_CA)
		return fault_set(f, FAULT_CONFIG,
		    "the CA's certificate is not that of a CA");
	if (!cert->has_key_usage ||
	    (cert->key_usage & CERT_KU_KEY_CERT_SIGN) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "the CA's certificate lacks keyCertSign");
	if (a->signs_ca && cert->path_length == 0)
		return fault_set(f, FAULT_CONFIG,
		    "the CA's path length of 0 lets it sign no CA");
	return 0;
}

static int
read_cert(struct authority *a, const void *pem, size_t len, struct fault *f)
{
	struct cert_list list = { 0 };

	if (cert_list_read_pem(&list, pem, len, f) < 0)
		return -1;
	if (list.count != 1) {
		cert_list_free(&list);
		return fault_set(f, FAULT_CONFIG,
		    "the CA's certificate file must hold one certificate");
	}
	a->cert = TAKE(list.cert[0]);
	list.count = 0;
	if (check_cert(a, f) < 0)
		return -1;
	return read_key_id(a, f);
}

int
authority_read(struct authority *a, const char *conf_text, size_t len,
    const void *cert_pem, size_t cert_len, struct fault *f)
{
	memset(a, 0, sizeof(*a));
	if (read_conf(a, conf_text, len, f) < 0)
		return -1;
	if (read_cert(a, cert_pem, cert_len, f) < 0) {
		authority_clear(a);
		return -1;
	}
	return 0;
}

int
authority_conf_check(const char *conf_text, size_t len, struct fault *f)
{
	struct authority *a = calloc(1, sizeof(*a));
	int result;

	if (a == NULL)
		return fault_set(f, FAULT_MEMORY, "ca.conf");
	result = read_conf(a, conf_text, len, f);
	free(a);
	return result;
}

void
authority_clear(struct authority *a)
{
	cert_free(a->cert);
	memset(a, 0, sizeof(*a));
}

int
authority_path(const char *dir, const char *file, char *path, size_t size,
    struct fault *f)
{
	int result = strchr(file, '/') != NULL
	    ? text_copy(path, size, file)
	    : text_fmt(path, size, "%s/%s", dir, file);

	if (result < 0)
		return fault_set(f, FAULT_CONFIG, "path too long: %s", file);
	return 0;
}

/*
 * GCT matches a pattern byte for byte against the text that its own OpenSSL
 * prints, and old ones print these two attributes differently.
 */
static const struct {
	const char *ours;
	const char *old;
} spellings[] = {
	{ "/UID=", "/USERID=" },
	{ "/emailAddress=", "/Email=" },
};

/* Append ${name} with old spellings; whether that is another text. */
static bool
put_old_spelling(struct buf *out, const char *name)
{
	bool differs = false;

	while (*name != '\0') {
		const char *old = NULL;

		for (size_t i = 0; i < COUNT_OF(spellings); i++) {
			if (!text_starts(name, spellings[i].ours))
				continue;
			old = spellings[i].old;
			name += strlen(spellings[i].ours);
		}
		if (old == NULL) {
			buf_put(out, name++, 1);
			continue;
		}
		buf_text(out, old);
		differs = true;
	}
	return differs;
}

static int
put_pattern(struct buf *out, const struct dn *dn, const char *blank,
    struct fault *f)
{
	OWN_BUF(old, DN_TEXT_MAX);
	char name[DN_TEXT_MAX];

	if (dn_show_slash(dn, name, sizeof(name)) < 0)
		return fault_set(f, FAULT_CONFIG, "may-sign-under is too long");
	buf_fmt(out, "%s\"%s/*\"", blank, name);
	if (put_old_spelling(&old, name)) {
		buf_text(out, " \"");
		buf_put(out, old.data, old.len);
		buf_text(out, "/*\"");
	}
	out->failed |= old.failed;
	return 0;
}

int
authority_signing_policy(const struct authority *a, struct buf *out,
    struct fault *f)
{
	char subject[DN_TEXT_MAX];

	if (dn_show_slash(&a->cert->subject, subject, sizeof(subject)) < 0 ||
	    strpbrk(subject, "'\\") != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "the CA's subject cannot be written in a signing_policy");
	buf_fmt(out, "# Signing policy of %s\n", a->conf.name);
	buf_fmt(out, "access_id_CA   X509    '%s'\n", subject);
	buf_text(out, "pos_rights     globus  CA:sign\n");
	buf_text(out, "cond_subjects  globus  '");
	for (size_t i = 0; i < a->under_count; i++)
		if (put_pattern(out, &a->under[i], i > 0 ? " " : "", f) < 0)
			return -1;
	/* Without the newline at the end GCT rejects the file. */
	buf_text(out, "'\n");
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "signing_policy");
	return 0;
}
