#include "base/secret.h"

#include "base/fault.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct secret {
	size_t mapped;
	size_t size;
	size_t len;
	uint8_t data[];
};

/* Whole pages for ${size} bytes; 0 if there are not so many. */
static size_t
pages_for(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t need = sizeof(struct secret) + size + 1;

	return need < size ? 0 : (need + page - 1) / page * page;
}

struct secret *
secret_new(size_t size, struct fault *f)
{
	size_t need = pages_for(size);
	struct secret *s;
	void *p;

	if (need == 0) {
		(void)fault_set(f, FAULT_MEMORY, "secret of %zu bytes", size);
		return NULL;
	}
	p = mmap(NULL, need, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		(void)fault_set(f, FAULT_MEMORY, "mmap: %s", strerror(errno));
		return NULL;
	}
	/* A limit on locked memory is no reason to refuse a password. */
	(void)mlock(p, need);
	(void)madvise(p, need, MADV_DONTDUMP);
	(void)madvise(p, need, MADV_WIPEONFORK);
	s = p;
	s->mapped = need;
	s->size = size;
	return s;
}

/* Pages of the kernel's memfd_secret, NULL where it has none. */
static void *
map_hidden(size_t need)
{
	int fd = (int)syscall(SYS_memfd_secret, (unsigned)O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)need) == 0)
		p = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return p == MAP_FAILED ? NULL : p;
}

struct secret *
secret_new_hidden(size_t size, struct fault *f)
{
	size_t need = pages_for(size);
	struct secret *s = need == 0 ? NULL : map_hidden(need);

	if (s == NULL)
		return secret_new(size, f);
	/* It is shared memory: a child must not have it at all. */
	(void)madvise(s, need, MADV_DONTFORK);
	s->mapped = need;
	s->size = size;
	return s;
}

struct secret *
secret_copy(const void *data, size_t len, struct fault *f)
{
	struct secret *s = secret_new(len, f);

	if (s == NULL)
		return NULL;
	if (len > 0)
		memcpy(s->data, data, len);
	secret_set_len(s, len);
	return s;
}

void
secret_free(struct secret *s)
{
	size_t mapped;

	if (s == NULL)
		return;
	mapped = s->mapped;
	explicit_bzero(s, mapped);
	(void)munmap(s, mapped);
}

uint8_t *
secret_data(struct secret *s)
{
	return s->data;
}

const char *
secret_text(const struct secret *s)
{
	return (const char *)s->data;
}

size_t
secret_len(const struct secret *s)
{
	return s->len;
}

size_t
secret_size(const struct secret *s)
{
	return s->size;
}

void
secret_set_len(struct secret *s, size_t len)
{
	s->len = len < s->size ? len : s->size;
	s->data[s->len] = '\0';
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	uint8_t differ = 0;

	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		differ |= (uint8_t)(a->data[i] ^ b->data[i]);
	return differ == 0;
}

void
secret_wipe(void *data, size_t len)
{
	explicit_bzero(data, len);
}
