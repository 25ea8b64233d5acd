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
 * purpose and names cannot be altered on the way.  A request that is made
 * around the PKCS#10 of other software has no such signature and says so.
 *
 * Each file has one form: whatever is read would be written so again, byte
 * for byte, or it is refused.
 */
struct fault;

#define REQUEST_ID_SIZE 21 /* 20 hexadecimal digits and NUL: 80 random bits */
#define REQUEST_FILE_MAX 49152
#define REQUEST_NAMES_MAX 64
#define REQUEST_FINGERPRINT_SIZE                    \
	96 /* SHA-256 of the key, AA:BB:... and NUL \
	    */
#define REQUEST_HASH_SIZE 32

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
	char serials[64]; /* of a CA: how it will number; else "" */
	int64_t lifetime; /* seconds asked for; 0: as the profile says */
	bool proved;	  /* the key signed all of it, not the PKCS#10 alone */
	char fingerprint[REQUEST_FINGERPRINT_SIZE];
	struct csr csr;			 /* points into ${der} */
	struct buf der;			 /* the PKCS#10 request */
	struct buf text;		 /* what the names point into */
	uint8_t hash[REQUEST_HASH_SIZE]; /* SHA-256 of the file */
};

/* An empty one to be filled and written.  NULL and FAULT_MEMORY. */
CHECKED struct request *request_new(struct fault *f);

/* Read and prove a request file.  FAULT_INPUT says what is altered, cut off or
 * malformed, and in which line.  request_free() the result. */
CHECKED struct request *request_read(struct wire_bytes file, struct fault *f);
void request_free(struct request *r);
OWN_FREE_STRUCT(request, request_free)

/* Append the request file for ${key}.  Of ${r} everything but fingerprint, csr,
 * der, proved and hash is given; an empty id is made up, and put there, as the
 * rest is.  The subject may be in any slash form.  Without ${key} the file is
 * made around the PKCS#10 request in ${r->der}, which must name the subject or
 * none, and only that is proved. */
CHECKED int request_write(struct request *r, const struct key *key,
    struct buf *out, struct fault *f);

/* SHA-256 of a public key as people compare it: AA:BB:... */
void request_fingerprint(const struct spki *spki,
    char text[REQUEST_FINGERPRINT_SIZE]);

/* SHA-256 of a request file, which a reply names. */
void request_hash(struct wire_bytes file, uint8_t hash[REQUEST_HASH_SIZE]);

/* What comes back: the certificate, those above it, and what it answers. */
#define REPLY_FILE_MAX ((size_t)16 * 65536)
#define REPLY_CHAIN_MAX 8 /* certificates above */
struct reply {
	char id[REQUEST_ID_SIZE];
	uint8_t request_hash[REQUEST_HASH_SIZE];
	struct buf certificate; /* DER */
	struct buf chain;	/* PEM, up to and with the root */
};

/* FAULT_MEMORY. */
CHECKED struct reply *reply_new(struct fault *f);

/* FAULT_INPUT for what is cut off or malformed.  Nothing in a reply is proved
 * but by the certificates' own signatures. */
CHECKED struct reply *reply_read(struct wire_bytes file, struct fault *f);
void reply_free(struct reply *r);
OWN_FREE_STRUCT(reply, reply_free)

/* Append the file.  Text around the certificates of the chain is left out. */
CHECKED int reply_write(const struct reply *r, struct buf *out,
    struct fault *f);

#endif
