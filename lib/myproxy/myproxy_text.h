#ifndef MYPROXY_MYPROXY_TEXT_H
#define MYPROXY_MYPROXY_TEXT_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * MyProxy v2's `NAME=value` messages <-> structs (facts: PROTOCOL 3 and 4).
 * Line-anchored, unlike the original: a pass phrase may hold "LIFETIME=".
 */
struct fault;

enum myproxy_command {
	MYPROXY_GET = 0,
	MYPROXY_PUT = 1,
	MYPROXY_INFO = 2,
	MYPROXY_DESTROY = 3,
	MYPROXY_CHANGE_PASSPHRASE = 4,
	MYPROXY_STORE = 5,
	MYPROXY_RETRIEVE = 6,
	MYPROXY_GET_TRUSTROOTS = 7
};

#define MYPROXY_REQUEST_MAX 65536
#define MYPROXY_PORT 7512

/* Authentication methods on the wire. */
#define MYPROXY_METHOD_PASSWORD 1u
#define MYPROXY_METHOD_X509_SHA1 2u
#define MYPROXY_METHOD_SASL 3u
#define MYPROXY_METHOD_X509_SHA256 4u

struct myproxy_request {
	enum myproxy_command command;
	char username[256];
	char passphrase[1025]; /* wipe with myproxy_request_wipe */
	char cred_name[256];
	int64_t lifetime; /* seconds; negative counts as 0 */
	bool trusted_certs;
};

/**
 * myproxy_request_read(r, text, len, f):
 * Read the ${len} bytes up to and without the NUL.  Tolerates a missing last
 * newline and leading blanks; refuses (FAULT_INPUT) a field given twice, CRLF,
 * NULs, numbers that are none (base 0, as strtol), names that are not UTF-8 or
 * hold control characters, and values longer than their fields.  The fault's
 * text is what the stock server says (PROTOCOL 12); none of it comes from the
 * request.  A refused request is left wiped.
 */
CHECKED int myproxy_request_read(struct myproxy_request *r, const char *text,
    size_t len, struct fault *f);
/* Whether all the lines that every request must have are there, complete or
 * not: for readers of clients that send no NUL. */
bool myproxy_request_whole(const char *text, size_t len);

/* Append the request as the stock client writes it, its NUL included. */
CHECKED int myproxy_request_write(const struct myproxy_request *r,
    struct buf *out, struct fault *f);
void myproxy_request_wipe(struct myproxy_request *r);

enum myproxy_answer {
	MYPROXY_OK = 0,
	MYPROXY_ERROR = 1,
	MYPROXY_AUTHORIZATION = 2
};

#define MYPROXY_OFFER_MAX 4u
#define MYPROXY_RESPONSE_MAX (24u << 20) /* 24 MiB */

/* ${r} is cleared by the caller with myproxy_response_clear, also after a
 * failure; it need not be set up before. */
struct myproxy_response {
	enum myproxy_answer answer;
	struct buf error; /* all ERROR= lines joined by newlines */
	struct myproxy_offer {
		unsigned method; /* MYPROXY_METHOD_ */
		struct buf data;
	} offer[MYPROXY_OFFER_MAX];
	size_t offer_count;
	/* All other lines as they came, for INFO and trust roots. */
	struct buf rest;
};

/* Read the ${len} bytes up to and without the NUL.  Methods that we do not
 * know are passed over; control characters in what people will be shown become
 * question marks. */
CHECKED int myproxy_response_read(struct myproxy_response *r, const char *text,
    size_t len, struct fault *f);
void myproxy_response_clear(struct myproxy_response *r);

/* Append an answer, its NUL included.  ${text} may have several lines; the
 * ${len} bytes of ${lines} are whole lines to follow in an OK. */
void myproxy_write_ok(struct buf *out);
void myproxy_write_ok_lines(struct buf *out, const void *lines, size_t len);
void myproxy_write_error(struct buf *out, const char *text);
/* Put SERVER_TIME=${now} at the end of the answer that ${out} ends with. */
void myproxy_write_time(struct buf *out, time_t now);
/* AUTHORIZATION_DATA lines are put between begin and end. */
void myproxy_write_offer_begin(struct buf *out);
void myproxy_write_offer(struct buf *out, unsigned method, const char *data);
void myproxy_write_offer_end(struct buf *out);

#endif
