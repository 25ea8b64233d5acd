/*
 * Whatever a server writes, nothing of it stays; and what was understood is,
 * said again in its plainest form, understood as the same.
 */
#include "server_ask.h"

#include "base/fault.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_wiped(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != 0)
			abort();
}

static void
check_same(const struct server_ask *ask)
{
	OWN_BUF(again, 65536);
	struct server_ask other;
	struct fault f = { 0 };

	buf_fmt(&again, "username=%s\nproxy_lifetime=%u\n", ask->username,
	    ask->lifetime);
	buf_fmt(&again, "credname=%s\n\n",
	    *ask->profile == '\0' ? "NULL" : ask->profile);
	pem_put(&again, "CERTIFICATE REQUEST",
	    (struct wire_bytes){ ask->csr.data, ask->csr.len });
	if (again.failed ||
	    server_ask_read(&other, again.data, again.len, &f) < 0 ||
	    strcmp(other.username, ask->username) != 0 ||
	    strcmp(other.profile, ask->profile) != 0 ||
	    other.lifetime != ask->lifetime || other.csr.len != ask->csr.len ||
	    memcmp(other.csr.data, ask->csr.data, ask->csr.len) != 0)
		abort();
	buf_free(&other.csr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_ask ask;
	struct fault f = { 0 };
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (server_ask_read(&ask, copy, size, &f) == 0)
		check_same(&ask);
	check_wiped(copy, size);
	buf_free(&ask.csr);
	free(copy);
	return 0;
}
