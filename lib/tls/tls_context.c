#include "tls/tls_context.h"

#include "base/fault.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#define IDENTITIES 4

/* Forward secret and authenticated, for TLS 1.2; those of 1.3 all are.  First
 * those with SHA-256: a handshake with SHA-384 costs an eighth more. */
#define CIPHERS                                                       \
	"ECDHE+AES128+AESGCM:ECDHE+CHACHA20:ECDHE+AESGCM:DHE+AESGCM:" \
	"DHE+CHACHA20:!aNULL:!PSK"
#define CIPHERS_13                                             \
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:" \
	"TLS_AES_256_GCM_SHA384"
#define GROUPS "X25519:P-256:P-384"
/* EC first: its signature costs a tenth of RSA's. */
#define SIGNATURES                                      \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:"       \
	"RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:" \
	"RSA+SHA256:RSA+SHA384:RSA+SHA512"

int
tls_init(struct fault *f)
{
	/* What the host's openssl.cnf says is for other programs. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
		    OPENSSL_INIT_LOAD_SSL_STRINGS |
		    OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "starting OpenSSL");
	return 0;
}

int
chain_read(STACK_OF(X509) * chain, struct cert_list *list, struct fault *f)
{
	int count = sk_X509_num(chain);

	if (count > CERT_LIST_MAX)
		return fault_set(f, FAULT_UNTRUSTED,
		    "a chain of %d certificates", count);
	list->count = 0;
	for (int i = 0; i < count; i++) {
		uint8_t *der = NULL;
		int len = i2d_X509(sk_X509_value(chain, i), &der);
		struct cert *cert = NULL;

		if (len > 0)
			cert =
			    cert_read((struct wire_bytes){ der, (size_t)len },
				f);
		else
			(void)ossl_fault(f, FAULT_MEMORY, "a peer's chain");
		OPENSSL_free(der);
		if (cert == NULL) {
			cert_list_free(list);
			return fault_wrap(f, "certificate %d of the peer", i);
		}
		list->cert[list->count++] = cert;
	}
	return 0;
}

/*
 * Called instead of OpenSSL's verifier: whether a chain is good is for
 * lib/trust to say, either now, by the judge, or after the handshake.
 */
static int
ask_judge(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);
	struct cert_list chain = { 0 };

	(void)arg;
	X509_STORE_CTX_set_error(store, X509_V_OK);
	if (t->judge == NULL)
		return 1;
	if (chain_read(X509_STORE_CTX_get0_untrusted(store), &chain, &t->why) <
		0 ||
	    t->judge(t->judge_arg, &chain, &t->why) < 0)
		t->refused = true;
	cert_list_free(&chain);
	if (t->refused)
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return !t->refused;
}

static int
set_ciphers(SSL_CTX *ctx, const char *ciphers, struct fault *f)
{
	if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
		return ossl_fault(f, FAULT_CONFIG, "TLS ciphers \"%s\"",
		    ciphers);
	return 0;
}

int
tls_ciphers_check(const char *ciphers, struct fault *f)
{
	SSL_CTX *ctx;
	int result;

	if (tls_init(f) < 0)
		return -1;
	if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL)
		return ossl_fault(f, FAULT_SYSTEM, "setting up TLS");
	result = set_ciphers(ctx, ciphers, f);
	SSL_CTX_free(ctx);
	return result;
}

static int
context_set(SSL_CTX *ctx, const char *ciphers, struct fault *f)
{
	/* OpenSSL's macros want them writable. */
	char groups[] = GROUPS, signatures[] = SIGNATURES;

	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET |
		SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CLEANSE_PLAINTEXT);
	(void)SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_NO_AUTO_CHAIN);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, ask_judge, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, signatures) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "setting up TLS");
	return set_ciphers(ctx, ciphers != NULL ? ciphers : CIPHERS, f);
}

struct tls_server *
context_new(const SSL_METHOD *method, const char *ciphers, struct fault *f)
{
	struct tls_server *shared;

	if (tls_init(f) < 0)
		return NULL;
	if ((shared = calloc(1, sizeof(*shared))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "TLS");
		return NULL;
	}
	shared->users = 1;
	if ((shared->ctx = SSL_CTX_new(method)) == NULL)
		(void)ossl_fault(f, FAULT_SYSTEM, "setting up TLS");
	else if (context_set(shared->ctx, ciphers, f) == 0 &&
	    (shared->method = socket_method(f)) != NULL)
		return shared;
	context_drop(shared);
	return NULL;
}

void
context_drop(struct tls_server *shared)
{
	if (shared == NULL || --shared->users > 0)
		return;
	SSL_CTX_free(shared->ctx);
	BIO_meth_free(shared->method);
	free(shared);
}

int
context_show(struct tls_server *shared, X509 *leaf, EVP_PKEY *key,
    STACK_OF(X509) * above, struct fault *f)
{
	if (SSL_CTX_use_cert_and_key(shared->ctx, leaf, key, above, 1) != 1)
		return ossl_fault(f, FAULT_CONFIG,
		    "TLS cannot use the certificate and key");
	return 0;
}

/* An encrypted key has nobody here to ask for its pass phrase. */
static int
no_phrase(char *phrase, int size, int writing, void *arg)
{
	(void)phrase;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The certificates of ${pem}, in order; NULL at a fault. */
static x509_stack *
stack_read(struct wire_bytes pem, struct fault *f)
{
	OWN(BIO) in = BIO_new_mem_buf(pem.data, (int)pem.len);
	OWN(x509_stack) chain = sk_X509_new_null();
	X509 *cert;

	if (in == NULL || chain == NULL || pem.len > (size_t)16 * CERT_MAX) {
		(void)ossl_fault(f, FAULT_MEMORY, "reading certificates");
		return NULL;
	}
	while ((cert = PEM_read_bio_X509(in, NULL, no_phrase, NULL)) != NULL)
		if (sk_X509_push(chain, cert) == 0) {
			X509_free(cert);
			(void)ossl_fault(f, FAULT_MEMORY, "a chain");
			return NULL;
		}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE ||
	    sk_X509_num(chain) == 0) {
		(void)ossl_fault(f, FAULT_CONFIG, "no certificate to show");
		return NULL;
	}
	ERR_clear_error();
	return TAKE(chain);
}

static int
identity_read(struct tls_server *server, const struct tls_identity *id,
    unsigned *kinds, struct fault *f)
{
	OWN(x509_stack) chain = stack_read(id->chain_pem, f);
	OWN(BIO) in = BIO_new_mem_buf(id->key_pem.data, (int)id->key_pem.len);
	OWN(EVP_PKEY) key = NULL;
	OWN(X509) leaf = NULL;
	unsigned kind;

	if (chain == NULL)
		return -1;
	if (in != NULL)
		key = PEM_read_bio_PrivateKey(in, NULL, no_phrase, NULL);
	if (key == NULL)
		return ossl_fault(f, FAULT_CONFIG,
		    "no key, or it needs a pass phrase");
	kind = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? 1u : 2u;
	if ((*kinds & kind) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "a second key of the same kind: serve one RSA and one EC "
		    "certificate");
	*kinds |= kind;
	leaf = sk_X509_shift(chain);
	return context_show(server, leaf, key, chain, f);
}

struct tls_server *
tls_server_new(const struct tls_identity *ids, size_t count,
    const char *ciphers, struct fault *f)
{
	OWN_STRUCT(tls_server) server = NULL;
	unsigned kinds = 0;

	if (count == 0 || count > IDENTITIES) {
		(void)fault_set(f, FAULT_CONFIG,
		    "%zu TLS identities: 1 to %d can be served", count,
		    IDENTITIES);
		return NULL;
	}
	if ((server = context_new(TLS_server_method(), ciphers, f)) == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (identity_read(server, &ids[i], &kinds, f) < 0) {
			(void)fault_wrap(f, "tls-certificate number %zu",
			    i + 1);
			return NULL;
		}
	return TAKE(server);
}

void
tls_server_free(struct tls_server *server)
{
	context_drop(server);
}
