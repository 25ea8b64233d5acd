#include "signet-map/base/map_proof.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/key.h"

#include <string.h>
#include <unistd.h>

#define TEXT_LIMIT 8192
#define SIGNATURE_MAX 2048

static int
put(struct buf *text, const char *what, const char *value, struct fault *f)
{
	if (*value == '\0' || !text_printable(value))
		return fault_set(f, FAULT_INPUT, "proof: no fit %s", what);
	buf_fmt(text, "%s: %s\n", what, value);
	return 0;
}

int
map_proof_text(const struct map_proof *p, struct buf *text, struct fault *f)
{
	char host[256], uid[24];

	if (strlen(p->nonce) != MAP_PROOF_NONCE - 1)
		return fault_set(f, FAULT_INPUT, "proof: no fit nonce");
	if (gethostname(host, sizeof(host)) < 0)
		return fault_set(f, FAULT_SYSTEM, "the host has no name");
	host[sizeof(host) - 1] = '\0';
	buf_text(text,
	    "signet-map, version 1: I ask that the certificate named here may "
	    "use the account named here.\n");
	if (text_fmt(uid, sizeof(uid), "%lu", (unsigned long)p->uid) < 0 ||
	    put(text, "host", host, f) < 0 || put(text, "uid", uid, f) < 0 ||
	    put(text, "account", p->account, f) < 0 ||
	    put(text, "name", p->name, f) < 0 ||
	    put(text, "time", p->time, f) < 0 ||
	    put(text, "nonce", p->nonce, f) < 0)
		return -1;
	return text->failed ? fault_set(f, FAULT_MEMORY, "proof") : 0;
}

int
map_proof_sign(const struct map_proof *p, const struct key *key,
    struct buf *signature, struct fault *f)
{
	OWN_BUF(text, TEXT_LIMIT);
	OWN_BUF(made, SIGNATURE_MAX);
	char base64[TEXT_BASE64_SIZE(SIGNATURE_MAX)];

	if (map_proof_text(p, &text, f) < 0 ||
	    key_sign(key, (struct wire_bytes){ text.data, text.len }, &made,
		f) < 0)
		return -1;
	text_base64(made.data, made.len, base64);
	buf_text(signature, base64);
	return signature->failed ? fault_set(f, FAULT_MEMORY, "proof") : 0;
}

int
map_proof_check(const struct map_proof *p, const struct spki *spki,
    struct wire_bytes signature, struct fault *f)
{
	OWN_BUF(text, TEXT_LIMIT);
	uint8_t made[SIGNATURE_MAX];
	int len = signature.len == 0
	    ? -1
	    : text_unbase64((const char *)signature.data, signature.len, made,
		  sizeof(made));

	if (len <= 0)
		return fault_set(f, FAULT_INPUT,
		    "the signature is not in base64");
	if (spki->kind == KEY_OTHER)
		return fault_set(f, FAULT_KEY,
		    "a key of this kind cannot be used");
	if (map_proof_text(p, &text, f) < 0)
		return -1;
	if (spki_verify(spki, key_signature_algorithm(spki->kind),
		(struct wire_bytes){ text.data, text.len },
		(struct wire_bytes){ made, (size_t)len }, f) < 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the signature was not made with the certificate's key for "
		    "this request");
	return 0;
}
