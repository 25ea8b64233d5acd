/* The reply file. */
#include "base/fault.h"
#include "base/text.h"
#include "office/request.h"
#include "x509/cert.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "Signet certificate reply 1\n"
#define LABEL "CERTIFICATE"
#define HEAD_MAX 256
#define HASH_TEXT (2 * REQUEST_HASH_SIZE + 1)

struct reply *
reply_new(struct fault *f)
{
	struct reply *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "reply");
		return NULL;
	}
	r->certificate = BUF(CERT_MAX);
	r->chain = BUF(REPLY_FILE_MAX);
	return r;
}

void
reply_free(struct reply *r)
{
	if (r == NULL)
		return;
	buf_free(&r->certificate);
	buf_free(&r->chain);
	free(r);
}

/* Append each certificate of the chain in its one form; how many, or -1. */
static int
put_chain(const struct reply *r, struct buf *out, struct fault *f)
{
	size_t at = 0;
	int count = 0, found;

	for (;;) {
		OWN_BUF(der, CERT_MAX);

		found =
		    pem_next(r->chain.data, r->chain.len, &at, LABEL, &der, f);
		if (found < 0)
			return fault_wrap(f, "chain");
		if (found == 0)
			return count;
		if (++count > REPLY_CHAIN_MAX)
			return fault_set(f, FAULT_INPUT,
			    "a chain of more than %d certificates",
			    REPLY_CHAIN_MAX);
		pem_put(out, LABEL, (struct wire_bytes){ der.data, der.len });
	}
}

int
reply_write(const struct reply *r, struct buf *out, struct fault *f)
{
	OWN_BUF(chain, REPLY_FILE_MAX);
	char hash[HASH_TEXT];
	int count = put_chain(r, &chain, f);

	if (count < 0)
		return -1;
	text_hex(r->request_hash, REQUEST_HASH_SIZE, hash);
	/* How many follow is said, so that a file cut between two shows. */
	buf_fmt(out, FIRST_LINE "id: %s\nrequest-sha256: %s\nabove: %d\n",
	    r->id, hash, count);
	pem_put(out, LABEL,
	    (struct wire_bytes){ r->certificate.data, r->certificate.len });
	buf_put(out, chain.data, chain.len);
	if (out->failed || chain.failed)
		return fault_set(f, FAULT_MEMORY, "reply");
	return 0;
}

/* The value of the line "${keyword}: value" at *${at}, which moves past it. */
static int
take_line(const char **at, const char *keyword, char *value, size_t size,
    struct fault *f)
{
	size_t skip = strlen(keyword) + 2;
	const char *end = strchr(*at, '\n');

	if (end == NULL || !text_starts(*at, keyword) ||
	    (size_t)(end - *at) <= skip || memcmp(*at + skip - 2, ": ", 2) != 0)
		return fault_set(f, FAULT_INPUT,
		    "cut off or malformed: no "
		    "\"%s\"",
		    keyword);
	if (text_fmt(value, size, "%.*s", (int)((size_t)(end - *at) - skip),
		*at + skip) < 0)
		return fault_set(f, FAULT_INPUT, "\"%s\" is too long", keyword);
	*at = end + 1;
	return 0;
}

static int
read_head(struct reply *r, const char *at, int *above, struct fault *f)
{
	char hash[HASH_TEXT], count[8];
	int64_t number = 0;

	if (take_line(&at, "id", r->id, sizeof(r->id), f) < 0 ||
	    take_line(&at, "request-sha256", hash, sizeof(hash), f) < 0 ||
	    take_line(&at, "above", count, sizeof(count), f) < 0)
		return -1;
	if (text_unhex(hash, r->request_hash, sizeof(r->request_hash)) !=
		REQUEST_HASH_SIZE ||
	    text_number(count, 0, REPLY_CHAIN_MAX, &number) < 0)
		return fault_set(f, FAULT_INPUT, "malformed number or hash");
	*above = (int)number;
	return 0;
}

/* The certificate, and ${above} more. */
static int
read_certificates(struct reply *r, struct wire_bytes file, int above,
    struct fault *f)
{
	size_t at = 0;

	for (int i = 0; i <= above; i++) {
		OWN_BUF(der, CERT_MAX);
		int found = pem_next(file.data, file.len, &at, LABEL, &der, f);

		if (found < 0)
			return -1;
		if (found == 0)
			return fault_set(f, FAULT_INPUT,
			    "cut off: %d certificates of %d", i, above + 1);
		if (i == 0)
			buf_put(&r->certificate, der.data, der.len);
		else
			pem_put(&r->chain, LABEL,
			    (struct wire_bytes){ der.data, der.len });
	}
	if (r->certificate.failed || r->chain.failed)
		return fault_set(f, FAULT_MEMORY, "certificates");
	return 0;
}

static int
read_all(struct reply *r, struct wire_bytes file, struct fault *f)
{
	OWN_BUF(again, REPLY_FILE_MAX);
	char head[HEAD_MAX];
	size_t len = file.len < sizeof(head) ? file.len : sizeof(head) - 1;
	int above = 0;

	if (file.len > REPLY_FILE_MAX || len < strlen(FIRST_LINE) ||
	    memcmp(file.data, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return fault_set(f, FAULT_INPUT, "not a reply file of Signet");
	memcpy(head, file.data, len);
	head[len] = '\0';
	if (read_head(r, head + strlen(FIRST_LINE), &above, f) < 0 ||
	    read_certificates(r, file, above, f) < 0 ||
	    reply_write(r, &again, f) < 0)
		return -1;
	if (again.len != file.len ||
	    memcmp(again.data, file.data, file.len) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the file is not as it was written: altered or cut off");
	return 0;
}

struct reply *
reply_read(struct wire_bytes file, struct fault *f)
{
	OWN_STRUCT(reply) r = reply_new(f);

	if (r == NULL)
		return NULL;
	if (read_all(r, file, f) < 0) {
		(void)fault_wrap(f, "reply");
		return NULL;
	}
	return TAKE(r);
}
