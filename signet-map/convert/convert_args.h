#ifndef SIGNET_MAP_CONVERT_CONVERT_ARGS_H
#define SIGNET_MAP_CONVERT_CONVERT_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line of signet-map-convert, as that of signet-map. */
struct convert_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "convert_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, ...) \
	CHECKED int function(const struct convert_args *args, struct fault *f);
#include "convert_commands.def"
#undef COMMAND

extern const struct cmd_program convert_program;

#endif
