/* A revocation list to be signed (RFC 5280 5.1). */
#include "base/fault.h"
#include "x509/tbs.h"
#include "x509/tbs_part.h"

#include <string.h>

#define ENUMERATED 0x0a

static int
check_times(struct der_in *in, const struct authority *a, time_t now,
    struct fault *f)
{
	time_t this_update = der_get_time(in);
	time_t next_update = der_get_time(in);

	if (in->failed)
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 5.1.2.5: malformed or missing update time");
	if (this_update > now + TBS_AHEAD || this_update < now - TBS_BEHIND)
		return fault_set(f, FAULT_DENIED, "thisUpdate is far from now");
	if (next_update <= this_update || next_update <= now ||
	    next_update - this_update > a->conf.crl_lifetime + TBS_AHEAD)
		return fault_set(f, FAULT_DENIED,
		    "nextUpdate is not within the CA's crl-lifetime");
	return 0;
}

/* RFC 5280 5.3.1: unspecified (0) is left out, 7 is no reason, and
 * removeFromCRL (8) is for delta CRLs. */
static bool
reason_good(struct der_in *value)
{
	struct wire_bytes reason = der_get(value, ENUMERATED);

	return der_ended(value) && reason.len == 1 && reason.data[0] >= 1 &&
	    reason.data[0] <= 10 && reason.data[0] != 7 && reason.data[0] != 8;
}

static int
check_entry_extensions(struct der_in *entry, struct fault *f)
{
	static const struct wire_bytes reason_code = TBS_OID("\x55\x1d\x15");
	struct der_in list = der_enter(entry, DER_SEQUENCE);
	struct tbs_extension e;

	if (tbs_extension(&list, &e, f) < 0)
		return -1;
	if (!der_bytes_equal(e.oid, reason_code) || e.critical ||
	    !reason_good(&e.value) || !der_ended(&list))
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
check_entries(struct der_in *in, time_t now, struct fault *f)
{
	struct der_in list = der_enter(in, DER_SEQUENCE);
	struct wire_bytes last = { NULL, 0 }, serial;

	/* RFC 5280 5.1.2.6: no list rather than an empty one. */
	if (der_ended(&list))
		return fault_set(f, FAULT_DENIED, "an empty list of entries");
	while (der_peek(&list) != 0) {
		struct der_in entry = der_enter(&list, DER_SEQUENCE);
		time_t when;

		if (tbs_serial(&entry, &serial, f) < 0)
			return -1;
		when = der_get_time(&entry);
		if (entry.failed || when > now + TBS_AHEAD)
			return fault_set(f, FAULT_DENIED,
			    "malformed or future revocationDate");
		if (last.len > 0 && !is_less(last, serial))
			return fault_set(f, FAULT_DENIED,
			    "entries are not sorted by serial");
		last = serial;
		if (der_peek(&entry) != 0 &&
		    check_entry_extensions(&entry, f) < 0)
			return -1;
		if (!der_ended(&entry))
			return fault_set(f, FAULT_DENIED, "malformed entry");
	}
	if (!der_ended(&list))
		return fault_set(f, FAULT_DENIED, "malformed list of entries");
	return 0;
}

/* RFC 5280 5.2.3: monotone, at most 20 octets. */
static int
check_number(struct der_in *value, struct fault *f)
{
	struct wire_bytes number;

	if (tbs_serial(value, &number, f) < 0)
		return fault_wrap(f, "cRLNumber");
	return 0;
}

static int
check_extensions(struct der_in *in, const struct authority *a, struct fault *f)
{
	static const struct wire_bytes authority_id = TBS_OID("\x55\x1d\x23");
	static const struct wire_bytes crl_number = TBS_OID("\x55\x1d\x14");
	struct der_in outer = der_enter(in, DER_CONTEXT_C(0));
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
		if ((is_id ? tbs_authority_id(&e.value, a, f)
			   : check_number(&e.value, f)) < 0)
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
tbs_check_crl(struct wire_bytes tbs, const struct authority *authority,
    time_t now, struct fault *f)
{
	struct der_in outer = DER_IN(tbs.data, tbs.len);
	struct der_in in = der_enter(&outer, DER_SEQUENCE);

	if (!der_ended(&outer) || der_get_u64(&in) != 1 || in.failed)
		return fault_set(f, FAULT_DENIED,
		    "RFC 5280 5.1.2.1: not a version 2 list to be signed");
	if (tbs_algorithm(&in, authority, f) < 0 ||
	    tbs_issuer(&in, authority, f) < 0 ||
	    check_times(&in, authority, now, f) < 0)
		return -1;
	if (der_peek(&in) == DER_SEQUENCE && check_entries(&in, now, f) < 0)
		return -1;
	if (check_extensions(&in, authority, f) < 0)
		return -1;
	if (!der_ended(&in))
		return fault_set(f, FAULT_DENIED, "bytes after the list");
	return 0;
}
