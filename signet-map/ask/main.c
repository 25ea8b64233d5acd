/* signet-map-ask: a user's word to the desk.  Started by `signet-map add`,
 * `remove` and `request`; see signet-map(8). */
#include "ask_args.h"

int
main(int argc, char **argv)
{
	return cmd_main(&ask_program, argc, argv);
}
