/*
 * A file of a trust directory: the first byte says what name it has.  What is
 * accepted, is accepted again as it is to be installed, and that is then the
 * same; a certificate and a list are one, whatever else the file held.
 */
#include "anchor/root_files.h"

#include "anchor/anchor_body.h"
#include "base/fault.h"
#include "base/text.h"
#include "x509/crl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const endings[] = { "0", "r0", "signing_policy",
	"namespaces", "info", "crl_url", "pem" };

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* The hash that its name needs, which no mutation finds. */
static void
hash_of(struct wire_bytes body, char hash[9])
{
	OWN_BUF(decoded, 1u << 20);
	struct cert_list list = { 0 };
	struct wire_bytes der;
	struct fault f = { 0 };
	struct crl crl;

	memcpy(hash, "12345678", 9);
	if (cert_list_read_pem(&list, body.data, body.len, &f) == 0 &&
	    list.count > 0 && dn_hash(&list.cert[0]->subject, hash, &f) < 0)
		abort();
	if (list.count == 0 && body_crl(body, &decoded, &der, &f) == 0 &&
	    crl_read(&crl, der, &f) == 0 && dn_hash(&crl.issuer, hash, &f) < 0)
		abort();
	cert_list_free(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_bytes body;
	OWN_BUF(once, 1u << 20);
	OWN_BUF(twice, 1u << 20);
	struct fault f = { 0 };
	char name[ROOT_NAME_SIZE], hash[9];

	if (size == 0 || size > 65536)
		return 0;
	body = (struct wire_bytes){ data + 1, size - 1 };
	hash_of(body, hash);
	(void)snprintf(name, sizeof(name), "%s.%s", hash,
	    endings[data[0] % ENDINGS]);
	if (!root_name_good(name, strlen(name)))
		abort();
	if (root_file_check(name, body, &once, &f) < 0)
		return 0;
	if (!root_name_known(name) ||
	    root_file_check(name, (struct wire_bytes){ once.data, once.len },
		&twice, &f) < 0 ||
	    once.len != twice.len ||
	    memcmp(once.data, twice.data, once.len) != 0)
		abort();
	return 0;
}
