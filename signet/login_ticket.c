#include "base/clock.h"
#include "base/fault.h"
#include "login.h"

#include <string.h>

#define ENOUGH 60 /* seconds that a ticket must live to be used */

/* Whether an option asks for something of the ticket, so that the one that
 * there is will not do. */
static bool
wants_new(const struct login_options *o)
{
	return o->ticket_lifetime != OPTION_UNSET ||
	    o->ticket_start != OPTION_UNSET || o->renewable != OPTION_UNSET ||
	    o->forwardable || o->not_forwardable || o->proxiable ||
	    o->not_proxiable || o->addresses || o->no_addresses ||
	    o->canonicalize || o->enterprise || o->anonymous || o->use_keytab ||
	    o->service != NULL || o->armor != NULL || o->preauth.count > 0 ||
	    o->pac || o->no_pac || o->renew || o->validate;
}

static bool
has_ticket(const struct login *l)
{
	struct krb_ticket ticket;
	struct fault f;

	if (krb_ticket_find(l->o->cache, &ticket, &f) < 0) {
		call_verbose(l->call, "%s", f.text);
		return false;
	}
	if (strcmp(ticket.principal, l->principal) != 0) {
		call_verbose(l->call, "the ticket is %s's", ticket.principal);
		return false;
	}
	return ticket.end - clock_wall() >= ENOUGH;
}

static int64_t
seconds(int64_t option)
{
	return option == OPTION_UNSET ? 0 : option;
}

static void
fill(const struct login *l, struct krb_ticket_wish *w)
{
	const struct login_options *o = l->o;

	*w = (struct krb_ticket_wish){
		.principal = o->enterprise ? l->name : l->principal,
		.lifetime = seconds(o->ticket_lifetime),
		.renewable = seconds(o->renewable),
		.start = seconds(o->ticket_start),
		.forwardable = o->forwardable,
		.not_forwardable = o->not_forwardable,
		.proxiable = o->proxiable,
		.not_proxiable = o->not_proxiable,
		.addresses = o->addresses,
		.no_addresses = o->no_addresses,
		.canonicalize = o->canonicalize,
		.enterprise = o->enterprise,
		.anonymous = o->anonymous,
		.pac = o->pac,
		.no_pac = o->no_pac,
		.cache = o->cache,
		.input_cache = o->input_cache,
		.keytab = o->keytab,
		.use_keytab = o->use_keytab,
		.client_keytab = o->client_keytab,
		.service = o->service,
		.armor_cache = o->armor,
		.renew = o->renew,
		.validate = o->validate,
	};
	for (size_t i = 0;
	     i < o->preauth.count && w->preauth_count < KRB_PREAUTH_MAX; i++)
		w->preauth[w->preauth_count++] = o->preauth.item[i];
}

int
login_ticket(struct login *l, struct fault *f)
{
	struct krb_ticket_wish wish;

	if (!wants_new(l->o) && has_ticket(l))
		return 0;
	fill(l, &wish);
	call_verbose(l->call, "getting a ticket for %s", l->principal);
	if (krb_ticket_get(&wish, asker_prompt, &l->asker, f) < 0) {
		if (f->code == FAULT_UNREACHABLE)
			call_hint(l->call,
			    "Check the network, and the realm in krb5.conf.");
		return -1;
	}
	return 0;
}
