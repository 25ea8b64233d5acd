#ifndef SIGNET_MAP_ASK_ASK_ARGS_H
#define SIGNET_MAP_ASK_ASK_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line of signet-map-ask, as that of signet-map: command/cmd.h. */
struct ask_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "ask_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, ...) \
	CHECKED int function(const struct ask_args *args, struct fault *f);
#include "ask_commands.def"
#undef COMMAND

extern const struct cmd_program ask_program;

#endif
