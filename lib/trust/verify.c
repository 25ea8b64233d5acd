#include "trust/verify.h"

#include "base/fault.h"
#include "trust/constraint.h"
#include "trust/path.h"
#include "trust/permit.h"
#include "trust/revoke.h"
#include "trust/rfc3820.h"
#include "trust/rfc5280.h"

#include <assert.h>
#include <string.h>

/*
 * The rules in their order: what each certificate says of itself, then what
 * they say to one another, then what the directory says of them.
 */
static const struct {
	const char *name;
	const char *kept; /* what it means that nothing is wrong */
	bool last;	  /* of its part: then the next certificate */
	bool above;	  /* it is the CA above that is asked */
	path_rule_fn *check;
} rules[] = {
#define RULE(name, kept, last, above, check) { name, kept, last, above, check },
#include "trust/verify.def"
#undef RULE
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

/* Apply the rules from ${first} to the last of its part; where the next one
 * begins goes to ${next}. */
static int
judge_part(const struct path_question *q, const struct trust_path *path,
    size_t first, size_t *next, struct fault *f)
{
	size_t end = first;

	while (!rules[end].last)
		end++;
	*next = end + 1;
	for (size_t i = 0; i < path->count; i++)
		for (size_t r = first; r <= end; r++)
			if (rules[r].check(q, path, i, f) < 0)
				return -1;
	return 0;
}

static int
judge(const void *arg, const struct trust_path *path, struct fault *f)
{
	for (size_t r = 0; r < RULES;)
		if (judge_part(arg, path, r, &r, f) < 0)
			return -1;
	return 0;
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

static void
fill_verdict(const struct trust_path *path, struct trust_verdict *verdict)
{
	*verdict = (struct trust_verdict){ .identity = whose(path)->subject,
		.proxy = path->eec > 0,
		.not_after = path->cert[0]->not_after,
		.anchor = path->anchor,
		.depth = path->count };
	name_certificate(path->cert[path->eec], verdict);
	for (size_t i = 0; i < path->count; i++) {
		if (cert_is_limited(path->cert[i]))
			verdict->limited = true;
		if (path->cert[i]->not_after < verdict->not_after)
			verdict->not_after = path->cert[i]->not_after;
	}
}

static int
find(const struct trust_store *store, const struct cert_list *chain, time_t now,
    unsigned flags, struct trust_path *path, struct trust_verdict *verdict,
    struct fault *f)
{
	bool unread = false;
	const struct path_question q = { store, now,
		flags | trust_demands(store), &unread };

	if (path_find(store, chain, judge, &q, path, f) < 0)
		return unread
		    ? fault_set(f, FAULT_BUSY, "a CRL in %s is being read",
			  trust_dir(store))
		    : -1;
	fill_verdict(path, verdict);
	return 0;
}

unsigned
trust_flags(bool crl_required, bool legacy_proxies, bool draft_proxies)
{
	return (crl_required ? 0 : TRUST_CRL_OPTIONAL) |
	    (legacy_proxies ? 0 : TRUST_NO_LEGACY) |
	    (draft_proxies ? 0 : TRUST_NO_DRAFT);
}

int
trust_verify(const struct trust_store *store, const struct cert_list *chain,
    time_t now, unsigned flags, struct trust_verdict *verdict, struct fault *f)
{
	struct trust_path path = { 0 };

	return find(store, chain, now, flags, &path, verdict, f);
}

int
trust_explain(const struct trust_store *store, const struct cert_list *chain,
    time_t now, unsigned flags, const struct trust_listener *to,
    struct trust_verdict *verdict, struct fault *f)
{
	bool unread = false;
	const struct path_question q = { store, now,
		flags | trust_demands(store), &unread };
	struct trust_path path = { 0 };
	int answer = find(store, chain, now, flags, &path, verdict, f);

	for (size_t i = 0; i < path.count; i++) {
		bool above = i + 1 < path.count || path.anchor != NULL;

		to->certificate(to->arg, &path, i);
		for (size_t r = 0; r < RULES; r++) {
			struct fault why = { 0 };
			bool good = rules[r].check(&q, &path, i, &why) == 0;

			/* Of a CA that nobody knows nothing can be said. */
			if (good && rules[r].above && !above)
				continue;
			to->rule(to->arg, rules[r].name,
			    good ? rules[r].kept : why.text, good);
		}
	}
	return answer;
}
