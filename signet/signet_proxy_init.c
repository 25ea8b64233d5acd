#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "credential_json.h"
#include "credential_show.h"
#include "init_wish.h"
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

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLICY_LIMIT 65536

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

static const struct old_grid_value old_values[] = {
	{ "-valid", "valid time argument H:M missing",
	    "value must be in the format: H:M" },
	{ "-hours", "integer argument missing", NULL },
	{ "-bits", "integer argument missing",
	    "value must be one of 512,1024,2048,4096" },
	{ "-path-length", "integer argument missing",
	    "requires an integer argument" },
	{ "-policy", "policy file name missing", NULL },
	{ "-pl -policy-language", "policy language missing", NULL },
	{ "-cert -key -certdir -out", "need a file name argument", NULL },
};

static const struct old_grid old_tool = {
	"grid-proxy-init [-help][-pwstdin][-limited][-valid H:M] ...",
	"Syntax: ", "", "unrecognized option", old_values,
	sizeof(old_values) / sizeof(old_values[0])
};

/* Where the proxy goes has to be there: before a pass phrase is asked for in
 * vain. */
static int
check_out(const struct init *in, struct fault *f)
{
	char dir[PLACE_SIZE];
	char *slash;
	struct stat st;

	if (strcmp(in->out, "-") == 0)
		return 0;
	memcpy(dir, in->out, sizeof(dir));
	if ((slash = strrchr(dir, '/')) != NULL) {
		slash[slash == dir] = '\0';
		if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
			return fault_set(f, FAULT_SYSTEM,
			    "%s is not a valid directory for writing the proxy "
			    "certificate.",
			    dir);
	}
	return proxy_file_check(in->out, f);
}

static int
plan(struct init *in, struct fault *f)
{
	const struct init_options *o = in->o;

	in->policy = BUF(POLICY_LIMIT);
	if (in->call->common.json && o->out != NULL && strcmp(o->out, "-") == 0)
		return fault_set(f, FAULT_USAGE,
		    "the object and the proxy both want standard output");
	if (signet_conf_load(&in->conf, f) < 0 ||
	    init_wish_read(o, in->call->old, &in->wish, &in->policy, f) < 0)
		return -1;
	if (place_proxy(o->out, in->out, f) < 0 ||
	    trust_default_dir(o->certdir, in->trust_dir, sizeof(in->trust_dir),
		f) < 0 ||
	    own_cert_find(o->cert, o->key, &in->own, f) < 0)
		return -1;
	if (in->own.key[0] != '\0' && access(in->own.key, F_OK) < 0)
		return fault_set(f, FAULT_ABSENT, "there is no key in %s",
		    in->own.key);
	return check_out(in, f);
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
	in->key = keygen_start(kind, f);
	return in->key == NULL ? -1 : 0;
}

/* Whether standard output is for something else: an object, or the proxy. */
static bool
is_taken(const struct init *in)
{
	return in->call->common.json || strcmp(in->out, "-") == 0;
}

static void
say_identity(const struct init *in)
{
	if (!in->call->common.quiet && !is_taken(in)) {
		printf("Your identity: %s\n", in->names.identity);
		(void)fflush(stdout);
	}
}

/* A proxy of what has expired would be none.  The old tool's exit status for
 * it is its only one that is not 0 or 1. */
static int
check_end(struct init *in, struct fault *f)
{
	char when[CREDENTIAL_WHEN_SIZE];

	if (credential_end(&in->from) > clock_wall())
		return 0;
	if (in->call->old)
		in->call->exit_status = 2;
	credential_when(credential_end(&in->from), when);
	return fault_set(f, FAULT_EXPIRED, "Your certificate has expired: %s",
	    when);
}

static int
know(struct init *in, struct fault *f)
{
	if (credential_names(&in->from, false, &in->names, f) < 0)
		return -1;
	say_identity(in);
	return check_end(in, f);
}

/* Who it is for is said before the pass phrase is asked for, where the
 * certificate can be read without one. */
static int
load(struct init *in, struct fault *f)
{
	const struct own_cert_ask ask = { in->o->pwstdin,
		in->call->common.quiet
		    ? "Enter GRID pass phrase:"
		    : "Enter GRID pass phrase for this identity:" };
	const bool bundle = in->own.key[0] == '\0';

	if (own_cert_chain(&in->own, &in->from, f) < 0)
		return -1;
	if (!bundle && know(in, f) < 0)
		return -1;
	if (own_cert_key(&in->own, &ask, &in->from, f) < 0) {
		if (f->code == FAULT_LOGIN)
			call_hint(in->call,
			    "It is the one that the key was "
			    "saved with.");
		return -1;
	}
	return bundle ? know(in, f) : 0;
}

static int
verify(const struct init *in, struct fault *f)
{
	OWN_STRUCT(trust_store) store =
	    trust_load(in->trust_dir, false, NULL, NULL, f);
	struct trust_verdict verdict;

	if (store == NULL || signet_conf_demand(store, f) < 0 ||
	    trust_verify(store, &in->made.chain, clock_wall(), TRUST_CLIENT,
		&verdict, f) < 0)
		return fault_wrap(f, "the new proxy");
	/* The old tool's -q does not go as far as this. */
	if ((in->call->old || !in->call->common.quiet) && !is_taken(in))
		puts("Proxy Verify OK");
	return 0;
}

static int
make(struct init *in, struct fault *f)
{
	const bool progress =
	    !in->call->common.quiet && !is_taken(in) && isatty(STDOUT_FILENO);
	time_t now = clock_wall();
	struct key *key;

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
report_json(const struct init *in, struct fault *f)
{
	json_t *object =
	    credential_json(in->out, &in->made, NULL, clock_wall(), f);

	if (object == NULL)
		return -1;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

/* Until when it holds; that this is less than was asked for is a warning,
 * which -q does not silence. */
static int
report(const struct init *in, struct fault *f)
{
	char when[CREDENTIAL_WHEN_SIZE];
	time_t end = credential_end(&in->made);

	if (in->call->common.json)
		return report_json(in, f);
	credential_when(end, when);
	if (in->wish.lifetime > 0 && end == credential_end(&in->from) &&
	    end < clock_wall() + in->wish.lifetime)
		fprintf(stderr,
		    "\nWarning: your certificate and proxy will expire %s\n"
		    " which is within the requested lifetime of the proxy\n",
		    when);
	else if (!in->call->common.quiet && !is_taken(in))
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
	    in->own.cert, in->own.key, in->o->verify ? in->trust_dir : "(null)",
	    in->out);
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

/* The files that options name: the old tool looks before it does anything. */
static bool
old_files_are_there(const struct init_options *o)
{
	const struct {
		const char *option;
		const char *path;
		bool private;
		const char *kind;
	} files[] = { { "-cert", o->cert, false, "file" },
		{ "-key", o->key, true, "file" },
		{ "-certdir", o->certdir, false, "directory" } };
	char why[OLD_GRID_WHY_SIZE], says[OLD_GRID_WHY_SIZE + 32];
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path == NULL)
			continue;
		if (stat(files[i].path, &st) < 0)
			(void)snprintf(why, sizeof(why),
			    "File does not exist: %s is not a valid %s",
			    files[i].path, files[i].kind);
		else if (!files[i].private ||
		    !old_grid_file(files[i].path, true, why))
			continue;
		(void)snprintf(says, sizeof(says), "globus_sysconfig: %s\n",
		    why);
		old_grid_option(&old_tool, files[i].option, says);
		return false;
	}
	return true;
}

static int
run_any(struct call *call, const void *options, struct fault *f)
{
	if (!call->old || old_files_are_there(options))
		return run(call, options, f);
	call->exit_status = 1;
	return 0;
}

/* The old tool's first line, and then the reason, which it kept to itself. */
static void
complain_old(const struct call *call, const struct fault *f)
{
	(void)call;
	if (f->code == FAULT_USAGE && strncmp(f->text, "If you", 6) == 0) {
		fprintf(stderr, "\nERROR: %s\n", f->text);
		return;
	}
	if (f->code == FAULT_USAGE) {
		old_grid_usage(&old_tool, f);
		return;
	}
	if (f->code == FAULT_EXPIRED) {
		fprintf(stderr, "\nERROR: %s\n\n\n", f->text);
		return;
	}
	if (f->code == FAULT_ABSENT || f->code == FAULT_DENIED)
		fputs("Error: Couldn't find valid credentials to generate a "
		      "proxy.\n",
		    stderr);
	fprintf(stderr, "Error: %s\nUse -debug for further information.\n",
	    f->text);
}

static void
help_old(const struct call *call, FILE *out)
{
	old_grid_help(&old_tool, call, out);
}

static const struct option_row rows[] = {
#define VALID SPAN
#define OPTION(...) OPTION_ROW(struct init_options, __VA_ARGS__)
#include "proxy_init.def"
#undef OPTION
#undef VALID
};

static const struct option_row old_rows[] = {
#define VALID CLOCK
#define OPTION(...) OPTION_ROW(struct init_options, __VA_ARGS__)
#include "proxy_init.def"
#undef OPTION
#undef VALID
};

const struct command signet_proxy_init = {
	.verb = "proxy init",
	.summary = "Make a proxy from a certificate of your own",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct init_options) },
	.run = run_any,
};

const struct command grid_proxy_init = {
	.old_names = "grid-proxy-init",
	.summary = "Make a proxy from a certificate of your own",
	.operands = "",
	.options = { old_rows, sizeof(old_rows) / sizeof(old_rows[0]),
	    sizeof(struct init_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.compatible = true,
	.run = run_any,
	.complain = complain_old,
	.old_help = help_old,
	.old_version = old_grid_version,
};
