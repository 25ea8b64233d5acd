#include "office/bundle.h"

#include "base/fault.h"
#include "office/seal_part.h"

#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 16384

static const uint8_t header[SEAL_HEADER_SIZE] = SEAL_MAGIC;

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

static int
sealed(const uint8_t *data, size_t size)
{
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	struct fault f;
	struct seal_out *out =
	    seal_out_begin(fd, header, key(), SEAL_CHUNK, &f);

	if (out == NULL || seal_put(out, data, size, &f) < 0 ||
	    seal_out_end(out, &f) < 0)
		abort();
	seal_out_free(out);
	(void)lseek(fd, SEAL_HEADER_SIZE, SEEK_SET);
	return fd;
}

/* Read every part, and write it to ${out}; 0, or -1 where it is malformed. */
static int
copy(struct bundle_in *in, struct bundle_out *out)
{
	enum bundle_part part;
	uint8_t some[61];
	uint64_t size;
	size_t len = 0;
	struct fault f;
	int found;

	while ((found = bundle_next(in, &part, &size, &f)) == 1) {
		/* What is claimed may be more than there is. */
		if (size > MOST)
			return -1;
		if (bundle_begin(out, part, size, &f) < 0)
			abort();
		do {
			if (bundle_get(in, some, sizeof(some), &len, &f) < 0)
				return -1;
			if (bundle_put(out, some, len, &f) < 0)
				abort();
		} while (len > 0);
	}
	if (found == 0 && bundle_end(out, &f) < 0)
		abort();
	return found;
}

/* What can be read to its end is written the same, octet for octet. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle_in in = { 0 };
	struct bundle_out out = { 0 };
	struct fault f;
	uint8_t back[MOST];
	size_t len = 0;
	int from, to;

	if (size > MOST)
		return 0;
	from = sealed(data, size);
	to = memfd_create("copy", MFD_CLOEXEC);
	in.seal = seal_in_begin(from, header, key(), SEAL_CHUNK, &f);
	out.seal = seal_out_begin(to, header, key(), SEAL_CHUNK, &f);
	if (in.seal == NULL || out.seal == NULL)
		abort();
	if (copy(&in, &out) == 0) {
		struct seal_in *again;

		(void)lseek(to, SEAL_HEADER_SIZE, SEEK_SET);
		again = seal_in_begin(to, header, key(), SEAL_CHUNK, &f);
		if (again == NULL ||
		    seal_get(again, back, sizeof(back), &len, &f) < 0 ||
		    len != size || memcmp(back, data, size) != 0)
			abort();
		seal_in_free(again);
	}
	seal_in_free(in.seal);
	seal_out_free(out.seal);
	(void)close(from);
	(void)close(to);
	return 0;
}
