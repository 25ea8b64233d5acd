#include "anchor/house_tree.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 16

static int
failed(const char *name, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s", name, strerror(errno));
}

static int
by_name(const void *a, const void *b)
{
	const struct house_seen *one = a;
	const struct house_seen *two = b;

	return strcmp(one->name, two->name);
}

static int
view_add(struct house_view *view, int dir, const char *name, struct fault *f)
{
	struct house_seen seen = { .read = false };
	struct house_seen *more;

	if (fstatat(dir, name, &seen.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : failed(name, f);
	if ((view->count & (view->count - 1)) == 0) {
		more = reallocarray(view->seen,
		    view->count > 0 ? 2 * view->count : 1, sizeof(*more));
		if (more == NULL)
			return fault_set(f, FAULT_MEMORY, "directory");
		view->seen = more;
	}
	if ((seen.name = strdup(name)) == NULL)
		return fault_set(f, FAULT_MEMORY, "directory");
	view->seen[view->count++] = seen;
	return 0;
}

/* The entries of ${dir}, from the beginning, whatever was read of it. */
static DIR *
entries(int dir, struct fault *f)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open = fd < 0 ? NULL : fdopendir(fd);

	if (open == NULL) {
		(void)failed("directory", f);
		if (fd >= 0)
			(void)close(fd);
	}
	return open;
}

static const char *
next_entry(DIR *dir)
{
	const struct dirent *e;

	do
		e = readdir(dir);
	while (e != NULL &&
	    (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	return e == NULL ? NULL : e->d_name;
}

int
house_view_read(struct house_view *view, int dir, struct fault *f)
{
	DIR *open = entries(dir, f);
	const char *name;
	int answer = 0;

	*view = (struct house_view){ 0, NULL };
	if (open == NULL)
		return -1;
	while (answer == 0 && (name = next_entry(open)) != NULL)
		answer = view_add(view, dir, name, f);
	(void)closedir(open);
	if (answer < 0)
		house_view_clear(view);
	else if (view->count > 0)
		qsort(view->seen, view->count, sizeof(*view->seen), by_name);
	return answer;
}

void
house_view_clear(struct house_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		free(view->seen[i].name);
	free(view->seen);
	*view = (struct house_view){ 0, NULL };
}

struct house_seen *
house_view_find(const struct house_view *view, const char *name)
{
	size_t low = 0, high = view->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(view->seen[middle].name, name);

		if (order == 0)
			return &view->seen[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int
house_digest(struct wire_bytes body, uint8_t digest[HOUSE_DIGEST],
    struct fault *f)
{
	if (EVP_Digest(body.data, body.len, digest, NULL, EVP_sha256(), NULL) !=
	    1)
		return fault_set(f, FAULT_MEMORY, "digest");
	return 0;
}

static int
digest_fd(int fd, EVP_MD_CTX *md, uint8_t digest[HOUSE_DIGEST], struct fault *f)
{
	uint8_t chunk[16384];
	ssize_t got;

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return fault_set(f, FAULT_MEMORY, "digest");
	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed("read", f);
		if (EVP_DigestUpdate(md, chunk, (size_t)got) != 1)
			return fault_set(f, FAULT_MEMORY, "digest");
	}
	if (EVP_DigestFinal_ex(md, digest, NULL) != 1)
		return fault_set(f, FAULT_MEMORY, "digest");
	return 0;
}

static int
open_plain(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int
see_file(struct house_seen *seen, int dir, struct fault *f)
{
	int fd = open_plain(dir, seen->name);
	EVP_MD_CTX *md;
	int answer;

	if (fd < 0)
		return failed(seen->name, f);
	md = EVP_MD_CTX_new();
	answer = digest_fd(fd, md, seen->digest, f);
	EVP_MD_CTX_free(md);
	(void)close(fd);
	return answer;
}

static void
see_link(struct house_seen *seen, int dir)
{
	ssize_t len =
	    readlinkat(dir, seen->name, seen->target, sizeof(seen->target));

	if (len < 0 || len == (ssize_t)sizeof(seen->target))
		len = 0;
	seen->target[len] = '\0';
}

int
house_seen_has(struct house_seen *seen, int dir, const struct house_item *item,
    bool *has, struct fault *f)
{
	mode_t type = item->link ? S_IFLNK : S_IFREG;

	*has = false;
	if ((seen->st.st_mode & S_IFMT) != type)
		return 0;
	if (!item->link && (uint64_t)seen->st.st_size != item->size)
		return 0;
	if (!seen->read && item->link)
		see_link(seen, dir);
	else if (!seen->read && see_file(seen, dir, f) < 0)
		return -1;
	seen->read = true;
	*has = item->link
	    ? strcmp(seen->target, item->target) == 0
	    : memcmp(seen->digest, item->digest, HOUSE_DIGEST) == 0;
	return 0;
}

static int
fill(int fd, const struct house_owner *owner, struct wire_bytes body, bool sync,
    struct fault *f)
{
	if (owner->owned && fchown(fd, owner->uid, owner->gid) < 0)
		return failed("chown", f);
	if (fchmod(fd, owner->mode) < 0)
		return failed("chmod", f);
	if (file_write_all(fd, body.data, body.len, f) < 0)
		return -1;
	if (sync && fsync(fd) < 0)
		return failed("fsync", f);
	return 0;
}

int
house_file_write(int dir, const char *name, const struct house_owner *owner,
    struct wire_bytes body, bool sync, struct fault *f)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int answer;

	if (fd < 0)
		return failed(name, f);
	answer = fill(fd, owner, body, sync, f);
	if (close(fd) < 0 && answer == 0)
		answer = failed("close", f);
	if (answer == 0)
		return 0;
	(void)unlinkat(dir, name, 0);
	return fault_wrap(f, "%s", name);
}

/* The rest of ${from} into ${to}. */
static int
pour(int from, int to, struct fault *f)
{
	uint8_t chunk[16384];
	ssize_t got;

	while ((got = read(from, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed("read", f);
		if (file_write_all(to, chunk, (size_t)got, f) < 0)
			return -1;
	}
	return 0;
}

static int
copy_to(int source, int dir, const char *name, const struct house_owner *owner,
    bool sync, struct fault *f)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct wire_bytes none = { NULL, 0 };
	int answer;

	if (fd < 0)
		return failed(name, f);
	answer = pour(source, fd, f);
	if (answer == 0)
		answer = fill(fd, owner, none, sync, f);
	if (close(fd) < 0 && answer == 0)
		answer = failed("close", f);
	if (answer < 0)
		(void)unlinkat(dir, name, 0);
	return answer;
}

int
house_file_copy(int from, int to, const char *name,
    const struct house_owner *owner, bool sync, struct fault *f)
{
	int fd = open_plain(from, name);
	int answer;

	if (fd < 0)
		return failed(name, f);
	answer = copy_to(fd, to, name, owner, sync, f);
	(void)close(fd);
	return answer < 0 ? fault_wrap(f, "%s", name) : 0;
}

int
house_file_sync(int dir, const char *name, struct fault *f)
{
	int fd = open_plain(dir, name);
	int answer;

	if (fd < 0)
		return failed(name, f);
	answer = fsync(fd) < 0 ? failed(name, f) : 0;
	(void)close(fd);
	return answer;
}

static int
place_link(int from, int to, const char *name, struct fault *f)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);

	if (len < 0)
		return failed(name, f);
	target[len] = '\0';
	return symlinkat(target, to, name) < 0 ? failed(name, f) : 0;
}

static int
place_file(int from, int to, const char *name, const struct stat *st,
    struct fault *f)
{
	struct house_owner owner = { .mode = st->st_mode & 07777 };

	if (linkat(from, name, to, name, 0) == 0)
		return 0;
	/* Protected hard links, or as many as a file may have. */
	if (errno != EPERM && errno != EMLINK && errno != EXDEV)
		return failed(name, f);
	if (!S_ISREG(st->st_mode))
		return failed(name, f);
	return house_file_copy(from, to, name, &owner, true, f);
}

/* Whether another file system, or another part of this one, is seen there: what
 * is in it is not the directory's. */
static bool
is_mount(int dir, const char *name)
{
	struct statx st;

	return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0,
		   &st) == 0 &&
	    (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
refuse_mount(const char *name, struct fault *f)
{
	return fault_set(f, FAULT_UNSUPPORTED,
	    "%s is a mount point, which goes neither along nor away: unmount "
	    "it",
	    name);
}

static int place(int from, int to, const char *name, int depth,
    struct fault *f);

static int
place_all(int from, int to, int depth, struct fault *f)
{
	DIR *open = entries(from, f);
	const char *name;
	int answer = 0;

	if (open == NULL)
		return -1;
	while (answer == 0 && (name = next_entry(open)) != NULL)
		answer = place(from, to, name, depth, f);
	(void)closedir(open);
	return answer;
}

static int
open_dir(int dir, const char *name)
{
	return openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int
place_dir(int from, int to, const char *name, const struct stat *st, int depth,
    struct fault *f)
{
	int source, target, answer;

	if (depth == 0)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s: more than %d directories deep", name, DEPTH);
	if ((source = open_dir(from, name)) < 0)
		return failed(name, f);
	if (mkdirat(to, name, 0700) < 0 || (target = open_dir(to, name)) < 0) {
		(void)failed(name, f);
		(void)close(source);
		return -1;
	}
	answer = place_all(source, target, depth - 1, f);
	/* A change of owner clears set-id bits: the mode comes last. */
	if (answer == 0 &&
	    ((fchown(target, st->st_uid, st->st_gid) < 0 && errno != EPERM) ||
		fchmod(target, st->st_mode & 07777) < 0))
		answer = failed(name, f);
	if (answer == 0)
		answer = house_sync(target, false, f);
	(void)close(source);
	(void)close(target);
	return answer;
}

static int
place(int from, int to, const char *name, int depth, struct fault *f)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		/* Somebody else removed his own file meanwhile. */
		return errno == ENOENT ? 0 : failed(name, f);
	if (is_mount(from, name))
		return refuse_mount(name, f);
	if (S_ISLNK(st.st_mode))
		return place_link(from, to, name, f);
	if (S_ISDIR(st.st_mode))
		return place_dir(from, to, name, &st, depth, f);
	return place_file(from, to, name, &st, f);
}

int
house_place(int from, int to, const char *name, struct fault *f)
{
	return place(from, to, name, DEPTH, f);
}

static int remove_tree(int dir, const char *name, int depth, struct fault *f);

static int
remove_all(int dir, int depth, struct fault *f)
{
	DIR *open = entries(dir, f);
	const char *name;
	int answer = 0;

	if (open == NULL)
		return -1;
	while (answer == 0 && (name = next_entry(open)) != NULL)
		answer = remove_tree(dir, name, depth, f);
	(void)closedir(open);
	return answer;
}

static int
remove_tree(int dir, const char *name, int depth, struct fault *f)
{
	int fd, answer, why;

	if (is_mount(dir, name))
		return refuse_mount(name, f);
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	why = errno;
	if ((why != EISDIR && why != EPERM) || depth == 0)
		return failed(name, f);
	if ((fd = open_dir(dir, name)) < 0) {
		/* A file that may not be changed, not even by root. */
		errno = errno == ENOTDIR ? why : errno;
		return failed(name, f);
	}
	answer = remove_all(fd, depth - 1, f);
	(void)close(fd);
	if (answer == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		answer = failed(name, f);
	return answer;
}

int
house_remove(int dir, const char *name, struct fault *f)
{
	return remove_tree(dir, name, DEPTH + 1, f);
}

int
house_sync(int dir, bool all, struct fault *f)
{
	/* Some file systems cannot sync a directory (EINVAL): not our loss. */
	if ((all ? syncfs(dir) : fsync(dir)) < 0 && errno != EINVAL)
		return failed("sync", f);
	return 0;
}
