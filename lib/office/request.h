#ifndef OFFICE_REQUEST_H
#define OFFICE_REQUEST_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "x509/csr.h"

#include <time.h>

/*
 * What travels between who wants a certificate and who signs it, by memory
 * stick, mail or the desk of signetd: the request file and the reply file.
 * Both are text that a person can read.  No sockets, no keys but the
 * requester's own.
 *
 * A request file is proved twice by the key it is for: the PKCS#10 request
 * inside, and a signature over all the lines before it, so that contact,
 * purpose and names cannot be altered on the way.
 */
struct fault;

#define REQUEST_ID_SIZE 21 /* 20 hexadecimal digits and NUL: 80 random bits */
#define REQUEST_FILE_MAX 49152
#define REQUEST_NAMES_MAX 64
#define REQUEST_FINGERPRINT_SIZE 96 /* SHA-256 of the key, AA:BB:... and NUL \
				     */

struct request_names {
	size_t count;
	const char *item[REQUEST_NAMES_MAX + 1]; /* a NULL after the last */
};

struct request {
	char id[REQUEST_ID_SIZE];
	time_t created;
	char profile[64];
	char subject[DN_TEXT_MAX]; /* slash form, as in the PKCS#10 request */
	struct request_names dns;
	struct request_names emails;
	char contact_name[128];
	char contact_mail[256];
	char contact_phone[64];
	char purpose[512];
	char renews[64]; /* serial of the certificate it renews; "" if none */
	char ca_conf_space[DN_TEXT_MAX]; /* of a CA: its name space; else "" */
	int64_t lifetime; /* seconds asked for; 0: as the profile says */
	char fingerprint[REQUEST_FINGERPRINT_SIZE];
	struct csr csr;	 /* points into ${der} */
	struct buf der;	 /* the PKCS#10 request */
	struct buf text; /* what the names point into */
};

/* Read and prove a request file.  FAULT_INPUT says what is altered, cut off or
 * malformed, and in which line.  request_free() the result. */
CHECKED struct request *request_read(struct wire_bytes file, struct fault *f);
void request_free(struct request *r);
OWN_FREE_STRUCT(request, request_free)

/* Append the request file for ${key}.  Of ${r} everything but fingerprint, csr
 * and der is given; an empty id is made up, and put there. */
CHECKED int request_write(struct request *r, const struct key *key,
    struct buf *out, struct fault *f);

/* What comes back: the certificate, those above it, and what it answers. */
struct reply {
	char id[REQUEST_ID_SIZE];
	uint8_t request_hash[32]; /* SHA-256 of the request file */
	struct buf certificate;	  /* DER */
	struct buf chain;	  /* PEM, up to and with the root */
};

/* FAULT_INPUT for what is cut off or malformed. */
CHECKED struct reply *reply_read(struct wire_bytes file, struct fault *f);
void reply_free(struct reply *r);
OWN_FREE_STRUCT(reply, reply_free)
CHECKED int reply_write(const struct reply *r, struct buf *out,
    struct fault *f);

#endif
