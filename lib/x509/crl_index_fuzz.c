/* Whatever is a CRL for crl_read is one here, and nothing else; both say the
 * same of it and of every serial.  As PEM it is the same again. */
#include "x509/crl_index.h"

#include "base/fault.h"
#include "x509/crl_reading.h"
#include "x509/crl_source.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* In pieces of ${piece}. */
static struct crl_index *
read_pieces(struct wire_bytes bytes, size_t piece)
{
	struct fault f = { 0 };
	struct crl_source source;
	struct crl_reading *r;
	struct crl_index *index = NULL;
	int done = 0;

	crl_source_memory(&source, bytes.data, bytes.len);
	must((r = crl_reading_new(&source, &f)) != NULL);
	while (done == 0) {
		size_t left = piece;

		done = crl_reading_step(r, &left, &f);
	}
	if (done > 0)
		index = crl_reading_take(r);
	crl_reading_free(r);
	return index;
}

static struct crl_index *
read_from(struct wire_bytes bytes)
{
	struct fault f = { 0 };
	struct crl_source source;
	struct crl_index *whole, *pieces;

	crl_source_memory(&source, bytes.data, bytes.len);
	whole = crl_index_read(&source, &f);
	pieces = read_pieces(bytes, 1 + bytes.len % 97);
	must((whole == NULL) == (pieces == NULL));
	if (whole != NULL)
		must(crl_index_count(whole) == crl_index_count(pieces) &&
		    crl_index_memory(whole) == crl_index_memory(pieces) &&
		    der_bytes_equal(crl_index_digest(whole),
			crl_index_digest(pieces)));
	crl_index_free(whole);
	return pieces;
}

/* The first that is on the list, as crl_find says. */
static int
find_again(void *arg, const struct crl_entry *e)
{
	struct crl_entry found;

	must(crl_index_find(arg,
		 (struct wire_bytes){ e->serial, e->serial_len }, &found) == 1);
	return 0;
}

static void
same(const struct crl_index *index, const struct crl *crl)
{
	const struct crl *head = crl_index_head(index);
	struct crl_entry none;

	must(dn_equal(&head->issuer, &crl->issuer) &&
	    head->this_update == crl->this_update &&
	    head->next_update == crl->next_update &&
	    head->number == crl->number &&
	    der_bytes_equal(head->authority_id, crl->authority_id) &&
	    der_bytes_equal(head->algorithm, crl->algorithm) &&
	    der_bytes_equal(head->signature, crl->signature));
	must(crl_each(crl, find_again, (void *)(uintptr_t)index) == 0);
	must(crl_index_find(index,
		 (struct wire_bytes){ (const uint8_t *)"\xfe\xdc", 2 },
		 &none) ==
	    crl_find(crl, (struct wire_bytes){ (const uint8_t *)"\xfe\xdc", 2 },
		&none));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_bytes der = { data, size };
	struct crl_index *index;
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);
	struct crl crl;
	bool good;

	if (size > 16384)
		return 0;
	index = read_from(der);
	good = crl_read(&crl, der, &f) == 0;
	/* Text may hold a CRL; then there is nothing to compare it with. */
	if (size > 0 && data[0] == 0x30)
		must((index != NULL) == good ||
		    (good && crl.signature.len > 1024));
	if (index != NULL && good)
		same(index, &crl);
	crl_index_free(index);
	pem_put(&pem, "X509 CRL", der);
	index = read_from((struct wire_bytes){ pem.data, pem.len });
	must((index != NULL) == good || size == 0 || data[0] != 0x30 ||
	    (good && crl.signature.len > 1024));
	if (index != NULL && good)
		same(index, &crl);
	crl_index_free(index);
	return 0;
}
