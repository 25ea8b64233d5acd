#include "fetch/fetch_cache.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The last eight bytes: the length of the tail, and what it is. */
#define MAGIC 0x53464331u /* SFC1 */
#define END 8
#define DAY 86400

static const char key_letters[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool
fetch_key_good(const char *key)
{
	size_t len = strlen(key);

	return len > 0 && len <= FETCH_KEY_MAX && key[0] != '.' &&
	    strspn(key, key_letters) == len;
}

int
fetch_digest(const char *text, uint8_t digest[FETCH_DIGEST], struct fault *f)
{
	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) !=
	    1)
		return fault_set(f, FAULT_MEMORY, "digest");
	return 0;
}

size_t
fetch_tail_write(const struct fetch_meta *meta, size_t len,
    uint8_t tail[FETCH_TAIL_MAX])
{
	struct wire_out out = { tail, FETCH_TAIL_MAX, false };
	struct wire_bytes digest = { meta->digest, FETCH_DIGEST };
	struct wire_bytes url = { meta->url, FETCH_DIGEST };

	wire_put_u64(&out, len);
	wire_put_bytes(&out, digest, FETCH_DIGEST);
	wire_put_bytes(&out, url, FETCH_DIGEST);
	wire_put_text(&out, meta->etag, sizeof(meta->etag));
	wire_put_text(&out, meta->modified, sizeof(meta->modified));
	wire_put_u64(&out, meta->filetime);
	wire_put_text(&out, meta->verdict, sizeof(meta->verdict));
	wire_put_u32(&out, (uint32_t)(FETCH_TAIL_MAX - out.left + END));
	wire_put_u32(&out, MAGIC);
	return FETCH_TAIL_MAX - out.left;
}

static void
get_digest(struct wire_in *in, uint8_t digest[FETCH_DIGEST])
{
	struct wire_bytes bytes = wire_get_bytes(in, FETCH_DIGEST);

	if (bytes.len == FETCH_DIGEST)
		memcpy(digest, bytes.data, FETCH_DIGEST);
	else
		in->failed = true;
}

static int
read_tail(struct wire_in *in, struct fetch_meta *meta, uint64_t *len,
    struct fault *f)
{
	*len = wire_get_u64(in);
	get_digest(in, meta->digest);
	get_digest(in, meta->url);
	wire_get_text(in, meta->etag, sizeof(meta->etag));
	wire_get_text(in, meta->modified, sizeof(meta->modified));
	meta->filetime = wire_get_u64(in);
	wire_get_text(in, meta->verdict, sizeof(meta->verdict));
	/* They go into a request: no line may end in them. */
	if (!wire_ended(in) || !text_printable(meta->etag) ||
	    !text_printable(meta->modified) || !text_printable(meta->verdict))
		return fault_set(f, FAULT_INPUT, "not of the cache");
	return 0;
}

int
fetch_tail_read(struct wire_bytes file, struct fetch_meta *meta,
    struct wire_bytes *body, struct fault *f)
{
	struct wire_in end = { NULL, END, false };
	uint8_t digest[FETCH_DIGEST];
	struct fetch_meta found = { 0 };
	struct wire_in in;
	uint64_t len;
	size_t tail;

	if (file.len < END)
		return fault_set(f, FAULT_INPUT, "cut");
	end.at = file.data + file.len - END;
	tail = wire_get_u32(&end);
	if (wire_get_u32(&end) != MAGIC || tail < END || tail > file.len)
		return fault_set(f, FAULT_INPUT, "cut");
	in = (struct wire_in){ file.data + file.len - tail, tail - END, false };
	if (read_tail(&in, &found, &len, f) < 0)
		return -1;
	if (len != file.len - tail ||
	    EVP_Digest(file.data, file.len - tail, digest, NULL, EVP_sha256(),
		NULL) != 1 ||
	    memcmp(digest, found.digest, sizeof(digest)) != 0)
		return fault_set(f, FAULT_INPUT, "not what was put there");
	*meta = found;
	*body = (struct wire_bytes){ file.data, (size_t)len };
	return 0;
}

/* Files under way have a day, waits a month. */
static void
sweep(int fd, DIR *dir, time_t now)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir)) != NULL) {
		bool part = text_starts(entry->d_name, FETCH_PART);

		if (!part && !text_starts(entry->d_name, ".wait."))
			continue;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < now - (part ? DAY : 30 * DAY))
			(void)unlinkat(fd, entry->d_name, 0);
	}
}

int
fetch_cache_open(const char *dir, time_t now, struct fault *f)
{
	struct stat st;
	DIR *open;

	if (file_mkdir(dir, 0700, f) < 0)
		return fault_wrap(f, "cache");
	if (stat(dir, &st) < 0 || (open = opendir(dir)) == NULL)
		return fault_set(f, FAULT_SYSTEM, "cache %s: %s", dir,
		    strerror(errno));
	if ((st.st_uid != geteuid() && st.st_uid != 0) ||
	    (st.st_mode & 022) != 0) {
		(void)closedir(open);
		return fault_set(f, FAULT_DENIED,
		    "cache %s: others may write there; run: chmod go-w %s, or "
		    "name a directory of your own",
		    dir, dir);
	}
	sweep(dirfd(open), open, now);
	(void)closedir(open);
	return 0;
}

static int
map_entry(struct fetch_entry *e, int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return fault_set(f, FAULT_ABSENT, "%s: no entry", path);
	e->map_len = (size_t)st.st_size;
	e->map = mmap(NULL, e->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (e->map == MAP_FAILED) {
		e->map = NULL;
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	}
	e->when = st.st_mtime;
	return 0;
}

static int
read_entry(struct fetch_entry *e, const char *path, struct fault *f)
{
	struct wire_bytes file = { e->map, e->map_len };

	if (fetch_tail_read(file, &e->meta, &e->body, f) == 0)
		return 0;
	f->code = FAULT_ABSENT;
	return fault_wrap(f, "%s", path);
}

int
fetch_entry_open(struct fetch_entry *e, const char *dir, const char *key,
    struct fault *f)
{
	char path[PATH_MAX];
	int answer, fd;

	*e = (struct fetch_entry){ .map = NULL };
	if (text_fmt(path, sizeof(path), "%s/%s", dir, key) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return fault_set(f, FAULT_ABSENT, "%s: %s", path,
		    strerror(errno));
	answer = map_entry(e, fd, path, f);
	(void)close(fd);
	if (answer == 0 && (answer = read_entry(e, path, f)) < 0)
		fetch_entry_close(e);
	return answer;
}

void
fetch_entry_close(struct fetch_entry *e)
{
	if (e->map != NULL)
		(void)munmap(e->map, e->map_len);
	*e = (struct fetch_entry){ .map = NULL };
}

int
fetch_entry_put(struct fetch_sink *sink, const char *key,
    const struct fetch_meta *meta, time_t now, struct fault *f)
{
	uint8_t tail[FETCH_TAIL_MAX];
	struct wire_bytes bytes = { tail,
		fetch_tail_write(meta, sink->len, tail) };
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", sink->dir, key) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return fetch_sink_keep(sink, path, bytes, now, f);
}

int
fetch_entry_confirm(const char *dir, const char *key, time_t now,
    struct fault *f)
{
	const struct timespec times[2] = { { .tv_sec = now },
		{ .tv_sec = now } };
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", dir, key) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}
