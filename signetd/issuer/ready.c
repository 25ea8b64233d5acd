#include "signetd/issuer/ready.h"

#include "base/fault.h"
#include "token/token_uri.h"

#include <string.h>

void
ready_hear(struct ready *r, const struct msg_ca_ready *m)
{
	size_t i = 0;

	while (i < r->count && strcmp(r->said[i].ca, m->ca) != 0)
		i++;
	/* There are no more CAs than this: the signer has as many. */
	if (i == CONF_LIST_MAX)
		return;
	if (i == r->count)
		r->count++;
	memcpy(r->said[i].ca, m->ca, sizeof(m->ca));
	r->said[i].ready = m->ready != 0;
}

static bool
can_sign(const struct ready *r, const struct authority *a)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->said[i].ca, a->conf.name) == 0)
			return r->said[i].ready;
	return !token_uri_named(a->conf.key, a->conf.key_module);
}

int
ready_check(const struct ready *r, const struct authority *a, struct fault *f)
{
	if (can_sign(r, a))
		return 0;
	return fault_set(f, FAULT_SUSPENDED,
	    "signing is suspended: the token of %s is not ready", a->conf.name);
}
