/*
 * Whatever is read, as a request or as an answer, must write, and what was
 * written must read back the same.
 */
#include "myproxy/myproxy_text.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
request(const char *text, size_t len)
{
	struct fault f = { 0 };
	struct myproxy_request first, second;
	OWN_BUF(out, 2 * MYPROXY_REQUEST_MAX);

	if (myproxy_request_read(&first, text, len, &f) < 0)
		return;
	if (!myproxy_request_whole(text, len) ||
	    myproxy_request_write(&first, &out, &f) < 0 ||
	    myproxy_request_read(&second, (const char *)out.data, out.len - 1,
		&f) < 0 ||
	    first.command != second.command ||
	    strcmp(first.username, second.username) != 0 ||
	    strcmp(first.passphrase, second.passphrase) != 0 ||
	    strcmp(first.cred_name, second.cred_name) != 0 ||
	    first.lifetime != second.lifetime ||
	    first.trusted_certs != second.trusted_certs)
		abort();
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
rewrite(struct myproxy_response *r, struct buf *out)
{
	switch (r->answer) {
	case MYPROXY_OK:
		myproxy_write_ok_lines(out, r->rest.data, r->rest.len);
		return;
	case MYPROXY_ERROR:
		myproxy_write_error(out, buf_cstr(&r->error));
		return;
	case MYPROXY_AUTHORIZATION:
		myproxy_write_offer_begin(out);
		for (size_t i = 0; i < r->offer_count; i++)
			myproxy_write_offer(out, r->offer[i].method,
			    buf_cstr(&r->offer[i].data));
		myproxy_write_offer_end(out);
		return;
	}
}

static void
compare(const struct myproxy_response *a, const struct myproxy_response *b)
{
	if (a->answer != b->answer)
		abort();
	if (a->answer == MYPROXY_OK && !same(&a->rest, &b->rest))
		abort();
	if (a->answer == MYPROXY_ERROR && !same(&a->error, &b->error))
		abort();
	if (a->answer != MYPROXY_AUTHORIZATION)
		return;
	if (a->offer_count != b->offer_count)
		abort();
	for (size_t i = 0; i < a->offer_count; i++)
		if (a->offer[i].method != b->offer[i].method ||
		    !same(&a->offer[i].data, &b->offer[i].data))
			abort();
}

static void
response(const char *text, size_t len)
{
	struct fault f = { 0 };
	struct myproxy_response first, second;
	OWN_BUF(out, 2 * MYPROXY_RESPONSE_MAX);

	if (myproxy_response_read(&first, text, len, &f) == 0) {
		rewrite(&first, &out);
		if (myproxy_response_read(&second, (const char *)out.data,
			out.len - 1, &f) < 0)
			abort();
		compare(&first, &second);
		myproxy_response_clear(&second);
	}
	myproxy_response_clear(&first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request((const char *)data, size);
	response((const char *)data, size);
	return 0;
}
