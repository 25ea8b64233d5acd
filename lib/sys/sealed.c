#include "sys/sealed.h"

#include "base/fault.h"
#include "base/file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* F_SEAL_SEAL too: else a seal could be put on while another looks. */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
sealed_new(struct fault *f)
{
	int fd = memfd_create("signet", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "memfd_create: %s",
		    strerror(errno));
	return fd;
}

int
sealed_put(int fd, struct wire_bytes piece, struct fault *f)
{
	return file_write_all(fd, piece.data, piece.len, f);
}

int
sealed_close(int fd, struct fault *f)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return fault_set(f, FAULT_SYSTEM, "seals: %s", strerror(errno));
	return 0;
}

int
sealed_map(struct sealed *s, int fd, size_t most, struct fault *f)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *at;

	/* Only memory has seals: a file or a pipe ends here too. */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return fault_set(f, FAULT_DENIED,
		    "memory that could still be changed");
	if (fstat(fd, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "fstat: %s", strerror(errno));
	if (st.st_size < 0 || (uintmax_t)st.st_size > most)
		return fault_set(f, FAULT_INPUT,
		    "memory of %lld octets, of which at most %zu are taken",
		    (long long)st.st_size, most);
	s->bytes = (struct wire_bytes){ NULL, 0 };
	if (st.st_size == 0)
		return 0;
	/* Private: the kernel refuses a shared map of what is sealed, since it
	 * could be made writable. */
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return fault_set(f, FAULT_SYSTEM, "mmap: %s", strerror(errno));
	s->bytes = (struct wire_bytes){ at, (size_t)st.st_size };
	return 0;
}

void
sealed_unmap(struct sealed *s)
{
	if (s->bytes.data != NULL)
		(void)munmap((void *)(uintptr_t)s->bytes.data, s->bytes.len);
	s->bytes = (struct wire_bytes){ NULL, 0 };
}
