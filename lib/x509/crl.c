#include "x509/crl.h"

#include "base/fault.h"
#include "x509/crl_list.h"
#include "x509/crl_part.h"
#include "x509/der.h"

#include <stdlib.h>
#include <string.h>

#define ENUMERATED 0x0a

#define DAY 86400

#define OID(literal)                                            \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const struct wire_bytes oid_number = OID("\x55\x1d\x14");
static const struct wire_bytes oid_reason = OID("\x55\x1d\x15");
static const struct wire_bytes oid_invalidity = OID("\x55\x1d\x18");
static const struct wire_bytes oid_authority_id = OID("\x55\x1d\x23");

void
crl_span_set(struct crl_span *span, const struct authority *issuer, time_t now,
    time_t floor)
{
	time_t from = now - CRL_BACKDATE < floor ? floor : now - CRL_BACKDATE;

	span->this_update = from;
	span->next_update = from + CRL_BACKDATE + issuer->conf.crl_lifetime;
}

bool
crl_outlived(time_t not_after, uint64_t entry, const struct crl_past *past)
{
	/* It stood on each list whose number was taken after it. */
	return entry < past->entry && not_after < past->this_update;
}

int
crl_days_left(time_t next_update, int64_t lifetime, time_t now)
{
	static const int steps[] = { 0, 3, 7, 14 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int64_t step = (int64_t)steps[i] * DAY;

		if (step <= lifetime / 2 && next_update - now <= step)
			return steps[i];
	}
	return -1;
}

int
crl_tbs(const struct authority *issuer, const struct crl_entry *entries,
    size_t count, uint64_t number, time_t now, struct buf *tbs, struct fault *f)
{
	OWN_STRUCT(crl_list) list = crl_list_new(f);
	struct crl_span span = { .number = number };

	if (list == NULL)
		return -1;
	crl_span_set(&span, issuer, now, 0);
	for (size_t i = 0; i < count; i++)
		if (crl_list_add(list, &entries[i], f) < 0)
			return -1;
	if (crl_list_open(list, issuer, &span, tbs, f) < 0)
		return -1;
	return crl_list_write(list, count + 1, tbs, f) < 0 ? -1 : 0;
}

/* X.690 8.19.2: arcs that end, and do not begin with a zero. */
static bool
oid_good(struct wire_bytes oid)
{
	bool begins = true;

	for (size_t i = 0; i < oid.len; i++) {
		if (begins && oid.data[i] == 0x80)
			return false;
		begins = oid.data[i] < 0x80;
	}
	return oid.len > 0 && begins;
}

/* One Extension: its OID, whether it is critical, a reader of its value. */
static struct der_in
get_extension(struct der_in *in, struct wire_bytes *oid, bool *critical)
{
	struct der_in extension = der_enter(in, DER_SEQUENCE);
	struct der_in value;

	*oid = der_get(&extension, DER_OID);
	*critical =
	    der_peek(&extension) == DER_BOOLEAN && der_get_bool(&extension);
	value = der_enter(&extension, DER_OCTET_STRING);
	if (!der_ended(&extension) || !oid_good(*oid))
		in->failed = true;
	return value;
}

/* The extensions of one entry; an unknown critical one (certificateIssuer of
 * an indirect CRL) changes what the entry means. */
static int
read_entry_extensions(struct der_in *entry, uint8_t *reason, struct fault *f)
{
	struct der_in list = der_enter(entry, DER_SEQUENCE);
	struct wire_bytes oid;
	bool critical;

	while (der_peek(&list) != 0) {
		struct der_in value = get_extension(&list, &oid, &critical);

		if (der_bytes_equal(oid, oid_reason)) {
			struct wire_bytes code = der_get(&value, ENUMERATED);

			if (!der_ended(&value) || code.len != 1)
				list.failed = true;
			else
				*reason = code.data[0];
		} else if (critical && !der_bytes_equal(oid, oid_invalidity)) {
			return fault_set(f, FAULT_UNSUPPORTED,
			    "RFC 5280 5.3: unknown critical extension of a CRL "
			    "entry");
		}
	}
	if (!der_ended(&list))
		return fault_set(f, FAULT_INPUT, "malformed CRL entry");
	return 0;
}

int
crl_part_entry(struct der_in *in, struct crl_entry *e, struct fault *f)
{
	struct der_in entry = der_enter(in, DER_SEQUENCE);
	struct wire_bytes serial = der_get_unsigned(&entry);

	memset(e, 0, sizeof(*e));
	e->when = der_get_time(&entry);
	if (entry.failed || serial.len > sizeof(e->serial))
		return fault_set(f, FAULT_INPUT, "malformed CRL entry");
	if (serial.len > 0)
		memcpy(e->serial, serial.data, serial.len);
	e->serial_len = (uint8_t)serial.len;
	if (der_peek(&entry) != 0 &&
	    read_entry_extensions(&entry, &e->reason, f) < 0)
		return -1;
	if (!der_ended(&entry))
		return fault_set(f, FAULT_INPUT, "malformed CRL entry");
	return 0;
}

static int
read_entries(struct crl *crl, struct der_in *in, struct fault *f)
{
	struct crl_entry entry;

	if (der_peek(in) != DER_SEQUENCE)
		return 0;
	crl->revoked = der_get(in, DER_SEQUENCE);
	for (struct der_in list = DER_IN(crl->revoked.data, crl->revoked.len);
	     list.left > 0;)
		if (crl_part_entry(&list, &entry, f) < 0)
			return -1;
	return 0;
}

static void
read_number(struct crl *crl, struct der_in *value)
{
	struct wire_bytes number = der_get_unsigned(value);

	for (size_t i = 0; i < number.len && number.len <= 8; i++)
		crl->number = crl->number << 8 | number.data[i];
}

/* The key identifier; other forms of naming the issuer are passed over. */
static void
read_authority_id(struct crl *crl, struct der_in *value)
{
	struct der_in id = der_enter(value, DER_SEQUENCE);

	if (der_peek(&id) == DER_CONTEXT(0))
		crl->authority_id = der_get(&id, DER_CONTEXT(0));
}

/*
 * A delta, an indirect or a partial CRL says so by a critical extension, and
 * taken for a full one it would hide revocations.
 */
static int
read_extensions(struct crl *crl, struct der_in *in, struct fault *f)
{
	struct der_in list = der_enter(in, DER_SEQUENCE);
	struct wire_bytes oid;
	bool critical;

	while (der_peek(&list) != 0) {
		struct der_in value = get_extension(&list, &oid, &critical);
		bool number = der_bytes_equal(oid, oid_number);
		bool id = der_bytes_equal(oid, oid_authority_id);

		if (critical && !number && !id)
			return fault_set(f, FAULT_UNSUPPORTED,
			    "RFC 5280 5.2: unknown critical extension of a "
			    "CRL (delta, indirect or partial)");
		if (number)
			read_number(crl, &value);
		if (id)
			read_authority_id(crl, &value);
		if ((number && !der_ended(&value)) || value.failed)
			list.failed = true;
	}
	if (!der_ended(&list) || !der_ended(in))
		return fault_set(f, FAULT_INPUT, "malformed CRL extensions");
	return 0;
}

int
crl_part_head(struct crl *crl, struct der_in *in, struct wire_bytes *algorithm,
    bool *v2, struct fault *f)
{
	struct wire_bytes issuer;

	*v2 = der_peek(in) == DER_INTEGER;
	if (*v2 && der_get_u64(in) != 1)
		in->failed = true;
	*algorithm = der_get_whole(in, DER_SEQUENCE);
	if (in->failed)
		return fault_set(f, FAULT_INPUT,
		    "not a CRL, or of an unknown version");
	issuer = der_get_whole(in, DER_SEQUENCE);
	crl->this_update = der_get_time(in);
	if (der_peek(in) == DER_UTCTIME || der_peek(in) == DER_GENTIME)
		crl->next_update = der_get_time(in);
	if (in->failed)
		return fault_set(f, FAULT_INPUT, "malformed CRL");
	return dn_read_der(&crl->issuer, issuer, f);
}

int
crl_part_tail(struct crl *crl, struct der_in *in, bool v2, struct fault *f)
{
	struct der_in extensions;

	if (v2 && der_maybe(in, DER_CONTEXT_C(0), &extensions) &&
	    read_extensions(crl, &extensions, f) < 0)
		return -1;
	if (!der_ended(in))
		return fault_set(f, FAULT_INPUT, "malformed CRL");
	return 0;
}

static int
read_tbs(struct crl *crl, struct fault *f)
{
	struct der_in outer = DER_IN(crl->tbs.data, crl->tbs.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);
	struct wire_bytes algorithm;
	bool v2;

	if (crl_part_head(crl, &in, &algorithm, &v2, f) < 0)
		return -1;
	/* RFC 5280 5.1.1.2: the two algorithms must be the same. */
	if (!der_bytes_equal(algorithm, crl->algorithm))
		return fault_set(f, FAULT_INPUT,
		    "a CRL with two different algorithms");
	if (read_entries(crl, &in, f) < 0)
		return -1;
	return crl_part_tail(crl, &in, v2, f);
}

int
crl_read(struct crl *crl, struct wire_bytes der, struct fault *f)
{
	struct der_in outer = DER_IN(der.data, der.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);

	memset(crl, 0, sizeof(*crl));
	crl->tbs = der_get_whole(&in, DER_SEQUENCE);
	crl->algorithm = der_get_whole(&in, DER_SEQUENCE);
	crl->signature = der_get_bits(&in);
	if (!der_ended(&in) || !der_ended(&outer))
		return fault_set(f, FAULT_INPUT, "malformed CRL");
	return read_tbs(crl, f);
}

int
crl_check_signature(const struct crl *crl, const struct cert *issuer,
    struct fault *f)
{
	if (!dn_equal(&crl->issuer, &issuer->subject))
		return fault_set(f, FAULT_UNTRUSTED,
		    "the CRL is of another CA");
	if (issuer->has_key_usage &&
	    (issuer->key_usage & CERT_KU_CRL_SIGN) == 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "RFC 5280 6.3.3: the CA may sign no CRL");
	if (spki_verify(&issuer->spki, crl->algorithm, crl->tbs, crl->signature,
		f) < 0) {
		f->code = FAULT_UNTRUSTED;
		return fault_wrap(f, "CRL");
	}
	return 0;
}

int
crl_find(const struct crl *crl, struct wire_bytes serial,
    struct crl_entry *entry)
{
	struct der_in list = DER_IN(crl->revoked.data, crl->revoked.len);
	struct crl_entry e;
	struct fault f;

	while (list.left > 0) {
		if (crl_part_entry(&list, &e, &f) < 0)
			return -1;
		if (e.serial_len == serial.len &&
		    (serial.len == 0 ||
			memcmp(e.serial, serial.data, serial.len) == 0)) {
			*entry = e;
			return 1;
		}
	}
	return 0;
}

int
crl_each(const struct crl *crl, crl_entry_fn *fn, void *arg)
{
	struct der_in list = DER_IN(crl->revoked.data, crl->revoked.len);
	struct crl_entry e;
	struct fault f;
	int result = 0;

	while (list.left > 0 && result == 0)
		result = crl_part_entry(&list, &e, &f) < 0 ? -1 : fn(arg, &e);
	return result;
}
