/*
 * A key that we read is one OpenSSL reads, of the same kind, size and value; a
 * point that we can use is one it can use, and the reverse.  A modulus that a
 * small prime divides is never allowed.
 */
#include "base/fault.h"
#include "x509/key.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"
#include "x509/spki_rsa.h"

#include <openssl/err.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_modulus(const struct spki *spki)
{
	static const unsigned primes[] = { 3, 5, 7, 11, 13, 101, 257, 743,
		751 };
	struct key_rules rules = { 512, true, true };
	struct fault f = { 0 };
	bool passes = spki_check(spki, &rules, &f) == 0;
	struct spki_rsa rsa;

	if (spki_rsa(spki->bits, &rsa) < 0)
		abort();
	for (size_t p = 0; p < sizeof(primes) / sizeof(primes[0]); p++) {
		unsigned rest = 0;

		for (size_t i = 0; i < rsa.n.len; i++)
			rest = (rest << 8 | rsa.n.data[i]) % primes[p];
		if (rest == 0 && passes)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	OWN(EVP_PKEY) ours = NULL;
	OWN(EVP_PKEY) theirs = NULL;
	struct fault f = { 0 };
	struct spki spki, any;

	if (spki_read_any(&any, (struct wire_bytes){ data, size }, &f) < 0)
		any.kind = KEY_OTHER;
	if (spki_read(&spki, (struct wire_bytes){ data, size }, &f) < 0) {
		if (any.kind != KEY_OTHER)
			abort();
		return 0;
	}
	if (any.kind != spki.kind || any.size != spki.size)
		abort();
	ours = spki_pkey(&spki, &f);
	theirs = d2i_PUBKEY(NULL, &at, (long)size);
	ERR_clear_error();
	if ((ours == NULL) != (theirs == NULL))
		abort();
	if (ours != NULL &&
	    (EVP_PKEY_eq(ours, theirs) != 1 ||
		(unsigned)EVP_PKEY_get_bits(theirs) != spki.size))
		abort();
	if (spki.kind == KEY_RSA)
		check_modulus(&spki);
	return 0;
}
