#include "desk_args.h"

#define CMD_ARGS struct desk_args
#define CMD_OPTIONS "signet-map/desk/desk_options.def"
#define CMD_COMMANDS "signet-map/desk/desk_commands.def"
#include "command/cmd_rows.def"

const struct cmd_program desk_program = { CMD_ROWS, .name = "signet-map",
	.manual = "signet-map(8)" };
