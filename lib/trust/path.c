#include "trust/path.h"

#include "trust/rule.h"
#include "x509/der.h"

#include <string.h>

/*
 * Two keys a CA, old and new, and a cross certificate or two: a handful of
 * signatures a link.  Someone who sends more wants to keep us busy.
 */
#define SIGNATURES_MAX 64
#define CANDIDATES_MAX 64

struct candidate {
	const struct cert *cert;
	const struct trust_anchor *anchor; /* NULL: from the chain */
};

struct search {
	const struct trust_store *store;
	const struct cert_list *chain;
	path_check_fn *check;
	const void *arg;
	struct trust_path path;
	int signatures;		     /* checked so far */
	struct trust_path best_path; /* that ${best} is about */
	struct fault best;
};

static bool
same_cert(const struct cert *a, const struct cert *b)
{
	return a == b ||
	    (a->len == b->len && memcmp(a->der, b->der, a->len) == 0);
}

static const struct trust_anchor *
anchor_of(const struct trust_store *store, const struct cert *cert)
{
	const struct trust_anchor *a;
	size_t at = 0;

	while ((a = trust_next_of(store, &cert->subject, &at)) != NULL)
		if (a->cert != NULL && same_cert(a->cert, cert))
			return a;
	return NULL;
}

static bool
in_path(const struct trust_path *path, const struct cert *cert)
{
	for (size_t i = 0; i < path->count; i++)
		if (same_cert(path->cert[i], cert))
			return true;
	return false;
}

/* Remember why the longest path failed: that is what the peer meant. */
static int
dead_end(struct search *s, const struct fault *f)
{
	if (s->path.count > s->best_path.count) {
		s->best_path = s->path;
		s->best = *f;
	}
	return -1;
}

static bool
key_ids_fit(const struct cert *cert, const struct cert *issuer)
{
	return cert->authority_id.len > 0 &&
	    der_bytes_equal(cert->authority_id, issuer->key_id);
}

static void
add(struct candidate *all, size_t *count, const struct search *s,
    struct candidate one)
{
	if (*count == CANDIDATES_MAX || in_path(&s->path, one.cert))
		return;
	for (size_t i = 0; i < *count; i++)
		if (same_cert(all[i].cert, one.cert))
			return;
	all[(*count)++] = one;
}

/*
 * Who may have issued ${cert}: its issuer's namesakes.  A proxy's are in the
 * chain (RFC 3820 4.1.2 (a): never a CA's anchor); else anchors come first,
 * since they end the search.
 */
static size_t
candidates(const struct search *s, const struct cert *cert, bool fitting,
    struct candidate all[CANDIDATES_MAX])
{
	const struct trust_anchor *a;
	size_t count = 0;
	size_t at = 0;

	while (!cert_is_proxy(cert) &&
	    (a = trust_next_of(s->store, &cert->issuer, &at)) != NULL)
		if (a->cert != NULL && key_ids_fit(cert, a->cert) == fitting)
			add(all, &count, s, (struct candidate){ a->cert, a });
	for (size_t i = 0; i < s->chain->count; i++) {
		const struct cert *c = s->chain->cert[i];

		if (dn_equal(&c->subject, &cert->issuer) &&
		    key_ids_fit(cert, c) == fitting)
			add(all, &count, s,
			    (struct candidate){ c, anchor_of(s->store, c) });
	}
	return count;
}

/* Those of CAs are few, and the same for everybody below them. */
static int
signature(const struct search *s, const struct cert *cert,
    const struct cert *by, struct fault *f)
{
	return cert->kind == CERT_CA
	    ? known_check_cert(trust_known(s->store), cert, by, f)
	    : cert_check_signature(cert, by, f);
}

/* Whether ${by} may and did sign ${cert}. */
static int
check_link(struct search *s, const struct cert *cert, const struct cert *by,
    struct fault *f)
{
	struct fault why = { 0 };

	if (!cert_is_proxy(cert) && by->kind != CERT_CA)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "its issuer is not a CA (RFC 5280 6.1.4 k)");
	if (cert_is_proxy(cert) && by->kind == CERT_CA)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "a proxy issued by a CA (RFC 3820 3.1)");
	if (s->signatures++ >= SIGNATURES_MAX)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "too many certificates bear its issuer's name");
	if (signature(s, cert, by, &why) == 0)
		return 0;
	/* Whether it is right nobody asked. */
	if (why.code == FAULT_UNSUPPORTED || why.code == FAULT_KEY)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "its signature is not relied on: %.100s", why.text);
	return rule_broken(f, FAULT_UNTRUSTED, cert,
	    "not signed with the key of its issuer");
}

static void
count_proxies(struct trust_path *path)
{
	path->eec = 0;
	while (path->eec + 1 < path->count &&
	    cert_is_proxy(path->cert[path->eec]))
		path->eec++;
}

/* The path is whole: may it stand? */
static int
finish(struct search *s)
{
	struct fault f = { 0 };

	count_proxies(&s->path);
	return s->check(s->arg, &s->path, &f) == 0 ? 0 : dead_end(s, &f);
}

static int extend(struct search *s);

/* Go on from the last certificate over each issuer that fits (or does not fit)
 * its key identifier: 0 if one leads home. */
static int
try_issuers(struct search *s, bool fitting, size_t *tried)
{
	const struct cert *cert = s->path.cert[s->path.count - 1];
	struct candidate all[CANDIDATES_MAX];
	size_t count = candidates(s, cert, fitting, all);

	*tried += count;
	for (size_t i = 0; i < count; i++) {
		struct fault f = { 0 };

		if (check_link(s, cert, all[i].cert, &f) < 0) {
			(void)dead_end(s, &f);
			continue;
		}
		s->path.anchor = all[i].anchor;
		s->path.cert[s->path.count++] = all[i].cert;
		if (extend(s) == 0)
			return 0;
		s->path.count--;
	}
	return -1;
}

/* The Toolkit's words are those that people search for. */
static void
no_issuer(const struct search *s, const struct cert *last, struct fault *f)
{
	struct fault ignored = { 0 };
	char name[DN_TEXT_MAX];
	char hash[9];

	if (dn_show_slash(&last->issuer, name, sizeof(name)) < 0)
		name[0] = '\0';
	if (cert_is_proxy(last) || dn_hash(&last->issuer, hash, &ignored) < 0) {
		(void)rule_broken(f, FAULT_UNTRUSTED, last,
		    "its issuer is neither known nor sent: %.100s", name);
		return;
	}
	(void)fault_set(f, FAULT_UNTRUSTED,
	    "Cannot find trusted CA certificate with hash %s in %.80s: "
	    "%.90s is neither known nor sent",
	    hash, trust_dir(s->store), name);
}

/* Take the path from its last certificate to an anchor. */
static int
extend(struct search *s)
{
	const struct cert *last = s->path.cert[s->path.count - 1];
	struct fault f = { 0 };
	size_t tried = 0;

	if (s->path.anchor != NULL && cert_is_self_issued(last))
		return finish(s);
	if (s->path.count == PATH_CERTS) {
		(void)rule_broken(&f, FAULT_UNTRUSTED, last, "path too long");
		return dead_end(s, &f);
	}
	if (try_issuers(s, true, &tried) == 0 ||
	    try_issuers(s, false, &tried) == 0)
		return 0;
	if (tried > 0)
		return -1;
	no_issuer(s, last, &f);
	return dead_end(s, &f);
}

int
path_find(const struct trust_store *store, const struct cert_list *chain,
    path_check_fn *check, const void *arg, struct trust_path *path,
    struct fault *f)
{
	struct search s = {
		.store = store, .chain = chain, .check = check, .arg = arg
	};

	if (chain->count == 0)
		return fault_set(f, FAULT_UNTRUSTED, "no certificate");
	s.path.cert[s.path.count++] = chain->cert[0];
	s.path.anchor = anchor_of(store, chain->cert[0]);
	if (extend(&s) < 0) {
		count_proxies(&s.best_path);
		*path = s.best_path;
		*f = s.best;
		return -1;
	}
	*path = s.path;
	return 0;
}
