#include "x509/catalog.h"

#include "base/fault.h"

#include <string.h>

bool
catalog_drop(struct catalog *c)
{
	if (--c->holders > 0)
		return false;
	for (size_t i = 0; i < c->cas; i++) {
		authority_clear(&c->ca[i].authority);
		buf_free(&c->ca[i].chain);
	}
	return true;
}

struct catalog_ca *
catalog_add_ca(struct catalog *c, struct wire_bytes conf,
    struct wire_bytes cert, struct fault *f)
{
	struct catalog_ca *ca = &c->ca[c->cas];

	if (c->cas == CATALOG_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "more than %d CAs",
		    CATALOG_MAX);
		return NULL;
	}
	if (authority_read(&ca->authority, (const char *)conf.data, conf.len,
		cert.data, cert.len, f) < 0)
		return NULL;
	if (catalog_find_ca(c, ca->authority.conf.name) != NULL) {
		(void)fault_set(f, FAULT_CONFIG, "two CAs are called %s",
		    ca->authority.conf.name);
		authority_clear(&ca->authority);
		return NULL;
	}
	ca->chain = BUF(0);
	c->cas++;
	return ca;
}

int
catalog_add_profile(struct catalog *c, struct wire_bytes text,
    catalog_check_fn *check, struct fault *f)
{
	struct profile *p = &c->profile[c->profiles];

	if (c->profiles == CATALOG_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d profiles",
		    CATALOG_MAX);
	if (profile_read_named(p, text, f) < 0)
		return fault_wrap(f, "profile");
	if (check(c, p, f) < 0)
		return fault_wrap(f, "profile %s", p->name);
	c->profiles++;
	return 0;
}

const struct catalog_ca *
catalog_find_ca(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->cas; i++)
		if (strcmp(c->ca[i].authority.conf.name, name) == 0)
			return &c->ca[i];
	return NULL;
}

const struct profile *
catalog_find_profile(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->profiles; i++)
		if (strcmp(c->profile[i].name, name) == 0)
			return &c->profile[i];
	return NULL;
}
