#include "base/fault.h"
#include "office/seal_part.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHUNK 16
#define MOST 4096

static const uint8_t header[SEAL_HEADER_SIZE] = SEAL_MAGIC "a salt";

static struct secret *
key(void)
{
	static const uint8_t octets[SEAL_KEY_SIZE] = "a key";
	struct fault f;
	struct secret *made = secret_copy(octets, sizeof(octets), &f);

	if (made == NULL)
		abort();
	return made;
}

/* What the file on ${fd} holds, or -1. */
static ssize_t
read_back(int fd, uint8_t *to)
{
	struct fault f;
	struct seal_in *in = seal_in_begin(fd, header, key(), CHUNK, &f);
	size_t total = 0, len = 1;
	int result = 0;

	if (in == NULL)
		abort();
	while (result == 0 && len > 0 && total < MOST) {
		result = seal_get(in, to + total, MOST - total, &len, &f);
		total += result == 0 ? len : 0;
	}
	seal_in_free(in);
	return result < 0 ? -1 : (ssize_t)total;
}

/* What was sealed comes back; and after any one change of the file (an octet,
 * its end, two chunks), whose kind and place the first four octets say, it
 * does not. */
static void
change(int fd, const uint8_t how[4], off_t len)
{
	off_t at = (how[1] << 8 | how[2]) % len;
	uint8_t octet = 0;

	if ((how[0] & 1) == 0) {
		if (ftruncate(fd, at) < 0)
			abort();
		return;
	}
	if (pread(fd, &octet, 1, at) != 1)
		abort();
	octet ^= how[3] == 0 ? 1 : how[3];
	if (pwrite(fd, &octet, 1, at) != 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t back[MOST];
	struct fault f;
	struct seal_out *out;
	ssize_t len;
	int fd;

	if (size < 4 || size > MOST / 2)
		return 0;
	if ((fd = memfd_create("seal", MFD_CLOEXEC)) < 0 ||
	    (out = seal_out_begin(fd, header, key(), CHUNK, &f)) == NULL ||
	    seal_put(out, data + 4, size - 4, &f) < 0 ||
	    seal_out_end(out, &f) < 0)
		abort();
	seal_out_free(out);
	(void)lseek(fd, SEAL_HEADER_SIZE, SEEK_SET);
	len = read_back(fd, back);
	if (len != (ssize_t)size - 4 || memcmp(back, data + 4, size - 4) != 0)
		abort();
	/* The header itself is hashed into every chunk, and left out here. */
	(void)lseek(fd, 0, SEEK_END);
	{
		off_t whole = lseek(fd, 0, SEEK_CUR) - SEAL_HEADER_SIZE;
		uint8_t file[MOST * 2];
		int other = memfd_create("altered", MFD_CLOEXEC);

		if (other < 0 || whole > (off_t)sizeof(file) ||
		    pread(fd, file, (size_t)whole, SEAL_HEADER_SIZE) != whole ||
		    pwrite(other, file, (size_t)whole, 0) != whole)
			abort();
		change(other, data, whole);
		(void)lseek(other, 0, SEEK_SET);
		if (read_back(other, back) >= 0)
			abort();
		(void)close(other);
	}
	(void)close(fd);
	return 0;
}
