#include "ticket_args.h"

#define CMD_ARGS struct ticket_args
#define CMD_OPTIONS "signet-map/ticket/ticket_options.def"
#define CMD_COMMANDS "signet-map/ticket/ticket_commands.def"
#include "command/cmd_rows.def"

const struct cmd_program ticket_program = { CMD_ROWS, .name = "signet-map",
	.manual = "signet-map(8)" };
