#ifndef X509_OWN_SSL_H
#define X509_OWN_SSL_H

/* OpenSSL's types get owners.  Only rooms that link libcrypto include this. */

#include "base/own.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline void
own_x509_stack_free(STACK_OF(X509) * stack)
{
	sk_X509_pop_free(stack, X509_free);
}
typedef STACK_OF(X509) x509_stack;

OWN_FREE(ASN1_INTEGER, ASN1_INTEGER_free)
OWN_FREE(ASN1_OBJECT, ASN1_OBJECT_free)
OWN_FREE(ASN1_TIME, ASN1_TIME_free)
OWN_FREE(BIO, BIO_free_all)
OWN_FREE(BIGNUM, BN_free)
OWN_FREE(EVP_MD_CTX, EVP_MD_CTX_free)
OWN_FREE(EVP_PKEY, EVP_PKEY_free)
OWN_FREE(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OWN_FREE(PKCS12, PKCS12_free)
OWN_FREE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
OWN_FREE(X509, X509_free)
OWN_FREE(X509_ALGOR, X509_ALGOR_free)
OWN_FREE(X509_CRL, X509_CRL_free)
OWN_FREE(X509_NAME, X509_NAME_free)
OWN_FREE(X509_SIG, X509_SIG_free)
OWN_FREE(X509_STORE, X509_STORE_free)
OWN_FREE(X509_STORE_CTX, X509_STORE_CTX_free)
OWN_FREE(x509_stack, own_x509_stack_free)

#endif
