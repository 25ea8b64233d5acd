/* Whatever entries come, in whatever order: what is written of them is a list
 * that the strict reader takes, as OpenSSL reads it too. */
#include "x509/crl_list.h"

#include "x509/tbs.h"
#include "x509/tbs_probe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One octet of length, the serial, one of reason, four of the time. */
static size_t
read_entry(const uint8_t *data, size_t size, struct crl_entry *e)
{
	size_t len = size > 0 ? data[0] : 0;

	if (len > CERT_SERIAL_MAX || size < len + 6)
		return 0;
	*e = (struct crl_entry){ .serial_len = (uint8_t)len,
		.reason = data[1 + len] };
	memcpy(e->serial, data + 1, len);
	for (size_t i = 0; i < 4; i++)
		e->when = e->when << 8 | data[2 + len + i];
	return len + 6;
}

/* What the strict reader does not take in an entry that is well formed. */
static bool
may_be_signed(const struct crl_entry *e)
{
	return e->when <= PROBE_NOW + TBS_CRL_AHEAD && e->reason != 7 &&
	    e->reason != 8 && (e->serial_len < 20 || e->serial[0] < 0x80);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct crl_span span = { 7, PROBE_NOW - 300, PROBE_NOW + 86400 };
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	struct crl_list *list = crl_list_new(&f);
	OWN_BUF(tbs, 1u << 20);
	struct crl_entry e;
	bool good = true;
	int more;

	if (p == NULL || list == NULL || size > 8192) {
		crl_list_free(list);
		free(p);
		return 0;
	}
	probe_fill(p, false);
	for (size_t n; (n = read_entry(data, size, &e)) > 0;
	     data += n, size -= n)
		if (crl_list_add(list, &e, &f) == 0)
			good = good && may_be_signed(&e);
	if (crl_list_open(list, &p->a, &span, &tbs, &f) < 0)
		abort();
	while ((more = crl_list_write(list, 3, &tbs, &f)) == 1)
		;
	/* Twice the same serial is the one thing that may go wrong here. */
	if (more == 0) {
		struct wire_bytes bytes = { tbs.data, tbs.len };

		if (tbs.len != crl_list_size(list) ||
		    (tbs_check_crl(bytes, &p->a, PROBE_NOW, &f) == 0) != good ||
		    (good && probe_crl_broken(bytes, &p->a, PROBE_NOW) != NULL))
			abort();
	}
	crl_list_free(list);
	free(p);
	return 0;
}
