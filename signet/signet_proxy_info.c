#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "credential_json.h"
#include "credential_show.h"
#include "old_grid.h"
#include "place.h"
#include "proxy_file.h"
#include "signet_proxy.h"
#include "trust/store.h"
#include "x509/cert_text.h"
#include "x509/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct info_options {
#define LETTERS(names) names " "
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "proxy_info.def"
#undef OPTION
#undef LETTERS
};

/* What is known of the proxy that is asked about. */
struct info {
	const struct info_options *o;
	char path[PLACE_SIZE];
	struct credential proxy;
	struct credential_names names;
	int64_t left; /* seconds, negative once expired */
};

static const char syntax[] =
    "grid-proxy-info [-help][-f proxyfile][-subject][...][-e [-h H][-b B]]";

static bool
asks_for_values(const struct info_options *o)
{
	return o->subject || o->issuer || o->identity || o->type ||
	    o->timeleft || o->strength || o->text || o->path;
}

static void
print_values(const struct info *info)
{
	const struct info_options *o = info->o;
	const struct cert *leaf = info->proxy.chain.cert[0];

	if (o->subject)
		puts(info->names.subject);
	if (o->issuer)
		puts(info->names.issuer);
	if (o->identity)
		puts(info->names.identity);
	if (o->type)
		puts(cert_kind_text(leaf->kind));
	if (o->strength)
		printf("%u\n", leaf->spki.size);
	if (o->path)
		puts(info->path);
	if (o->timeleft)
		printf("%" PRId64 "\n", info->left > 0 ? info->left : -1);
}

static void
print_all(const struct info *info)
{
	const struct cert *leaf = info->proxy.chain.cert[0];
	char left[CREDENTIAL_LEFT_SIZE];

	credential_left(info->left, left);
	printf("subject  : %s\n", info->names.subject);
	printf("issuer   : %s\n", info->names.issuer);
	printf("identity : %s\n", info->names.identity);
	printf("type     : %s\n", cert_kind_text(leaf->kind));
	printf("strength : %u bits\n", leaf->spki.size);
	printf("path     : %s\n", info->path);
	printf("timeleft : %s\n", left);
}

static int
print_json(const struct info *info, struct fault *f)
{
	char dir[PLACE_SIZE];
	OWN_STRUCT(trust_store) store = NULL;
	json_t *object;

	/* Without a trust directory "verified" is null, not a failure. */
	if (trust_default_dir(NULL, dir, sizeof(dir), f) == 0)
		store = trust_load(dir, true, NULL, NULL, f);
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
	if (info->o->text &&
	    cert_text(info->proxy.chain.cert[0], stdout, f) < 0)
		return -1;
	print_values(info);
	if (info->o->all || (!asks_for_values(info->o) && !info->o->exists))
		print_all(info);
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

	if (!o->exists)
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
	struct info info = { .o = options };
	int result;

	if (place_proxy(info.o->file, info.path, f) < 0)
		return -1;
	if (proxy_file_read(info.path, &info.proxy, f) < 0)
		return -1;
	result = show(call, &info, f);
	credential_clear(&info.proxy);
	return result;
}

/* grid-proxy-info: errors in its own words, and none for -exists that says
 * no. */
static int
run_old(struct call *call, const void *options, struct fault *f)
{
	const struct info_options *o = options;
	char path[PLACE_SIZE], what[PLACE_SIZE + 32];
	struct fault ignored;

	if (run_info(call, options, f) == 0)
		return 0;
	call->exit_status = 1;
	if (o->exists &&
	    (f->code == FAULT_EXPIRED || strstr(f->text, " bits") != NULL))
		return 0;
	if (place_proxy(o->file, path, &ignored) < 0 ||
	    text_fmt(what, sizeof(what), "Couldn't read proxy from: %s", path) <
		0)
		return -1;
	old_grid_no_file(f->code == FAULT_INPUT
		? what
		: "Couldn't find a valid proxy.",
	    path, o->file != NULL, f);
	return 0;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	(void)call;
	old_grid_usage(f, syntax);
}

static const struct option_row rows[] = {
#define LETTERS(names)
#define OPTION(...) OPTION_ROW(struct info_options, __VA_ARGS__)
#include "proxy_info.def"
#undef OPTION
#undef LETTERS
};

static const struct option_row old_rows[] = {
#define LETTERS(names) names " "
#define OPTION(...) OPTION_ROW(struct info_options, __VA_ARGS__)
#include "proxy_info.def"
#undef OPTION
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
};
