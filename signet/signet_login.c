#include "signet_login.h"

#include "base/clock.h"
#include "base/fault.h"
#include "credential_json.h"
#include "login.h"
#include "trust/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
report_json(const struct login *l, struct fault *f)
{
	OWN_STRUCT(trust_store) store =
	    trust_load(l->server.trust_dir, true, NULL, NULL, f);
	json_t *object;

	if (store != NULL)
		trust_demand(store, l->server.demands);
	object = credential_json(l->out, &l->made, store, clock_wall(), f);
	if (object == NULL)
		return -1;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

/* Who one is now, and for how long, as grid-proxy-init puts it. */
static int
report(const struct login *l, struct fault *f)
{
	time_t end = credential_end(&l->made);
	char identity[DN_TEXT_MAX];
	char when[64];
	struct tm tm;

	if (l->call->common.json)
		return report_json(l, f);
	if (l->call->common.quiet || strcmp(l->out, "-") == 0)
		return 0;
	if (dn_show_slash(&l->certificate.chain.cert[0]->subject, identity,
		sizeof(identity)) < 0 ||
	    localtime_r(&end, &tm) == NULL ||
	    strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the proxy cannot be shown");
	printf("Your identity: %s\nYour proxy is valid until: %s\n", identity,
	    when);
	return 0;
}

static void
remember(const struct login *l)
{
	struct fault f;

	if (*l->name != '\0' && !l->o->anonymous &&
	    place_name_write(l->name, &f) < 0)
		call_verbose(l->call, "the user name is not remembered: %s",
		    f.text);
}

/* The walk: keys are begun first, so that they are ready when the person and
 * the network are. */
static int
walk(struct login *l, struct fault *f)
{
	if (login_plan(l, f) < 0 || login_keys(l, f) < 0)
		return -1;
	if (l->kerberos && login_ticket(l, f) < 0)
		return -1;
	if (login_certificate(l, f) < 0)
		return -1;
	remember(l);
	if (l->o->no_credentials)
		return 0;
	if (login_proxy(l, f) < 0)
		return -1;
	return report(l, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct login *l = calloc(1, sizeof(*l));
	int result;

	if (l == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	l->o = options;
	l->call = call;
	result = walk(l, f);
	login_clear(l);
	free(l);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct login_options, __VA_ARGS__)
#include "login.def"
#undef OPTION
};

const struct command signet_login = {
	.verb = "login",
	.old_names = "ligo-login",
	.summary = "Log in and get a proxy",
	.operands = "[USER]",
	.operands_max = 1,
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct login_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.run = run,
};
