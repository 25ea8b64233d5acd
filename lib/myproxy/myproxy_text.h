#ifndef MYPROXY_MYPROXY_TEXT_H
#define MYPROXY_MYPROXY_TEXT_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stdint.h>

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

/* Read the ${len} bytes up to and without the NUL.  Tolerates a missing last
 * newline and leading blanks; refuses a field given twice, CRLF, and numbers
 * that are none (base 0, as strtol).  The fault's text is what the stock
 * server says (PROTOCOL 12). */
CHECKED int myproxy_request_read(struct myproxy_request *r, const char *text,
    size_t len, struct fault *f);
/* Append the request as the stock client writes it, its NUL included. */
CHECKED int myproxy_request_write(const struct myproxy_request *r,
    struct buf *out, struct fault *f);
void myproxy_request_wipe(struct myproxy_request *r);

enum myproxy_answer {
	MYPROXY_OK = 0,
	MYPROXY_ERROR = 1,
	MYPROXY_AUTHORIZATION = 2
};

struct myproxy_response {
	enum myproxy_answer answer;
	struct buf error; /* all ERROR= lines joined by newlines */
	struct {
		unsigned method; /* MYPROXY_METHOD_ */
		struct buf data;
	} offer[4];
	size_t offer_count;
	struct buf
	    rest; /* all other lines as they came, for INFO and trust roots */
};

CHECKED int myproxy_response_read(struct myproxy_response *r, const char *text,
    size_t len, struct fault *f);
void myproxy_response_clear(struct myproxy_response *r);

/* Append an answer, its NUL included.  ${text} may have several lines. */
void myproxy_write_ok(struct buf *out);
void myproxy_write_error(struct buf *out, const char *text);
/* AUTHORIZATION_DATA lines are put between begin and end. */
void myproxy_write_offer_begin(struct buf *out);
void myproxy_write_offer(struct buf *out, unsigned method, const char *data);
void myproxy_write_offer_end(struct buf *out);

#endif
