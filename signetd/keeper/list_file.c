#include "signetd/keeper/list_file.h"

#include "base/fault.h"
#include "base/file_part.h"
#include "base/text.h"
#include "sys/sealed.h"
#include "x509/crl.h"
#include "x509/crl_sum.h"
#include "x509/der.h"
#include "x509/key_hash.h"
#include "x509/pem.h"
#include "x509/tbs.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES 2000  /* read in a step: a third of a millisecond */
#define PIECE 65536u  /* octets hashed or written in a step */
#define HEAD_MOST 64u /* octets of the outer header */
#define TAIL_MOST 2048u

enum stage {
	STAGE_READ,   /* the strict reader walks it */
	STAGE_HASH,   /* for the signature */
	STAGE_WRITE,  /* DER and PEM, side by side */
	STAGE_SYNC,   /* DER, then PEM */
	STAGE_SYNC_2, /* both are on the disk before either is renamed */
	STAGE_PLACE,
	STAGE_DONE
};

struct list_file {
	const struct authority *authority;
	struct list_want want;
	struct sealed sealed;
	struct tbs_crl tbs;
	struct key_hash *hash; /* of the TBSCertList; then of all */
	uint8_t signature[1024];
	size_t signature_len;
	enum stage stage;
	size_t at; /* octets of the TBSCertList that are done */
	struct buf head;
	struct buf tail;
	struct buf text;
	struct buf whole; /* the list, while it is short */
	struct file_part der;
	struct file_part pem;
	struct pem_out out;
	uint8_t digest[KEY_HASH_MAX];
	size_t digest_len;
	char old_der[PATH_MAX];
	char old_pem[PATH_MAX];
};

static int
path_of(const char *dir, const char *ca, const char *suffix,
    char path[PATH_MAX], struct fault *f)
{
	if (text_fmt(path, PATH_MAX, "%s/%s.%s", dir, ca, suffix) < 0)
		return fault_set(f, FAULT_CONFIG, "path too long");
	return 0;
}

static int
open_files(struct list_file *l, const char *dir, struct fault *f)
{
	const char *ca = l->authority->conf.name;
	char der[PATH_MAX], pem[PATH_MAX];

	if (path_of(dir, ca, "crl", der, f) < 0 ||
	    path_of(dir, ca, "r0", pem, f) < 0 ||
	    path_of(dir, ca, "crl.old", l->old_der, f) < 0 ||
	    path_of(dir, ca, "r0.old", l->old_pem, f) < 0 ||
	    file_part_open(&l->der, der, 0644, f) < 0)
		return -1;
	return file_part_open(&l->pem, pem, 0644, f);
}

struct list_file *
list_file_new(const char *dir, const struct authority *authority,
    const struct list_want *want, struct wire_bytes signature, int fd,
    struct fault *f)
{
	struct list_file *l = calloc(1, sizeof(*l));

	if (l == NULL || signature.len > sizeof(l->signature)) {
		(void)fault_set(f, FAULT_MEMORY, "CRL");
		free(l);
		return NULL;
	}
	l->authority = authority;
	l->want = *want;
	l->der.fd = l->pem.fd = -1;
	l->head = BUF(HEAD_MOST);
	l->tail = BUF(TAIL_MOST);
	l->text = BUF(2 * PIECE + TAIL_MOST);
	l->whole = BUF(LEDGER_LIST_MOST);
	if (signature.len > 0)
		memcpy(l->signature, signature.data, signature.len);
	l->signature_len = signature.len;
	if (sealed_map(&l->sealed, fd, CRL_BYTES_MAX, f) < 0 ||
	    tbs_crl_open(&l->tbs, l->sealed.bytes, authority, want->now, f) <
		0 ||
	    (l->hash = key_hash_new(authority->cert->spki.kind, f)) == NULL ||
	    open_files(l, dir, f) < 0) {
		list_file_free(l);
		return NULL;
	}
	l->tbs.sum = want->sum;
	return l;
}

void
list_file_free(struct list_file *l)
{
	if (l == NULL)
		return;
	sealed_unmap(&l->sealed);
	key_hash_free(l->hash);
	file_part_drop(&l->der);
	file_part_drop(&l->pem);
	buf_free(&l->head);
	buf_free(&l->tail);
	buf_free(&l->text);
	buf_free(&l->whole);
	free(l);
}

/* The next piece of the TBSCertList; empty at its end. */
static struct wire_bytes
next_piece(struct list_file *l)
{
	struct wire_bytes all = l->sealed.bytes;
	size_t n = all.len - l->at < PIECE ? all.len - l->at : PIECE;
	struct wire_bytes piece = { all.data + l->at, n };

	l->at += n;
	return piece;
}

/* It must be the list that was asked for, with all that was to be on it. */
static int
read_some(struct list_file *l, struct fault *f)
{
	int more = tbs_crl_step(&l->tbs, ENTRIES, f);

	if (more != 0)
		return more;
	if (l->tbs.number != l->want.number ||
	    l->tbs.this_update != l->want.this_update ||
	    l->tbs.count != l->want.count || !crl_sum_even(l->want.sum))
		return fault_set(f, FAULT_DENIED,
		    "a CRL that is not the one that was asked for");
	l->stage = STAGE_HASH;
	return 1;
}

/* The outer header and what follows the TBSCertList. */
static int
wrap(struct list_file *l, struct fault *f)
{
	struct wire_bytes algorithm =
	    key_signature_algorithm(l->authority->cert->spki.kind);

	buf_put(&l->tail, algorithm.data, algorithm.len);
	der_put_bits(&l->tail, l->signature, l->signature_len);
	der_put_header(&l->head, DER_SEQUENCE,
	    l->sealed.bytes.len + l->tail.len);
	if (l->head.failed || l->tail.failed)
		return fault_set(f, FAULT_MEMORY, "CRL");
	return 0;
}

/* The same bytes into both files, the digest, and the book if they are few. */
static int
put(struct list_file *l, struct wire_bytes piece, struct fault *f)
{
	key_hash_add(l->hash, piece);
	if (list_file_size(l) <= LEDGER_LIST_MOST)
		buf_put(&l->whole, piece.data, piece.len);
	pem_add(&l->out, piece, &l->text);
	if (l->text.failed || l->whole.failed)
		return fault_set(f, FAULT_MEMORY, "CRL");
	if (file_part_put(&l->der, piece, f) < 0 ||
	    file_part_put(&l->pem,
		(struct wire_bytes){ l->text.data, l->text.len }, f) < 0)
		return -1;
	l->text.len = 0;
	return 0;
}

static int
verify(struct list_file *l, struct fault *f)
{
	struct wire_bytes signature = { l->signature, l->signature_len };

	if (key_hash_verify(l->hash, &l->authority->cert->spki, signature, f) <
	    0) {
		f->code = FAULT_UNTRUSTED;
		return fault_wrap(f, "CRL");
	}
	key_hash_free(l->hash);
	if ((l->hash = key_hash_new(KEY_P256, f)) == NULL || wrap(l, f) < 0)
		return -1;
	pem_begin(&l->out, "X509 CRL", &l->text);
	l->at = 0;
	l->stage = STAGE_WRITE;
	return put(l, (struct wire_bytes){ l->head.data, l->head.len }, f);
}

static int
hash_some(struct list_file *l, struct fault *f)
{
	struct wire_bytes piece = next_piece(l);

	if (piece.len > 0)
		key_hash_add(l->hash, piece);
	else if (verify(l, f) < 0)
		return -1;
	return 1;
}

static int
write_some(struct list_file *l, struct fault *f)
{
	struct wire_bytes piece = next_piece(l);

	if (piece.len > 0)
		return put(l, piece, f) < 0 ? -1 : 1;
	piece = (struct wire_bytes){ l->tail.data, l->tail.len };
	if (put(l, piece, f) < 0 ||
	    key_hash_end(l->hash, l->digest, &l->digest_len, f) < 0)
		return -1;
	pem_end(&l->out, &l->text);
	piece = (struct wire_bytes){ l->text.data, l->text.len };
	if (file_part_put(&l->pem, piece, f) < 0)
		return -1;
	l->stage = STAGE_SYNC;
	return 1;
}

int
list_file_step(struct list_file *l, struct fault *f)
{
	switch (l->stage) {
	case STAGE_READ:
		return read_some(l, f);
	case STAGE_HASH:
		return hash_some(l, f);
	case STAGE_WRITE:
		return write_some(l, f);
	case STAGE_SYNC:
		l->stage = STAGE_SYNC_2;
		return file_part_sync(&l->der, f) < 0 ? -1 : 1;
	case STAGE_SYNC_2:
		l->stage = STAGE_PLACE;
		return file_part_sync(&l->pem, f) < 0 ? -1 : 1;
	case STAGE_PLACE:
		l->stage = STAGE_DONE;
		if (file_part_end(&l->der, true, l->old_der, f) < 0 ||
		    file_part_end(&l->pem, true, l->old_pem, f) < 0)
			return -1;
		return 0;
	case STAGE_DONE:
		break;
	}
	return 0;
}

struct wire_bytes
list_file_content(const struct list_file *l)
{
	if (list_file_size(l) <= LEDGER_LIST_MOST)
		return (struct wire_bytes){ l->whole.data, l->whole.len };
	return (struct wire_bytes){ l->digest, l->digest_len };
}

struct ledger_list
list_file_list(const struct list_file *l)
{
	return (struct ledger_list){ .number = l->tbs.number,
		.this_update = l->tbs.this_update,
		.next_update = l->tbs.next_update };
}

const char *
list_file_path(const struct list_file *l)
{
	return l->der.path;
}

size_t
list_file_size(const struct list_file *l)
{
	return l->head.len + l->sealed.bytes.len + l->tail.len;
}

bool
list_file_there(const char *dir, const char *ca)
{
	char path[PATH_MAX];
	struct fault ignored = { 0 };

	return path_of(dir, ca, "crl", path, &ignored) == 0 &&
	    access(path, F_OK) == 0;
}

/* CA.crl or CA.r0 with the six letters of a temporary file behind it. */
static bool
is_half(const char *file, const char *ca)
{
	size_t len = strlen(ca);
	const char *rest = file + len;

	if (strncmp(file, ca, len) != 0)
		return false;
	if (strncmp(rest, ".crl.", 5) == 0)
		return strlen(rest + 5) == 6;
	return strncmp(rest, ".r0.", 4) == 0 && strlen(rest + 4) == 6;
}

void
list_file_tidy(const char *dir, const char *ca)
{
	DIR *open = opendir(dir);
	const struct dirent *file;

	if (open == NULL)
		return;
	while ((file = readdir(open)) != NULL)
		if (is_half(file->d_name, ca))
			(void)unlinkat(dirfd(open), file->d_name, 0);
	(void)closedir(open);
}
