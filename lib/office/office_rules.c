#include "office/office_rules.h"

#include "base/fault.h"
#include "office/name.h"
#include "x509/catalog.h"
#include "x509/dn.h"

#include <stdlib.h>
#include <string.h>

struct office_rules {
	struct catalog of;
};

struct office_rules *
office_rules_new(struct fault *f)
{
	struct office_rules *rules = calloc(1, sizeof(*rules));

	if (rules == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for the rules");
	else
		rules->of.holders = 1;
	return rules;
}

struct office_rules *
office_rules_hold(struct office_rules *rules)
{
	rules->of.holders++;
	return rules;
}

void
office_rules_free(struct office_rules *rules)
{
	if (rules != NULL && catalog_drop(&rules->of))
		free(rules);
}

int
office_rules_add_ca(struct office_rules *rules, struct wire_bytes conf,
    struct wire_bytes cert, struct wire_bytes chain, struct fault *f)
{
	struct catalog_ca *ca = catalog_add_ca(&rules->of, conf, cert, f);

	if (ca == NULL)
		return -1;
	ca->chain = BUF(chain.len + 1);
	buf_put(&ca->chain, chain.data, chain.len);
	return ca->chain.failed ? fault_set(f, FAULT_MEMORY, "chain") : 0;
}

/* A template is filled with a person's name. */
static int
check_profile(const struct catalog *c, const struct profile *p, struct fault *f)
{
	(void)c;
	if (p->conf.ca || *p->conf.subject != '\0')
		return fault_set(f, FAULT_CONFIG,
		    "it is for %s, which the office does not issue",
		    p->conf.ca ? "CAs" : "people who log in");
	return 0;
}

int
office_rules_add_profile(struct office_rules *rules, struct wire_bytes text,
    struct fault *f)
{
	return catalog_add_profile(&rules->of, text, check_profile, f);
}

size_t
office_rules_cas(const struct office_rules *rules)
{
	return rules->of.cas;
}

const struct authority *
office_rules_ca(const struct office_rules *rules, size_t n)
{
	return &rules->of.ca[n].authority;
}

const struct authority *
office_rules_find_ca(const struct office_rules *rules, const char *name)
{
	const struct catalog_ca *ca = catalog_find_ca(&rules->of, name);

	return ca == NULL ? NULL : &ca->authority;
}

struct wire_bytes
office_rules_chain(const struct office_rules *rules, const char *name)
{
	const struct catalog_ca *ca = catalog_find_ca(&rules->of, name);

	if (ca == NULL)
		return (struct wire_bytes){ NULL, 0 };
	return (struct wire_bytes){ ca->chain.data, ca->chain.len };
}

const struct profile *
office_rules_find_profile(const struct office_rules *rules, const char *name)
{
	return catalog_find_profile(&rules->of, name);
}

static bool
is_within(const struct authority *a, const struct dn *subject)
{
	for (size_t i = 0; i < a->under_count; i++)
		if (dn_under(subject, &a->under[i]))
			return true;
	return false;
}

static const struct authority *
choose_ca(const struct office_rules *rules, const struct profile *p,
    const struct dn *subject)
{
	for (size_t i = 0; i < rules->of.cas; i++) {
		const struct authority *a = &rules->of.ca[i].authority;

		if (*p->conf.authority != '\0' &&
		    strcmp(p->conf.authority, a->conf.name) != 0)
			continue;
		if (!a->signs_ca && is_within(a, subject))
			return a;
	}
	return NULL;
}

int
office_rules_judge(const struct office_rules *rules, const struct request *r,
    const struct profile **profile, const struct authority **ca,
    struct fault *f)
{
	const struct profile *p = office_rules_find_profile(rules, r->profile);
	const struct authority *a;
	struct dn subject;

	if (*r->ca_conf_space != '\0' || *r->serials != '\0')
		return fault_set(f, FAULT_DENIED,
		    "a CA is not made by an office that is online: "
		    "the keeper of the root signs its request");
	if (p == NULL)
		return fault_set(f, FAULT_DENIED,
		    "this office has no profile \"%s\"", r->profile);
	if (name_request_check(r, p, f) < 0)
		return -1;
	if (r->lifetime > p->conf.max_lifetime)
		return fault_set(f, FAULT_DENIED,
		    "profile %s gives at most %lld s", p->name,
		    (long long)p->conf.max_lifetime);
	if (dn_read_slash(&subject, r->subject, f) < 0)
		return -1;
	if ((a = choose_ca(rules, p, &subject)) == NULL)
		return fault_set(f, FAULT_DENIED,
		    "%s is outside the name space of %s", r->subject,
		    *p->conf.authority != '\0' ? p->conf.authority
					       : "each CA here");
	*profile = p;
	*ca = a;
	return 0;
}

static bool
spoke_before(const struct office_vote *votes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (votes[i].verdict == OFFICE_APPROVE &&
		    strcmp(votes[i].who, votes[n].who) == 0)
			return true;
	return false;
}

bool
office_rules_enough(const struct profile *profile, const char *asked,
    const struct office_vote *votes, size_t count, unsigned *missing)
{
	unsigned needed = (unsigned)profile->conf.approvals, yes = 0;
	bool refused = false;

	for (size_t i = 0; i < count; i++) {
		refused |= votes[i].verdict != OFFICE_APPROVE;
		if (votes[i].verdict == OFFICE_APPROVE &&
		    !spoke_before(votes, i) &&
		    !(profile->conf.second_person &&
			strcmp(votes[i].who, asked) == 0))
			yes++;
	}
	if (missing != NULL)
		*missing = yes < needed ? needed - yes : 0;
	return !refused && yes >= needed;
}
