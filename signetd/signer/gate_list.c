#include "signetd/signer/gate_list.h"

#include "base/fault.h"
#include "sys/sealed.h"
#include "x509/crl.h"
#include "x509/key_hash.h"
#include "x509/tbs.h"

#include <stdlib.h>

#define ENTRIES 2000
#define PIECE 65536u

struct gate_list {
	const struct key *key; /* NULL: it is in a token */
	struct sealed sealed;
	struct tbs_crl tbs;
	struct key_hash *hash;
	bool read; /* by the strict reader, to the last byte */
	size_t at; /* octets that are hashed */
};

struct gate_list *
gate_list_new(const struct gate *gate, const char *ca, int fd, time_t now,
    struct fault *f)
{
	struct gate_list *list = calloc(1, sizeof(*list));
	const struct authority *authority;

	if (list == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "CRL");
		return NULL;
	}
	authority = gate_authority(gate, ca);
	list->key = gate_key(gate, ca);
	if (authority == NULL) {
		(void)fault_set(f, FAULT_DENIED, "no CA is called %s", ca);
		gate_list_free(list);
		return NULL;
	}
	if (sealed_map(&list->sealed, fd, CRL_BYTES_MAX, f) < 0 ||
	    tbs_crl_open(&list->tbs, list->sealed.bytes, authority, now, f) <
		0 ||
	    (list->hash = key_hash_new(authority->cert->spki.kind, f)) ==
		NULL) {
		gate_list_free(list);
		return NULL;
	}
	return list;
}

void
gate_list_free(struct gate_list *list)
{
	if (list == NULL)
		return;
	sealed_unmap(&list->sealed);
	key_hash_free(list->hash);
	free(list);
}

int
gate_list_step(struct gate_list *list, struct fault *f)
{
	struct wire_bytes all = list->sealed.bytes;
	size_t n = all.len - list->at < PIECE ? all.len - list->at : PIECE;
	int more;

	if (!list->read) {
		if ((more = tbs_crl_step(&list->tbs, ENTRIES, f)) < 0)
			return -1;
		list->read = more == 0;
		return 1;
	}
	key_hash_add(list->hash, (struct wire_bytes){ all.data + list->at, n });
	list->at += n;
	return list->at < all.len ? 1 : 0;
}

uint64_t
gate_list_number(const struct gate_list *list)
{
	return list->tbs.number;
}

static int
check_read(const struct gate_list *list, struct fault *f)
{
	if (!list->read || list->at < list->sealed.bytes.len)
		return fault_set(f, FAULT_INTERNAL,
		    "a CRL that was not read to its end");
	return 0;
}

int
gate_list_sign(struct gate_list *list, struct buf *signature, struct fault *f)
{
	if (check_read(list, f) < 0)
		return -1;
	if (list->key == NULL)
		return fault_set(f, FAULT_INTERNAL, "no key here");
	return key_hash_sign(list->hash, list->key, signature, f);
}

int
gate_list_digest(struct gate_list *list, struct gate_digest *digest,
    struct fault *f)
{
	if (check_read(list, f) < 0)
		return -1;
	return key_hash_end(list->hash, digest->data, &digest->len, f);
}
