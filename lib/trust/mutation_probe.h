#ifndef TRUST_MUTATION_PROBE_H
#define TRUST_MUTATION_PROBE_H

/* For tests: what was done to a chain, and what we and OpenSSL make of it. */
#include "trust/verify_probe.h"

/*
 * One thing done to the plain chain, and whether it is accepted then.
 * Whatever we accept OpenSSL must accept too, old proxies excepted, of which it
 * does not know; where it accepts what we do not, ${differs} says why.
 */
struct mutation {
	const char *name;
	bool accept;
	const char *differs;
	enum pki_who leaf; /* 0: the lower proxy */
	unsigned flags;
	struct {
		enum pki_who who;
		const char *name;
		const char *value; /* NULL: leave it out */
	} set[4];
	enum pki_who who; /* to whom the following is done */
	struct pki_spec spec;
};

#define AKI "authorityKeyIdentifier"

static PKI_UNUSED void
mutate(struct pki *p, const struct mutation *m)
{
	struct pki_spec *s = &p->spec[m->who];

	for (int i = 0; i < 4; i++)
		if (m->set[i].name != NULL)
			pki_set(p, m->set[i].who, m->set[i].name,
			    m->set[i].value);
	if (m->spec.subject != NULL)
		s->subject = m->spec.subject;
	if (m->spec.issuer != NULL)
		s->issuer = m->spec.issuer;
	if (m->spec.key != NULL)
		s->key = m->spec.key;
	if (m->spec.begins != 0)
		s->begins = m->spec.begins;
	if (m->spec.ends != 0)
		s->ends = m->spec.ends;
	if (m->spec.version != 0)
		s->version = 0;
	s->forged = m->spec.forged;
	s->sha1 = m->spec.sha1;
}

static PKI_UNUSED void
compare(const struct mutation *m)
{
	enum pki_who leaf = m->leaf != ROOT ? m->leaf : DEEPER;
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	struct pki p;
	bool ours, theirs;

	pki_init(&p);
	mutate(&p, m);
	pki_make(&p);
	pki_dir(&p);
	ours = accepts(&p, leaf, m->flags, &verdict, &f);
	theirs = openssl_accepts(&p, leaf, m->flags, NULL);
	if (ours != m->accept)
		fail_msg("%s: %s %s", m->name, ours ? "accepted" : "refused",
		    f.text);
	if ((ours != theirs) != (m->differs != NULL))
		fail_msg("%s: OpenSSL %s it, we say %s", m->name,
		    theirs ? "accepts" : "refuses", f.text);
	if (!ours)
		assert_true(f.text[0] != '\0');
	pki_free(&p);
}

static PKI_UNUSED void
compare_all(const struct mutation *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		compare(&m[i]);
}

#endif
