#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "login.h"
#include "myproxy/myproxy_client.h"
#include "proxy_file.h"
#include "trust/verify.h"

#include <string.h>
#include <unistd.h>

#define FALL_BACK_KEY "rsa:2048"

int
login_keys(struct login *l, struct fault *f)
{
	if (l->o->no_credentials)
		return 0;
	/* RSA first: it is the long one. */
	if ((l->key = keygen_start(l->key_kind, f)) == NULL ||
	    (l->cert_key = keygen_start(l->cert_key_kind, f)) == NULL)
		return -1;
	return 0;
}

static void
say(void *arg, const char *line)
{
	call_note(arg, "%s", line);
}

static void
fill(struct login *l, struct myproxy_wish *wish)
{
	memset(wish, 0, sizeof(*wish));
	server_fill(&l->server, wish);
	wish->username = l->username;
	wish->cred_name = l->o->profile != NULL ? l->o->profile
	    : *l->conf.profile != '\0'		? l->conf.profile
						: NULL;
	wish->lifetime = l->lifetime;
	wish->use_kerberos = l->kerberos;
	if (l->renew_with.key != NULL) {
		wish->renew_with = &l->renew_with;
		wish->credential = &l->renew_with;
	} else if (!l->kerberos) {
		wish->ask = asker_server;
		wish->ask_arg = &l->asker;
	}
	wish->say = say;
	wish->say_arg = l->call;
	wish->authenticate_only = l->o->no_credentials;
	wish->want_trustroots = l->o->trustroots || l->conf.trustroots;
	wish->bootstrap = l->o->bootstrap;
}

/* Log on with the key ${g} makes. */
static int
log_on(struct login *l, struct keygen *g, struct fault *f)
{
	struct myproxy_result result;
	struct myproxy_wish wish;
	OWN_STRUCT(key) key = NULL;
	int done;

	if (g != NULL && (key = keygen_take(g, f)) == NULL)
		return -1;
	fill(l, &wish);
	wish.key = key;
	done = myproxy_logon(&wish, &result, f);
	if (done == 0) {
		l->certificate.chain = result.chain;
		l->certificate.key = TAKE(key);
		memset(&result.chain, 0, sizeof(result.chain));
		if (result.trustroots > 0)
			call_note(l->call,
			    "Trust roots have been installed in %s/.",
			    result.install_dir);
	}
	myproxy_result_clear(&result);
	return done;
}

/* What to do, where the usual advice is not the best. */
static void
advise(const struct login *l, const struct fault *f)
{
	struct fault why;
	struct trust_store *store;

	if (f->code == FAULT_LOGIN && l->kerberos)
		call_hint(l->call,
		    "If this site takes passwords and no tickets: --auth "
		    "password");
	if (f->code != FAULT_UNTRUSTED || l->o->bootstrap)
		return;
	store = trust_load(l->server.trust_dir, false, NULL, NULL, &why);
	if (store == NULL)
		call_hint(l->call,
		    "Get your site's trust roots; or, on a network that you "
		    "believe, add -b.");
	trust_free(store);
}

int
login_certificate(struct login *l, struct fault *f)
{
	int done = log_on(l, l->cert_key, f);

	if (done < 0)
		advise(l, f);
	if (done == 0 || f->code != FAULT_KEY || !l->may_fall_back ||
	    l->o->no_credentials)
		return done;
	call_verbose(l->call, "%s; again with an RSA key", f->text);
	if (l->spare == NULL &&
	    (l->spare = keygen_start(FALL_BACK_KEY, f)) == NULL)
		return -1;
	return log_on(l, l->spare, f);
}

/* The chain without its root, which is the verifier's to have. */
static void
drop_root(struct cert_list *chain)
{
	while (chain->count > 1 &&
	    cert_is_self_issued(chain->cert[chain->count - 1]))
		cert_free(chain->cert[--chain->count]);
}

static int
verify(const struct login *l, struct fault *f)
{
	OWN_STRUCT(trust_store) store =
	    trust_load(l->server.trust_dir, false, NULL, NULL, f);
	struct trust_verdict verdict;

	if (store != NULL)
		trust_demand(store, l->server.demands);
	if (store == NULL ||
	    trust_verify(store, &l->made.chain, clock_wall(), TRUST_CLIENT,
		&verdict, f) < 0)
		return fault_wrap(f, "the new proxy");
	return 0;
}

static int
write_out(const struct login *l, struct fault *f)
{
	OWN_BUF(text, 1048576);

	if (strcmp(l->out, "-") != 0)
		return proxy_file_write(l->out, &l->made, f);
	if (credential_write(&l->made, &text, f) < 0)
		return -1;
	return file_write_all(STDOUT_FILENO, text.data, text.len, f);
}

int
login_proxy(struct login *l, struct fault *f)
{
	time_t now = clock_wall();
	time_t end;
	struct key *key;

	drop_root(&l->certificate.chain);
	end = credential_end(&l->certificate);
	if (end <= now)
		return fault_set(f, FAULT_EXPIRED,
		    "the certificate had expired when it came: are the clocks "
		    "here and at the server right?");
	if ((key = keygen_take(l->key, f)) == NULL)
		return -1;
	if (proxy_make(&l->certificate, key, &l->proxy, now, &l->made, f) < 0)
		return -1;
	if (l->proxy.lifetime > 0 && now + l->proxy.lifetime > end)
		call_note(l->call,
		    "The certificate ends before the time asked for, and the "
		    "proxy with it.");
	if (l->o->verify && verify(l, f) < 0)
		return -1;
	return write_out(l, f);
}

void
login_clear(struct login *l)
{
	keygen_free(l->key);
	keygen_free(l->cert_key);
	keygen_free(l->spare);
	credential_clear(&l->certificate);
	credential_clear(&l->made);
	credential_clear(&l->renew_with);
	asker_clear(&l->asker);
}
