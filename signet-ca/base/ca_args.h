#ifndef SIGNET_CA_CA_ARGS_H
#define SIGNET_CA_CA_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line: see command/cmd.h. */
struct ca_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "ca_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, name, operands, least, most, options, doc) \
	CHECKED int function(const struct ca_args *args, struct fault *f);
#include "ca_commands.def"
#undef COMMAND

extern const struct cmd_program ca_program;

#endif
