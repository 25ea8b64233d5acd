#include "fetch/fetch_sink.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "fetch/fetch.h"

#include <openssl/evp.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
fetch_sink_open(struct fetch_sink *s, const char *dir, size_t max,
    struct fault *f)
{
	*s = (struct fetch_sink){
		.dir = dir, .max = max, .fd = -1, .memory = BUF(FETCH_IN_MEMORY)
	};
	if ((s->md = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) != 1)
		return fault_set(f, FAULT_MEMORY, "body");
	return 0;
}

void
fetch_sink_close(struct fetch_sink *s)
{
	if (s->map != NULL)
		(void)munmap(s->map, s->len);
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->temporary[0] != '\0')
		(void)unlink(s->temporary);
	buf_free(&s->memory);
	EVP_MD_CTX_free(s->md);
	*s = (struct fetch_sink){ .fd = -1 };
}

/* A new file, which has no name if it need not be kept. */
static int
make_file(struct fetch_sink *s, struct fault *f)
{
	if (s->dir == NULL) {
		s->fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (s->fd < 0)
			return fault_set(f, FAULT_SYSTEM, P_tmpdir ": %s",
			    strerror(errno));
		return 0;
	}
	if (text_fmt(s->temporary, sizeof(s->temporary),
		"%s/" FETCH_PART "XXXXXX", s->dir) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((s->fd = mkostemp(s->temporary, O_CLOEXEC)) < 0) {
		s->temporary[0] = '\0';
		return fault_set(f, FAULT_SYSTEM, "%s: %s", s->dir,
		    strerror(errno));
	}
	return 0;
}

/* What is in memory, into a file. */
static int
spill(struct fetch_sink *s, struct fault *f)
{
	if (make_file(s, f) < 0)
		return -1;
	if (file_write_all(s->fd, s->memory.data, s->memory.len, f) < 0)
		return fault_wrap(f, "%s", s->dir == NULL ? P_tmpdir : s->dir);
	return 0;
}

int
fetch_sink_put(struct fetch_sink *s, const void *data, size_t len,
    struct fault *f)
{
	if (len > s->max - s->len)
		return fault_set(f, FAULT_INPUT, "larger than %zu bytes",
		    s->max);
	if (EVP_DigestUpdate(s->md, data, len) != 1)
		return fault_set(f, FAULT_MEMORY, "body");
	if (s->fd < 0 && s->len + len > FETCH_IN_MEMORY) {
		if (spill(s, f) < 0)
			return -1;
		buf_free(&s->memory);
	}
	s->len += len;
	if (s->fd >= 0) {
		if (file_write_all(s->fd, data, len, f) < 0)
			return fault_wrap(f, "%s",
			    s->dir == NULL ? P_tmpdir : s->dir);
		return 0;
	}
	buf_put(&s->memory, data, len);
	return s->memory.failed ? fault_set(f, FAULT_MEMORY, "body") : 0;
}

int
fetch_sink_end(struct fetch_sink *s, struct wire_bytes *body,
    uint8_t digest[FETCH_DIGEST], struct fault *f)
{
	if (EVP_DigestFinal_ex(s->md, digest, NULL) != 1)
		return fault_set(f, FAULT_MEMORY, "body");
	if (s->fd < 0) {
		*body = (struct wire_bytes){ s->memory.data, s->memory.len };
		return 0;
	}
	s->map = mmap(NULL, s->len, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return fault_set(f, FAULT_SYSTEM, "mmap: %s", strerror(errno));
	}
	*body = (struct wire_bytes){ s->map, s->len };
	return 0;
}

int
fetch_sink_keep(struct fetch_sink *s, const char *path, struct wire_bytes tail,
    time_t when, struct fault *f)
{
	const struct timespec times[2] = { { .tv_sec = when },
		{ .tv_sec = when } };

	if ((s->fd < 0 && spill(s, f) < 0) ||
	    file_write_all(s->fd, tail.data, tail.len, f) < 0)
		return fault_wrap(f, "%s", path);
	if (futimens(s->fd, times) < 0 || rename(s->temporary, path) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	s->temporary[0] = '\0';
	return 0;
}
