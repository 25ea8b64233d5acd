/* EC_KEY and RSA are deprecated since OpenSSL 3.0, and stay: EVP is made of
 * them. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "x509/spki_once.h"

#include "base/own.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

OWN_FREE(EC_KEY, EC_KEY_free)
OWN_FREE(RSA, RSA_free)

#define GROUPS 2

/*
 * The one group of a curve.  Making it costs as much as a quarter of a
 * verification.  It is set once, by whoever comes first, and never changes nor
 * goes away: borrowed.
 */
static const EC_GROUP *
group_of(int nid)
{
	static EC_GROUP *made[GROUPS];
	EC_GROUP **place = &made[nid == NID_secp384r1];
	EC_GROUP *group = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	EC_GROUP *none = NULL;

	if (group != NULL || (group = EC_GROUP_new_by_curve_name(nid)) == NULL)
		return group;
	if (__atomic_compare_exchange_n(place, &none, group, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return group;
	EC_GROUP_free(group);
	return none;
}

bool
spki_once_ec(int nid, struct wire_bytes point, struct wire_bytes digest,
    struct wire_bytes signature, bool *usable)
{
	const EC_GROUP *group = group_of(nid);
	OWN(EC_KEY) key = EC_KEY_new();

	/* This checks that the point is on its curve; the cofactor is 1. */
	*usable = group != NULL && key != NULL &&
	    EC_KEY_set_group(key, group) == 1 &&
	    EC_KEY_oct2key(key, point.data, point.len, NULL) == 1;
	return *usable &&
	    ECDSA_verify(0, digest.data, (int)digest.len, signature.data,
		(int)signature.len, key) == 1;
}

/* The numbers of ${rsa}, in ${key}. */
static bool
set_numbers(RSA *key, const struct spki_rsa *rsa)
{
	BIGNUM *n = BN_bin2bn(rsa->n.data, (int)rsa->n.len, NULL);
	BIGNUM *e = BN_bin2bn(rsa->e.data, (int)rsa->e.len, NULL);

	/* It takes both or none. */
	if (n != NULL && e != NULL && RSA_set0_key(key, n, e, NULL) == 1)
		return true;
	BN_free(n);
	BN_free(e);
	return false;
}

bool
spki_once_rsa(int nid, const struct spki_rsa *rsa, struct wire_bytes digest,
    struct wire_bytes signature, bool *usable)
{
	OWN(RSA) key = RSA_new();

	*usable = key != NULL && set_numbers(key, rsa);
	return *usable &&
	    RSA_verify(nid, digest.data, (unsigned)digest.len, signature.data,
		(unsigned)signature.len, key) == 1;
}
