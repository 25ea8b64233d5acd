#include "ca_publish_tree.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "x509/ossl.h"

#include <openssl/evp.h>

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
publish_tree_new(struct publish_tree *t, struct fault *f)
{
	t->count = 0;
	t->file = calloc(PUBLISH_FILES_MAX, sizeof(*t->file));
	return t->file == NULL ? fault_set(f, FAULT_MEMORY, "files") : 0;
}

void
publish_tree_clear(struct publish_tree *t)
{
	for (size_t i = 0; i < t->count; i++)
		buf_free(&t->file[i].data);
	free(t->file);
	*t = (struct publish_tree){ 0 };
}

/* The place of ${name}: of the first that is not before it. */
static size_t
place_of(const struct publish_tree *t, const char *name)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(t->file[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct publish_file *
publish_tree_find(const struct publish_tree *t, const char *name)
{
	size_t at = place_of(t, name);

	return at < t->count && strcmp(t->file[at].name, name) == 0
	    ? &t->file[at]
	    : NULL;
}

static bool
is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._+~-";

	return *name != '\0' && *name != '.' && *name != '-' &&
	    name[strspn(name, letters)] == '\0';
}

static struct publish_file *
insert(struct publish_tree *t, const char *name, struct fault *f)
{
	size_t at = place_of(t, name);
	struct publish_file *file = &t->file[at];

	if (t->count == PUBLISH_FILES_MAX || !is_name(name) ||
	    strlen(name) >= PUBLISH_NAME_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "no file can be named \"%s\"",
		    name);
		return NULL;
	}
	if (publish_tree_find(t, name) != NULL) {
		(void)fault_set(f, FAULT_CONFIG, "two files would be named %s",
		    name);
		return NULL;
	}
	memmove(file + 1, file, (t->count - at) * sizeof(*file));
	t->count++;
	*file = (struct publish_file){ 0 };
	memcpy(file->name, name, strlen(name) + 1);
	return file;
}

struct publish_file *
publish_tree_add(struct publish_tree *t, const char *name, struct buf *data,
    struct fault *f)
{
	struct publish_file *file;
	size_t len = 0;

	if (data->failed) {
		(void)fault_set(f, FAULT_MEMORY, "%s", name);
		return NULL;
	}
	if ((file = insert(t, name, f)) == NULL)
		return NULL;
	file->data = *data;
	*data = BUF(data->limit);
	if (EVP_Q_digest(NULL, "SHA256", NULL, file->data.data, file->data.len,
		file->sha256, &len) != 1) {
		(void)ossl_fault(f, FAULT_SYSTEM, "SHA-256");
		return NULL;
	}
	return file;
}

struct publish_file *
publish_tree_link(struct publish_tree *t, const char *name, const char *to,
    struct fault *f)
{
	struct publish_file *file = insert(t, name, f);

	if (file != NULL && text_copy(file->link, sizeof(file->link), to) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "name too long: %s", to);
		return NULL;
	}
	return file;
}

void
publish_tree_sums(const struct publish_tree *t, bool anchors, struct buf *out)
{
	char hex[2 * PUBLISH_SHA256 + 1];

	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];

		if (anchors && !file->anchor)
			continue;
		text_hex(file->sha256, PUBLISH_SHA256, hex);
		if (*file->link == '\0')
			buf_fmt(out, "%s  %s\n", hex, file->name);
		else if (anchors)
			buf_fmt(out, "%s -> %s\n", file->name, file->link);
	}
}

bool
publish_file_same(const struct publish_file *a, const struct publish_file *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->link, b->link) == 0 &&
	    memcmp(a->sha256, b->sha256, PUBLISH_SHA256) == 0;
}

/* Whether the list of sums has a line that ends in ${name}. */
static bool
is_in_sums(const struct publish_tree *t, const char *name)
{
	const struct publish_file *sums = publish_tree_find(t, "SHA256SUMS");
	const size_t sum = (size_t)2 * PUBLISH_SHA256 + 2; /* and two blanks */
	size_t len = strlen(name);
	const uint8_t *at, *end;

	if (strcmp(name, "SHA256SUMS") == 0)
		return true;
	if (sums == NULL)
		return false;
	at = sums->data.data;
	end = at + sums->data.len;
	while (at < end) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop == NULL ? end : stop) - at);

		if (n == sum + len && memcmp(at + sum, name, len) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/* Nobody else's file is to be lost when the directory is replaced. */
static int
check_ours(const struct publish_tree *t, const char *path, struct fault *f)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];

		if (!is_in_sums(t,
			*file->link != '\0' ? file->link : file->name))
			return fault_set(f, FAULT_DENIED,
			    "%s/%s was not made by publish, and would be "
			    "lost; move it elsewhere",
			    path, file->name);
	}
	return 0;
}

static int
read_entry(struct publish_tree *t, int dir, const char *path, const char *name,
    struct fault *f)
{
	OWN_BUF(data, PUBLISH_FILE_MOST);
	char link[PUBLISH_NAME_MAX];
	ssize_t len = readlinkat(dir, name, link, sizeof(link) - 1);
	struct stat st;
	int fd, result;

	if (len >= 0) {
		link[len] = '\0';
		return publish_tree_link(t, name, link, f) == NULL ? -1 : 0;
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s/%s: %s", path, name,
		    strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return fault_set(f, FAULT_DENIED,
		    "%s/%s is no file; publish needs a directory of its own",
		    path, name);
	}
	result = file_read_fd(fd, name, &data, f);
	(void)close(fd);
	if (result < 0)
		return fault_wrap(f, "%s", path);
	return publish_tree_add(t, name, &data, f) == NULL ? -1 : 0;
}

int
publish_tree_read(struct publish_tree *t, const char *path, struct fault *f)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int result = 0;

	if (dir == NULL && errno == ENOENT)
		return 0;
	if (dir == NULL)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			result =
			    read_entry(t, dirfd(dir), path, entry->d_name, f);
	(void)closedir(dir);
	if (result < 0)
		return fault_wrap(f, "what is published");
	return check_ours(t, path, f);
}

static int
set_time(const char *path, struct timespec when, struct fault *f)
{
	const struct timespec times[2] = { when, when };

	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

static int
put(const char *path, unsigned mode, const void *data, size_t len,
    struct fault *f)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result;

	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	result = file_write_all(fd, data, len, f);
	if (result == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	if (close(fd) < 0 && result == 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	return result;
}

int
publish_put(const char *path, unsigned mode, const void *data, size_t len,
    time_t when, struct fault *f)
{
	if (put(path, mode, data, len, f) < 0)
		return -1;
	return set_time(path, (struct timespec){ .tv_sec = when }, f);
}

/* Whether ${file} is published as it is, and since when. */
static bool
published_at(const struct publish_file *file, const struct publish_tree *old,
    const char *old_path, struct timespec *when)
{
	const struct publish_file *before = publish_tree_find(old, file->name);
	char path[PATH_MAX];
	struct stat st;

	if (before == NULL || !publish_file_same(file, before) ||
	    text_fmt(path, sizeof(path), "%s/%s", old_path, file->name) < 0 ||
	    lstat(path, &st) < 0)
		return false;
	*when = st.st_mtim;
	return true;
}

/* Dated ${when}, or now if that is NULL. */
static int
write_one(const struct publish_file *file, const char *path,
    const struct timespec *when, struct fault *f)
{
	if (*file->link != '\0' && symlink(file->link, path) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (*file->link == '\0' &&
	    put(path, 0644, file->data.data, file->data.len, f) < 0)
		return -1;
	return when == NULL ? 0 : set_time(path, *when, f);
}

static int
sync_dir(const char *path, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? -1 : fsync(fd);

	/* Some file systems cannot sync a directory (EINVAL). */
	if (result < 0 && errno == EINVAL)
		result = 0;
	if (result < 0)
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return result;
}

int
publish_tree_write(const struct publish_tree *t, const char *path,
    const struct publish_tree *old, const char *old_path, struct fault *f)
{
	char to[PATH_MAX];

	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];
		struct timespec when;
		bool kept = published_at(file, old, old_path, &when);

		if (text_fmt(to, sizeof(to), "%s/%s", path, file->name) < 0)
			return fault_set(f, FAULT_USAGE, "path too long");
		if (write_one(file, to, kept ? &when : NULL, f) < 0)
			return -1;
	}
	return sync_dir(path, f);
}

int
publish_tree_links(const struct publish_tree *t, const char *path, time_t when,
    struct fault *f)
{
	char to[PATH_MAX];

	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];

		if (!file->anchor || *file->link == '\0')
			continue;
		if (text_fmt(to, sizeof(to), "%s/%s", path, file->name) < 0)
			return fault_set(f, FAULT_USAGE, "path too long");
		if (write_one(file, to, &(struct timespec){ .tv_sec = when },
			f) < 0)
			return -1;
	}
	return 0;
}

static int
remove_in(int parent, const char *name, int depth)
{
	int fd = openat(parent, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir;
	int result = 0;

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return unlinkat(parent, name, 0);
	if (fd < 0)
		return -1;
	if (depth == 0 || (dir = fdopendir(fd)) == NULL) {
		(void)close(fd);
		errno = depth == 0 ? ELOOP : errno;
		return -1;
	}
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			result =
			    remove_in(dirfd(dir), entry->d_name, depth - 1);
	(void)closedir(dir);
	return result < 0 ? -1 : unlinkat(parent, name, AT_REMOVEDIR);
}

int
publish_remove(const char *path, struct fault *f)
{
	if (remove_in(AT_FDCWD, path, 16) < 0 && errno != ENOENT)
		return fault_set(f, FAULT_SYSTEM, "removing %s: %s", path,
		    strerror(errno));
	return 0;
}
