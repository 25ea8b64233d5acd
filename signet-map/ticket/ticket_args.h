#ifndef SIGNET_MAP_TICKET_TICKET_ARGS_H
#define SIGNET_MAP_TICKET_TICKET_ARGS_H

#include "base/checked.h"
#include "command/cmd.h"

/* The command line of signet-map-ldap, as that of signet-map. */
struct ticket_args {
#define OPTION(field, name, KIND, argument, doc) CMD_C_##KIND field;
#include "ticket_options.def"
#undef OPTION
	CMD_GIVEN
};

#define COMMAND(function, ...) \
	CHECKED int function(const struct ticket_args *args, struct fault *f);
#include "ticket_commands.def"
#undef COMMAND

extern const struct cmd_program ticket_program;

#endif
