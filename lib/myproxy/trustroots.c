#include "myproxy/trustroots.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/sigpolicy.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/pem.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (8u << 20) /* 8 MiB: the largest CRLs come near */
#define TEXT_MAX 65536u
#define FILES_MAX 8192u
#define HASH_LEN 8u
#define DIR_MODE 0755
#define FILE_MODE 0644

static bool
name_safe(const char *name, size_t len)
{
	if (len == 0 || len >= TRUSTROOTS_NAME_SIZE || name[0] == '.' ||
	    name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr("._-+", c) == NULL))
			return false;
	}
	return true;
}

/* Append the file's contents if they are for everybody: 1, else 0.  Empty
 * ones are left out: the stock client gives up at a write of nothing. */
static int
file_take(int dir, const char *name, struct buf *data)
{
	struct fault ignored;
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int taken = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0 && st.st_size <= (off_t)FILE_MAX &&
	    file_read_fd(fd, name, data, &ignored) == 0 && !data->failed &&
	    data->len > 0 &&
	    memmem(data->data, data->len, "PRIVATE KEY", 11) == NULL)
		taken = 1;
	(void)close(fd);
	return taken;
}

static void
file_put(const char *name, const struct buf *data, struct buf *list,
    struct buf *lines)
{
	size_t size = TEXT_BASE64_SIZE(data->len);
	uint8_t *room;

	buf_fmt(list, "%s%s", list->len > 0 ? "," : "", name);
	buf_fmt(lines, "FILEDATA_%s=", name);
	if ((room = buf_room(lines, size)) == NULL)
		return;
	text_base64(data->data, data->len, (char *)room);
	lines->len += size - 1; /* without its NUL */
	buf_text(lines, "\n");
}

static int
names_put(const char *dir, struct dirent **names, size_t count, struct buf *out,
    size_t *files, struct fault *f)
{
	OWN_BUF(list, TRUSTROOTS_MAX);
	OWN_BUF(lines, TRUSTROOTS_MAX);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t taken = 0;

	if (fd < 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s", dir,
		    strerror(errno));
	for (size_t i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		OWN_BUF(data, FILE_MAX);

		if (!name_safe(name, strlen(name)) ||
		    file_take(fd, name, &data) == 0)
			continue;
		file_put(name, &data, &list, &lines);
		taken++;
	}
	(void)close(fd);
	if (taken > 0) {
		buf_text(out, "TRUSTED_CERTS=");
		buf_put(out, list.data, list.len);
		buf_text(out, "\n");
		buf_put(out, lines.data, lines.len);
	}
	if (list.failed || lines.failed || out->failed)
		return fault_set(f, FAULT_CONFIG,
		    "%s: more than can be handed out", dir);
	*files = taken;
	return 0;
}

int
trustroots_write(const char *dir, struct buf *out, size_t *files,
    struct fault *f)
{
	struct dirent **names = NULL;
	int count = scandir(dir, &names, NULL, alphasort);
	int result;

	if (count < 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s", dir,
		    strerror(errno));
	result = names_put(dir, names, (size_t)count, out, files, f);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return result;
}

int
trustroots_next(const char *lines, size_t len, size_t *at,
    char name[TRUSTROOTS_NAME_SIZE], struct wire_bytes *base64, struct fault *f)
{
	static const char prefix[] = "FILEDATA_";
	const size_t prefix_len = sizeof(prefix) - 1;

	while (*at < len) {
		const char *line = lines + *at;
		const char *end = memchr(line, '\n', len - *at);
		size_t line_len =
		    end != NULL ? (size_t)(end - line) : len - *at;
		const char *equals;

		*at += line_len + (end != NULL);
		if (line_len < prefix_len ||
		    memcmp(line, prefix, prefix_len) != 0)
			continue;
		line += prefix_len;
		line_len -= prefix_len;
		equals = memchr(line, '=', line_len);
		if (equals == NULL || !name_safe(line, (size_t)(equals - line)))
			return fault_set(f, FAULT_INPUT,
			    "a trust root has an unsafe file name");
		memcpy(name, line, (size_t)(equals - line));
		name[equals - line] = '\0';
		base64->data = (const uint8_t *)equals + 1;
		base64->len = line_len - (size_t)(equals - line) - 1;
		return 1;
	}
	return 0;
}

/* The checks of what a file's name promises. */
typedef int check_fn(const char *name, struct wire_bytes data, struct fault *f);

/* Today's name hash or the MD5 one of old OpenSSL: directories hold both. */
static int
hash_check(const char *name, const struct dn *dn, struct fault *f)
{
	char hash[HASH_LEN + 1];

	if (dn_hash(dn, hash, f) < 0)
		return -1;
	if (memcmp(name, hash, HASH_LEN) == 0)
		return 0;
	if (dn_hash_old(dn, hash, f) < 0)
		return -1;
	if (memcmp(name, hash, HASH_LEN) == 0)
		return 0;
	return fault_set(f, FAULT_INPUT, "%s: holds another name", name);
}

static int
certificate_check(const char *name, struct wire_bytes data, struct fault *f)
{
	struct cert_list list = { 0 };
	int result;

	if (cert_list_read_pem(&list, data.data, data.len, f) < 0)
		return fault_wrap(f, "%s", name);
	result = list.count == 1
	    ? hash_check(name, &list.cert[0]->subject, f)
	    : fault_set(f, FAULT_INPUT, "%s: not one certificate", name);
	cert_list_free(&list);
	return result;
}

static int
crl_check(const char *name, struct wire_bytes data, struct fault *f)
{
	OWN_BUF(der, FILE_MAX);
	struct wire_bytes bytes = data;
	struct crl crl;
	size_t at = 0;
	int found;

	/* Some authorities publish DER under that name. */
	if (data.len == 0 || data.data[0] != 0x30) {
		found = pem_next(data.data, data.len, &at, "X509 CRL", &der, f);
		if (found < 0)
			return fault_wrap(f, "%s", name);
		if (found == 0)
			return fault_set(f, FAULT_INPUT, "%s: no CRL", name);
		bytes = (struct wire_bytes){ der.data, der.len };
	}
	if (crl_read(&crl, bytes, f) < 0)
		return fault_wrap(f, "%s", name);
	return hash_check(name, &crl.issuer, f);
}

static int
policy_check(const char *name, struct wire_bytes data, struct fault *f)
{
	struct sigpolicy policy = { 0 };

	if (sigpolicy_read(&policy, (const char *)data.data, data.len, f) < 0)
		return fault_wrap(f, "%s", name);
	sigpolicy_clear(&policy);
	return 0;
}

static int
plain_check(const char *name, struct wire_bytes data, struct fault *f)
{
	if (data.len > TEXT_MAX)
		return fault_set(f, FAULT_INPUT, "%s: too long", name);
	for (size_t i = 0; i < data.len; i++)
		if ((data.data[i] < 0x20 && data.data[i] != '\n' &&
			data.data[i] != '\r' && data.data[i] != '\t') ||
		    data.data[i] == 0x7f)
			return fault_set(f, FAULT_INPUT, "%s: no text", name);
	return 0;
}

/* "<hash>.<prefix><digits>" */
static bool
is_numbered(const char *name, const char *prefix)
{
	const char *p = name + HASH_LEN;

	if (strspn(name, "0123456789abcdef") != HASH_LEN || *p++ != '.' ||
	    !text_starts(p, prefix))
		return false;
	p += strlen(prefix);
	return *p != '\0' && p[strspn(p, "0123456789")] == '\0';
}

int
trustroots_check(const char *name, struct wire_bytes data, struct fault *f)
{
	static const struct {
		const char *suffix;
		check_fn *check;
	} texts[] = {
		{ ".signing_policy", policy_check },
		{ ".namespaces", plain_check },
		{ ".info", plain_check },
		{ ".crl_url", plain_check },
	};

	if (is_numbered(name, ""))
		return certificate_check(name, data, f);
	if (is_numbered(name, "r"))
		return crl_check(name, data, f);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (text_ends(name, texts[i].suffix))
			return texts[i].check(name, data, f);
	return fault_set(f, FAULT_INPUT, "%s: not a kind of trust root", name);
}

static int
decode(const char *name, struct wire_bytes base64, struct buf *data,
    struct fault *f)
{
	size_t size = base64.len / 4 * 3;
	uint8_t *room = size <= FILE_MAX ? buf_room(data, size) : NULL;
	int got;

	if (room == NULL)
		return fault_set(f, FAULT_INPUT, "%s: too long", name);
	got = text_unbase64((const char *)base64.data, base64.len, room, size);
	if (got < 0)
		return fault_set(f, FAULT_INPUT, "%s: broken base64", name);
	data->len += (size_t)got;
	return 0;
}

/* Before anything is written: all of the reply is well-formed. */
static int
reply_check(const char *lines, size_t len, struct fault *f)
{
	char name[TRUSTROOTS_NAME_SIZE];
	struct wire_bytes base64;
	size_t at = 0, files = 0;
	int found;

	while ((found = trustroots_next(lines, len, &at, name, &base64, f)) >
	    0) {
		OWN_BUF(data, FILE_MAX);

		if (++files > FILES_MAX)
			return fault_set(f, FAULT_INPUT,
			    "more than %u trust roots", FILES_MAX);
		if (decode(name, base64, &data, f) < 0)
			return -1;
	}
	return found;
}

static int
file_install(const char *dir, const char *name, struct wire_bytes base64,
    size_t *files, struct fault *f)
{
	OWN_BUF(data, FILE_MAX);
	struct fault ignored;
	char path[4096];

	if (decode(name, base64, &data, f) < 0)
		return -1;
	if (trustroots_check(name, (struct wire_bytes){ data.data, data.len },
		&ignored) < 0)
		return 0;
	if (text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0)
		return fault_set(f, FAULT_INPUT, "%s: path too long", dir);
	if (file_write(path, FILE_MODE, data.data, data.len, f) < 0)
		return -1;
	(*files)++;
	return 0;
}

int
trustroots_install(const char *lines, size_t len, const char *dir,
    size_t *files, struct fault *f)
{
	char name[TRUSTROOTS_NAME_SIZE];
	struct wire_bytes base64;
	size_t at = 0, written = 0;

	if (reply_check(lines, len, f) < 0 || file_mkdir(dir, DIR_MODE, f) < 0)
		return -1;
	while (trustroots_next(lines, len, &at, name, &base64, f) > 0)
		if (file_install(dir, name, base64, &written, f) < 0)
			return -1;
	*files = written;
	return 0;
}
