#ifndef TRUST_LONG_PROBE_H
#define TRUST_LONG_PROBE_H

/* For tests: revocation lists that take more than one turn to read. */
#include "trust/pki_probe.h"

#define LONG 60000 /* entries: some 2 MB */

/* The serials of ${count}, in no order, and ${revoked} (0: nobody's). */
static PKI_UNUSED void
long_entries(X509_CRL *crl, uint32_t count, long revoked)
{
	OWN(ASN1_TIME) when = ASN1_TIME_set(NULL, PKI_NOW - 60);

	for (uint32_t i = 0; i <= count; i++) {
		uint64_t mixed =
		    (uint64_t)((i + 1) * 2654435761u) << 24 | 1u << 20 | i;
		OWN(ASN1_INTEGER) serial = ASN1_INTEGER_new();
		X509_REVOKED *entry;

		if (i == count && revoked == 0)
			return;
		if (i == count)
			mixed = (uint64_t)revoked;
		entry = X509_REVOKED_new();
		assert_int_equal(ASN1_INTEGER_set_uint64(serial, mixed), 1);
		assert_int_equal(X509_REVOKED_set_serialNumber(entry, serial),
		    1);
		assert_int_equal(X509_REVOKED_set_revocationDate(entry, when),
		    1);
		assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	}
}

/* A list of ${who}'s as HASH.r0, in the place of the one before, made ${later}
 * than PKI_NOW: its size. */
static PKI_UNUSED size_t
long_list_at(const struct pki *p, enum pki_who who, uint32_t count,
    long revoked, long later)
{
	const struct pki_crl plain = { later - 60, later + PKI_DAY, 0, 0 };
	X509_CRL *crl = pki_crl(p->cert[who], p->key[who], &plain);
	char path[PATH_MAX], to[PATH_MAX];
	struct stat st;

	long_entries(crl, count, revoked);
	assert_true(X509_CRL_sign(crl, p->key[who], EVP_sha256()) > 0);
	pki_put_crl(p, p->cert[who], crl, "new", false);
	pki_path(p, p->cert[who], "new", path);
	pki_path(p, p->cert[who], "r0", to);
	assert_int_equal(rename(path, to), 0);
	assert_int_equal(stat(to, &st), 0);
	X509_CRL_free(crl);
	return (size_t)st.st_size;
}

static PKI_UNUSED size_t
long_list(const struct pki *p, enum pki_who who, uint32_t count, long revoked)
{
	return long_list_at(p, who, count, revoked, 0);
}

static PKI_UNUSED void
long_cut(const struct pki *p, enum pki_who who)
{
	char path[PATH_MAX];
	struct stat st;

	pki_path(p, p->cert[who], "r0", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
}

/* As if it had been written at ${when}. */
static PKI_UNUSED void
long_settle(const struct pki *p, enum pki_who who, time_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	char path[PATH_MAX];

	pki_path(p, p->cert[who], "r0", path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

#endif
