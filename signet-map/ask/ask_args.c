#include "ask_args.h"

#define CMD_ARGS struct ask_args
#define CMD_OPTIONS "signet-map/ask/ask_options.def"
#define CMD_COMMANDS "signet-map/ask/ask_commands.def"
#include "command/cmd_rows.def"

const struct cmd_program ask_program = { CMD_ROWS, .name = "signet-map",
	.manual = "signet-map(8)" };
