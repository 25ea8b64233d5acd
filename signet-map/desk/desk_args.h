#ifndef SIGNET_MAP_DESK_DESK_ARGS_H
#define SIGNET_MAP_DESK_DESK_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line of signet-map-desk, as that of signet-map: command/cmd.h. */
struct desk_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "desk_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, ...) \
	CHECKED int function(const struct desk_args *args, struct fault *f);
#include "desk_commands.def"
#undef COMMAND

extern const struct cmd_program desk_program;

#endif
