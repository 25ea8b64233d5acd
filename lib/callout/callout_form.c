#include "callout/callout_form.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

#define FORM_REQUEST 0x51u /* and the number of the form */
#define FORM_ANSWER 0x41u
#define FORM_NUMBER 1u

static void
put(struct buf *out, size_t most,
    void (*fill)(const void *from, struct wire_out *w), const void *from)
{
	uint8_t *room = buf_room(out, most);
	struct wire_out w = { .at = room, .left = most };

	if (room == NULL)
		return;
	fill(from, &w);
	out->len += most - w.left;
	out->failed = out->failed || w.failed;
}

static void
fill_request(const void *from, struct wire_out *w)
{
	const struct callout_request *r = from;

	wire_put_u8(w, FORM_REQUEST);
	wire_put_u8(w, FORM_NUMBER);
	wire_put_text(w, r->username, sizeof(r->username));
	wire_put_text(w, r->profile, sizeof(r->profile));
	wire_put_u32(w, r->lifetime);
	wire_put_bytes(w, r->csr, CALLOUT_CSR_MAX);
}

void
callout_request_write(const struct callout_request *r, struct buf *out)
{
	put(out, CALLOUT_REQUEST_MAX, fill_request, r);
}

static void
fill_answer(const void *from, struct wire_out *w)
{
	const struct callout_answer *a = from;

	wire_put_u8(w, FORM_ANSWER);
	wire_put_u8(w, FORM_NUMBER);
	wire_put_u32(w, a->fault);
	wire_put_text(w, a->ref, sizeof(a->ref));
	wire_put_bytes(w, a->certificate, CALLOUT_CERTIFICATE_MAX);
	wire_put_bytes(w, a->chain, CALLOUT_CHAIN_MAX);
}

void
callout_answer_write(const struct callout_answer *a, struct buf *out)
{
	put(out, CALLOUT_ANSWER_MAX, fill_answer, a);
}

/* Whether the next two bytes say that this is ${form}. */
static bool
is_form(struct wire_in *in, unsigned form)
{
	uint8_t kind = wire_get_u8(in);
	uint8_t number = wire_get_u8(in);

	return kind == form && number == FORM_NUMBER;
}

int
callout_request_read(struct callout_request *r, const void *data, size_t len,
    struct fault *f)
{
	struct wire_in in = { .at = data, .left = len };

	memset(r, 0, sizeof(*r));
	if (!is_form(&in, FORM_REQUEST))
		return fault_set(f, FAULT_INPUT, "no request of a call-out");
	wire_get_text(&in, r->username, sizeof(r->username));
	wire_get_text(&in, r->profile, sizeof(r->profile));
	r->lifetime = wire_get_u32(&in);
	r->csr = wire_get_bytes(&in, CALLOUT_CSR_MAX);
	if (!wire_ended(&in))
		return fault_set(f, FAULT_INPUT, "a malformed request");
	if (r->csr.len == 0)
		return fault_set(f, FAULT_INPUT, "no certificate request");
	if (*r->username == '\0' ||
	    !text_utf8(r->username, strlen(r->username)) ||
	    !text_utf8(r->profile, strlen(r->profile)))
		return fault_set(f, FAULT_INPUT, "a name that is none");
	return 0;
}

static bool
is_reference(const char *ref)
{
	size_t len = strlen(ref);

	return len == 0 ||
	    (len == RAND_REF_SIZE - 1 &&
		strspn(ref, "0123456789abcdef") == len);
}

int
callout_answer_read(struct callout_answer *a, const void *data, size_t len,
    struct fault *f)
{
	struct wire_in in = { .at = data, .left = len };

	memset(a, 0, sizeof(*a));
	if (!is_form(&in, FORM_ANSWER))
		return fault_set(f, FAULT_INPUT, "no answer to a call-out");
	a->fault = wire_get_u32(&in);
	wire_get_text(&in, a->ref, sizeof(a->ref));
	a->certificate = wire_get_bytes(&in, CALLOUT_CERTIFICATE_MAX);
	a->chain = wire_get_bytes(&in, CALLOUT_CHAIN_MAX);
	if (!wire_ended(&in) || !is_reference(a->ref) ||
	    a->fault >= FAULT_COUNT)
		return fault_set(f, FAULT_INPUT, "a malformed answer");
	if ((a->fault == FAULT_NONE) != (a->certificate.len > 0) ||
	    (a->fault != FAULT_NONE && a->chain.len > 0))
		return fault_set(f, FAULT_INPUT,
		    "an answer that says yes and no");
	return 0;
}
