#include "trust/permit.h"

#include "trust/rule.h"
#include "trust/verify.h"

/* Whether the ${i}th certificate is one whose name its CA must be allowed. */
static bool
concerned(const struct path_question *q, const struct trust_path *path,
    size_t i)
{
	return (q->flags & TRUST_NO_SIGNING_POLICY) == 0 && i >= path->eec &&
	    i + 1 < path->count && !cert_is_proxy(path->cert[i]) &&
	    !cert_is_self_issued(path->cert[i]);
}

static int
show(const struct cert *cert, char text[DN_TEXT_MAX], struct fault *f)
{
	if (dn_show_slash(&cert->subject, text, DN_TEXT_MAX) < 0)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "a name too long to look up in a signing policy");
	return 0;
}

int
permit_policy(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	const struct trust_anchor *record;
	char signer[DN_TEXT_MAX], subject[DN_TEXT_MAX];
	const struct trust_anchor *bad = NULL;
	bool policy = false;
	size_t at = 0;

	if (!concerned(q, path, i))
		return 0;
	if (show(path->cert[i + 1], signer, f) < 0 ||
	    show(path->cert[i], subject, f) < 0)
		return -1;
	while ((record = trust_next_of(q->store, &path->cert[i + 1]->subject,
		    &at)) != NULL) {
		policy = policy || record->has_policy;
		if (record->bad_policy)
			bad = record;
		if (record->has_policy &&
		    sigpolicy_allows(record->policy, signer, subject))
			return 0;
	}
	if (!policy && bad != NULL)
		return rule_broken(f, FAULT_UNTRUSTED, path->cert[i + 1],
		    "its signing policy %s.signing_policy cannot be read",
		    bad->hash);
	if (!policy)
		return rule_broken(f, FAULT_UNTRUSTED, path->cert[i + 1],
		    "this CA has no signing policy in %s", trust_dir(q->store));
	return rule_broken(f, FAULT_UNTRUSTED, path->cert[i],
	    "its name is outside the signing policy of its CA");
}

/* What the files of ${ca} say of ${subject} signed by ${signer}. */
static int
ask_namespaces(const struct path_question *q, const struct cert *ca,
    const char *signer, const char *subject, const struct cert *cert,
    struct fault *f)
{
	const struct trust_anchor *record;
	char self[DN_TEXT_MAX];
	size_t at = 0;

	while ((record = trust_next_of(q->store, &ca->subject, &at)) != NULL) {
		if (record->bad_namespaces)
			return rule_broken(f, FAULT_UNTRUSTED, ca,
			    "its namespaces file %s.namespaces cannot be read",
			    record->hash);
		if (record->namespaces == NULL)
			continue;
		if (show(ca, self, f) < 0)
			return -1;
		if (namespaces_says(record->namespaces, self, signer,
			subject) == NAMESPACES_REFUSE)
			return rule_broken(f, FAULT_UNTRUSTED, cert,
			    "%s.namespaces does not permit its CA this name",
			    record->hash);
	}
	return 0;
}

int
permit_namespaces(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	char signer[DN_TEXT_MAX], subject[DN_TEXT_MAX];

	if (!concerned(q, path, i))
		return 0;
	if (show(path->cert[i + 1], signer, f) < 0 ||
	    show(path->cert[i], subject, f) < 0)
		return -1;
	for (size_t ca = i + 1; ca < path->count; ca++)
		if (ask_namespaces(q, path->cert[ca], signer, subject,
			path->cert[i], f) < 0)
			return -1;
	return 0;
}
