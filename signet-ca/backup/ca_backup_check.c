/* What is in a backup, and whether it is whole. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_backup.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/ledger/ca_book.h"
#include "x509/der.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_MOST (1u << 20)
#define STEP 65536

void
ca_contents_free(struct ca_contents *c)
{
	if (c == NULL)
		return;
	buf_free(&c->about);
	buf_free(&c->key);
	free(c);
}

/* A part into memory. */
static int
get_small(struct bundle_in *b, struct buf *data, struct fault *f)
{
	size_t len = 0;

	do {
		uint8_t *room = buf_room(data, STEP);

		if (room == NULL)
			return fault_set(f, FAULT_MEMORY, "backup");
		if (bundle_get(b, room, STEP, &len, f) < 0)
			return -1;
		data->len += len;
	} while (len > 0);
	return 0;
}

static int
copy_out(struct bundle_in *b, int fd, struct fault *f)
{
	OWN(char) some = malloc(STEP);
	size_t len = 0;

	if (some == NULL)
		return fault_set(f, FAULT_MEMORY, "backup");
	do {
		if (bundle_get(b, some, STEP, &len, f) < 0 ||
		    file_write_all(fd, some, len, f) < 0)
			return -1;
	} while (len > 0);
	return fsync(fd) == 0
	    ? 0
	    : fault_set(f, FAULT_SYSTEM, "fsync: %s", strerror(errno));
}

/* The ledger may be larger than memory. */
static int
write_ledger(struct bundle_in *b, const char *path, struct fault *f)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	int result;

	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	result = copy_out(b, fd, f);
	if (close(fd) < 0 && result == 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	return result;
}

static int
write_small(struct bundle_in *b, enum bundle_part part, const char *path,
    bool write, struct ca_contents *c, struct fault *f)
{
	bool private = part == BUNDLE_KEY || part == BUNDLE_LOG_KEY;
	OWN_BUF(data, PART_MOST + STEP);

	if (get_small(b, &data, f) < 0)
		return -1;
	if (part == BUNDLE_ABOUT)
		buf_put(&c->about, data.data, data.len);
	if (part == BUNDLE_KEY)
		buf_put(&c->key, data.data, data.len);
	if (c->about.failed || c->key.failed)
		return fault_set(f, FAULT_MEMORY, "backup");
	if (!write || part == BUNDLE_ABOUT)
		return 0;
	return file_write_new(path, private ? 0600 : 0644, data.data, data.len,
	    f);
}

static int
extract(struct bundle_in *b, const char *dir, bool with_keys,
    struct ca_contents *c, struct fault *f)
{
	enum bundle_part part = BUNDLE_ABOUT;
	char path[PATH_MAX];
	uint64_t size = 0;
	int found;

	while ((found = bundle_next(b, &part, &size, f)) == 1) {
		bool private = part == BUNDLE_KEY || part == BUNDLE_LOG_KEY;
		int result;

		c->has[part] = true;
		c->size[part] = size;
		if (authority_path(dir, bundle_name(part), path, sizeof(path),
			f) < 0)
			return -1;
		if (part == BUNDLE_LEDGER)
			result = write_ledger(b, path, f);
		else
			result = write_small(b, part, path,
			    with_keys || !private, c, f);
		if (result < 0)
			return fault_wrap(f, "%s", bundle_name(part));
	}
	return found;
}

static int
read_from(int fd, const struct secret *phrase, const char *dir, bool with_keys,
    struct ca_contents *c, struct fault *f)
{
	OWN_STRUCT(seal_in) seal = seal_in_new(fd, phrase, f);
	struct bundle_in b = { .seal = seal };

	return seal == NULL ? -1 : extract(&b, dir, with_keys, c, f);
}

struct ca_contents *
ca_backup_open(const char *path, const char *fd, const char *dir,
    bool with_keys, struct fault *f)
{
	OWN_STRUCT(ca_contents) c = calloc(1, sizeof(*c));
	OWN_STRUCT(secret) phrase = NULL;
	int file, result = -1;

	if (c == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "backup");
		return NULL;
	}
	c->about = BUF(PART_MOST);
	c->key = BUF(PART_MOST);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (file < 0) {
		(void)fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
		return NULL;
	}
	if ((phrase = ca_backup_phrase(fd, false, f)) != NULL)
		result = read_from(file, phrase, dir, with_keys, c, f);
	(void)close(file);
	if (result < 0) {
		(void)fault_wrap(f, "%s", path);
		return NULL;
	}
	return TAKE(c);
}

const char *
ca_contents_about(const struct ca_contents *c, const char *keyword, char *room,
    size_t size)
{
	const char *at = (const char *)c->about.data;
	const char *end = at + c->about.len;
	size_t len = strlen(keyword);

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		if (line == NULL)
			break;
		if ((size_t)(line - at) > len && at[len] == ' ' &&
		    memcmp(at, keyword, len) == 0 &&
		    text_fmt(room, size, "%.*s",
			(int)(line - at - (long)len - 1), at + len + 1) == 0 &&
		    text_printable(room))
			return room;
		at = line + 1;
	}
	return "";
}

int
ca_contents_check_key(const struct ca_contents *c, const struct ca_dir *d,
    bool *encrypted, struct fault *f)
{
	OWN_STRUCT(key) key = NULL;

	*encrypted = false;
	if (ca_dir_in_token(d) != !c->has[BUNDLE_KEY])
		return fault_set(f, FAULT_INPUT,
		    "ca.conf says where the key is, and the backup says "
		    "otherwise");
	if (!c->has[BUNDLE_KEY])
		return 0;
	*encrypted = key_is_encrypted(c->key.data, c->key.len);
	if (*encrypted)
		return 0;
	if ((key = key_read_pem(c->key.data, c->key.len, NULL, f)) == NULL)
		return fault_wrap(f, "ca.key");
	if (!der_bytes_equal(key_spki(key)->der, d->authority.cert->spki.der))
		return fault_set(f, FAULT_INPUT,
		    "ca.key is not the key of ca.pem");
	return 0;
}

/* What a look at the contents found. */
struct finding {
	const struct ca_contents *c;
	const struct ca_dir *d;
	bool encrypted;
	uint64_t entries;
	char head[65];
};

static int
look(const char *dir, struct finding *found, struct fault *f)
{
	OWN_STRUCT(ledger) l = NULL;
	char path[PATH_MAX];

	if (ca_contents_check_key(found->c, found->d, &found->encrypted, f) < 0)
		return -1;
	if (!found->c->has[BUNDLE_LEDGER])
		return 0;
	if (authority_path(dir, "ledger.db", path, sizeof(path), f) < 0 ||
	    (l = ledger_open_read(path, f)) == NULL)
		return -1;
	return ledger_check(l, found->head, &found->entries, f);
}

static void
print_text(const struct finding *found, const char *subject)
{
	char room[128];

	printf("ca       %s\nsubject  %s\n", found->d->authority.conf.name,
	    subject);
	printf("made     %s\n",
	    ca_contents_about(found->c, "made", room, sizeof(room)));
	if (ca_dir_in_token(found->d))
		printf("key      not here: in a token, %s\n",
		    found->d->authority.conf.key);
	else
		printf("key      %s\n",
		    found->encrypted ? "encrypted"
				     : "open: this file alone guards it");
	for (int p = BUNDLE_CONF; p < BUNDLE_COUNT; p++)
		if (found->c->has[p])
			printf("holds    %-9s %llu octets\n",
			    bundle_name((enum bundle_part)p),
			    (unsigned long long)found->c->size[p]);
	if (!found->c->has[BUNDLE_LEDGER])
		printf("ledger   none: it has signed nothing\n");
	else
		printf("ledger   %llu entries, head %s\n",
		    (unsigned long long)found->entries, found->head);
}

static int
print_json(const struct finding *found, const char *subject, struct fault *f)
{
	char room[128];
	json_t *out = json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:s}", "ca",
	    found->d->authority.conf.name, "subject", subject, "made",
	    ca_contents_about(found->c, "made", room, sizeof(room)),
	    "key_encrypted", found->encrypted, "key_in_token",
	    ca_dir_in_token(found->d), "entries", (json_int_t)found->entries,
	    "head", found->head);
	int result = out == NULL
	    ? -1
	    : json_dumpf(out, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(1));

	json_decref(out);
	putchar('\n');
	return result < 0 ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

static int
check_in(const struct ca_args *args, const char *dir, struct fault *f)
{
	OWN_STRUCT(ca_contents) c = ca_backup_open(args->operand[0],
	    args->passphrase_fd, dir, false, f);
	OWN_STRUCT(ca_dir) d = NULL;
	struct finding found = { .c = c };
	char subject[DN_TEXT_MAX];

	if (c == NULL || (d = ca_dir_open(dir, f)) == NULL)
		return -1;
	found.d = d;
	if (look(dir, &found, f) < 0 ||
	    dn_show_slash(&d->authority.cert->subject, subject,
		sizeof(subject)) < 0)
		return fault_wrap(f, "%s", args->operand[0]);
	if (args->json)
		return print_json(&found, subject, f);
	print_text(&found, subject);
	return 0;
}

/* The files of a directory of our own, and itself. */
static void
remove_all(const char *dir)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(list), entry->d_name, 0);
	if (list != NULL)
		(void)closedir(list);
	(void)rmdir(dir);
}

int
ca_backup_check(const struct ca_args *args, struct fault *f)
{
	const char *base = getenv("TMPDIR");
	char dir[PATH_MAX];
	int result;

	/* The ledger must stand in a file to be read.  Keys are not written. */
	if (text_fmt(dir, sizeof(dir), "%s/signet-backup.XXXXXX",
		base != NULL && *base == '/' ? base : "/tmp") < 0 ||
	    mkdtemp(dir) == NULL)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	result = check_in(args, dir, f);
	remove_all(dir);
	return result;
}
