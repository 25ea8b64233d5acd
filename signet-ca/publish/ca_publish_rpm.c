/* An RPM: files in the trust directory itself, kept if changed there. */
#include "base/fault.h"
#include "base/text.h"
#include "ca_publish_pack.h"
#include "ca_publish_run.h"

#include <string.h>

#define TEXT_MOST 262144
#define TRUST_DIR "/etc/grid-security/certificates"

/* A '%' begins a macro; two are one. */
static void
put_plain(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		buf_put(out, text, 1);
		if (*text == '%')
			buf_put(out, text, 1);
	}
}

static void
put_files(const struct publish_pack *p, struct buf *spec)
{
	buf_text(spec,
	    "%files\n%defattr(-,root,root,-)\n"
	    "%dir /etc/grid-security\n%dir " TRUST_DIR "\n");
	for (size_t i = 0; i < p->tree->count; i++) {
		const struct publish_file *file = &p->tree->file[i];

		if (file->anchor)
			buf_fmt(spec, "%s" TRUST_DIR "/%s\n",
			    *file->link != '\0' ? "" : "%config(noreplace) ",
			    file->name);
	}
	buf_fmt(spec, "%%doc /usr/share/doc/%s/README\n\n",
	    p->conf->package_name);
}

static int
put_changelog(const struct publish_pack *p, struct buf *spec, struct fault *f)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	if (gmtime_r(&p->when, &tm) == NULL)
		return fault_set(f, FAULT_INTERNAL, "date");
	buf_fmt(spec,
	    "%%changelog\n* %.3s %.3s %02d %04d %s - %s-1\n"
	    "- Trust anchors of %s.\n",
	    days + (size_t)3 * (size_t)tm.tm_wday,
	    months + (size_t)3 * (size_t)tm.tm_mon, tm.tm_mday,
	    tm.tm_year + 1900, p->conf->package_maintainer,
	    p->conf->package_version, p->conf->organisation);
	return 0;
}

static int
put_spec(const struct publish_pack *p, struct fault *f)
{
	const struct publish_conf *c = p->conf;
	OWN_BUF(spec, TEXT_MOST);
	OWN_BUF(about, 4096);

	if (publish_pack_about(p, &about, f) < 0)
		return -1;
	buf_fmt(&spec, "Name: %s\nVersion: %s\nRelease: 1\nLicense: %s\nURL: ",
	    c->package_name, c->package_version, c->package_licence);
	put_plain(&spec, c->url);
	buf_fmt(&spec,
	    "\nPackager: %s\nGroup: System/Base\nBuildArch: noarch\n"
	    "Summary: Trust anchors of certificate authorities of a grid\n\n"
	    "%%description\n",
	    c->package_maintainer);
	publish_pack_wrap(&spec, "", buf_cstr(&about));
	buf_text(&spec, "\n");
	publish_pack_wrap(&spec, "",
	    "Revocation lists change more often and are not in this package. "
	    "The program fetch-crl brings them.");
	buf_text(&spec,
	    "\n%prep\n\n%build\n\n%install\n"
	    "cp -a %{_sourcedir}/. %{buildroot}/\n\n");
	put_files(p, &spec);
	if (put_changelog(p, &spec, f) < 0)
		return -1;
	return publish_pack_file(p, "spec", "package.spec", 0644, &spec, f);
}

static int
put_sources(const struct publish_pack *p, struct fault *f)
{
	OWN_BUF(readme, TEXT_MOST);
	char path[PATH_MAX], place[PATH_MAX];

	for (size_t i = 0; i < p->tree->count; i++) {
		const struct publish_file *file = &p->tree->file[i];

		if (!file->anchor || *file->link != '\0')
			continue;
		if (text_fmt(path, sizeof(path), TRUST_DIR "/%s", file->name) <
		    0)
			return fault_set(f, FAULT_CONFIG, "name too long");
		if (publish_pack_file(p, "files", path, 0644, &file->data, f) <
		    0)
			return -1;
	}
	if (text_fmt(place, sizeof(place), "%s/files" TRUST_DIR, p->work) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (publish_tree_links(p->tree, place, p->when, f) < 0 ||
	    publish_pack_readme(p, &readme, f) < 0)
		return -1;
	if (text_fmt(path, sizeof(path), "usr/share/doc/%s/README",
		p->conf->package_name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long");
	return publish_pack_file(p, "files", path, 0644, &readme, f);
}

/* What would differ between machines is said here; the rest is the default of
 * rpm, whose own files say where things are. */
static const struct macro {
	const char *name;
	const char *value; /* after ${work}, if it is a place */
	bool place;
} macros[] = {
	{ "_topdir", "", true },
	{ "_builddir", "/build", true },
	{ "_buildrootdir", "/root", true },
	{ "_sourcedir", "/files", true },
	{ "_specdir", "/spec", true },
	{ "_rpmdir", "", true },
	{ "_srcrpmdir", "", true },
	{ "_tmppath", "", true },
	{ "_dbpath", "/db", true },
	{ "_build_name_fmt", "package.rpm", false },
	{ "_buildhost", "localhost", false },
	{ "_binary_payload", "w9.gzdio", false },
	{ "_binary_filedigest_algorithm", "8", false },
	{ "use_source_date_epoch_as_buildtime", "1", false },
	{ "clamp_mtime_to_source_date_epoch", "1", false },
	{ "source_date_epoch_from_changelog", "0", false },
	{ "_build_id_links", "none", false },
	{ "debug_package", "%{nil}", false },
	{ "__spec_install_post", "%{nil}", false },
	{ "_docdir", "/usr/share/doc", false },
	{ "vendor", "%{nil}", false },
	{ "packager", "%{nil}", false },
	{ "distribution", "%{nil}", false },
	{ "optflags", "%{nil}", false },
};
#define MACROS (sizeof(macros) / sizeof(macros[0]))

static int
build(const struct publish_pack *p, struct fault *f)
{
	char text[MACROS][512], spec[PATH_MAX];
	const char *argv[2 * MACROS + 6] = { "rpmbuild", "-bb", "--nodeps" };
	size_t n = 3;

	for (size_t i = 0; i < MACROS; i++) {
		const struct macro *m = &macros[i];

		if (text_fmt(text[i], sizeof(text[i]), "%s %s%s", m->name,
			m->place ? p->work : "", m->value) < 0)
			return fault_set(f, FAULT_USAGE, "path too long");
		argv[n++] = "--define";
		argv[n++] = text[i];
	}
	if (text_fmt(spec, sizeof(spec), "%s/spec/package.spec", p->work) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	argv[n++] = spec;
	argv[n] = NULL;
	return publish_run(argv, p->work, p->when, f);
}

int
publish_rpm(const struct publish_pack *p, struct buf *rpm, struct fault *f)
{
	if (p->work[strspn(p->work,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789/._+,-")] != '\0')
		return fault_set(f, FAULT_USAGE,
		    "rpmbuild cannot work in %s: choose a path of letters, "
		    "digits and /._+,-",
		    p->work);
	if (put_spec(p, f) < 0 || put_sources(p, f) < 0 || build(p, f) < 0)
		return -1;
	return publish_pack_read(p, "package.rpm", rpm, f);
}
