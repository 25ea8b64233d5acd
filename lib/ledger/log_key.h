#ifndef LEDGER_LOG_KEY_H
#define LEDGER_LOG_KEY_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The key that signs the heads of a ledger: Ed25519 (RFC 8032), of the log
 * alone.  It has a name, which is the first line of what it signs.
 *
 * The private half is a PKCS#8 PEM file (RFC 8410) with a line "Log-Name: NAME"
 * before it, which OpenSSL passes over.  The public half is one line, as the
 * signed notes of transparency logs have it (C2SP signed-note):
 * NAME+ID+BASE64, where BASE64 is of an octet 1 and the 32 of the key, and ID
 * the first 4 octets of SHA-256(NAME, newline, those 33), in hexadecimal.
 */
struct fault;
struct log_key;

#define LOG_NAME_SIZE 128 /* printable ASCII, no blank, no plus; and NUL */
#define LOG_KEY_SIZE 32
#define LOG_ID_SIZE 4
#define LOG_SIGNATURE_SIZE 64
#define LOG_FILE_MAX 4096 /* of either half */

struct log_pub {
	char name[LOG_NAME_SIZE];
	uint8_t id[LOG_ID_SIZE];
	uint8_t key[LOG_KEY_SIZE];
};

/* A new key; its name is ${prefix}, a slash, and the beginning of its public
 * key's hash.  log_key_free() it. */
CHECKED struct log_key *log_key_make(const char *prefix, struct fault *f);

/* FAULT_KEY if it is no Ed25519 key; without Log-Name it is called as if it
 * had been made with ${prefix}. */
CHECKED struct log_key *log_key_read(const void *pem, size_t len,
    const char *prefix, struct fault *f);
CHECKED int log_key_write(const struct log_key *key, struct buf *out,
    struct fault *f);
void log_key_free(struct log_key *key);
OWN_FREE_STRUCT(log_key, log_key_free)

const struct log_pub *log_key_pub(const struct log_key *key);
CHECKED int log_key_sign(const struct log_key *key, struct wire_bytes data,
    uint8_t signature[LOG_SIGNATURE_SIZE], struct fault *f);

/* The public half; one line, with or without its newline. */
CHECKED int log_pub_read(const void *text, size_t len, struct log_pub *pub,
    struct fault *f);
CHECKED int log_pub_write(const struct log_pub *pub, struct buf *out,
    struct fault *f);

/* FAULT_UNTRUSTED unless ${signature} over ${data} was made by ${pub}. */
CHECKED int log_pub_verify(const struct log_pub *pub, struct wire_bytes data,
    const uint8_t signature[LOG_SIGNATURE_SIZE], struct fault *f);

#endif
