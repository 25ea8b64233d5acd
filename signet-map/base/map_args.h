#ifndef SIGNET_MAP_BASE_MAP_ARGS_H
#define SIGNET_MAP_BASE_MAP_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line: see command/cmd.h. */
struct map_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "signet-map/base/map_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, name, operands, least, most, options, doc) \
	CHECKED int function(const struct map_args *args, struct fault *f);
#include "signet-map/base/map_commands.def"
#undef COMMAND

/**
 * map_become(argc, argv, f):
 * If the command is a program of its own (map_elsewhere.def), become it; does
 * not return then, or -1 and FAULT_ABSENT if it is not installed.  0 if the
 * command is one of ours.
 */
CHECKED int map_become(int argc, char **argv, struct fault *f);

extern const struct cmd_program map_program;

#endif
