#include "signet_trustroots.h"

#include "base/fault.h"
#include "myproxy/myproxy_client.h"
#include "server.h"
#include "signet_conf.h"
#include "signet_logon.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct trustroots_options {
#define OPTION(field, names, KIND, argument, min, max, doc) \
	OPTION_C_##KIND field;
#include "trustroots.def"
#undef OPTION
};

static void
say(void *arg, const char *line)
{
	call_note(arg, "%s", line);
}

static int
report(const struct call *call, const struct myproxy_result *result,
    struct fault *f)
{
	json_t *object;

	if (result->trustroots == 0)
		return fault_set(f, FAULT_ABSENT, "%s hands out no trust roots",
		    result->server);
	if (!call->common.json) {
		if (!call->common.quiet)
			printf("Trust roots have been installed in %s/.\n",
			    result->install_dir);
		return 0;
	}
	object = json_pack("{s:i,s:s,s:s,s:s,s:I}", "version", 1, "kind",
	    "trustroots", "server", result->server, "path", result->install_dir,
	    "files", (json_int_t)result->trustroots);
	if (object == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON object");
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

static int
fetch(struct call *call, const struct trustroots_options *o,
    const struct server *server, struct fault *f)
{
	struct myproxy_wish wish = {
		.bootstrap = o->bootstrap, .say = say, .say_arg = call
	};
	struct myproxy_result result;
	int done;

	server_fill(server, &wish);
	done = myproxy_trustroots(&wish, &result, f);
	if (done == 0)
		done = report(call, &result, f);
	else if (f->code == FAULT_UNTRUSTED && !o->bootstrap)
		call_hint(call,
		    "If no authority of this server is known here yet, and "
		    "you believe the network: add -b.");
	myproxy_result_clear(&result);
	return done;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	const struct trustroots_options *o = options;
	const struct server_options given = { &o->server, o->port, o->server_dn,
		o->trust_dir };
	struct signet_conf *conf = calloc(1, sizeof(*conf));
	struct server *server = calloc(1, sizeof(*server));
	int result = -1;

	if (conf == NULL || server == NULL)
		(void)fault_set(f, FAULT_MEMORY, "out of memory");
	else if (signet_conf_load(conf, f) == 0 &&
	    server_choose(server, &given, conf, f) == 0)
		result = fetch(call, o, server, f);
	free(conf);
	free(server);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct trustroots_options, __VA_ARGS__)
#include "trustroots.def"
#undef OPTION
};

const struct command signet_trustroots = {
	.verb = "trustroots",
	.old_names = "myproxy-get-trustroots",
	.summary = "Install the trust roots that a server hands out",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct trustroots_options) },
	.old_style = OPTIONS_GNU_OLD,
	.compatible = true,
	.run = run,
	.complain = signet_logon_complain,
	.old_version = signet_logon_version,
};
