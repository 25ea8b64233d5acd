/* The files of each CA. */
#include "base/fault.h"
#include "base/text.h"
#include "ca_publish_set.h"
#include "x509/cert_text.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST (1u << 20)

/* ${alias}${ending} holds ${data}, which is taken. */
static int
add(const struct publish_ca *ca, const char *ending, bool anchor,
    struct publish_tree *t, struct buf *data, struct fault *f)
{
	char name[PUBLISH_NAME_MAX];
	struct publish_file *file;

	if (text_fmt(name, sizeof(name), "%s%s", ca->alias, ending) < 0)
		return fault_set(f, FAULT_CONFIG, "alias too long");
	if ((file = publish_tree_add(t, name, data, f)) == NULL)
		return -1;
	file->anchor = anchor;
	return 0;
}

static int
add_certificate(const struct publish_ca *ca, struct publish_tree *t,
    struct fault *f)
{
	const struct cert *cert = ca->dir->authority.cert;
	OWN_BUF(pem, TEXT_MOST);
	OWN_BUF(der, TEXT_MOST);
	OWN_BUF(shown, TEXT_MOST);
	OWN(char) text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	int result;

	if (stream == NULL)
		return fault_set(f, FAULT_MEMORY, "text");
	result = cert_text(cert, false, stream, f);
	if (fclose(stream) != 0 && result == 0)
		result = fault_set(f, FAULT_MEMORY, "text");
	if (result < 0)
		return -1;
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ cert->der, cert->len });
	buf_put(&shown, text, len);
	buf_put(&shown, pem.data, pem.len);
	buf_put(&der, cert->der, cert->len);
	if (add(ca, ".pem", true, t, &pem, f) < 0 ||
	    add(ca, ".der", false, t, &der, f) < 0)
		return -1;
	return add(ca, ".txt", false, t, &shown, f);
}

static int
add_crl(const struct publish_ca *ca, struct publish_tree *t, struct fault *f)
{
	OWN_BUF(der, PUBLISH_CRL_MOST);
	OWN_BUF(pem, 2 * PUBLISH_CRL_MOST);

	buf_put(&der, ca->crl_der.data, ca->crl_der.len);
	pem_put(&pem, "X509 CRL",
	    (struct wire_bytes){ ca->crl_der.data, ca->crl_der.len });
	if (add(ca, ".crl", false, t, &der, f) < 0)
		return -1;
	return add(ca, ".r0", false, t, &pem, f);
}

/* The addresses of a CA's files, for struct anchor. */
struct addresses {
	char cert[CONF_STRING_SIZE];
	char policy[CONF_STRING_SIZE];
	char cps[CONF_STRING_SIZE];
	char title[CONF_STRING_SIZE];
};

static int
fill_addresses(const struct publish_ca *ca, const struct publish_conf *c,
    struct addresses *a, struct fault *f)
{
	if (text_fmt(a->cert, sizeof(a->cert), "%s%s.pem", c->url, ca->alias) <
		0 ||
	    text_fmt(a->policy, sizeof(a->policy), "%s%s.signing_policy",
		c->url, ca->alias) < 0 ||
	    text_fmt(a->cps, sizeof(a->cps), "%scp-cps.html", c->url) < 0)
		return fault_set(f, FAULT_CONFIG, "url is too long");
	if (dn_cn(&ca->dir->authority.cert->subject, a->title,
		sizeof(a->title)) < 0 ||
	    *a->title == '\0' || !text_printable(a->title))
		return text_copy(a->title, sizeof(a->title), ca->alias);
	return 0;
}

static int
add_texts(const struct publish_ca *ca, const struct publish_conf *c,
    struct publish_tree *t, struct fault *f)
{
	static const struct {
		const char *ending;
		int (*put)(const struct anchor *a, struct buf *out,
		    struct fault *f);
	} texts[] = {
		{ ".namespaces", anchor_namespaces },
		{ ".info", anchor_info },
		{ ".crl_url", anchor_crl_url },
	};
	struct addresses at;
	const struct anchor anchor = { .cert = ca->dir->authority.cert,
		.alias = ca->alias,
		.title = at.title,
		.parent = ca->parent == NULL ? NULL : ca->parent->alias,
		.version = c->package_version,
		.status = c->status,
		.page = c->home_page,
		.email = c->contact_mail,
		.policy_url = at.cps,
		.cert_url = at.cert,
		.sigpolicy_url = at.policy,
		.crl_urls = &ca->crl_urls,
		.under = ca->dir->authority.under,
		.under_count = ca->dir->authority.under_count,
		.sha256_key = c->cadesc_sha256 };
	char name[PUBLISH_NAME_MAX];
	OWN_BUF(cadesc, TEXT_MOST);
	OWN_BUF(policy, TEXT_MOST);

	if (fill_addresses(ca, c, &at, f) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		OWN_BUF(text, TEXT_MOST);

		if (texts[i].put(&anchor, &text, f) < 0 ||
		    add(ca, texts[i].ending, true, t, &text, f) < 0)
			return -1;
	}
	if (authority_signing_policy(&ca->dir->authority, &policy, f) < 0 ||
	    add(ca, ".signing_policy", true, t, &policy, f) < 0 ||
	    anchor_cadesc(&anchor, &cadesc, f) < 0)
		return -1;
	if (text_fmt(name, sizeof(name), "%s.%s.cadesc", ca->hash, ca->alias) <
	    0)
		return fault_set(f, FAULT_CONFIG, "alias too long");
	return publish_tree_add(t, name, &cadesc, f) == NULL ? -1 : 0;
}

/* ${from}${ending} leads to ${alias}${to}. */
static int
add_link(const struct publish_ca *ca, const char *from, const char *ending,
    const char *to, bool anchor, struct publish_tree *t, struct fault *f)
{
	char name[PUBLISH_NAME_MAX], target[PUBLISH_NAME_MAX];
	struct publish_file *file;

	if (text_fmt(name, sizeof(name), "%s%s", from, ending) < 0 ||
	    text_fmt(target, sizeof(target), "%s%s", ca->alias, to) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	/* A certificate's address may well be that of the file itself. */
	if (strcmp(name, target) == 0)
		return 0;
	if ((file = publish_tree_link(t, name, target, f)) == NULL)
		return -1;
	file->anchor = anchor;
	return 0;
}

static int
add_hashes(const struct publish_ca *ca, const char *hash,
    struct publish_tree *t, struct fault *f)
{
	if (add_link(ca, hash, ".0", ".pem", true, t, f) < 0 ||
	    add_link(ca, hash, ".r0", ".r0", false, t, f) < 0 ||
	    add_link(ca, hash, ".signing_policy", ".signing_policy", true, t,
		f) < 0)
		return -1;
	return add_link(ca, hash, ".namespaces", ".namespaces", true, t, f);
}

/* An address below the site's own has to lead to a file. */
static int
add_address(const struct publish_ca *ca, const struct publish_conf *c,
    const char *url, const char *to, struct publish_tree *t, struct fault *f)
{
	const char *name = url + strlen(c->url);
	const char *alike =
	    text_ends(url, ".pem") || text_ends(url, ".r0") ? ".r0" : to;

	if (!text_starts(url, c->url))
		return 0;
	if (strcmp(to, ".crl") != 0)
		alike = to;
	if (strchr(name, '/') != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "its ca.conf has %s, but %s has no directories", url,
		    c->url);
	return add_link(ca, name, "", alike, false, t, f);
}

static int
add_ca(const struct publish_ca *ca, const struct publish_conf *c,
    struct publish_tree *t, struct fault *f)
{
	if (add_certificate(ca, t, f) < 0 || add_crl(ca, t, f) < 0 ||
	    add_texts(ca, c, t, f) < 0 ||
	    (c->new_hash && add_hashes(ca, ca->hash, t, f) < 0) ||
	    (c->old_hash && strcmp(ca->hash, ca->hash_old) != 0 &&
		add_hashes(ca, ca->hash_old, t, f) < 0) ||
	    add_address(ca, c, ca->dir->authority.conf.issuer_url, ".der", t,
		f) < 0)
		return -1;
	for (size_t i = 0; i < ca->crl_urls.count; i++)
		if (add_address(ca, c, ca->crl_urls.item[i], ".crl", t, f) < 0)
			return -1;
	return 0;
}

int
publish_set_files(const struct publish_set *s, const struct publish_conf *c,
    struct publish_tree *t, struct fault *f)
{
	for (size_t i = 0; i < s->count; i++)
		if (add_ca(&s->ca[i], c, t, f) < 0)
			return fault_wrap(f, "%s", s->ca[i].alias);
	return 0;
}
