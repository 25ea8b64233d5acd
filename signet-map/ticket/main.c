/* signet-map-ldap: a person's own entry, changed with his own ticket.  Started
 * by `signet-map add --ldap` and `remove --ldap`; see signet-map(8). */
#include "ticket_args.h"

int
main(int argc, char **argv)
{
	return cmd_main(&ticket_program, argc, argv);
}
