#ifndef TRUST_VERIFY_PROBE_H
#define TRUST_VERIFY_PROBE_H

/* For tests: what we and OpenSSL say about a chain of pki_probe.h. */
#include "base/fault.h"
#include "trust/pki_probe.h"
#include "trust/verify.h"

#define BC "basicConstraints"
#define KU "keyUsage"
#define EKU "extendedKeyUsage"
#define NC "nameConstraints"
#define PCI "proxyCertInfo"
#define SAN "subjectAltName"

static PKI_UNUSED bool
openssl_accepts(const struct pki *p, enum pki_who leaf, unsigned flags,
    X509_CRL *crl)
{
	OWN(X509_STORE) store = X509_STORE_new();
	OWN(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	unsigned long how = X509_V_FLAG_ALLOW_PROXY_CERTS;
	bool accepted;

	assert_int_equal(X509_STORE_add_cert(store, p->cert[ROOT]), 1);
	if (crl != NULL) {
		assert_int_equal(X509_STORE_add_crl(store, crl), 1);
		how |= X509_V_FLAG_CRL_CHECK;
	}
	for (int i = (int)leaf; i >= (int)SUB; i--)
		assert_true(sk_X509_push(chain, p->cert[i]) > 0);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, p->cert[leaf], chain),
	    1);
	X509_STORE_CTX_set_flags(ctx, how);
	X509_STORE_CTX_set_time(ctx, 0, PKI_NOW);
	if ((flags & TRUST_SERVER) != 0)
		(void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	if ((flags & TRUST_CLIENT) != 0)
		(void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	accepted = X509_verify_cert(ctx) == 1;
	sk_X509_free(chain);
	return accepted;
}

/* Judge the chain of ${p} up from ${leaf}, with the trust directory as it is.
 */
static PKI_UNUSED bool
accepts(const struct pki *p, enum pki_who leaf, unsigned flags,
    struct trust_verdict *verdict, struct fault *f)
{
	OWN_STRUCT(trust_store) store = NULL;
	struct cert_list chain = { 0 };
	bool answer = false;

	if (pki_chain(p, leaf, &chain)) {
		store = trust_load(p->dir, true, NULL, NULL, f);
		assert_non_null(store);
		answer = trust_verify(store, &chain, PKI_NOW, flags, verdict,
			     f) == 0;
	} else {
		(void)fault_set(f, FAULT_INPUT, "cannot be read");
	}
	/* The store ends here: what is in the verdict does not outlive it. */
	verdict->anchor = NULL;
	cert_list_free(&chain);
	return answer;
}

/* Whether the plain end entity is accepted after something was done to the
 * directory of ${p}; the text of the fault must have ${why}. */
static PKI_UNUSED bool
still(const struct pki *p, unsigned flags, const char *why)
{
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	bool answer = accepts(p, EEC, flags, &verdict, &f);

	if (!answer && (why == NULL || strstr(f.text, why) == NULL))
		fail_msg("%s: not %s", f.text, why != NULL ? why : "accepted");
	return answer;
}

#endif
