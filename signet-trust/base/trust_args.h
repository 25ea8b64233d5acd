#ifndef SIGNET_TRUST_BASE_TRUST_ARGS_H
#define SIGNET_TRUST_BASE_TRUST_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line: see command/cmd.h. */
struct trust_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "trust_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, name, operands, least, most, options, doc) \
	CHECKED int function(const struct trust_args *args, struct fault *f);
#include "trust_commands.def"
#undef COMMAND

extern const struct cmd_program trust_program;

#endif
