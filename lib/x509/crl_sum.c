#include "x509/crl_sum.h"

#include "base/fault.h"
#include "base/rand.h"
#include "base/secret.h"
#include "x509/own_ssl.h"

#include <openssl/evp.h>

#include <stdlib.h>

#define SECRET_SIZE 32
#define SUM_SIZE 32
#define TAIL_SIZE 10 /* length of the serial, reason, time */

struct crl_sum {
	EVP_MD *md;	 /* owned, as is */
	EVP_MD_CTX *ctx; /* this one */
	bool failed;
	uint8_t secret[SECRET_SIZE];
	uint8_t sum[SUM_SIZE];
};

struct crl_sum *
crl_sum_new(struct fault *f)
{
	struct crl_sum *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a sum");
		return NULL;
	}
	/* Fetched once: that costs more than the rest. */
	s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->ctx = EVP_MD_CTX_new();
	if (s->md == NULL || s->ctx == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a sum");
		crl_sum_free(s);
		return NULL;
	}
	rand_bytes(s->secret, sizeof(s->secret));
	return s;
}

void
crl_sum_free(struct crl_sum *s)
{
	if (s == NULL)
		return;
	EVP_MD_CTX_free(s->ctx);
	EVP_MD_free(s->md);
	secret_wipe(s, sizeof(*s));
	free(s);
}

void
crl_sum_add(struct crl_sum *s, struct wire_bytes serial, int reason,
    int64_t when)
{
	uint8_t tail[TAIL_SIZE], hash[EVP_MAX_MD_SIZE];
	struct wire_out out = { .at = tail, .left = sizeof(tail) };

	wire_put_u8(&out, (uint8_t)serial.len);
	wire_put_u8(&out, (uint8_t)reason);
	wire_put_u64(&out, (uint64_t)when);
	if (EVP_DigestInit_ex2(s->ctx, s->md, NULL) != 1 ||
	    EVP_DigestUpdate(s->ctx, s->secret, sizeof(s->secret)) != 1 ||
	    EVP_DigestUpdate(s->ctx, serial.data, serial.len) != 1 ||
	    EVP_DigestUpdate(s->ctx, tail, sizeof(tail)) != 1 ||
	    EVP_DigestFinal_ex(s->ctx, hash, NULL) != 1) {
		s->failed = true;
		return;
	}
	for (size_t i = 0; i < SUM_SIZE; i++)
		s->sum[i] ^= hash[i];
}

bool
crl_sum_even(const struct crl_sum *s)
{
	uint8_t any = 0;

	for (size_t i = 0; i < SUM_SIZE; i++)
		any |= s->sum[i];
	return !s->failed && any == 0;
}
