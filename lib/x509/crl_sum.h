#ifndef X509_CRL_SUM_H
#define X509_CRL_SUM_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether two lists of revocations have the same entries, whatever their order
 * and without keeping either: each entry is hashed (SHA-256) after a secret of
 * 32 octets that is made anew for each comparison, and all hashes are XORed.
 * Every entry of both lists is added; the result is nothing if and only if each
 * came an even number of times.  Who does not know the secret cannot choose
 * other entries that come to the same.
 */
struct fault;
struct crl_sum;

CHECKED struct crl_sum *crl_sum_new(struct fault *f);
void crl_sum_free(struct crl_sum *sum);
OWN_FREE_STRUCT(crl_sum, crl_sum_free)

/* One entry of either list: ${serial} is the magnitude, 1 to 20 octets without
 * leading zeroes.  What fails here shows at the end. */
void crl_sum_add(struct crl_sum *sum, struct wire_bytes serial, int reason,
    int64_t when);

/* Whether both lists were the same, if neither had an entry twice. */
bool crl_sum_even(const struct crl_sum *sum);

#endif
