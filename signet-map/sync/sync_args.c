#include "sync_args.h"

#define CMD_ARGS struct sync_args
#define CMD_OPTIONS "signet-map/sync/sync_options.def"
#define CMD_COMMANDS "signet-map/sync/sync_commands.def"
#include "command/cmd_rows.def"

const struct cmd_program sync_program = { CMD_ROWS, .name = "signet-map",
	.manual = "signet-map(8)" };
