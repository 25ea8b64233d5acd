#include "signetd/issuer/policy.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 32768 /* what a SIGN_DONE carries */

struct policy {
	struct catalog of;
};

struct policy *
policy_new(struct fault *f)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for the policy");
		return NULL;
	}
	p->of.holders = 1;
	return p;
}

struct policy *
policy_hold(struct policy *p)
{
	p->of.holders++;
	return p;
}

void
policy_free(struct policy *p)
{
	if (p != NULL && catalog_drop(&p->of))
		free(p);
}

static int
read_chain(struct catalog_ca *ca, struct wire_bytes chain, struct fault *f)
{
	struct cert_list list = { 0 };

	ca->chain = BUF(CHAIN_MAX);
	buf_put(&ca->chain, ca->authority.cert->der, ca->authority.cert->len);
	if (chain.len > 0 &&
	    cert_list_read_pem(&list, chain.data, chain.len, f) < 0)
		return fault_wrap(f, "chain of %s", ca->authority.conf.name);
	for (size_t i = 0; i < list.count; i++)
		buf_put(&ca->chain, list.cert[i]->der, list.cert[i]->len);
	cert_list_free(&list);
	if (ca->chain.failed)
		return fault_set(f, FAULT_CONFIG, "chain of %s: too long",
		    ca->authority.conf.name);
	return 0;
}

int
policy_add_ca(struct policy *p, struct wire_bytes conf, struct wire_bytes cert,
    struct wire_bytes chain, struct fault *f)
{
	struct catalog_ca *ca = catalog_add_ca(&p->of, conf, cert, f);

	return ca == NULL ? -1 : read_chain(ca, chain, f);
}

/* The CA that ${profile} names; else the first. */
static const struct catalog_ca *
ca_of(const struct catalog *c, const struct profile *profile)
{
	if (*profile->conf.authority != '\0')
		return catalog_find_ca(c, profile->conf.authority);
	return c->cas > 0 ? &c->ca[0] : NULL;
}

static int
check_profile(const struct catalog *c, const struct profile *profile,
    struct fault *f)
{
	const struct catalog_ca *ca = ca_of(c, profile);

	if (ca == NULL)
		return fault_set(f, FAULT_CONFIG, "no CA is called \"%s\"",
		    profile->conf.authority);
	if (profile->conf.ca || ca->authority.signs_ca)
		return fault_set(f, FAULT_CONFIG,
		    "certificates of CAs are not issued online");
	return 0;
}

int
policy_add_profile(struct policy *p, struct wire_bytes text, struct fault *f)
{
	return catalog_add_profile(&p->of, text, check_profile, f);
}

size_t
policy_cas(const struct policy *p)
{
	return p->of.cas;
}

const struct catalog_ca *
policy_ca(const struct policy *p, size_t n)
{
	return &p->of.ca[n];
}

int
policy_find(const struct policy *p, const char *name,
    const struct profile **profile, const struct catalog_ca **ca,
    struct fault *f)
{
	const struct profile *found = *name != '\0'
	    ? catalog_find_profile(&p->of, name)
	    : &p->of.profile[0];

	if (found == NULL || p->of.profiles == 0)
		return fault_set(f, FAULT_DENIED, "no profile is called \"%s\"",
		    name);
	*profile = found;
	*ca = ca_of(&p->of, found);
	return 0;
}
