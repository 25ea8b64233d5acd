#include "ledger/log_key.h"

#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_entry.h"
#include "x509/ossl.h"
#include "x509/own_ssl.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define ED25519 0x01 /* C2SP signed-note: the algorithm of a key */

/* RFC 8410 section 7: what is before the 32 octets of a private key. */
static const uint8_t pkcs8_head[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05,
	0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20 };

struct log_key {
	EVP_PKEY *pkey;
	struct log_pub pub;
};

void
log_key_free(struct log_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const struct log_pub *
log_key_pub(const struct log_key *key)
{
	return &key->pub;
}

static int
hash(const struct wire_bytes *parts, size_t count,
    uint8_t out[LEDGER_HASH_SIZE], struct fault *f)
{
	struct ledger_hasher h;
	int result;

	if (ledger_hasher_open(&h, f) < 0)
		return -1;
	result = ledger_hasher_run(&h, parts, count, out, f);
	ledger_hasher_close(&h);
	return result;
}

static bool
is_name(const char *name)
{
	return *name != '\0' && text_printable(name) &&
	    strpbrk(name, " +") == NULL;
}

/* Give the key ${pub->name} its identifier. */
static int
identify(struct log_pub *pub, struct fault *f)
{
	static const uint8_t between[] = { '\n', ED25519 };
	const struct wire_bytes parts[] = {
		{ (const uint8_t *)pub->name, strlen(pub->name) },
		{ between, sizeof(between) },
		{ pub->key, sizeof(pub->key) },
	};
	uint8_t whole[LEDGER_HASH_SIZE];

	if (!is_name(pub->name))
		return fault_set(f, FAULT_INPUT,
		    "a log's name is printable ASCII without blank and plus");
	if (hash(parts, 3, whole, f) < 0)
		return -1;
	memcpy(pub->id, whole, sizeof(pub->id));
	return 0;
}

static int
name_after(struct log_pub *pub, const char *prefix, struct fault *f)
{
	const struct wire_bytes part = { pub->key, sizeof(pub->key) };
	uint8_t whole[LEDGER_HASH_SIZE];
	char hex[9];

	if (hash(&part, 1, whole, f) < 0)
		return -1;
	text_hex(whole, 4, hex);
	if (text_fmt(pub->name, sizeof(pub->name), "%s/%s", prefix, hex) < 0)
		return fault_set(f, FAULT_INPUT, "the log's name is too long");
	return 0;
}

/* The key around ${pkey}, which it owns from now on whatever happens. */
static struct log_key *
wrap(EVP_PKEY *pkey, const char *prefix, struct fault *f)
{
	OWN_STRUCT(log_key) key = calloc(1, sizeof(*key));
	size_t len = LOG_KEY_SIZE;

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		(void)fault_set(f, FAULT_MEMORY, "log key");
		return NULL;
	}
	key->pkey = pkey;
	if (EVP_PKEY_get_raw_public_key(pkey, key->pub.key, &len) != 1 ||
	    len != LOG_KEY_SIZE) {
		(void)ossl_fault(f, FAULT_KEY, "log key");
		return NULL;
	}
	if (name_after(&key->pub, prefix, f) < 0 || identify(&key->pub, f) < 0)
		return NULL;
	return TAKE(key);
}

struct log_key *
log_key_make(const char *prefix, struct fault *f)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (pkey == NULL) {
		(void)ossl_fault(f, FAULT_INTERNAL, "making a log key");
		return NULL;
	}
	return wrap(pkey, prefix, f);
}

/* The name that stands before the key, if any. */
static int
read_name(struct log_pub *pub, const char *text, size_t len, struct fault *f)
{
	static const char mark[] = "Log-Name: ";
	const char *end;
	size_t size;

	if (len < sizeof(mark) - 1 || memcmp(text, mark, sizeof(mark) - 1) != 0)
		return 0;
	text += sizeof(mark) - 1;
	len -= sizeof(mark) - 1;
	end = memchr(text, '\n', len);
	size = end == NULL ? len : (size_t)(end - text);
	if (size >= sizeof(pub->name) || memchr(text, '\0', size) != NULL)
		return fault_set(f, FAULT_INPUT, "the log's name is too long");
	memcpy(pub->name, text, size);
	pub->name[size] = '\0';
	return identify(pub, f);
}

struct log_key *
log_key_read(const void *pem, size_t len, const char *prefix, struct fault *f)
{
	OWN_STRUCT(log_key) key = NULL;
	OWN_BUF(der, LOG_FILE_MAX);
	EVP_PKEY *pkey;
	size_t at = 0;

	if (pem_next(pem, len, &at, "PRIVATE KEY", &der, f) != 1 ||
	    der.len != sizeof(pkcs8_head) + LOG_KEY_SIZE ||
	    memcmp(der.data, pkcs8_head, sizeof(pkcs8_head)) != 0) {
		(void)fault_set(f, FAULT_KEY,
		    "the log key is not an Ed25519 key in PEM (PKCS#8)");
		return NULL;
	}
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
	    der.data + sizeof(pkcs8_head), LOG_KEY_SIZE);
	if (pkey == NULL) {
		(void)ossl_fault(f, FAULT_KEY, "log key");
		return NULL;
	}
	if ((key = wrap(pkey, prefix, f)) == NULL ||
	    read_name(&key->pub, pem, len, f) < 0)
		return NULL;
	return TAKE(key);
}

int
log_key_write(const struct log_key *key, struct buf *out, struct fault *f)
{
	OWN_BUF(der, sizeof(pkcs8_head) + LOG_KEY_SIZE);
	size_t len = LOG_KEY_SIZE;
	uint8_t *raw;

	buf_put(&der, pkcs8_head, sizeof(pkcs8_head));
	raw = buf_room(&der, LOG_KEY_SIZE);
	if (raw == NULL ||
	    EVP_PKEY_get_raw_private_key(key->pkey, raw, &len) != 1 ||
	    len != LOG_KEY_SIZE)
		return ossl_fault(f, FAULT_MEMORY, "log key");
	der.len += LOG_KEY_SIZE;
	buf_fmt(out, "Log-Name: %s\n", key->pub.name);
	pem_put(out, "PRIVATE KEY", (struct wire_bytes){ der.data, der.len });
	return out->failed ? fault_set(f, FAULT_MEMORY, "log key") : 0;
}

int
log_key_sign(const struct log_key *key, struct wire_bytes data,
    uint8_t signature[LOG_SIGNATURE_SIZE], struct fault *f)
{
	OWN(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
	size_t len = LOG_SIGNATURE_SIZE;

	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey,
		NULL) != 1 ||
	    EVP_DigestSign(ctx, signature, &len, data.data, data.len) != 1 ||
	    len != LOG_SIGNATURE_SIZE)
		return ossl_fault(f, FAULT_INTERNAL, "signing a head");
	return 0;
}

int
log_pub_verify(const struct log_pub *pub, struct wire_bytes data,
    const uint8_t signature[LOG_SIGNATURE_SIZE], struct fault *f)
{
	OWN(EVP_PKEY)
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub->key,
	    sizeof(pub->key));
	OWN(EVP_MD_CTX) ctx = EVP_MD_CTX_new();

	if (pkey == NULL || ctx == NULL ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) !=
		1)
		return ossl_fault(f, FAULT_INTERNAL, "log key");
	if (EVP_DigestVerify(ctx, signature, LOG_SIGNATURE_SIZE, data.data,
		data.len) != 1)
		return ossl_fault(f, FAULT_UNTRUSTED,
		    "the signature is not by the log key %s", pub->name);
	return 0;
}

static int
no_pub(struct fault *f)
{
	return fault_set(f, FAULT_INPUT,
	    "a log's public key is one line: NAME+ID+BASE64");
}

int
log_pub_read(const void *text, size_t len, struct log_pub *pub, struct fault *f)
{
	char line[LOG_NAME_SIZE + 2 + 2 * LOG_ID_SIZE +
	    TEXT_BASE64_SIZE(1 + LOG_KEY_SIZE)];
	uint8_t bytes[1 + LOG_KEY_SIZE], id[LOG_ID_SIZE];
	char *hex, *base64;

	if (len > 0 && ((const char *)text)[len - 1] == '\n')
		len--;
	if (len >= sizeof(line) || memchr(text, '\0', len) != NULL)
		return no_pub(f);
	memcpy(line, text, len);
	line[len] = '\0';
	hex = strchr(line, '+');
	base64 = hex != NULL ? strchr(hex + 1, '+') : NULL;
	if (base64 == NULL)
		return no_pub(f);
	*hex++ = '\0';
	*base64++ = '\0';
	memset(pub, 0, sizeof(*pub));
	if (text_copy(pub->name, sizeof(pub->name), line) < 0 ||
	    text_unhex(hex, id, sizeof(id)) != (int)sizeof(id) ||
	    text_unbase64(base64, strlen(base64), bytes, sizeof(bytes)) !=
		(int)sizeof(bytes) ||
	    bytes[0] != ED25519)
		return no_pub(f);
	memcpy(pub->key, bytes + 1, sizeof(pub->key));
	if (identify(pub, f) < 0)
		return -1;
	if (memcmp(pub->id, id, sizeof(id)) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the log's public key %s does not fit its identifier",
		    pub->name);
	return 0;
}

int
log_pub_write(const struct log_pub *pub, struct buf *out, struct fault *f)
{
	char base64[TEXT_BASE64_SIZE(1 + LOG_KEY_SIZE)];
	uint8_t bytes[1 + LOG_KEY_SIZE] = { ED25519 };
	char hex[2 * LOG_ID_SIZE + 1];

	memcpy(bytes + 1, pub->key, sizeof(pub->key));
	text_base64(bytes, sizeof(bytes), base64);
	text_hex(pub->id, sizeof(pub->id), hex);
	buf_fmt(out, "%s+%s+%s\n", pub->name, hex, base64);
	return out->failed ? fault_set(f, FAULT_MEMORY, "log key") : 0;
}
