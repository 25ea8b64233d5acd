/* Tarball, signature and packages of a site. */
#include "base/fault.h"
#include "base/text.h"
#include "ca_publish.h"
#include "ca_publish_pack.h"
#include "ca_publish_tar.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST_MOST ((size_t)1 << 20)
#define PACKAGE_MOST ((size_t)64 << 20)

/* What the packages are made from: if this is the same, so are they. */
static void
put_manifest(const struct publish_site *s, struct buf *out)
{
	const struct publish_conf *c = &s->conf;

	buf_fmt(out, "# What %s %s is made from.\n", c->package_name,
	    c->package_version);
	buf_fmt(out, "maintainer %s\nlicence %s\norganisation %s\nurl %s\n",
	    c->package_maintainer, c->package_licence, c->organisation, c->url);
	buf_fmt(out, "date %lld\n\n", (long long)s->when);
	publish_tree_sums(&s->tree, true, out);
}

/* A copy of the published file ${name}, into the new tree: 1, 0 if there is
 * none. */
static int
keep(struct publish_site *s, const char *name, struct fault *f)
{
	const struct publish_file *file = publish_tree_find(&s->old, name);
	OWN_BUF(copy, PACKAGE_MOST);

	if (file == NULL || *file->link != '\0')
		return 0;
	buf_put(&copy, file->data.data, file->data.len);
	return publish_tree_add(&s->tree, name, &copy, f) == NULL ? -1 : 1;
}

/* Whether what is published under this version was made from the same. */
static int
check_version(struct publish_site *s, const char *name, bool *same,
    struct fault *f)
{
	const struct publish_file *before = publish_tree_find(&s->old, name);
	OWN_BUF(manifest, MANIFEST_MOST);
	const struct publish_file *now;

	put_manifest(s, &manifest);
	now = publish_tree_add(&s->tree, name, &manifest, f);
	if (now == NULL)
		return -1;
	*same = before != NULL && publish_file_same(before, now);
	if (before != NULL && !*same)
		return fault_set(f, FAULT_DENIED,
		    "%s-%s is published, and would hold something else now: "
		    "raise package-version in publish.conf",
		    s->conf.package_name, s->conf.package_version);
	return 0;
}

static int
add_tarball(struct publish_site *s, const char *top, const char *name,
    bool same, struct fault *f)
{
	OWN_BUF(tar, PACKAGE_MOST);
	OWN_BUF(packed, PACKAGE_MOST);
	int kept = same ? keep(s, name, f) : 0;

	if (kept != 0)
		return kept < 0 ? -1 : 0;
	if (publish_tar(&s->tree, top, s->when, &tar, f) < 0 ||
	    publish_gzip(&tar, &packed, f) < 0)
		return -1;
	return publish_tree_add(&s->tree, name, &packed, f) == NULL ? -1 : 0;
}

/* The published signature, if it is one of this key over this tarball: so the
 * private key is needed for new versions only. */
static int
add_signature(struct publish_site *s, const char *tarball, struct fault *f)
{
	const struct publish_file *file = publish_tree_find(&s->tree, tarball);
	OWN_BUF(signature, 4096);
	char name[PUBLISH_NAME_MAX];
	const struct publish_file *old;

	if (text_fmt(name, sizeof(name), "%s.sig", tarball) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	old = publish_tree_find(&s->old, name);
	if (old != NULL && publish_key_made(&s->key, &file->data, &old->data))
		return keep(s, name, f) < 0 ? -1 : 0;
	if (s->args->check) {
		s->unsigned_yet = true;
		return 0;
	}
	if (publish_key_sign(&s->key, s->args->passphrase_fd, &file->data,
		&signature, f) < 0)
		return fault_wrap(f, "signing %s", tarball);
	return publish_tree_add(&s->tree, name, &signature, f) == NULL ? -1 : 0;
}

static void
say(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "signet-ca: making %s\n", what);
}

struct maker {
	int (*make)(const struct publish_pack *p, struct buf *out,
	    struct fault *f);
	const char *instead; /* what to do if the program is not there */
};

static int
add_package(struct publish_site *s, const char *name, bool same,
    const struct maker *maker, struct fault *f)
{
	char work[PATH_MAX];
	const struct publish_pack pack = { &s->conf, &s->tree, work, s->when };
	OWN_BUF(made, PACKAGE_MOST);
	int kept = same ? keep(s, name, f) : 0;

	if (kept != 0)
		return kept < 0 ? -1 : 0;
	say(name);
	if (text_fmt(work, sizeof(work), "%s/%s", s->work, name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (mkdir(work, 0755) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", work,
		    strerror(errno));
	if (maker->make(&pack, &made, f) < 0) {
		if (f->code == FAULT_ABSENT)
			return fault_set(f, FAULT_ABSENT, "%s", maker->instead);
		return fault_wrap(f, "%s", name);
	}
	return publish_tree_add(&s->tree, name, &made, f) == NULL ? -1 : 0;
}

struct names {
	char top[PUBLISH_NAME_MAX];
	char manifest[PUBLISH_NAME_MAX];
	char tarball[PUBLISH_NAME_MAX];
	char deb[PUBLISH_NAME_MAX];
	char rpm[PUBLISH_NAME_MAX];
};

static int
fill_names(const struct publish_conf *c, struct names *n, struct fault *f)
{
	const char *name = c->package_name, *version = c->package_version;

	if (text_fmt(n->top, sizeof(n->top), "%s-%s", name, version) < 0 ||
	    text_fmt(n->manifest, sizeof(n->manifest), "%s.manifest", n->top) <
		0 ||
	    text_fmt(n->tarball, sizeof(n->tarball), "%s.tar.gz", n->top) < 0 ||
	    text_fmt(n->deb, sizeof(n->deb), "%s_%s_all.deb", name, version) <
		0 ||
	    text_fmt(n->rpm, sizeof(n->rpm), "%s-1.noarch.rpm", n->top) < 0)
		return fault_set(f, FAULT_CONFIG, "package-name is too long");
	return 0;
}

int
publish_site_packages(struct publish_site *s, struct fault *f)
{
	static const struct maker deb = { publish_deb,
		"dpkg-deb is not installed: install dpkg, or leave deb out of "
		"package-format in publish.conf" };
	static const struct maker rpm = { publish_rpm,
		"rpmbuild is not installed: install rpm-build (Debian: rpm), "
		"or leave rpm out of package-format in publish.conf" };
	struct names n;
	bool same = false;

	if (fill_names(&s->conf, &n, f) < 0 ||
	    check_version(s, n.manifest, &same, f) < 0 ||
	    add_tarball(s, n.top, n.tarball, same, f) < 0)
		return -1;
	if (s->conf.deb && add_package(s, n.deb, same, &deb, f) < 0)
		return -1;
	if (s->conf.rpm && add_package(s, n.rpm, same, &rpm, f) < 0)
		return -1;
	return add_signature(s, n.tarball, f);
}
