#include "ca_args.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CMD_ARGS struct ca_args
#define CMD_OPTIONS "signet-ca/base/ca_options.def"
#define CMD_COMMANDS "signet-ca/base/ca_commands.def"
#include "command/cmd_rows.def"

static const struct cmd_alias aliases[] = {
	{ "revoke-cert", "queue", NULL },
};

const struct cmd_program ca_program = {
	CMD_ROWS,
	.name = "signet-ca",
	.manual = "signet-ca(8)",
	.aliases = aliases,
	.aliases_count = COUNT_OF(aliases),
};

int
ca_completion(const struct ca_args *args, struct fault *f)
{
	return cmd_complete(&ca_program, args->operand[0], stdout, f);
}
