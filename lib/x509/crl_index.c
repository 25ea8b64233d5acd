#include "x509/crl_index.h"

#include "base/fault.h"
#include "x509/crl_index_part.h"
#include "x509/crl_reading.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct crl_index *
crl_index_read(struct crl_source *source, struct fault *f)
{
	OWN_STRUCT(crl_reading) r = crl_reading_new(source, f);
	size_t left = SIZE_MAX;

	if (r == NULL || crl_reading_step(r, &left, f) < 0)
		return NULL;
	return crl_reading_take(r);
}

void
crl_index_free(struct crl_index *index)
{
	if (index == NULL)
		return;
	free(index->entries);
	free(index);
}

const struct crl *
crl_index_head(const struct crl_index *index)
{
	return &index->head;
}

size_t
crl_index_count(const struct crl_index *index)
{
	return index->count;
}

size_t
crl_index_memory(const struct crl_index *index)
{
	return sizeof(*index) + index->room * (index->width + CRL_INDEX_TAIL);
}

/* The first entry whose serial is not less than ${key}. */
static size_t
lower_bound(const struct crl_index *x, const uint8_t *key)
{
	size_t low = 0, high = x->count, stride = x->width + CRL_INDEX_TAIL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(x->entries + middle * stride, key, x->width) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
crl_index_find(const struct crl_index *index, struct wire_bytes serial,
    struct crl_entry *entry)
{
	size_t stride = index->width + CRL_INDEX_TAIL;
	uint8_t key[CERT_SERIAL_MAX] = { 0 };
	const uint8_t *found, *tail;
	size_t at;

	if (index->count == 0 || serial.len > index->width)
		return 0;
	if (serial.len > 0)
		memcpy(key + index->width - serial.len, serial.data,
		    serial.len);
	at = lower_bound(index, key);
	found = index->entries + at * stride;
	if (at == index->count || memcmp(found, key, index->width) != 0)
		return 0;
	memset(entry, 0, sizeof(*entry));
	if (serial.len > 0)
		memcpy(entry->serial, serial.data, serial.len);
	entry->serial_len = (uint8_t)serial.len;
	tail = found + index->width;
	for (int i = 0; i < 4; i++)
		entry->when = entry->when << 8 | tail[i];
	entry->reason = tail[4];
	return 1;
}

int
crl_index_check(const struct crl_index *index, const struct cert *issuer,
    struct fault *f)
{
	const struct crl *head = &index->head;

	if (!dn_equal(&head->issuer, &issuer->subject))
		return fault_set(f, FAULT_UNTRUSTED,
		    "the CRL is of another CA");
	if (issuer->has_key_usage &&
	    (issuer->key_usage & CERT_KU_CRL_SIGN) == 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "RFC 5280 6.3.3: the CA may sign no CRL");
	if (spki_verify_digest(&issuer->spki, head->algorithm,
		(struct wire_bytes){ index->digest, index->digest_len },
		head->signature, f) < 0) {
		f->code = FAULT_UNTRUSTED;
		return fault_wrap(f, "CRL");
	}
	return 0;
}

struct wire_bytes
crl_index_digest(const struct crl_index *index)
{
	return (struct wire_bytes){ index->digest, index->digest_len };
}
