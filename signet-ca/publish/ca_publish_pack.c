/* What Debian packages and RPMs of the trust anchors have in common. */
#include "ca_publish_pack.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

void
publish_pack_wrap(struct buf *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > 72) {
			buf_text(out, "\n");
			column = 0;
		}
		buf_text(out, column == 0 ? indent : " ");
		column += column == 0 ? strlen(indent) : 1;
		buf_put(out, text, len);
		column += len;
		text += len + strspn(text + len, " ");
	}
	buf_text(out, "\n");
}

int
publish_pack_about(const struct publish_pack *p, struct buf *out,
    struct fault *f)
{
	buf_fmt(out,
	    "The certificates of the certificate authorities of %s, with "
	    "their signing policies, name spaces and the addresses of their "
	    "revocation lists, for software that looks for them in "
	    "/etc/grid-security/certificates.",
	    p->conf->organisation);
	return buf_cstr(out) == NULL ? fault_set(f, FAULT_MEMORY, "package")
				     : 0;
}

static void
put_anchors(const struct publish_pack *p, struct buf *out)
{
	char hex[2 * PUBLISH_SHA256 + 1];

	for (size_t i = 0; i < p->tree->count; i++) {
		const struct publish_file *file = &p->tree->file[i];

		if (!file->anchor || *file->link != '\0' ||
		    !text_ends(file->name, ".pem"))
			continue;
		text_hex(file->sha256, PUBLISH_SHA256, hex);
		buf_fmt(out, "  %s\n    %s\n", file->name, hex);
	}
}

int
publish_pack_readme(const struct publish_pack *p, struct buf *out,
    struct fault *f)
{
	OWN_BUF(about, 4096);

	if (publish_pack_about(p, &about, f) < 0)
		return -1;
	buf_fmt(out, "%s %s\n\n", p->conf->package_name,
	    p->conf->package_version);
	publish_pack_wrap(out, "", buf_cstr(&about));
	buf_text(out, "\n");
	publish_pack_wrap(out, "",
	    "Revocation lists are not in this package, as they change more "
	    "often. fetch-crl(8) brings them: run it from cron or a timer.");
	buf_text(out, "\nFiles, and the SHA-256 of each:\n\n");
	put_anchors(p, out);
	buf_fmt(out, "\nMore: %s\n", p->conf->url);
	return out->failed ? fault_set(f, FAULT_MEMORY, "README") : 0;
}

int
publish_pack_file(const struct publish_pack *p, const char *top,
    const char *path, unsigned mode, const struct buf *data, struct fault *f)
{
	char to[PATH_MAX], dir[PATH_MAX];
	char *slash;

	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	if (text_fmt(to, sizeof(to), "%s/%s/%s", p->work, top, path) < 0 ||
	    text_copy(dir, sizeof(dir), to) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((slash = strrchr(dir, '/')) != NULL)
		*slash = '\0';
	if (file_mkdir(dir, 0755, f) < 0)
		return -1;
	return publish_put(to, mode, data->data, data->len, p->when, f);
}

int
publish_pack_read(const struct publish_pack *p, const char *file,
    struct buf *out, struct fault *f)
{
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", p->work, file) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return file_read(path, out, f);
}
