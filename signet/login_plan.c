#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "login.h"
#include "proxy_file.h"

#include <stdlib.h>
#include <string.h>

/* The name: what was typed, else what was typed last time, else whose ticket
 * there is. */
static int
choose_name(struct login *l, struct fault *f)
{
	const struct login_options *o = l->o;
	const char *typed =
	    l->call->operand_count > 0 ? l->call->operand[0] : o->username;
	struct krb_ticket ticket;
	int fits = -1;

	if (typed != NULL && *typed != '\0') {
		fits = text_copy(l->name, sizeof(l->name), typed);
		if (fits < 0 || !text_utf8(typed, strlen(typed)))
			return fault_set(f, FAULT_USAGE,
			    "that is no user name");
		return 0;
	}
	if (o->anonymous)
		return 0;
	if (place_name_read(l->name, f) == 0)
		return 0;
	call_verbose(l->call, "%s", f->text);
	if (l->kerberos && krb_ticket_find(o->cache, &ticket, f) == 0)
		return text_copy(l->name, sizeof(l->name), ticket.principal);
	call_hint(l->call, "Run: %s%s YOUR.NAME", l->call->name,
	    l->call->old ? "" : " login");
	return fault_set(f, FAULT_USAGE, "who are you?");
}

/*
 * The principal, and the name that goes to the server: a stock server knows
 * people of its own realm by their bare names.
 */
static int
choose_principal(struct login *l, struct fault *f)
{
	const char *realm = l->o->realm != NULL ? l->o->realm : l->conf.realm;
	const char *at = l->o->enterprise ? NULL : strrchr(l->name, '@');
	char own[PLACE_NAME_SIZE];
	char bare[PLACE_NAME_SIZE];
	int fits;

	if (at != NULL || *realm == '\0' || *l->name == '\0')
		fits = text_copy(l->principal, sizeof(l->principal), l->name);
	else
		fits = text_fmt(l->principal, sizeof(l->principal), "%s@%s",
		    l->name, realm);
	if (fits < 0 ||
	    text_fmt(bare, sizeof(bare), "%.*s",
		(int)(at == NULL ? strlen(l->name) : (size_t)(at - l->name)),
		l->name) < 0)
		return fault_set(f, FAULT_USAGE, "the user name is too long");
	if (l->kerberos && !l->o->anonymous) {
		if (krb_principal_full(l->principal, l->o->enterprise, own,
			sizeof(own), f) < 0)
			return -1;
		memcpy(l->principal, own, sizeof(own));
	}
	/* Of the site's realm, of Kerberos' own, or of none: bare. */
	if (at == NULL || strcmp(at + 1, realm) == 0 ||
	    (l->kerberos &&
		krb_principal_full(bare, false, own, sizeof(own), f) == 0 &&
		strcmp(own, l->principal) == 0))
		return text_copy(l->username, sizeof(l->username), bare);
	return text_copy(l->username, sizeof(l->username), l->principal);
}

static int
choose_auth(struct login *l, struct fault *f)
{
	const char *auth = l->o->auth != NULL ? l->o->auth : l->conf.auth;

	l->kerberos = strcmp(auth, "kerberos") == 0;
	if (!l->kerberos && strcmp(auth, "password") != 0)
		return fault_set(f,
		    l->o->auth != NULL ? FAULT_USAGE : FAULT_CONFIG,
		    "auth is kerberos or password, not \"%s\"", auth);
	l->asker.from_stdin = l->o->password_stdin;
	l->asker.forbidden = l->o->no_ask;
	return 0;
}

/* What libkrb5 would ask, for those who are asked without it. */
static int
choose_prompt(struct login *l, struct fault *f)
{
	if (l->kerberos)
		return 0;
	if (text_fmt(l->asker.prompt, sizeof(l->asker.prompt),
		"Password for %s: ", l->principal) < 0)
		return fault_set(f, FAULT_USAGE, "the user name is too long");
	return 0;
}

static int
choose_keys(struct login *l, struct fault *f)
{
	const struct login_options *o = l->o;
	const char *key = o->key != NULL ? o->key : l->conf.key;
	const char *under =
	    o->cert_key != NULL ? o->cert_key : l->conf.cert_key;
	int fits;

	if (o->bits != OPTION_UNSET)
		fits = text_fmt(l->key_kind, sizeof(l->key_kind), "rsa:%d",
		    (int)o->bits);
	else
		fits = text_copy(l->key_kind, sizeof(l->key_kind), key);
	/* Of one kind with the proxy's: from an EC certificate stock GSI cannot
	 * delegate, and who wants an RSA proxy wants it for stock software. */
	if (strcmp(under, "auto") == 0 && text_starts(l->key_kind, "rsa:")) {
		under = "rsa:2048";
	} else if (strcmp(under, "auto") == 0) {
		l->may_fall_back = true;
		under = "ec:P-256";
	}
	if (fits < 0 ||
	    text_copy(l->cert_key_kind, sizeof(l->cert_key_kind), under) < 0)
		return fault_set(f, FAULT_USAGE, "there is no such key");
	return 0;
}

/* At most one of the options that say what the proxy is to be. */
static int
choose_kind(struct login *l, struct fault *f)
{
	const struct login_options *o = l->o;
	const struct {
		bool asked;
		enum cert_kind kind;
	} kinds[] = {
		{ o->limited && o->draft, CERT_PROXY_DRAFT_LIMITED },
		{ o->independent && o->draft, CERT_PROXY_DRAFT_INDEPENDENT },
		{ o->limited && o->legacy, CERT_PROXY_LEGACY_LIMITED },
		{ o->draft, CERT_PROXY_DRAFT },
		{ o->legacy, CERT_PROXY_LEGACY },
		{ o->limited, CERT_PROXY_LIMITED },
		{ o->independent, CERT_PROXY_INDEPENDENT },
		{ o->policy != NULL, CERT_PROXY_RESTRICTED },
	};

	if (o->limited + o->independent + (o->policy != NULL) > 1 ||
	    o->rfc + o->draft + o->legacy > 1 || (o->legacy && o->independent))
		return fault_set(f, FAULT_USAGE, "a proxy is of one kind only");
	l->proxy.kind = CERT_PROXY_IMPERSONATION;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].asked) {
			l->proxy.kind = kinds[i].kind;
			break;
		}
	l->proxy.path_length =
	    o->path_length == OPTION_UNSET ? -1 : (int)o->path_length;
	return 0;
}

static int
read_policy(struct login *l, struct fault *f)
{
	OWN_BUF(text, sizeof(l->policy));

	if (l->o->policy == NULL)
		return 0;
	if (l->o->policy_language == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--policy needs --policy-language");
	if (file_read(l->o->policy, &text, f) < 0)
		return -1;
	memcpy(l->policy, text.data, text.len);
	l->proxy.policy = (struct wire_bytes){ (uint8_t *)l->policy, text.len };
	l->proxy.policy_language = l->o->policy_language;
	return 0;
}

static int
choose_proxy(struct login *l, struct fault *f)
{
	const struct login_options *o = l->o;

	if (choose_kind(l, f) < 0 || read_policy(l, f) < 0)
		return -1;
	if (o->valid != OPTION_UNSET && o->hours != OPTION_UNSET)
		return fault_set(f, FAULT_USAGE,
		    "--valid and --hours say the same");
	if (o->valid != OPTION_UNSET)
		l->proxy.lifetime = o->valid;
	if (o->hours != OPTION_UNSET)
		l->proxy.lifetime = o->hours;
	l->lifetime = l->conf.lifetime;
	if (l->proxy.lifetime > 0)
		l->lifetime = l->proxy.lifetime;
	if (o->cert_hours != OPTION_UNSET)
		l->lifetime = o->cert_hours;
	/* Better to say it now than after the password. */
	if (place_proxy(o->out, l->out, f) < 0)
		return -1;
	if (strcmp(l->out, "-") != 0)
		return proxy_file_check(l->out, f);
	if (l->call->common.json)
		return fault_set(f, FAULT_USAGE,
		    "the proxy and --json cannot both go to standard output");
	return 0;
}

int
login_plan(struct login *l, struct fault *f)
{
	const struct login_options *o = l->o;
	const struct server_options given = { &o->server, o->port, o->server_dn,
		o->trust_dir };

	if (signet_conf_load(&l->conf, f) < 0 || choose_auth(l, f) < 0)
		return -1;
	if (o->kinit_verbose)
		l->call->common.verbose = true;
	/* Both libkrb5 and GSSAPI go by this name. */
	if (o->cache != NULL && setenv("KRB5CCNAME", o->cache, 1) < 0)
		return fault_set(f, FAULT_MEMORY, "KRB5CCNAME");
	if (server_choose(&l->server, &given, &l->conf, f) < 0 ||
	    choose_keys(l, f) < 0 || choose_proxy(l, f) < 0)
		return -1;
	if (o->renew_with != NULL) {
		if (proxy_file_read(o->renew_with, &l->renew_with, f) < 0)
			return -1;
		l->kerberos = false;
	}
	if (choose_name(l, f) < 0 || choose_principal(l, f) < 0)
		return -1;
	return choose_prompt(l, f);
}
