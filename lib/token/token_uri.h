#ifndef TOKEN_URI_H
#define TOKEN_URI_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which key in which token, by which module: PKCS#11 URIs (RFC 7512), read
 * strictly, and the "slot:id" of older configurations.  A PIN has no place in
 * either.
 */
struct fault;

#define TOKEN_URI_SCHEME "pkcs11:"
#define TOKEN_URI_MAX 2048 /* characters of a whole URI */
#define TOKEN_ID_MAX 64
#define TOKEN_SESSIONS_MAX 64

/* What is empty, zero or false was not named and matches anything. */
struct token_uri {
	/* The fields of CK_TOKEN_INFO, without their padding. */
	char token[33];
	char manufacturer[33];
	char model[17];
	char serial[17];
	/* The key: CKA_LABEL and CKA_ID. */
	char object[129];
	uint8_t id[TOKEN_ID_MAX];
	size_t id_len;
	bool private; /* type=private was said */
	bool has_slot;
	uint64_t slot;
	/* The module: an absolute path, or a name to be looked up. */
	char module_path[256];
	char module_name[65];
	unsigned max_sessions;
};

/* Whether ${text} is a PKCS#11 URI and not the name of a file. */
bool token_uri_is(const char *text);

/**
 * token_uri_read(uri, text, f):
 * Read a PKCS#11 URI.  FAULT_CONFIG, naming the attribute, for one that is
 * malformed, given twice, unknown, or too long; for values that are empty or
 * not UTF-8 (RFC 7512 2.3); for pin-value and pin-source; for a type other than
 * private; and if nothing names the token or its slot.
 */
CHECKED int token_uri_read(struct token_uri *uri, const char *text,
    struct fault *f);

/**
 * token_uri_read_slot(uri, module, text, f):
 * The same from the path of a module and "SLOT:ID": a slot in decimal, a key
 * id in hexadecimal, which may be wanting ("0:45", "0:").
 */
CHECKED int token_uri_read_slot(struct token_uri *uri, const char *module,
    const char *text, struct fault *f);

/**
 * token_uri_named(key, module):
 * Whether the lines "key" and "key-module" of a CA's description (the second
 * may be empty) name a key in a token, and not a file.
 */
bool token_uri_named(const char *key, const char *module);

/* Whether ${key} has the form SLOT:ID, which only beside a "key-module" is the
 * name of a key. */
bool token_uri_is_slot(const char *key);

/**
 * token_uri_read_named(uri, key, module, f):
 * The key that they name: a URI, whose module may be in the other line, or
 * SLOT:ID of that module.  FAULT_CONFIG if it is malformed, if there is no
 * module, or if both name different ones.
 */
CHECKED int token_uri_read_named(struct token_uri *uri, const char *key,
    const char *module, struct fault *f);

/* Append the URI of ${uri}; reading it yields the same ${uri}. */
void token_uri_write(const struct token_uri *uri, struct buf *out);

#endif
