#include "holding.h"

#include "base/buf.h"
#include "proxy_file.h"
#include "trust/verify.h"

#include <string.h>
#include <unistd.h>

/* What reading it came to. */
static void
settle(struct holding_credential *h, int result, time_t now)
{
	if (result < 0) {
		h->state =
		    h->why.code == FAULT_ABSENT ? HOLDING_NONE : HOLDING_BAD;
		credential_clear(&h->credential);
		return;
	}
	h->end = credential_end(&h->credential);
	h->state = h->end > now ? HOLDING_GOOD : HOLDING_EXPIRED;
}

void
holding_proxy(struct holding_credential *h, const char *path, time_t now)
{
	int result;

	memset(h, 0, sizeof(*h));
	h->verdict = HOLDING_UNKNOWN;
	result = place_proxy(path, h->path, &h->why);
	if (result == 0)
		result = proxy_file_read(h->path, &h->credential, &h->why);
	if (result == 0 && h->credential.key == NULL)
		result = fault_set(&h->why, FAULT_INPUT, "%s: no private key",
		    h->path);
	settle(h, result, now);
}

void
holding_certificate(struct holding_credential *h, time_t now)
{
	struct own_cert own;
	int result;

	memset(h, 0, sizeof(*h));
	h->verdict = HOLDING_UNKNOWN;
	result = own_cert_find(NULL, NULL, &own, &h->why);
	memcpy(h->path, own.cert, sizeof(h->path));
	if (result == 0 && own.key[0] == '\0')
		result = fault_set(&h->why, FAULT_UNSUPPORTED,
		    "what is in %s takes a pass phrase to see", own.cert);
	if (result == 0)
		result = own_cert_chain(&own, &h->credential, &h->why);
	if (result == 0 && access(own.key, F_OK) < 0)
		result = fault_set(&h->why, FAULT_INPUT,
		    "there is no key in %s", own.key);
	settle(h, result, now);
}

void
holding_ticket(struct holding_ticket *h, time_t now)
{
	memset(h, 0, sizeof(*h));
	if (krb_ticket_find(NULL, &h->ticket, &h->why) == 0)
		h->state = h->ticket.end > now ? HOLDING_GOOD : HOLDING_EXPIRED;
	else
		h->state = h->why.code == FAULT_EXPIRED ? HOLDING_EXPIRED
							: HOLDING_NONE;
}

void
holding_judge(struct holding_credential *h, const struct trust_store *store,
    const struct fault *why, time_t now)
{
	struct trust_verdict verdict;

	if (h->state != HOLDING_GOOD && h->state != HOLDING_EXPIRED)
		return;
	if (store == NULL) {
		h->verdict = HOLDING_UNKNOWN;
		h->refusal = *why;
		return;
	}
	h->verdict = trust_verify(store, &h->credential.chain, now,
			 TRUST_CLIENT, &verdict, &h->refusal) == 0
	    ? HOLDING_ACCEPTED
	    : HOLDING_REFUSED;
}

void
holding_clear(struct holding_credential *h)
{
	credential_clear(&h->credential);
}
