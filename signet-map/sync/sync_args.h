#ifndef SIGNET_MAP_SYNC_SYNC_ARGS_H
#define SIGNET_MAP_SYNC_SYNC_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line of signet-map-sync, as that of signet-map: command/cmd.h. */
struct sync_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "sync_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, ...) \
	CHECKED int function(const struct sync_args *args, struct fault *f);
#include "sync_commands.def"
#undef COMMAND

extern const struct cmd_program sync_program;

#endif
