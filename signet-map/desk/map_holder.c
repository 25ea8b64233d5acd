#include "map_holder.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/verify.h"

#include <string.h>

static int
check_kinds(const struct holder *h, const struct trust_verdict *verdict,
    struct fault *f)
{
	if (verdict->limited)
		return fault_set(f, FAULT_DENIED,
		    "a limited proxy cannot ask for an account: use the "
		    "certificate itself, or a full proxy");
	for (size_t i = 0; i < h->chain.count; i++) {
		enum cert_kind kind = h->chain.cert[i]->kind;

		if (kind == CERT_PROXY_INDEPENDENT ||
		    kind == CERT_PROXY_RESTRICTED)
			return fault_set(f, FAULT_DENIED,
			    "an independent or restricted proxy does not speak "
			    "for its owner");
	}
	return 0;
}

static int
show(struct holder *h, const struct trust_verdict *verdict, struct fault *f)
{
	char serial[2 * CERT_SERIAL_MAX + 3];

	text_hex(verdict->serial, verdict->serial_len, serial);
	if (dn_show_slash(&verdict->identity, h->name, sizeof(h->name)) < 0 ||
	    dn_show_slash(&verdict->issuer, h->ca, sizeof(h->ca)) < 0 ||
	    text_fmt(h->proof, sizeof(h->proof), "certificate %s of %s", serial,
		h->ca) < 0)
		return fault_set(f, FAULT_INPUT,
		    "a name in the certificate is too long");
	return 0;
}

int
holder_read(struct holder *h, struct wire_bytes pem,
    const struct trust_store *trust, time_t now, struct fault *f)
{
	struct trust_verdict verdict;

	memset(h, 0, sizeof(*h));
	if (cert_list_read_pem(&h->chain, pem.data, pem.len, f) < 0)
		return fault_wrap(f, "the certificates");
	if (h->chain.count == 0)
		return fault_set(f, FAULT_INPUT, "no certificate was shown");
	if (trust_verify(trust, &h->chain, now, TRUST_CLIENT, &verdict, f) <
		0 ||
	    check_kinds(h, &verdict, f) < 0)
		return -1;
	return show(h, &verdict, f);
}

void
holder_clear(struct holder *h)
{
	cert_list_free(&h->chain);
	memset(h, 0, sizeof(*h));
}
