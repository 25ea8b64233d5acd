#include "trust_args.h"

#include "anchor/cadesc.h"
#include "trust_conf.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CMD_ARGS struct trust_args
#define CMD_OPTIONS "signet-trust/base/trust_options.def"
#define CMD_COMMANDS "signet-trust/base/trust_commands.def"
#include "command/cmd_rows.def"

static const struct cmd_alias aliases[] = {
	{ "gx-ca-update", "gx-ca-update",
	    "Run \"gx-ca-update -help\" for more information" },
};

/* For the manual pages, when they are built. */
static void
man_conf(FILE *out)
{
	conf_man(&trust_conf_schema, out);
}

static const struct cmd_print prints[] = {
	{ "--man-conf", man_conf },
	{ "--man-cadesc", cadesc_man },
};

static const struct cmd_exit exits[] = {
	{ FAULT_NONE, "All is as it should be." },
	{ FAULT_FAILED, "It could not be done, or every CA has failed." },
	{ FAULT_USAGE, "The command line is wrong." },
	{ FAULT_ABSENT, "There is no such CA or file." },
	{ FAULT_DENIED, "It is not permitted." },
	{ FAULT_PARTLY,
	    "Some CAs have failed; the others are as they should be." },
	{ FAULT_CONFIG, "The settings are wrong." },
};

const struct cmd_program trust_program = {
	CMD_ROWS,
	.name = "signet-trust",
	.manual = "signet-trust(8)",
	.aliases = aliases,
	.aliases_count = COUNT_OF(aliases),
	.prints = prints,
	.prints_count = COUNT_OF(prints),
	.exits = exits,
	.exits_count = COUNT_OF(exits),
};

int
trust_completion(const struct trust_args *args, struct fault *f)
{
	return cmd_complete(&trust_program, args->operand[0], stdout, f);
}
