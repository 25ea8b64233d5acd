#include "signetd/issuer/policy.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CHAIN_MAX 32768 /* what a SIGN_DONE carries */

struct policy {
	unsigned holders;
	size_t cas;
	size_t profiles;
	struct policy_ca ca[POLICY_CAS_MAX];
	struct profile profile[POLICY_PROFILES_MAX];
	const struct policy_ca *signs[POLICY_PROFILES_MAX];
};

struct policy *
policy_new(struct fault *f)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for the policy");
		return NULL;
	}
	p->holders = 1;
	return p;
}

struct policy *
policy_hold(struct policy *p)
{
	p->holders++;
	return p;
}

void
policy_free(struct policy *p)
{
	if (p == NULL || --p->holders > 0)
		return;
	for (size_t i = 0; i < p->cas; i++) {
		authority_clear(&p->ca[i].authority);
		buf_free(&p->ca[i].chain);
	}
	free(p);
}

static int
read_chain(struct policy_ca *ca, struct wire_bytes chain, struct fault *f)
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

static const struct policy_ca *
find_ca(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->cas; i++)
		if (strcmp(p->ca[i].authority.conf.name, name) == 0)
			return &p->ca[i];
	return NULL;
}

int
policy_add_ca(struct policy *p, struct wire_bytes conf, struct wire_bytes cert,
    struct wire_bytes chain, struct fault *f)
{
	struct policy_ca *ca = &p->ca[p->cas];

	if (p->cas == POLICY_CAS_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d CAs",
		    POLICY_CAS_MAX);
	if (authority_read(&ca->authority, (const char *)conf.data, conf.len,
		cert.data, cert.len, f) < 0)
		return -1;
	if (find_ca(p, ca->authority.conf.name) != NULL) {
		(void)fault_set(f, FAULT_CONFIG, "two CAs are called %s",
		    ca->authority.conf.name);
		authority_clear(&ca->authority);
		return -1;
	}
	p->cas++;
	return read_chain(ca, chain, f);
}

/* "# NAME", put before the file's own text by the parent. */
static int
read_name(struct wire_bytes text, char name[PROFILE_NAME_SIZE], struct fault *f)
{
	const uint8_t *end = memchr(text.data, '\n', text.len);

	if (end == NULL || text.len < 3 || memcmp(text.data, "# ", 2) != 0 ||
	    text_fmt(name, PROFILE_NAME_SIZE, "%.*s",
		(int)(end - text.data - 2), (const char *)text.data + 2) < 0)
		return fault_set(f, FAULT_CONFIG, "a profile without a name");
	return 0;
}

int
policy_add_profile(struct policy *p, struct wire_bytes text, struct fault *f)
{
	struct profile *profile = &p->profile[p->profiles];
	char name[PROFILE_NAME_SIZE];
	const struct policy_ca *ca;

	if (p->profiles == POLICY_PROFILES_MAX || p->cas == 0)
		return fault_set(f, FAULT_CONFIG, "no CA, or %d profiles",
		    POLICY_PROFILES_MAX);
	if (read_name(text, name, f) < 0 ||
	    profile_read(profile, name, (const char *)text.data, text.len, f) <
		0)
		return fault_wrap(f, "profile");
	ca = *profile->conf.authority == '\0'
	    ? &p->ca[0]
	    : find_ca(p, profile->conf.authority);
	if (ca == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "profile %s: no CA is called \"%s\"", name,
		    profile->conf.authority);
	if (profile->conf.ca || ca->authority.signs_ca)
		return fault_set(f, FAULT_CONFIG,
		    "profile %s: certificates of CAs are not issued online",
		    name);
	p->signs[p->profiles++] = ca;
	return 0;
}

size_t
policy_cas(const struct policy *p)
{
	return p->cas;
}

const struct policy_ca *
policy_ca(const struct policy *p, size_t n)
{
	return &p->ca[n];
}

int
policy_find(const struct policy *p, const char *name,
    const struct profile **profile, const struct policy_ca **ca,
    struct fault *f)
{
	for (size_t i = 0; i < p->profiles; i++)
		if (*name == '\0' || strcmp(p->profile[i].name, name) == 0) {
			*profile = &p->profile[i];
			*ca = p->signs[i];
			return 0;
		}
	return fault_set(f, FAULT_DENIED, "no profile is called \"%s\"", name);
}
