#include "trust/constraint.h"

#include "trust/host.h"
#include "trust/rule.h"
#include "trust/subtree.h"
#include "x509/der.h"

#include <string.h>

#define FORM_EMAIL 1u
#define FORM_DNS 2u
#define FORM_DIRECTORY 4u

/* One name that is held to constraints. */
struct name {
	unsigned form; /* GeneralName's tag number */
	struct wire_bytes value;
};

/* How a name stands to the subtrees of one list. */
struct found {
	bool form;   /* some subtree has its form */
	bool inside; /* and it is in one of them */
	bool unsure; /* a subtree that we cannot compare with it */
	bool wide;   /* what may be inside counts: for excluded ones */
};

/* Compare ${name} with one GeneralSubtree. */
static void
compare(struct der_in *subtree, const struct name *name, struct found *found)
{
	uint8_t tag = der_peek(subtree);
	struct wire_bytes base = der_get(subtree, tag);

	if ((tag & 0xc0u) != 0x80u || (tag & 0x1fu) != name->form)
		return;
	found->form = true;
	/* minimum and maximum must not be used (RFC 5280 4.2.1.10). */
	if (!der_ended(subtree)) {
		found->unsure = true;
		return;
	}
	if (name->form == FORM_DIRECTORY) {
		int inside = subtree_directory(name->value, base);

		found->unsure = found->unsure || inside < 0;
		found->inside = found->inside || inside > 0;
	} else if (name->form == FORM_DNS) {
		if (subtree_domain(name->value, base) ||
		    (found->wide && subtree_wildcard(name->value, base)))
			found->inside = true;
	} else {
		found->unsure = true;
	}
}

static int
compare_all(struct der_in *list, const struct name *name, struct found *found)
{
	while (list->left > 0 && !list->failed) {
		struct der_in subtree = der_enter(list, DER_SEQUENCE);

		compare(&subtree, name, found);
		if (subtree.failed)
			return -1;
	}
	return list->failed ? -1 : 0;
}

static int
hold_name(const struct cert *ca, struct wire_bytes constraints,
    const struct cert *cert, const struct name *name, struct fault *f)
{
	struct der_in in = DER_IN(constraints.data, constraints.len);
	struct der_in sequence = der_enter(&in, DER_SEQUENCE);
	struct der_in list;
	struct found permitted = { 0 };
	struct found excluded = { .wide = true };
	int bad = 0;

	if (der_maybe(&sequence, DER_CONTEXT_C(0), &list))
		bad |= compare_all(&list, name, &permitted);
	if (der_maybe(&sequence, DER_CONTEXT_C(1), &list))
		bad |= compare_all(&list, name, &excluded);
	if (bad != 0 || !der_ended(&sequence) || !der_ended(&in))
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "malformed nameConstraints");
	if (permitted.unsure || excluded.unsure)
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "a CA above it constrains names of form [%u] in a way "
		    "that is not judged here",
		    name->form);
	if (excluded.inside || (permitted.form && !permitted.inside))
		return rule_broken(f, FAULT_UNTRUSTED, cert,
		    "a name outside the nameConstraints of a CA above it");
	return 0;
}

/* The host that a certificate without any dNSName names by its CN. */
static int
hold_cn(const struct cert *ca, struct wire_bytes constraints,
    const struct cert *cert, struct fault *f)
{
	char host[HOST_NAME_SIZE];
	struct name name = { FORM_DNS, { (const uint8_t *)host, 0 } };

	if (!host_from_cn(cert, host))
		return 0;
	name.value.len = strlen(host);
	return hold_name(ca, constraints, cert, &name, f);
}

static int
hold_subject(const struct cert *ca, struct wire_bytes constraints,
    const struct cert *cert, struct fault *f)
{
	static const uint8_t email[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
		0xf7, 0x0d, 0x01, 0x09, 0x01 };
	struct name name = { FORM_DIRECTORY,
		{ cert->subject.der, cert->subject.len } };
	struct name mail = { FORM_EMAIL, { email, sizeof(email) } };

	/* The empty name is not held to anything (RFC 5280 6.1.3 b). */
	if (dn_depth(&cert->subject) > 0 &&
	    hold_name(ca, constraints, cert, &name, f) < 0)
		return -1;
	if (memmem(cert->subject.der, cert->subject.len, email,
		sizeof(email)) != NULL &&
	    hold_name(ca, constraints, cert, &mail, f) < 0)
		return -1;
	return hold_cn(ca, constraints, cert, f);
}

static int
hold(const struct cert *ca, struct wire_bytes constraints,
    const struct cert *cert, struct fault *f)
{
	struct der_in names = DER_IN(cert->alt_names.data, cert->alt_names.len);

	if (hold_subject(ca, constraints, cert, f) < 0)
		return -1;
	while (names.left > 0) {
		uint8_t tag = der_peek(&names);
		struct name name = { tag & 0x1fu, der_get(&names, tag) };

		if (names.failed || (tag & 0xc0u) != 0x80u)
			return rule_broken(f, FAULT_UNTRUSTED, cert,
			    "malformed subjectAltName");
		if (hold_name(ca, constraints, cert, &name, f) < 0)
			return -1;
	}
	return 0;
}

int
constraint_names(const struct path_question *q, const struct trust_path *path,
    size_t ca, struct fault *f)
{
	struct rule_extension ext;

	(void)q;
	if (ca <= path->eec ||
	    !rule_find_extension(path->cert[ca], RULE_NAME_CONSTRAINTS, &ext))
		return 0;
	for (size_t i = path->eec; i < ca; i++) {
		/* RFC 5280 6.1.3 (b): but the last is held. */
		if (i > path->eec && cert_is_self_issued(path->cert[i]))
			continue;
		if (hold(path->cert[ca], ext.value, path->cert[i], f) < 0)
			return -1;
	}
	return 0;
}
