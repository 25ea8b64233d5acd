/* A revocation list to be signed (RFC 5280 5.1). */
#include "base/fault.h"
#include "x509/crl_sum.h"
#include "x509/tbs.h"
#include "x509/tbs_part.h"

#include <string.h>

#define ENUMERATED 0x0a

/* A clock that was set back a day must not keep a revocation from being
 * published: the list then begins where the one before it did. */
static int
check_times(struct tbs_crl *c, struct der_in *in, struct fault *f)
{
	int64_t lifetime = c->authority->conf.crl_lifetime;

	c->this_update = der_get_time(in);
	c->next_update = der_get_time(in);
	if (in->failed)
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 5.1.2.5: malformed or missing update time");
	if (c->this_update > c->now + TBS_CRL_AHEAD ||
	    c->this_update < c->now - TBS_BEHIND)
		return fault_set(f, FAULT_DENIED, "thisUpdate is far from now");
	if (c->next_update <= c->this_update || c->next_update <= c->now ||
	    c->next_update - c->this_update > lifetime + TBS_AHEAD)
		return fault_set(f, FAULT_DENIED,
		    "nextUpdate is not within the CA's crl-lifetime");
	return 0;
}

/* RFC 5280 5.3.1: unspecified (0) is left out, 7 is no reason, and
 * removeFromCRL (8) is for delta CRLs. */
static bool
reason_good(struct der_in *value, int *code)
{
	struct wire_bytes reason = der_get(value, ENUMERATED);

	if (!der_ended(value) || reason.len != 1)
		return false;
	*code = reason.data[0];
	return *code >= 1 && *code <= 10 && *code != 7 && *code != 8;
}

static int
check_entry_extensions(struct der_in *entry, int *reason, struct fault *f)
{
	static const struct wire_bytes reason_code = TBS_OID("\x55\x1d\x15");
	struct der_in list = der_enter(entry, DER_SEQUENCE);
	struct tbs_extension e;

	if (tbs_extension(&list, &e, f) < 0)
		return -1;
	if (!der_bytes_equal(e.oid, reason_code) || e.critical ||
	    !reason_good(&e.value, reason) || !der_ended(&list))
		return fault_set(f, FAULT_DENIED,
		    "an entry has other extensions than a reasonCode");
	return 0;
}

/* Whether ${a} is the smaller number; both without leading zeroes. */
static bool
is_less(struct wire_bytes a, struct wire_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len;
	return a.len > 0 && memcmp(a.data, b.data, a.len) < 0;
}

static int
check_entry(struct tbs_crl *c, struct fault *f)
{
	struct der_in entry = der_enter(&c->entries, DER_SEQUENCE);
	struct wire_bytes serial;
	int reason = 0;
	time_t when;

	if (tbs_serial(&entry, &serial, f) < 0)
		return -1;
	when = der_get_time(&entry);
	if (entry.failed || when > c->now + TBS_CRL_AHEAD)
		return fault_set(f, FAULT_DENIED,
		    "malformed or future revocationDate");
	if (c->last.len > 0 && !is_less(c->last, serial))
		return fault_set(f, FAULT_DENIED,
		    "entries are not sorted by serial");
	c->last = serial;
	if (der_peek(&entry) != 0 &&
	    check_entry_extensions(&entry, &reason, f) < 0)
		return -1;
	if (!der_ended(&entry))
		return fault_set(f, FAULT_DENIED, "malformed entry");
	if (c->sum != NULL)
		crl_sum_add(c->sum, serial, reason, when);
	c->count++;
	return 0;
}

/* RFC 5280 5.2.3: at most 20 octets; ours fit 8. */
static int
check_number(struct tbs_crl *c, struct der_in *value, struct fault *f)
{
	struct wire_bytes number;

	if (tbs_serial(value, &number, f) < 0)
		return fault_wrap(f, "cRLNumber");
	if (number.len > sizeof(c->number))
		return fault_set(f, FAULT_DENIED,
		    "a cRLNumber of more than 64 bits");
	for (size_t i = 0; i < number.len; i++)
		c->number = c->number << 8 | number.data[i];
	return 0;
}

static int
check_extensions(struct tbs_crl *c, struct fault *f)
{
	static const struct wire_bytes authority_id = TBS_OID("\x55\x1d\x23");
	static const struct wire_bytes crl_number = TBS_OID("\x55\x1d\x14");
	struct der_in outer = der_enter(&c->rest, DER_CONTEXT_C(0));
	struct der_in list = der_enter(&outer, DER_SEQUENCE);
	struct tbs_extension e;
	bool id = false, number = false;

	while (der_peek(&list) != 0) {
		bool is_id, is_number;

		if (tbs_extension(&list, &e, f) < 0)
			return -1;
		is_id = der_bytes_equal(e.oid, authority_id);
		is_number = der_bytes_equal(e.oid, crl_number);
		if (e.critical || (!is_id && !is_number) || (is_id && id) ||
		    (is_number && number))
			return fault_set(f, FAULT_DENIED,
			    "the list has other extensions than one "
			    "authorityKeyIdentifier and one cRLNumber");
		if ((is_id ? tbs_authority_id(&e.value, c->authority, f)
			   : check_number(c, &e.value, f)) < 0)
			return -1;
		if (!der_ended(&e.value))
			return fault_set(f, FAULT_DENIED,
			    "malformed extension of the list");
		id = id || is_id;
		number = number || is_number;
	}
	if (!id || !number || !der_ended(&list) || !der_ended(&outer))
		return fault_set(f, FAULT_DENIED,
		    "the list lacks authorityKeyIdentifier or cRLNumber");
	return 0;
}

int
tbs_crl_open(struct tbs_crl *c, struct wire_bytes tbs,
    const struct authority *authority, time_t now, struct fault *f)
{
	struct der_in outer = DER_IN(tbs.data, tbs.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);

	memset(c, 0, sizeof(*c));
	c->authority = authority;
	c->now = now;
	if (!der_ended(&outer) || der_get_u64(&in) != 1 || in.failed)
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 5.1.2.1: not a version 2 list to be signed");
	if (tbs_algorithm(&in, authority, f) < 0 ||
	    tbs_issuer(&in, authority, f) < 0 || check_times(c, &in, f) < 0)
		return -1;
	if (der_maybe(&in, DER_SEQUENCE, &c->entries) && c->entries.left == 0)
		/* RFC 5280 5.1.2.6: no list rather than an empty one. */
		return fault_set(f, FAULT_DENIED, "an empty list of entries");
	if (in.failed)
		return fault_set(f, FAULT_DENIED, "malformed list of entries");
	c->rest = in;
	return 0;
}

int
tbs_crl_step(struct tbs_crl *c, size_t most, struct fault *f)
{
	for (; most > 0 && c->entries.left > 0; most--)
		if (check_entry(c, f) < 0)
			return -1;
	if (c->entries.failed)
		return fault_set(f, FAULT_DENIED, "malformed list of entries");
	if (c->entries.left > 0)
		return 1;
	if (check_extensions(c, f) < 0)
		return -1;
	if (!der_ended(&c->rest))
		return fault_set(f, FAULT_DENIED, "bytes after the list");
	return 0;
}

int
tbs_check_crl(struct wire_bytes tbs, const struct authority *authority,
    time_t now, struct fault *f)
{
	struct tbs_crl c;

	if (tbs_crl_open(&c, tbs, authority, now, f) < 0)
		return -1;
	return tbs_crl_step(&c, SIZE_MAX, f) != 0 ? -1 : 0;
}
