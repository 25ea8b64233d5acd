#include "credential_json.h"

#include "base/clock.h"
#include "base/fault.h"
#include "trust/verify.h"
#include "x509/proxy.h"

#include <string.h>

const char *
credential_json_type(const struct credential *c)
{
	switch (c->chain.cert[0]->kind) {
	case CERT_CA:
		return "ca";
	case CERT_EEC:
		return "eec";
	case CERT_PROXY_IMPERSONATION:
	case CERT_PROXY_INDEPENDENT:
	case CERT_PROXY_LIMITED:
	case CERT_PROXY_RESTRICTED:
		return "rfc3820";
	case CERT_PROXY_DRAFT:
	case CERT_PROXY_DRAFT_INDEPENDENT:
	case CERT_PROXY_DRAFT_LIMITED:
	case CERT_PROXY_DRAFT_RESTRICTED:
		return "draft";
	case CERT_PROXY_LEGACY:
	case CERT_PROXY_LEGACY_LIMITED:
		return "legacy";
	}
	return "other";
}

static json_t *
key_json(const struct spki *spki)
{
	return json_pack("{s:s,s:i}", "algorithm",
	    spki->kind == KEY_RSA ? "RSA" : "EC", "bits", (int)spki->size);
}

static json_t *
verified_json(const struct credential *c, const struct trust_store *store,
    time_t now)
{
	struct trust_verdict verdict;
	struct fault why;

	if (store == NULL)
		return json_null();
	return json_boolean(trust_verify(store, &c->chain, now, TRUST_CLIENT,
				&verdict, &why) == 0);
}

json_t *
credential_json(const char *path, const struct credential *c,
    const struct trust_store *store, time_t now, struct fault *f)
{
	const struct cert *leaf = c->chain.cert[0];
	char subject[DN_TEXT_MAX], issuer[DN_TEXT_MAX], identity[DN_TEXT_MAX];
	char end[CLOCK_TEXT_SIZE];
	time_t left = credential_end(c) - now;
	bool limited = false;
	struct dn name;
	json_t *object;

	if (cert_identity(leaf, &c->chain, &name, f) < 0)
		return NULL;
	if (dn_show_slash(&leaf->subject, subject, sizeof(subject)) < 0 ||
	    dn_show_slash(&leaf->issuer, issuer, sizeof(issuer)) < 0 ||
	    dn_show_slash(&name, identity, sizeof(identity)) < 0) {
		(void)fault_set(f, FAULT_INPUT, "a name is too long to show");
		return NULL;
	}
	for (size_t i = 0; i < c->chain.count; i++)
		limited |= cert_is_limited(c->chain.cert[i]);
	clock_text(credential_end(c), end);
	object = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:s,s:I,s:o,"
			   "s:[]}",
	    "version", 1, "kind", cert_is_proxy(leaf) ? "proxy" : "certificate",
	    "path", path, "subject", subject, "identity", identity, "issuer",
	    issuer, "type", credential_json_type(c), "limited", limited, "key",
	    key_json(&leaf->spki), "not_after", end, "seconds_left",
	    (json_int_t)(left > 0 ? left : 0), "verified",
	    verified_json(c, store, now), "voms");
	if (object == NULL)
		(void)fault_set(f, FAULT_MEMORY, "a JSON object");
	return object;
}
