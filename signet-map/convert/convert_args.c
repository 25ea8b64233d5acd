#include "convert_args.h"

#define CMD_ARGS struct convert_args
#define CMD_OPTIONS "signet-map/convert/convert_options.def"
#define CMD_COMMANDS "signet-map/convert/convert_commands.def"
#include "command/cmd_rows.def"

const struct cmd_program convert_program = { CMD_ROWS, .name = "signet-map",
	.manual = "signet-map(8)" };
