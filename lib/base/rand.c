#include "base/rand.h"

#include "base/text.h"

#include <sys/random.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

void
rand_bytes(void *data, size_t len)
{
	uint8_t *p = data;

	while (len > 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			p += got;
			len -= (size_t)got;
		}
	}
}

void
rand_ref(char ref[RAND_REF_SIZE])
{
	uint8_t bytes[(RAND_REF_SIZE - 1) / 2];

	rand_bytes(bytes, sizeof(bytes));
	text_hex(bytes, sizeof(bytes), ref);
}
