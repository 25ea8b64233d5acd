#include "ca_publish_pages.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_page.h"
#include "signet-ca/base/ca_shipped.h"

#include <stdlib.h>
#include <string.h>

#define HTML_MOST ((size_t)4 << 20)

static int
put_days(struct buf *out, int64_t seconds)
{
	const int64_t day = 86400, year = 365 * day;

	if (seconds >= 2 * year && seconds % day == 0)
		buf_fmt(out, "about %lld years", (long long)(seconds / year));
	else if (seconds % day == 0)
		buf_fmt(out, "%lld days", (long long)(seconds / day));
	else
		buf_fmt(out, "%lld seconds", (long long)seconds);
	return 1;
}

static int
put_date(struct buf *out, time_t when)
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL)
		return 0;
	buf_fmt(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday);
	return 1;
}

static int
put_name(struct buf *out, const struct dn *dn)
{
	char text[DN_TEXT_MAX];

	if (dn_show_slash(dn, text, sizeof(text)) < 0)
		return 0;
	buf_text(out, text);
	return 1;
}

static int
put_text(struct buf *out, const char *text)
{
	buf_text(out, text);
	return *text != '\0';
}

static int
put_print(struct buf *out, const struct cert *cert, const char *digest)
{
	char text[ANCHOR_PRINT_SIZE];
	struct fault ignored = { 0 };

	if (anchor_print(cert, digest, text, &ignored) < 0)
		return 0;
	return put_text(out, text);
}

/* What may be said of a CA, a function each. */

static int
ca_alias(const struct publish_ca *ca, struct buf *out)
{
	return put_text(out, ca->alias);
}

static int
ca_subject(const struct publish_ca *ca, struct buf *out)
{
	return put_name(out, &ca->dir->authority.cert->subject);
}

static int
ca_issuer(const struct publish_ca *ca, struct buf *out)
{
	return put_name(out, &ca->dir->authority.cert->issuer);
}

static int
ca_parent(const struct publish_ca *ca, struct buf *out)
{
	return put_text(out, ca->parent == NULL ? "itself" : ca->parent->alias);
}

static int
ca_sha256(const struct publish_ca *ca, struct buf *out)
{
	return put_print(out, ca->dir->authority.cert, "SHA256");
}

static int
ca_sha1(const struct publish_ca *ca, struct buf *out)
{
	return put_print(out, ca->dir->authority.cert, "SHA1");
}

static int
ca_begins(const struct publish_ca *ca, struct buf *out)
{
	return put_date(out, ca->dir->authority.cert->not_before);
}

static int
ca_expires(const struct publish_ca *ca, struct buf *out)
{
	return put_date(out, ca->dir->authority.cert->not_after);
}

static int
ca_key(const struct publish_ca *ca, struct buf *out)
{
	const struct spki *spki = &ca->dir->authority.cert->spki;

	buf_fmt(out, spki->kind == KEY_RSA ? "RSA, %u bits" : "ECDSA on P-%u",
	    spki->size);
	return 1;
}

static int
ca_signs(const struct publish_ca *ca, struct buf *out)
{
	const struct authority *a = &ca->dir->authority;

	if (a->signs_ca)
		return put_text(out, "subordinate CAs only");
	return put_text(out,
	    (a->purpose & CERT_EKU_SERVER_AUTH) != 0
		? "hosts, services and robots, never people"
		: "people, for a short time");
}

static int
ca_may_sign(const struct publish_ca *ca, struct buf *out)
{
	const struct authority *a = &ca->dir->authority;

	for (size_t i = 0; i < a->under_count; i++) {
		if (i > 0)
			buf_text(out, ", ");
		if (put_name(out, &a->under[i]) == 0)
			return 0;
	}
	return 1;
}

static int
ca_lifetime(const struct publish_ca *ca, struct buf *out)
{
	return put_days(out, ca->dir->authority.conf.max_lifetime);
}

static int
ca_crl_lifetime(const struct publish_ca *ca, struct buf *out)
{
	return put_days(out, ca->dir->authority.conf.crl_lifetime);
}

static int
ca_crl_url(const struct publish_ca *ca, struct buf *out)
{
	return put_text(out, ca->crl_urls.item[0]);
}

static int
ca_where(const struct publish_ca *ca, struct buf *out)
{
	return put_text(out,
	    ca->dir->authority.conf.online
		? "on line, behind separated processes of which only one "
		  "holds the key"
		: "off line; its machine is on no network");
}

static int
ca_serial(const struct publish_ca *ca, struct buf *out)
{
	const struct authority *a = &ca->dir->authority;

	if (a->serial_random)
		return put_text(out, "random numbers of 159 bits");
	buf_fmt(out, "numbers from %llu on, %llu of them",
	    (unsigned long long)a->serial_start,
	    (unsigned long long)a->serial_span);
	return 1;
}

static const struct {
	const char *name;
	int (*put)(const struct publish_ca *ca, struct buf *out);
} ca_fields[] = {
	{ "alias", ca_alias },
	{ "subject", ca_subject },
	{ "issuer", ca_issuer },
	{ "parent", ca_parent },
	{ "sha256", ca_sha256 },
	{ "sha1", ca_sha1 },
	{ "begins", ca_begins },
	{ "expires", ca_expires },
	{ "key", ca_key },
	{ "signs", ca_signs },
	{ "may-sign", ca_may_sign },
	{ "max-lifetime", ca_lifetime },
	{ "crl-lifetime", ca_crl_lifetime },
	{ "crl-url", ca_crl_url },
	{ "where", ca_where },
	{ "serials", ca_serial },
};

/* The fields that are made from several settings. */
static int
made_field(const struct publish_facts *facts, const char *name,
    struct buf *value)
{
	const struct publish_conf *c = facts->conf;

	if (strcmp(name, "package") == 0) {
		buf_fmt(value, "%s-%s", c->package_name, c->package_version);
		return 1;
	}
	if (strcmp(name, "deb") == 0) {
		buf_fmt(value, "%s_%s_all.deb", c->package_name,
		    c->package_version);
		return 1;
	}
	if (strcmp(name, "rpm") == 0) {
		buf_fmt(value, "%s-%s-1.noarch.rpm", c->package_name,
		    c->package_version);
		return 1;
	}
	return -1;
}

static int
field(const void *context, const char *loop, size_t item, const char *name,
    struct buf *value)
{
	const struct publish_facts *facts = context;
	int found;

	for (size_t i = 0; strcmp(loop, "ca") == 0 &&
	     i < sizeof(ca_fields) / sizeof(ca_fields[0]);
	     i++)
		if (strcmp(ca_fields[i].name, name) == 0)
			return ca_fields[i].put(&facts->set->ca[item], value);
	if ((found = made_field(facts, name, value)) >= 0)
		return found;
	return publish_conf_field(facts->conf, name, value);
}

static int
items(const void *context, const char *loop)
{
	const struct publish_facts *facts = context;

	if (strcmp(loop, "ca") == 0)
		return (int)facts->set->count;
	if (strcmp(loop, "tarball") == 0)
		return !facts->draft;
	if (strcmp(loop, "deb") == 0)
		return facts->conf->deb && !facts->draft;
	if (strcmp(loop, "rpm") == 0)
		return facts->conf->rpm && !facts->draft;
	return -1;
}

static int
read_template(const struct publish_conf *c, const char *setting,
    const char *shipped, struct page *page, struct fault *f)
{
	const char *text = ca_office_find(shipped);
	OWN_BUF(own, PAGE_TEXT_MAX);
	char path[PATH_MAX];

	if (*setting == '\0' && text == NULL)
		return fault_set(f, FAULT_INTERNAL, "no page %s", shipped);
	if (*setting == '\0') {
		if (page_read(page, text, strlen(text), f) < 0)
			return fault_wrap(f, "%s", shipped);
		return 0;
	}
	if (publish_conf_path(c, setting, path, f) < 0 ||
	    file_read(path, &own, f) < 0)
		return -1;
	if (page_read(page, (const char *)own.data, own.len, f) < 0)
		return fault_wrap(f, "%s", path);
	return 0;
}

static int
add(struct publish_tree *t, const char *name, struct buf *text, struct fault *f)
{
	return publish_tree_add(t, name, text, f) == NULL ? -1 : 0;
}

static int
add_pages(const struct publish_facts *facts, const struct page *cps,
    const struct page *members, struct publish_tree *t, struct buf *missing,
    struct fault *f)
{
	const struct page_source source = { facts, items, field };
	OWN_BUF(index, HTML_MOST);
	OWN_BUF(html, HTML_MOST);
	OWN_BUF(text, HTML_MOST);

	if (page_html(members, &source, facts->draft, missing, &index, f) < 0)
		return fault_wrap(f, "the page for members");
	if (page_html(cps, &source, facts->draft, missing, &html, f) < 0 ||
	    page_plain(cps, &source, facts->draft, missing, &text, f) < 0)
		return fault_wrap(f, "the CP/CPS");
	if (add(t, "index.html", &index, f) < 0 ||
	    add(t, "cp-cps.html", &html, f) < 0)
		return -1;
	return add(t, "cp-cps.txt", &text, f);
}

int
publish_pages(const struct publish_facts *facts, struct publish_tree *t,
    struct fault *f)
{
	const struct publish_conf *c = facts->conf;
	struct page cps = { 0 }, members = { 0 };
	OWN_BUF(missing, 4096);
	int result;

	if (read_template(c, c->cps_template, "cp-cps.md", &cps, f) < 0)
		return -1;
	result = read_template(c, c->page_template, "index.md", &members, f);
	if (result == 0)
		result = add_pages(facts, &cps, &members, t, &missing, f);
	page_clear(&cps);
	page_clear(&members);
	if (result < 0)
		return -1;
	if (missing.len > 0 && !facts->draft)
		return fault_set(f, FAULT_CONFIG,
		    "publish.conf lacks what the pages say: %s (--draft marks "
		    "it)",
		    buf_cstr(&missing));
	return 0;
}
