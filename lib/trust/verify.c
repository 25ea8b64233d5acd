#include "trust/verify.h"

#include "trust/constraint.h"
#include "trust/path.h"
#include "trust/revoke.h"
#include "trust/rfc3820.h"
#include "trust/rfc5280.h"
#include "trust/rule.h"

#include <assert.h>
#include <string.h>

struct question {
	const struct trust_store *store;
	time_t now;
	unsigned flags;
};

/* Whether a signing policy for ${ca} lets it sign ${cert}. */
static int
ask_policy(const struct trust_store *store, const struct cert *ca,
    const struct cert *cert, struct fault *f)
{
	const struct trust_anchor *record;
	char signer[DN_TEXT_MAX];
	char subject[DN_TEXT_MAX];
	bool policy = false;
	size_t at = 0;

	if (dn_show_slash(&ca->subject, signer, sizeof(signer)) < 0 ||
	    dn_show_slash(&cert->subject, subject, sizeof(subject)) < 0)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "a name too long to look up in a signing policy");
	while ((record = trust_next_of(store, &ca->subject, &at)) != NULL) {
		policy = policy || record->has_policy;
		if (record->has_policy &&
		    sigpolicy_allows(&record->policy, signer, subject))
			return 0;
	}
	if (!policy)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "this CA has no signing policy in %s", trust_dir(store));
	return rule_broken(f, FAULT_UNTRUSTED, cert,
	    "its name is outside the signing policy of its CA");
}

/* Each certificate that a CA signed, a root's own excepted. */
static int
check_policies(const struct trust_store *store, const struct trust_path *path,
    struct fault *f)
{
	for (size_t i = path->eec; i + 1 < path->count; i++)
		if (!cert_is_self_issued(path->cert[i]) &&
		    ask_policy(store, path->cert[i + 1], path->cert[i], f) < 0)
			return -1;
	return 0;
}

static int
judge(const void *arg, const struct trust_path *path, struct fault *f)
{
	const struct question *q = arg;

	if (rfc5280_check(path, q->now, q->flags, f) < 0 ||
	    rfc3820_check(path, f) < 0 || constraint_check(path, f) < 0)
		return -1;
	if ((q->flags & TRUST_NO_SIGNING_POLICY) == 0 &&
	    check_policies(q->store, path, f) < 0)
		return -1;
	return revoke_check(q->store, path, q->now, f);
}

/* The certificate that the proxies, if any, came from. */
static void
name_certificate(const struct cert *cert, struct trust_verdict *verdict)
{
	static_assert(sizeof(verdict->serial) == sizeof(cert->serial),
	    "as long as a certificate's");

	verdict->issuer = cert->issuer;
	memcpy(verdict->serial, cert->serial, sizeof(verdict->serial));
	verdict->serial_len = cert->serial_len;
}

/* An independent proxy speaks for itself, the others for who made them. */
static const struct cert *
whose(const struct trust_path *path)
{
	size_t i = 0;

	while (i < path->eec && path->cert[i]->kind != CERT_PROXY_INDEPENDENT &&
	    path->cert[i]->kind != CERT_PROXY_DRAFT_INDEPENDENT)
		i++;
	return path->cert[i];
}

int
trust_verify(const struct trust_store *store, const struct cert_list *chain,
    time_t now, unsigned flags, struct trust_verdict *verdict, struct fault *f)
{
	const struct question q = { store, now, flags };
	struct trust_path path = { 0 };

	if (path_find(store, chain, judge, &q, &path, f) < 0)
		return -1;
	*verdict = (struct trust_verdict){ .identity = whose(&path)->subject,
		.proxy = path.eec > 0,
		.not_after = path.cert[0]->not_after,
		.anchor = path.anchor,
		.depth = path.count };
	name_certificate(path.cert[path.eec], verdict);
	for (size_t i = 0; i < path.count; i++) {
		if (cert_is_limited(path.cert[i]))
			verdict->limited = true;
		if (path.cert[i]->not_after < verdict->not_after)
			verdict->not_after = path.cert[i]->not_after;
	}
	return 0;
}
