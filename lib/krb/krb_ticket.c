#include "krb/krb_ticket.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "krb/krb_lib.h"

#include <string.h>

/* libkrb5's times are unsigned 32-bit numbers in a signed type. */
static time_t
moment(krb5_timestamp when)
{
	return (time_t)(uint32_t)when;
}

static int
open_cache(struct krb_lib *k, const char *name, struct fault *f)
{
	krb5_error_code code = name == NULL
	    ? krb5_cc_default(k->context, &k->cache)
	    : krb5_cc_resolve(k->context, name, &k->cache);

	if (code != 0)
		return krb_lib_fault(k, code, "ticket cache", f);
	return 0;
}

static int
show_principal(struct krb_lib *k, krb5_const_principal who, char *text,
    size_t size, struct fault *f)
{
	krb5_error_code code;
	char *name = NULL;
	int fits;

	if ((code = krb5_unparse_name(k->context, who, &name)) != 0)
		return krb_lib_fault(k, code, "principal", f);
	fits = text_copy(text, size, name);
	krb5_free_unparsed_name(k->context, name);
	return fits < 0 ? fault_set(f, FAULT_INPUT, "principal too long") : 0;
}

/* Whether ${creds} is a ticket for krbtgt/REALM@REALM of its client's realm. */
static bool
is_granting(const krb5_creds *creds, krb5_const_principal client)
{
	krb5_const_principal server = creds->server;
	const krb5_data *realm = &client->realm;

	return server->length == 2 && server->data[0].length == 6 &&
	    memcmp(server->data[0].data, "krbtgt", 6) == 0 &&
	    server->data[1].length == realm->length &&
	    memcmp(server->data[1].data, realm->data, realm->length) == 0;
}

/* The end of the ticket-granting ticket that lives longest; 0 for none. */
static krb5_error_code
search(struct krb_lib *k, time_t *end, time_t *renew_until)
{
	krb5_cc_cursor cursor;
	krb5_error_code code;

	*end = 0;
	if ((code = krb5_cc_start_seq_get(k->context, k->cache, &cursor)) != 0)
		return code;
	for (;;) {
		krb5_creds creds = { 0 };

		if ((code = krb5_cc_next_cred(k->context, k->cache, &cursor,
			 &creds)) != 0)
			break;
		if (!krb5_is_config_principal(k->context, creds.server) &&
		    is_granting(&creds, k->client) &&
		    moment(creds.times.endtime) > *end) {
			*end = moment(creds.times.endtime);
			*renew_until = moment(creds.times.renew_till);
		}
		krb5_free_cred_contents(k->context, &creds);
	}
	(void)krb5_cc_end_seq_get(k->context, k->cache, &cursor);
	return code == KRB5_CC_END ? 0 : code;
}

int
krb_ticket_find(const char *cache, struct krb_ticket *ticket, struct fault *f)
{
	OWN_KRB_LIB(k);
	struct krb_ticket found = { .end = 0 };
	krb5_error_code code;

	if (krb_lib_open(&k, f) < 0 || open_cache(&k, cache, f) < 0)
		return -1;
	code = krb5_cc_get_principal(k.context, k.cache, &k.client);
	if (code == 0)
		code = search(&k, &found.end, &found.renew_until);
	if (code != 0)
		return krb_lib_fault(&k, code, "ticket cache", f);
	if (show_principal(&k, k.client, found.principal,
		sizeof(found.principal), f) < 0)
		return -1;
	if (found.end == 0)
		return fault_set(f, FAULT_ABSENT,
		    "the ticket cache holds no ticket of its realm");
	if (found.end <= clock_wall())
		return fault_set(f, FAULT_EXPIRED,
		    "the ticket of %s has "
		    "expired",
		    found.principal);
	*ticket = found;
	return 0;
}

/* kinit's rule: "@REALM" or nothing names the anonymous principal. */
static int
read_principal(struct krb_lib *k, const char *name, bool enterprise,
    bool anonymous, struct fault *f)
{
	int flags = enterprise ? KRB5_PRINCIPAL_PARSE_ENTERPRISE : 0;
	krb5_error_code code;
	char *realm = NULL;

	if (!anonymous || (name != NULL && *name != '\0' && *name != '@')) {
		if (name == NULL || *name == '\0')
			return fault_set(f, FAULT_USAGE, "no user name");
		code =
		    krb5_parse_name_flags(k->context, name, flags, &k->client);
	} else if (name != NULL && *name == '@') {
		code = krb5_build_principal(k->context, &k->client,
		    (unsigned)strlen(name + 1), name + 1,
		    KRB5_WELLKNOWN_NAMESTR, KRB5_ANONYMOUS_PRINCSTR, NULL);
	} else {
		code = krb5_get_default_realm(k->context, &realm);
		if (code == 0)
			code = krb5_build_principal(k->context, &k->client,
			    (unsigned)strlen(realm), realm,
			    KRB5_WELLKNOWN_NAMESTR, KRB5_ANONYMOUS_PRINCSTR,
			    NULL);
		if (realm != NULL)
			krb5_free_default_realm(k->context, realm);
	}
	if (code != 0)
		return krb_lib_fault(k, code, "user name", f);
	return 0;
}

int
krb_principal_full(const char *name, bool enterprise, char *full, size_t size,
    struct fault *f)
{
	OWN_KRB_LIB(k);

	if (krb_lib_open(&k, f) < 0 ||
	    read_principal(&k, name, enterprise, false, f) < 0)
		return -1;
	return show_principal(&k, k.client, full, size, f);
}

/* How libkrb5 reaches the person: through the caller's ${ask}. */
struct prompter {
	struct secret *(*ask)(void *arg, const char *prompt, struct fault *f);
	void *arg;
	struct fault *f;
	bool failed; /* ${f} tells why */
};

static krb5_error_code
prompt(krb5_context context, void *data, const char *name, const char *banner,
    int count, krb5_prompt prompts[])
{
	struct prompter *p = data;

	(void)context;
	(void)name;
	for (int i = 0; i < count; i++) {
		char text[400];
		OWN_STRUCT(secret) answer = NULL;

		/* The banner says why: "Password expired." */
		if (text_fmt(text, sizeof(text),
			"%s%s%s: ", banner != NULL && i == 0 ? banner : "",
			banner != NULL && i == 0 ? "\n" : "",
			prompts[i].prompt) < 0)
			return KRB5_LIBOS_CANTREADPWD;
		if (p->ask == NULL)
			return KRB5_LIBOS_CANTREADPWD;
		if ((answer = p->ask(p->arg, text, p->f)) == NULL) {
			p->failed = true;
			return KRB5_LIBOS_PWDINTR;
		}
		/* A NUL follows, as libkrb5's own prompter leaves one. */
		if (secret_len(answer) + 1 > prompts[i].reply->length)
			return KRB5_LIBOS_CANTREADPWD;
		memcpy(prompts[i].reply->data, secret_text(answer),
		    secret_len(answer) + 1);
		prompts[i].reply->length = (unsigned)secret_len(answer);
	}
	return 0;
}

static krb5_error_code
set_plugins(struct krb_lib *k, const struct krb_ticket_wish *wish)
{
	krb5_error_code code = 0;

	for (size_t i = 0; code == 0 && i < wish->preauth_count; i++) {
		const char *equals = strchr(wish->preauth[i], '=');
		char name[128];
		size_t len = equals == NULL
		    ? strlen(wish->preauth[i])
		    : (size_t)(equals - wish->preauth[i]);

		if (text_fmt(name, sizeof(name), "%.*s", (int)len,
			wish->preauth[i]) < 0)
			return KRB5_CONFIG_BADFORMAT;
		code = krb5_get_init_creds_opt_set_pa(k->context, k->options,
		    name, equals == NULL ? "yes" : equals + 1);
	}
	return code;
}

static krb5_error_code
set_addresses(struct krb_lib *k, const struct krb_ticket_wish *wish)
{
	krb5_error_code code = 0;

	if (wish->no_addresses)
		krb5_get_init_creds_opt_set_address_list(k->options, NULL);
	if (!wish->addresses)
		return 0;
	/* The options borrow the list. */
	if ((code = krb5_os_localaddr(k->context, &k->addresses)) == 0)
		krb5_get_init_creds_opt_set_address_list(k->options,
		    k->addresses);
	return code;
}

static int
set_options(struct krb_lib *k, const struct krb_ticket_wish *wish,
    struct fault *f)
{
	krb5_get_init_creds_opt *o;
	krb5_error_code code;

	if ((code = krb5_get_init_creds_opt_alloc(k->context, &k->options)) !=
	    0)
		return krb_lib_fault(k, code, "options", f);
	o = k->options;
	if (wish->lifetime > 0)
		krb5_get_init_creds_opt_set_tkt_life(o,
		    (krb5_deltat)wish->lifetime);
	if (wish->renewable > 0)
		krb5_get_init_creds_opt_set_renew_life(o,
		    (krb5_deltat)wish->renewable);
	if (wish->forwardable || wish->not_forwardable)
		krb5_get_init_creds_opt_set_forwardable(o, wish->forwardable);
	if (wish->proxiable || wish->not_proxiable)
		krb5_get_init_creds_opt_set_proxiable(o, wish->proxiable);
	if (wish->canonicalize || wish->enterprise)
		krb5_get_init_creds_opt_set_canonicalize(o, 1);
	if (wish->anonymous)
		krb5_get_init_creds_opt_set_anonymous(o, 1);
	code = set_addresses(k, wish);
	if (code == 0 && (wish->pac || wish->no_pac))
		code = krb5_get_init_creds_opt_set_pac_request(k->context, o,
		    wish->pac);
	if (code == 0 && wish->armor_cache != NULL)
		code = krb5_get_init_creds_opt_set_fast_ccache_name(k->context,
		    o, wish->armor_cache);
	if (code == 0)
		code = set_plugins(k, wish);
	if (code != 0)
		return krb_lib_fault(k, code, "options", f);
	return 0;
}

/*
 * Where the ticket goes.  A collection (DIR, KEYRING, KCM) keeps a cache a
 * principal: the one of this principal is used again, or a new one begun.
 */
static int
choose_cache(struct krb_lib *k, const char *name, struct fault *f)
{
	const char *type;
	krb5_ccache own = NULL;
	krb5_error_code code;

	if (open_cache(k, name, f) < 0)
		return -1;
	type = krb5_cc_get_type(k->context, k->cache);
	if (name != NULL || !krb5_cc_support_switch(k->context, type))
		return 0;
	code = krb5_cc_cache_match(k->context, k->client, &own);
	if (code == KRB5_CC_NOTFOUND)
		code = krb5_cc_new_unique(k->context, type, NULL, &own);
	if (code != 0)
		return krb_lib_fault(k, code, "ticket cache", f);
	(void)krb5_cc_close(k->context, k->cache);
	k->cache = own;
	return 0;
}

/* A new life for the ticket in the cache. */
static int
refresh(struct krb_lib *k, const struct krb_ticket_wish *wish, struct fault *f)
{
	krb5_error_code code = wish->renew
	    ? krb5_get_renewed_creds(k->context, &k->creds, k->client, k->cache,
		  wish->service)
	    : krb5_get_validated_creds(k->context, &k->creds, k->client,
		  k->cache, wish->service);

	if (code == 0)
		code = krb5_cc_initialize(k->context, k->cache, k->client);
	if (code == 0)
		code = krb5_cc_store_cred(k->context, k->cache, &k->creds);
	if (code != 0)
		return krb_lib_fault(k, code,
		    wish->renew ? "renewing the ticket"
				: "validating the ticket",
		    f);
	return 0;
}

static krb5_error_code
open_keytab(struct krb_lib *k, const struct krb_ticket_wish *wish)
{
	if (wish->keytab != NULL)
		return krb5_kt_resolve(k->context, wish->keytab, &k->keytab);
	if (wish->client_keytab)
		return krb5_kt_client_default(k->context, &k->keytab);
	return krb5_kt_default(k->context, &k->keytab);
}

/* Where a first ticket is written, and from which cache hints are taken. */
static krb5_error_code
set_caches(struct krb_lib *k, const struct krb_ticket_wish *wish)
{
	krb5_error_code code;

	code = krb5_get_init_creds_opt_set_out_ccache(k->context, k->options,
	    k->cache);
	if (code != 0 || wish->input_cache == NULL)
		return code;
	code = krb5_cc_resolve(k->context, wish->input_cache, &k->input);
	if (code == 0)
		code = krb5_get_init_creds_opt_set_in_ccache(k->context,
		    k->options, k->input);
	return code;
}

static int
acquire(struct krb_lib *k, const struct krb_ticket_wish *wish,
    struct prompter *p, struct fault *f)
{
	krb5_error_code code = set_caches(k, wish);
	char doing[300];
	char name[256];

	if (code == 0 && wish->use_keytab)
		code = open_keytab(k, wish);
	if (code == 0 && wish->use_keytab)
		code = krb5_get_init_creds_keytab(k->context, &k->creds,
		    k->client, k->keytab, (krb5_deltat)wish->start,
		    wish->service, k->options);
	else if (code == 0)
		code = krb5_get_init_creds_password(k->context, &k->creds,
		    k->client, NULL, prompt, p, (krb5_deltat)wish->start,
		    wish->service, k->options);
	if (code == 0)
		return 0;
	if (p->failed)
		return -1;
	if (show_principal(k, k->client, name, sizeof(name), f) < 0 ||
	    text_fmt(doing, sizeof(doing), "Kerberos ticket for %s", name) < 0)
		return -1;
	return krb_lib_fault(k, code, doing, f);
}

int
krb_ticket_get(const struct krb_ticket_wish *wish,
    struct secret *(*ask)(void *arg, const char *prompt, struct fault *f),
    void *arg, struct fault *f)
{
	OWN_KRB_LIB(k);
	struct prompter p = { ask, arg, f, false };

	if (krb_lib_open(&k, f) < 0 ||
	    read_principal(&k, wish->principal, wish->enterprise,
		wish->anonymous, f) < 0 ||
	    choose_cache(&k, wish->cache, f) < 0)
		return -1;
	if (wish->renew || wish->validate)
		return refresh(&k, wish, f);
	if (set_options(&k, wish, f) < 0 || acquire(&k, wish, &p, f) < 0)
		return -1;
	if (wish->cache == NULL &&
	    krb5_cc_support_switch(k.context,
		krb5_cc_get_type(k.context, k.cache)))
		(void)krb5_cc_switch(k.context, k.cache);
	return 0;
}
