#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "credential_json.h"
#include "credential_show.h"
#include "old_grid.h"
#include "place.h"
#include "proxy_file.h"
#include "signet_conf.h"
#include "signet_proxy.h"
#include "trust/store.h"
#include "turns.h"
#include "x509/cert_text.h"
#include "x509/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct info_options {
#define OPTION_C_VALID int64_t
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "proxy_info.def"
#undef OPTION
};

/* What is known of the proxy that is asked about. */
struct info {
	const struct info_options *o;
	bool old;
	char path[PLACE_SIZE];
	struct credential proxy;
	struct credential_names names;
	int64_t left; /* seconds, negative once expired */
};

static const struct old_grid_value old_values[] = {
	{ "-file -f", "needs a file name argument", NULL },
	{ "-valid -v", "need a non-negative integer argument",
	    "value must be in the format: H:M" },
	{ "-hours -h -bits -b", "need a non-negative integer argument", NULL },
};

static const struct old_grid old_tool = {
	"grid-proxy-info [-help][-f proxyfile][-subject][...][-e [-h H][-b B]]",
	"Syntax: ", "", "unrecognized option", old_values,
	sizeof(old_values) / sizeof(old_values[0])
};

static int
print_subject(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	puts(info->names.subject);
	return 0;
}

static int
print_issuer(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	puts(info->names.issuer);
	return 0;
}

static int
print_identity(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	puts(info->names.identity);
	return 0;
}

static int
print_type(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	puts(cert_kind_text(info->proxy.chain.cert[0]->kind));
	return 0;
}

static int
print_strength(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	printf("%u\n", info->proxy.chain.cert[0]->spki.size);
	return 0;
}

static int
print_path(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	puts(info->path);
	return 0;
}

static int
print_left(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	(void)f;
	printf("%" PRId64 "\n", info->left > 0 ? info->left : -1);
	return 0;
}

static int
print_all(const void *arg, struct fault *f)
{
	const struct info *info = arg;
	const struct cert *leaf = info->proxy.chain.cert[0];
	char left[CREDENTIAL_LEFT_SIZE];

	(void)f;
	credential_left(info->left, left);
	printf("subject  : %s\n", info->names.subject);
	printf("issuer   : %s\n", info->names.issuer);
	printf("identity : %s\n", info->names.identity);
	printf("type     : %s\n", cert_kind_text(leaf->kind));
	printf("strength : %u bits\n", leaf->spki.size);
	printf("path     : %s\n", info->path);
	printf("timeleft : %s\n", left);
	return 0;
}

static int
print_text(const void *arg, struct fault *f)
{
	const struct info *info = arg;

	return cert_text(info->proxy.chain.cert[0], info->old, stdout, f);
}

static const struct turn values[] = {
	{ offsetof(struct info_options, text), print_text },
	{ offsetof(struct info_options, subject), print_subject },
	{ offsetof(struct info_options, issuer), print_issuer },
	{ offsetof(struct info_options, identity), print_identity },
	{ offsetof(struct info_options, type), print_type },
	{ offsetof(struct info_options, timeleft), print_left },
	{ offsetof(struct info_options, strength), print_strength },
	{ offsetof(struct info_options, path), print_path },
	{ offsetof(struct info_options, all), print_all },
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static int
print_json(const struct info *info, struct fault *f)
{
	char dir[PLACE_SIZE];
	OWN_STRUCT(trust_store) store = NULL;
	json_t *object;

	/* Without a trust directory "verified" is null, not a failure. */
	if (trust_default_dir(NULL, dir, sizeof(dir), f) == 0)
		store = trust_load(dir, true, NULL, NULL, f);
	if (signet_conf_demand(store, f) < 0)
		return -1;
	object =
	    credential_json(info->path, &info->proxy, store, clock_wall(), f);
	if (object == NULL)
		return -1;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

static int
print(const struct call *call, const struct info *info, struct fault *f)
{
	if (call->common.json)
		return print_json(info, f);
	if (turns_print(values, VALUES, info->o, info, f) < 0)
		return -1;
	if (!turns_asked(values, VALUES, info->o) && info->o->exists == 0)
		return print_all(info, f);
	return 0;
}

/* Whether it is as good as --exists asks for. */
static int
check(const struct info *info, struct fault *f)
{
	const struct info_options *o = info->o;
	int64_t wanted = o->valid != OPTION_UNSET ? o->valid
	    : o->hours != OPTION_UNSET		  ? o->hours
						  : 0;
	const unsigned bits = info->proxy.chain.cert[0]->spki.size;

	if (o->exists == 0)
		return 0;
	if (info->left <= 0)
		return fault_set(f, FAULT_EXPIRED, "%s has expired",
		    info->path);
	if (info->left < wanted)
		return fault_set(f, FAULT_EXPIRED,
		    "%s ends in %" PRId64 " seconds", info->path, info->left);
	if (o->bits != OPTION_UNSET && (int64_t)bits < o->bits)
		return fault_set(f, FAULT_DENIED, "its key has only %u bits",
		    bits);
	return 0;
}

static int
show(struct call *call, struct info *info, struct fault *f)
{
	if (info->proxy.key == NULL)
		return fault_set(f, FAULT_INPUT, "%s: no private key",
		    info->path);
	info->left = credential_end(&info->proxy) - clock_wall();
	if (credential_names(&info->proxy, info->o->rfc2253, &info->names, f) <
		0 ||
	    print(call, info, f) < 0)
		return -1;
	return check(info, f);
}

static int
run_info(struct call *call, const void *options, struct fault *f)
{
	struct info *info = calloc(1, sizeof(*info));
	int result;

	if (info == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	info->o = options;
	info->old = call->old;
	result = place_proxy(info->o->file, info->path, f);
	if (result == 0)
		result = proxy_file_read(info->path, &info->proxy, f);
	if (result < 0 && f->code == FAULT_ABSENT)
		(void)fault_set(f, FAULT_ABSENT, "there is no proxy in %s",
		    info->path);
	if (result == 0)
		result = show(call, info, f);
	credential_clear(&info->proxy);
	free(info);
	return result;
}

/* -valid, -hours and -bits belong to -exists, which is given once. */
static int
check_options(const struct info_options *o, struct fault *f)
{
	const struct {
		const char *name;
		int64_t value;
	} parts[] = { { "-valid", o->valid }, { "-hours", o->hours },
		{ "-bits", o->bits } };

	if ((o->exists & (o->exists - 1)) != 0)
		return fault_set(f, FAULT_USAGE,
		    "-exists: can only be given once");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (o->exists == 0 && parts[i].value != OPTION_UNSET)
			return fault_set(f, FAULT_USAGE,
			    "%s: suboption to -exists", parts[i].name);
	return 0;
}

/* grid-proxy-info: errors in its own words, and none for -exists that says
 * no. */
static int
run_old(struct call *call, const void *options, struct fault *f)
{
	const struct info_options *o = options;
	char path[PLACE_SIZE], why[OLD_GRID_WHY_SIZE];

	if (check_options(o, f) < 0 || place_proxy(o->file, path, f) < 0)
		return -1;
	if (old_grid_file(path, true, why)) {
		call->exit_status = 1;
		old_grid_no_file("Couldn't find a valid proxy.", why,
		    o->file != NULL);
		return 0;
	}
	if (run_info(call, options, f) == 0)
		return 0;
	if (o->exists != 0 &&
	    (f->code == FAULT_EXPIRED || f->code == FAULT_DENIED)) {
		call->exit_status = 1;
		return 0;
	}
	return -1;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	(void)call;
	if (f->code == FAULT_USAGE) {
		old_grid_usage(&old_tool, f);
		return;
	}
	fprintf(stderr,
	    "\nERROR: Couldn't read proxy from: %.*s\n       %s\n\n"
	    "Use -debug for further information.\n",
	    (int)strcspn(f->text, ":"), f->text, f->text);
}

static void
help_old(const struct call *call, FILE *out)
{
	old_grid_help(&old_tool, call, out);
}

static const struct option_row rows[] = {
#define LETTERS(names)
#define VALID SPAN
#define OPTION(...) OPTION_ROW(struct info_options, __VA_ARGS__)
#include "proxy_info.def"
#undef OPTION
#undef VALID
#undef LETTERS
};

static const struct option_row old_rows[] = {
#define LETTERS(names) names " "
#define VALID CLOCK
#define OPTION(...) OPTION_ROW(struct info_options, __VA_ARGS__)
#include "proxy_info.def"
#undef OPTION
#undef VALID
#undef LETTERS
};

const struct command signet_proxy_info = {
	.verb = "proxy info",
	.summary = "Show the proxy that there is",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct info_options) },
	.run = run_info,
};

const struct command grid_proxy_info = {
	.old_names = "grid-proxy-info",
	.summary = "Show the proxy that there is",
	.operands = "",
	.options = { old_rows, sizeof(old_rows) / sizeof(old_rows[0]),
	    sizeof(struct info_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.compatible = true,
	.run = run_old,
	.complain = complain_old,
	.old_help = help_old,
	.old_version = old_grid_version,
};
