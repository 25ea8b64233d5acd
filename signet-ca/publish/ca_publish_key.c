/* publish-key, and what is done with the key. */
#include "ca_publish_key.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_phrase.h"
#include "x509/pem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define KEY_MOST 65536

static int
public_path(const char *path, char public[PATH_MAX], struct fault *f)
{
	if (text_fmt(public, PATH_MAX, "%s.pub", path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

static int
write_public(const struct key *key, const char *path, struct fault *f)
{
	OWN_BUF(pem, KEY_MOST);
	char public[PATH_MAX];

	pem_put(&pem, "PUBLIC KEY", key_spki(key)->der);
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "key");
	if (public_path(path, public, f) < 0)
		return -1;
	return file_write(public, 0644, pem.data, pem.len, f);
}

/* The public half goes first: without the private one it says nothing, and the
 * command can be run again. */
int
ca_publish_key(const struct ca_args *args, struct fault *f)
{
	const char *path = args->operand[0];
	OWN_STRUCT(secret) phrase = NULL;
	OWN_STRUCT(key) key = NULL;
	OWN_BUF(pem, KEY_MOST);

	if (access(path, F_OK) == 0)
		return fault_set(f, FAULT_DENIED,
		    "%s is there already; nothing is overwritten", path);
	if (ca_phrase_new(args->no_passphrase, args->passphrase_fd,
		"the publication key", &phrase, f) < 0 ||
	    (key = key_make("ec:P-256", f)) == NULL ||
	    key_write_pem(key, phrase, &pem, f) < 0 ||
	    write_public(key, path, f) < 0)
		return -1;
	return file_write_new(path, 0600, pem.data, pem.len, f);
}

static int
read_public(struct publish_key *k, struct fault *f)
{
	char public[PATH_MAX];
	size_t at = 0;
	int found;

	if (public_path(k->path, public, f) < 0)
		return -1;
	if (file_read(public, &k->pem, f) < 0) {
		if (f->code == FAULT_ABSENT)
			(void)fault_set(f, FAULT_ABSENT,
			    "there is no publication key; make one: signet-ca "
			    "publish-key %s",
			    k->path);
		return -1;
	}
	found =
	    pem_next(k->pem.data, k->pem.len, &at, "PUBLIC KEY", &k->der, f);
	if (found == 0)
		return fault_set(f, FAULT_KEY, "%s: no public key", public);
	if (found < 0 ||
	    spki_read(&k->spki, (struct wire_bytes){ k->der.data, k->der.len },
		f) < 0)
		return fault_wrap(f, "%s", public);
	if (k->spki.kind != KEY_P256)
		return fault_set(f, FAULT_KEY,
		    "%s: a publication key is on the curve P-256", public);
	return 0;
}

/* Who had the file of a CA's key would sign packages with it, and the other
 * way round. */
static int
check_apart(const struct publish_key *k, const struct publish_set *s,
    struct fault *f)
{
	for (size_t i = 0; i < s->count; i++)
		if (der_bytes_equal(k->spki.der,
			s->ca[i].dir->authority.cert->spki.der))
			return fault_set(f, FAULT_DENIED,
			    "the publication key is the key of %s; it must be "
			    "one of its own",
			    s->ca[i].alias);
	return 0;
}

int
publish_key_open(struct publish_key *k, const struct publish_conf *c,
    const struct publish_set *s, struct fault *f)
{
	*k = (struct publish_key){ .pem = BUF(KEY_MOST), .der = BUF(KEY_MOST) };
	if (publish_conf_path(c, c->publication_key, k->path, f) < 0 ||
	    read_public(k, f) < 0 || check_apart(k, s, f) < 0) {
		publish_key_clear(k);
		return -1;
	}
	return 0;
}

void
publish_key_clear(struct publish_key *k)
{
	buf_free(&k->pem);
	buf_free(&k->der);
	*k = (struct publish_key){ 0 };
}

static struct wire_bytes
bytes(const struct buf *b)
{
	return (struct wire_bytes){ b->data, b->len };
}

bool
publish_key_made(const struct publish_key *k, const struct buf *data,
    const struct buf *signature)
{
	struct fault ignored = { 0 };

	return spki_verify(&k->spki, key_signature_algorithm(KEY_P256),
		   bytes(data), bytes(signature), &ignored) == 0;
}

int
publish_key_sign(const struct publish_key *k, const char *fd,
    const struct buf *data, struct buf *signature, struct fault *f)
{
	OWN_STRUCT(secret) phrase = NULL;
	OWN_STRUCT(key) key = NULL;
	OWN_BUF(pem, KEY_MOST);

	if (file_read_private(k->path, &pem, f) < 0)
		return -1;
	if (key_is_encrypted(pem.data, pem.len) &&
	    (phrase = ca_phrase_ask("the publication key", fd, f)) == NULL)
		return -1;
	if ((key = key_read_pem(pem.data, pem.len, phrase, f)) == NULL)
		return fault_wrap(f, "%s", k->path);
	if (!der_bytes_equal(key_spki(key)->der, k->spki.der))
		return fault_set(f, FAULT_KEY,
		    "%s and %s.pub do not belong together", k->path, k->path);
	if (key_sign(key, bytes(data), signature, f) < 0)
		return -1;
	return publish_key_made(k, data, signature)
	    ? 0
	    : fault_set(f, FAULT_INTERNAL, "the signature does not verify");
}
