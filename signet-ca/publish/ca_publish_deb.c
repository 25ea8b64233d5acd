/*
 * A Debian package.  The anchors are in /usr/share/NAME; its scripts link them
 * into the trust directory and leave alone what an administrator has changed,
 * put there or taken away, as configuration must be (Debian policy 10.7).
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_publish_pack.h"
#include "ca_publish_run.h"
#include "ca_publish_tar.h"
#include "signet-ca/base/ca_shipped.h"
#include "x509/ossl.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

#define TEXT_MOST 65536
#define TRUST_DIR "/etc/grid-security/certificates"

struct deb {
	const struct publish_pack *p;
	struct buf sums; /* DEBIAN/md5sums */
	uint64_t size;	 /* of all files, in KiB */
};

/* A file of the package, not of its control part. */
static int
put(struct deb *d, const char *path, const struct buf *data, struct fault *f)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char hex[2 * sizeof(digest) + 1];
	size_t len = 0;

	if (EVP_Q_digest(NULL, "MD5", NULL, data->data, data->len, digest,
		&len) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "MD5");
	text_hex(digest, len, hex);
	buf_fmt(&d->sums, "%s  %s\n", hex, path);
	d->size += (data->len + 1023) / 1024;
	return publish_pack_file(d->p, "deb", path, 0644, data, f);
}

static int
put_anchors(struct deb *d, struct fault *f)
{
	const struct publish_tree *t = d->p->tree;
	const char *name = d->p->conf->package_name;
	OWN_BUF(links, TEXT_MOST);
	char path[PATH_MAX];

	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];

		if (!file->anchor)
			continue;
		if (*file->link != '\0') {
			buf_fmt(&links, "%s %s\n", file->name, file->link);
			continue;
		}
		buf_fmt(&links, "%s /usr/share/%s/anchors/%s\n", file->name,
		    name, file->name);
		if (text_fmt(path, sizeof(path), "usr/share/%s/anchors/%s",
			name, file->name) < 0)
			return fault_set(f, FAULT_CONFIG, "name too long");
		if (put(d, path, &file->data, f) < 0)
			return -1;
	}
	if (text_fmt(path, sizeof(path), "usr/share/%s/links", name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	return put(d, path, &links, f);
}

/* In UTC and English, whatever the locale (RFC 5322 3.3). */
static int
put_date(struct buf *out, time_t when, struct fault *f)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL)
		return fault_set(f, FAULT_INTERNAL, "date");
	buf_fmt(out, "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
	    days + (size_t)3 * (size_t)tm.tm_wday, tm.tm_mday,
	    months + (size_t)3 * (size_t)tm.tm_mon, tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	return 0;
}

static int
put_changelog(struct deb *d, struct fault *f)
{
	const struct publish_conf *c = d->p->conf;
	OWN_BUF(text, TEXT_MOST);
	OWN_BUF(packed, TEXT_MOST);
	char path[PATH_MAX];

	buf_fmt(&text,
	    "%s (%s) unstable; urgency=medium\n\n"
	    "  * Trust anchors of %s.\n\n -- %s  ",
	    c->package_name, c->package_version, c->organisation,
	    c->package_maintainer);
	if (put_date(&text, d->p->when, f) < 0)
		return -1;
	buf_text(&text, "\n");
	if (text_fmt(path, sizeof(path), "usr/share/doc/%s/changelog.gz",
		c->package_name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	if (publish_gzip(&text, &packed, f) < 0)
		return -1;
	return put(d, path, &packed, f);
}

static int
put_copyright(struct deb *d, struct fault *f)
{
	const struct publish_conf *c = d->p->conf;
	OWN_BUF(text, TEXT_MOST);
	char path[PATH_MAX];
	struct tm tm;

	if (gmtime_r(&d->p->when, &tm) == NULL)
		return fault_set(f, FAULT_INTERNAL, "date");
	buf_fmt(&text,
	    "Format: https://www.debian.org/doc/packaging-manuals/"
	    "copyright-format/1.0/\n"
	    "Upstream-Name: %s\nSource: %s\n\n"
	    "Files: *\nCopyright: %d %s\nLicense: %s\n"
	    " The text of this licence has the name %s in the list of the\n"
	    " Software Package Data Exchange, https://spdx.org/licenses/.\n",
	    c->package_name, c->url, tm.tm_year + 1900, c->organisation,
	    c->package_licence, c->package_licence);
	if (text_fmt(path, sizeof(path), "usr/share/doc/%s/copyright",
		c->package_name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	return put(d, path, &text, f);
}

static int
put_readme(struct deb *d, struct fault *f)
{
	OWN_BUF(text, TEXT_MOST);
	char path[PATH_MAX];

	if (publish_pack_readme(d->p, &text, f) < 0)
		return -1;
	if (text_fmt(path, sizeof(path), "usr/share/doc/%s/README",
		d->p->conf->package_name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	return put(d, path, &text, f);
}

/* lintian takes the ending for that of GNU info. */
static int
put_override(struct deb *d, struct fault *f)
{
	const char *name = d->p->conf->package_name;
	OWN_BUF(text, TEXT_MOST);
	char path[PATH_MAX];

	buf_fmt(&text,
	    "# These .info files are for fetch-crl; nobody reads them.\n"
	    "%s: package-contains-documentation-outside-usr-share-doc *\n",
	    name);
	if (text_fmt(path, sizeof(path), "usr/share/lintian/overrides/%s",
		name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	return put(d, path, &text, f);
}

static int
put_control(struct deb *d, struct fault *f)
{
	const struct publish_conf *c = d->p->conf;
	OWN_BUF(text, TEXT_MOST);
	OWN_BUF(about, TEXT_MOST);

	if (publish_pack_about(d->p, &about, f) < 0)
		return -1;
	buf_fmt(&text,
	    "Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: %s\n"
	    "Installed-Size: %llu\nSuggests: fetch-crl\nSection: misc\n"
	    "Priority: optional\nHomepage: %s\n"
	    "Description: trust anchors of a grid's certificate authorities\n",
	    c->package_name, c->package_version, c->package_maintainer,
	    (unsigned long long)d->size, c->url);
	publish_pack_wrap(&text, " ", buf_cstr(&about));
	buf_text(&text, " .\n");
	publish_pack_wrap(&text, " ",
	    "Revocation lists change more often and are not in this package. "
	    "The program fetch-crl brings them.");
	return publish_pack_file(d->p, "deb", "DEBIAN/control", 0644, &text, f);
}

const char *
ca_office_find(const char *name)
{
	for (const struct ca_shipped *t = ca_office; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t->text;
	return NULL;
}

/* Append the script ${name}, with the package's name for @PACKAGE@. */
static int
fill_script(const struct deb *d, const char *name, struct buf *out,
    struct fault *f)
{
	static const char mark[] = "@PACKAGE@";
	const char *at = ca_office_find(name);

	if (at == NULL)
		return fault_set(f, FAULT_INTERNAL, "no script %s", name);
	while (*at != '\0') {
		const char *next = strstr(at, mark);
		size_t len = next == NULL ? strlen(at) : (size_t)(next - at);

		buf_put(out, at, len);
		if (next != NULL)
			buf_text(out, d->p->conf->package_name);
		at += len + (next == NULL ? 0 : strlen(mark));
	}
	return 0;
}

static int
put_scripts(const struct deb *d, struct fault *f)
{
	static const char *const names[] = { "postinst", "prerm", "postrm" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		OWN_BUF(text, TEXT_MOST);

		if (fill_script(d, names[i], &text, f) < 0)
			return -1;
		if (text_fmt(path, sizeof(path), "DEBIAN/%s", names[i]) < 0)
			return fault_set(f, FAULT_INTERNAL, "%s", names[i]);
		if (publish_pack_file(d->p, "deb", path, 0755, &text, f) < 0)
			return -1;
	}
	return 0;
}

static int
put_all(struct deb *d, struct fault *f)
{
	char path[PATH_MAX];

	if (put_anchors(d, f) < 0 || put_changelog(d, f) < 0 ||
	    put_copyright(d, f) < 0 || put_readme(d, f) < 0 ||
	    put_override(d, f) < 0 || put_control(d, f) < 0 ||
	    put_scripts(d, f) < 0 ||
	    publish_pack_file(d->p, "deb", "DEBIAN/md5sums", 0644, &d->sums,
		f) < 0)
		return -1;
	if (text_fmt(path, sizeof(path), "%s/deb" TRUST_DIR, d->p->work) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return file_mkdir(path, 0755, f);
}

int
publish_deb(const struct publish_pack *p, struct buf *deb, struct fault *f)
{
	struct deb d = { .p = p, .sums = BUF(TEXT_MOST) };
	char from[PATH_MAX], to[PATH_MAX];
	/* xz and its threads differ between machines; gzip does not. */
	const char *const argv[] = { "dpkg-deb", "--build",
		"--root-owner-group", "-Zgzip", "-z9", from, to, NULL };
	int result = put_all(&d, f);

	buf_free(&d.sums);
	if (result < 0)
		return -1;
	if (text_fmt(from, sizeof(from), "%s/deb", p->work) < 0 ||
	    text_fmt(to, sizeof(to), "%s/package.deb", p->work) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (publish_run(argv, p->work, p->when, f) < 0)
		return -1;
	return publish_pack_read(p, "package.deb", deb, f);
}
