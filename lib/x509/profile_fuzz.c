/* A profile that is read dumps to one that reads the same, and no end entity
 * gets the usages of a CA. */
#include "x509/profile.h"

#include "base/fault.h"
#include "x509/cert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned ca_bits = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;
	struct profile *first = malloc(sizeof(*first));
	struct profile *second = malloc(sizeof(*second));
	struct fault f = { 0 };
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (first == NULL || second == NULL ||
	    profile_read(first, "fuzz", (const char *)data, size, &f) < 0) {
		free(first);
		free(second);
		return 0;
	}
	must(first->usage != 0);
	must(first->conf.ca ? (first->usage & CERT_KU_KEY_CERT_SIGN) != 0
			    : (first->usage & ca_bits) == 0);
	must(!first->conf.ca || first->purpose == 0);
	must(first->conf.lifetime <= first->conf.max_lifetime);
	must(first->keys.least_rsa > 0 || first->keys.p256 || first->keys.p384);
	out = open_memstream(&text, &len);
	must(out != NULL);
	conf_dump(&profile_schema, &first->conf, out);
	must(fclose(out) == 0);
	must(profile_read(second, "fuzz", text, len, &f) == 0);
	must(memcmp(&first->conf, &second->conf, sizeof(first->conf)) == 0);
	must(first->usage == second->usage &&
	    first->purpose == second->purpose);
	free(text);
	free(first);
	free(second);
	return 0;
}
