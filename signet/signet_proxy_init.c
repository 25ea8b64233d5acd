#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "credential_json.h"
#include "credential_show.h"
#include "keygen.h"
#include "old_grid.h"
#include "own_cert.h"
#include "place.h"
#include "proxy_file.h"
#include "signet_conf.h"
#include "signet_proxy.h"
#include "trust/store.h"
#include "trust/verify.h"
#include "x509/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL_LIFETIME (12 * 3600)
#define POLICY_LIMIT 65536

struct init_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "proxy_init.def"
#undef OPTION
};

/* What one run of the command works on. */
struct init {
	struct call *call;
	const struct init_options *o;
	struct signet_conf conf;
	struct own_cert own;
	char out[PLACE_SIZE];
	char trust_dir[PLACE_SIZE];
	struct credential from;
	struct credential made;
	struct credential_names names;
	struct keygen *key;
	struct buf policy;
	struct proxy_wish wish;
};

static const char syntax[] =
    "grid-proxy-init [-help][-pwstdin][-limited][-valid H:M] ...";

/* At most one kind may be asked for. */
static int
read_kind(struct init *in, struct fault *f)
{
	const struct init_options *o = in->o;
	const struct {
		bool wanted;
		enum cert_kind full, limited, independent;
	} generations[] = {
		{ o->draft, CERT_PROXY_DRAFT, CERT_PROXY_DRAFT_LIMITED,
		    CERT_PROXY_DRAFT_INDEPENDENT },
		{ o->legacy, CERT_PROXY_LEGACY, CERT_PROXY_LEGACY_LIMITED,
		    CERT_PROXY_LEGACY },
		{ true, CERT_PROXY_IMPERSONATION, CERT_PROXY_LIMITED,
		    CERT_PROXY_INDEPENDENT },
	};
	size_t g = 0;

	if (o->limited + o->independent + (o->policy != NULL) > 1 ||
	    o->draft + o->legacy + o->rfc > 1)
		return fault_set(f, FAULT_USAGE,
		    "limited, independent and policy exclude one another, and "
		    "so do rfc, draft and old");
	if (o->legacy && o->independent)
		return fault_set(f, FAULT_USAGE,
		    "there are no independent legacy proxies");
	while (!generations[g].wanted)
		g++;
	in->wish.kind = o->limited ? generations[g].limited
	    : o->independent	   ? generations[g].independent
				   : generations[g].full;
	return 0;
}

static int
read_policy(struct init *in, struct fault *f)
{
	in->policy = BUF(POLICY_LIMIT);
	if (in->o->policy == NULL && in->o->policy_language == NULL)
		return 0;
	if (in->o->policy == NULL || in->o->policy_language == NULL)
		return fault_set(f, FAULT_USAGE,
		    "policy and policy-language go together");
	if (in->o->draft || in->o->legacy)
		return fault_set(f, FAULT_USAGE,
		    "a policy takes an RFC 3820 proxy");
	if (file_read(in->o->policy, &in->policy, f) < 0)
		return -1;
	in->wish.kind = CERT_PROXY_RESTRICTED;
	in->wish.policy =
	    (struct wire_bytes){ in->policy.data, in->policy.len };
	in->wish.policy_language = in->o->policy_language;
	return 0;
}

static int
plan(struct init *in, struct fault *f)
{
	const struct init_options *o = in->o;

	if (signet_conf_load(&in->conf, f) < 0 || read_kind(in, f) < 0 ||
	    read_policy(in, f) < 0)
		return -1;
	in->wish.lifetime = o->valid != OPTION_UNSET ? o->valid
	    : o->hours != OPTION_UNSET		     ? o->hours
						     : USUAL_LIFETIME;
	in->wish.path_length =
	    o->path_length == OPTION_UNSET ? -1 : (int)o->path_length;
	if (place_proxy(o->out, in->out, f) < 0 ||
	    trust_default_dir(o->certdir, in->trust_dir, sizeof(in->trust_dir),
		f) < 0 ||
	    own_cert_find(o->cert, o->key, &in->own, f) < 0)
		return -1;
	/* Before a pass phrase is asked for in vain. */
	return strcmp(in->out, "-") == 0 ? 0 : proxy_file_check(in->out, f);
}

/* The key is begun before the pass phrase is asked for. */
static int
begin_key(struct init *in, struct fault *f)
{
	const struct init_options *o = in->o;
	const char *kind = o->key_kind != NULL ? o->key_kind : in->conf.key;
	char bits[32];

	if (o->bits != OPTION_UNSET) {
		if (text_fmt(bits, sizeof(bits), "rsa:%d", (int)o->bits) < 0)
			return fault_set(f, FAULT_INTERNAL, "bits");
		kind = bits;
	}
	in->key = keygen_start(kind, false, f);
	return in->key == NULL ? -1 : 0;
}

static void
say_identity(const struct init *in)
{
	if (!in->call->common.quiet && !in->call->common.json) {
		printf("Your identity: %s\n", in->names.identity);
		(void)fflush(stdout);
	}
}

static int
load(struct init *in, struct fault *f)
{
	const struct own_cert_ask ask = { in->o->pwstdin,
		"Enter GRID pass phrase for this identity:" };
	const bool bundle = in->own.key[0] == '\0';

	if (own_cert_chain(&in->own, &in->from, f) < 0)
		return -1;
	/* Who it is for is said before the pass phrase is asked for, where the
	 * certificate can be read without one. */
	if (!bundle) {
		if (credential_names(&in->from, false, &in->names, f) < 0)
			return -1;
		say_identity(in);
	}
	if (own_cert_key(&in->own, &ask, &in->from, f) < 0)
		return -1;
	if (!bundle)
		return 0;
	if (credential_names(&in->from, false, &in->names, f) < 0)
		return -1;
	say_identity(in);
	return 0;
}

static int
verify(const struct init *in, struct fault *f)
{
	OWN_STRUCT(trust_store) store =
	    trust_load(in->trust_dir, false, NULL, NULL, f);
	struct trust_verdict verdict;

	if (store == NULL ||
	    trust_verify(store, &in->made.chain, clock_wall(), TRUST_CLIENT,
		&verdict, f) < 0)
		return fault_wrap(f, "the new proxy");
	if (!in->call->common.quiet && !in->call->common.json)
		puts("Proxy Verify OK");
	return 0;
}

static int
make(struct init *in, struct fault *f)
{
	const bool progress = !in->call->common.quiet &&
	    !in->call->common.json && isatty(STDOUT_FILENO);
	time_t now = clock_wall();
	struct key *key;

	if (credential_end(&in->from) <= now)
		return fault_set(f, FAULT_EXPIRED,
		    "the certificate in %s has expired", in->own.cert);
	if (progress) {
		fputs("Creating proxy ... ", stdout);
		(void)fflush(stdout);
	}
	if ((key = keygen_take(in->key, f)) == NULL ||
	    proxy_make(&in->from, key, &in->wish, now, &in->made, f) < 0)
		return -1;
	if (progress)
		puts("Done");
	return in->o->verify ? verify(in, f) : 0;
}

static int
write_out(const struct init *in, struct fault *f)
{
	OWN_BUF(text, 1048576);

	if (strcmp(in->out, "-") != 0)
		return proxy_file_write(in->out, &in->made, f);
	if (credential_write(&in->made, &text, f) < 0)
		return -1;
	return file_write_all(STDOUT_FILENO, text.data, text.len, f);
}

static int
report(const struct init *in, struct fault *f)
{
	char when[CREDENTIAL_WHEN_SIZE];
	time_t end = credential_end(&in->made);
	json_t *object;

	if (in->call->common.json) {
		object =
		    credential_json(in->out, &in->made, NULL, clock_wall(), f);
		if (object == NULL)
			return -1;
		(void)json_dumpf(object, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		json_decref(object);
		return 0;
	}
	if (in->call->common.quiet || strcmp(in->out, "-") == 0)
		return 0;
	credential_when(end, when);
	if (end == credential_end(&in->from) &&
	    end < clock_wall() + in->wish.lifetime)
		printf("Warning: your certificate and proxy will expire %s\n"
		       " which is within the requested lifetime of the "
		       "proxy\n",
		    when);
	else
		printf("Your proxy is valid until: %s\n", when);
	return 0;
}

static int
walk(struct init *in, struct fault *f)
{
	if (plan(in, f) < 0 || begin_key(in, f) < 0)
		return -1;
	call_verbose(in->call,
	    "\nUser Cert File: %s\nUser Key File: %s\n\nTrusted CA Cert Dir: "
	    "%s\n\nOutput File: %s",
	    in->own.cert, in->own.key, in->trust_dir, in->out);
	if (load(in, f) < 0 || make(in, f) < 0 || write_out(in, f) < 0)
		return -1;
	return report(in, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct init *in = calloc(1, sizeof(*in));
	int result;

	if (in == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	in->call = call;
	in->o = options;
	result = walk(in, f);
	keygen_free(in->key);
	credential_clear(&in->from);
	credential_clear(&in->made);
	buf_free(&in->policy);
	free(in);
	return result;
}

/* The old tool's first line, and then the reason, which it kept to itself. */
static void
complain_old(const struct call *call, const struct fault *f)
{
	(void)call;
	if (f->code == FAULT_USAGE) {
		old_grid_usage(f, syntax);
		return;
	}
	if (f->code == FAULT_ABSENT || f->code == FAULT_DENIED)
		fputs("Error: Couldn't find valid credentials to generate a "
		      "proxy.\n",
		    stderr);
	fprintf(stderr, "Error: %s\nUse -debug for further information.\n",
	    f->text);
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct init_options, __VA_ARGS__)
#include "proxy_init.def"
#undef OPTION
};

const struct command signet_proxy_init = {
	.verb = "proxy init",
	.old_names = "grid-proxy-init",
	.summary = "Make a proxy from a certificate of your own",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct init_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.compatible = true,
	.run = run,
	.complain = complain_old,
};
