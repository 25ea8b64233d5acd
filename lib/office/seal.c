#include "office/seal.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "office/seal_part.h"
#include "x509/ossl.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRYPT_N ((uint64_t)1 << 17)
#define SCRYPT_R 8
#define SCRYPT_P 1
#define SCRYPT_MEMORY ((uint64_t)256 << 20) /* twice what it takes */
#define NONCE_SIZE 12
#define MAGIC_SIZE 16

/* What both directions have. */
struct seal {
	int fd;
	struct secret *key; /* owned */
	EVP_CIPHER_CTX *cipher;
	uint8_t header[SEAL_HEADER_SIZE];
	uint64_t number; /* of the chunk that comes next */
	size_t chunk;
};

struct seal_out {
	struct seal s;
	size_t len;
	uint8_t plain[SEAL_CHUNK];
	uint8_t sealed[SEAL_CHUNK + SEAL_TAG_SIZE];
};

/* Reads one octet more than a chunk, to see whether it is the last. */
struct seal_in {
	struct seal s;
	bool ended;
	bool failed;
	size_t at; /* of what was not yet handed out */
	size_t len;
	size_t ahead; /* octets of the next chunk that were read: 0 or 1 */
	uint8_t plain[SEAL_CHUNK];
	uint8_t sealed[SEAL_CHUNK + SEAL_TAG_SIZE + 1];
};

static int
cipher_fault(struct fault *f)
{
	return ossl_fault(f, FAULT_SYSTEM, "AES-256-GCM");
}

static struct secret *
derive(const struct secret *phrase, const uint8_t *salt, struct fault *f)
{
	OWN_STRUCT(secret) key = secret_new(SEAL_KEY_SIZE, f);

	if (key == NULL)
		return NULL;
	if (EVP_PBE_scrypt(secret_text(phrase), secret_len(phrase), salt,
		SEAL_SALT_SIZE, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_MEMORY,
		secret_data(key), SEAL_KEY_SIZE) != 1) {
		(void)ossl_fault(f, FAULT_MEMORY,
		    "scrypt, which takes 128 MiB of memory");
		return NULL;
	}
	secret_set_len(key, SEAL_KEY_SIZE);
	return TAKE(key);
}

/* Takes the key also when it fails. */
static int
start(struct seal *s, int fd, const uint8_t *header, struct secret *key,
    size_t chunk, struct fault *f)
{
	s->fd = fd;
	s->key = key;
	s->chunk = chunk;
	memcpy(s->header, header, SEAL_HEADER_SIZE);
	s->cipher = EVP_CIPHER_CTX_new();
	return s->cipher == NULL ? cipher_fault(f) : 0;
}

static void
stop(struct seal *s)
{
	secret_free(s->key);
	EVP_CIPHER_CTX_free(s->cipher);
}

/* Before a chunk: its nonce says where it stands, and whether it is the
 * last. */
static int
set_up(struct seal *s, bool last, bool encrypt, struct fault *f)
{
	uint8_t nonce[NONCE_SIZE] = { last ? 1 : 0 };
	int len = 0;

	for (int i = 0; i < 8; i++)
		nonce[NONCE_SIZE - 1 - i] = (uint8_t)(s->number >> (8 * i));
	if (EVP_CipherInit_ex(s->cipher, EVP_aes_256_gcm(), NULL,
		secret_data(s->key), nonce, encrypt ? 1 : 0) != 1 ||
	    EVP_CipherUpdate(s->cipher, NULL, &len, s->header,
		SEAL_HEADER_SIZE) != 1)
		return cipher_fault(f);
	s->number++;
	return 0;
}

static int
write_chunk(struct seal_out *out, bool last, struct fault *f)
{
	struct seal *s = &out->s;
	int len = 0, rest = 0;

	if (set_up(s, last, true, f) < 0)
		return -1;
	if (EVP_CipherUpdate(s->cipher, out->sealed, &len, out->plain,
		(int)out->len) != 1 ||
	    EVP_CipherFinal_ex(s->cipher, out->sealed + len, &rest) != 1 ||
	    EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE,
		out->sealed + out->len) != 1)
		return cipher_fault(f);
	if (file_write_all(s->fd, out->sealed, out->len + SEAL_TAG_SIZE, f) < 0)
		return -1;
	out->len = 0;
	return 0;
}

struct seal_out *
seal_out_begin(int fd, const uint8_t header[SEAL_HEADER_SIZE],
    struct secret *key, size_t chunk, struct fault *f)
{
	OWN_STRUCT(seal_out) out = calloc(1, sizeof(*out));

	if (out == NULL) {
		secret_free(key);
		(void)fault_set(f, FAULT_MEMORY, "seal");
		return NULL;
	}
	if (start(&out->s, fd, header, key, chunk, f) < 0 ||
	    file_write_all(fd, header, SEAL_HEADER_SIZE, f) < 0)
		return NULL;
	return TAKE(out);
}

struct seal_out *
seal_out_new(int fd, const struct secret *phrase, struct fault *f)
{
	uint8_t header[SEAL_HEADER_SIZE];
	struct secret *key;

	memcpy(header, SEAL_MAGIC, MAGIC_SIZE);
	rand_bytes(header + MAGIC_SIZE, SEAL_SALT_SIZE);
	if ((key = derive(phrase, header + MAGIC_SIZE, f)) == NULL)
		return NULL;
	return seal_out_begin(fd, header, key, SEAL_CHUNK, f);
}

int
seal_put(struct seal_out *out, const void *data, size_t len, struct fault *f)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t room = out->s.chunk - out->len;
		size_t part = len < room ? len : room;

		/* A full chunk waits until it is known not to be the last. */
		if (part == 0) {
			if (write_chunk(out, false, f) < 0)
				return -1;
			continue;
		}
		memcpy(out->plain + out->len, at, part);
		out->len += part;
		at += part;
		len -= part;
	}
	return 0;
}

int
seal_out_end(struct seal_out *out, struct fault *f)
{
	return write_chunk(out, true, f);
}

void
seal_out_free(struct seal_out *out)
{
	if (out == NULL)
		return;
	stop(&out->s);
	secret_wipe(out->plain, sizeof(out->plain));
	free(out);
}

/* Up to ${size} octets; fewer only at the end of the file. */
static int
read_full(int fd, uint8_t *to, size_t size, size_t *len, struct fault *f)
{
	*len = 0;
	while (*len < size) {
		ssize_t got = read(fd, to + *len, size - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "read: %s",
			    strerror(errno));
		if (got == 0)
			return 0;
		*len += (size_t)got;
	}
	return 0;
}

struct seal_in *
seal_in_begin(int fd, const uint8_t header[SEAL_HEADER_SIZE],
    struct secret *key, size_t chunk, struct fault *f)
{
	OWN_STRUCT(seal_in) in = calloc(1, sizeof(*in));

	if (in == NULL) {
		secret_free(key);
		(void)fault_set(f, FAULT_MEMORY, "seal");
		return NULL;
	}
	if (start(&in->s, fd, header, key, chunk, f) < 0)
		return NULL;
	return TAKE(in);
}

struct seal_in *
seal_in_new(int fd, const struct secret *phrase, struct fault *f)
{
	uint8_t header[SEAL_HEADER_SIZE];
	struct secret *key;
	size_t len = 0;

	if (read_full(fd, header, sizeof(header), &len, f) < 0)
		return NULL;
	if (len < sizeof(header) ||
	    memcmp(header, SEAL_MAGIC, MAGIC_SIZE) != 0) {
		(void)fault_set(f, FAULT_INPUT,
		    "not a sealed file of Signet's");
		return NULL;
	}
	if ((key = derive(phrase, header + MAGIC_SIZE, f)) == NULL)
		return NULL;
	return seal_in_begin(fd, header, key, SEAL_CHUNK, f);
}

static int
refuse_chunk(const struct seal *s, struct fault *f)
{
	if (s->number == 1)
		return fault_set(f, FAULT_LOGIN,
		    "wrong pass phrase, or the file was altered");
	return fault_set(f, FAULT_INPUT,
	    "altered, cut off or put together anew: chunk %llu is not what "
	    "was written there",
	    (unsigned long long)(s->number - 1));
}

/* Decrypt the ${len} octets at ${in->sealed}.  Nothing of a chunk is handed
 * out before its tag was checked. */
static int
open_chunk(struct seal_in *in, size_t len, bool last, struct fault *f)
{
	struct seal *s = &in->s;
	int got = 0, rest = 0;

	if (set_up(s, last, false, f) < 0)
		return -1;
	if (len < SEAL_TAG_SIZE)
		return refuse_chunk(s, f);
	in->len = len - SEAL_TAG_SIZE;
	in->at = 0;
	if (EVP_CIPHER_CTX_ctrl(s->cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE,
		in->sealed + in->len) != 1 ||
	    EVP_CipherUpdate(s->cipher, in->plain, &got, in->sealed,
		(int)in->len) != 1 ||
	    EVP_CipherFinal_ex(s->cipher, in->plain + got, &rest) != 1) {
		in->len = 0;
		return refuse_chunk(s, f);
	}
	return 0;
}

static int
read_chunk(struct seal_in *in, struct fault *f)
{
	size_t whole = in->s.chunk + SEAL_TAG_SIZE;
	size_t len = 0;
	bool last;

	if (read_full(in->s.fd, in->sealed + in->ahead, whole + 1 - in->ahead,
		&len, f) < 0)
		return -1;
	len += in->ahead;
	last = len <= whole;
	if (open_chunk(in, last ? len : whole, last, f) < 0)
		return -1;
	/* The writer begins no chunk that it has nothing for. */
	if (last && in->len == 0 && in->s.number > 1)
		return refuse_chunk(&in->s, f);
	in->ended = last;
	in->ahead = last ? 0 : 1;
	in->sealed[0] = in->sealed[whole];
	return 0;
}

int
seal_get(struct seal_in *in, void *to, size_t size, size_t *len,
    struct fault *f)
{
	size_t part;

	if (in->failed)
		return fault_set(f, FAULT_INPUT, "reading a broken file on");
	if (in->at == in->len && !in->ended && read_chunk(in, f) < 0) {
		in->failed = true;
		return -1;
	}
	part = in->len - in->at < size ? in->len - in->at : size;
	memcpy(to, in->plain + in->at, part);
	in->at += part;
	*len = part;
	return 0;
}

void
seal_in_free(struct seal_in *in)
{
	if (in == NULL)
		return;
	stop(&in->s);
	secret_wipe(in->plain, sizeof(in->plain));
	free(in);
}
