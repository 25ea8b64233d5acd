#include "base/fault.h"
#include "base/text.h"
#include "ldap/dial.h"
#include "map/map_request.h"
#include "own_entry.h"
#include "signet-map/base/map_conf.h"
#include "ticket_args.h"
#include "x509/dn.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_S 15

struct ticket {
	struct map_conf conf;
	const char *attribute;
	char name[MAP_REQUEST_NAME_SIZE]; /* as certificates are printed */
	LDAP *ld;
	char *dn;
};

static int
read_name(const char *text, char name[MAP_REQUEST_NAME_SIZE], struct fault *f)
{
	struct dn dn;

	if (dn_read_slash(&dn, text, f) < 0)
		return -1;
	if (dn_show_slash(&dn, name, MAP_REQUEST_NAME_SIZE) < 0 ||
	    !map_request_name_good(name))
		return fault_set(f, FAULT_INPUT,
		    "that name cannot stand in a map");
	return 0;
}

/* The first server that answers. */
static int
dial_any(struct ticket *t, const struct ticket_args *args, struct fault *f)
{
	struct dial d = { .start_tls = args->starttls || t->conf.ldap_starttls,
		.ca_file =
		    args->ca_file != NULL ? args->ca_file : t->conf.ldap_ca,
		.timeout_s = TIMEOUT_S,
		.bind = DIAL_GSSAPI };
	size_t count = args->server.count > 0 ? args->server.count
					      : t->conf.ldap_server.count;

	if (count == 0)
		return fault_set(f, FAULT_CONFIG,
		    "which directory? (ldap-server in map.conf, or --server)");
	for (size_t i = 0; i < count; i++) {
		d.uri = args->server.count > 0 ? args->server.item[i]
					       : t->conf.ldap_server.item[i];
		if ((t->ld = dial_open(&d, f)) != NULL)
			return 0;
		if (f->code != FAULT_UNREACHABLE)
			break;
	}
	if (f->code == FAULT_LOGIN)
		return fault_wrap(f, "have you a ticket? (klist, kinit)");
	return -1;
}

static int
begin(struct ticket *t, const struct ticket_args *args, struct fault *f)
{
	struct own_entry_place place = { t->conf.ldap_base, t->conf.ldap_user };

	if (map_conf_open(args->config, &t->conf, f) < 0 ||
	    read_name(args->operand[0], t->name, f) < 0)
		return -1;
	t->attribute =
	    args->dn_attribute != NULL ? args->dn_attribute : t->conf.ldap_dn;
	if (dial_any(t, args, f) < 0)
		return -1;
	return own_entry_find(t->ld, &place, &t->dn, f);
}

static void
finish(struct ticket *t)
{
	ldap_memfree(t->dn);
	if (t->ld != NULL)
		own_ldap_close(t->ld);
}

static void
tell(const struct ticket *t, const struct ticket_args *args, const char *state,
    const char *sentence)
{
	json_t *o;

	if (!args->json) {
		printf("%s\n%s %s of %s.\n", t->name, sentence, t->attribute,
		    t->dn);
		return;
	}
	o = json_pack("{s:s, s:s, s:s, s:s}", "state", state, "name", t->name,
	    "entry", t->dn, "attribute", t->attribute);
	(void)json_dumpf(o, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(o);
}

int
ticket_add(const struct ticket_args *args, struct fault *f)
{
	struct ticket t = { .ld = NULL };
	int result = begin(&t, args, f);

	if (result == 0)
		result = own_entry_add(t.ld, t.dn, t.attribute,
		    t.conf.ldap_prefix, t.name, f);
	if (result >= 0)
		tell(&t, args, result == 1 ? "added" : "present",
		    result == 1 ? "was added to" : "is already in");
	finish(&t);
	return result < 0 ? -1 : 0;
}

int
ticket_remove(const struct ticket_args *args, struct fault *f)
{
	struct ticket t = { .ld = NULL };
	int result = begin(&t, args, f);

	if (result == 0)
		result = own_entry_remove(t.ld, t.dn, t.attribute, t.name, f);
	if (result == 0)
		tell(&t, args, "removed", "was taken out of");
	finish(&t);
	return result;
}
