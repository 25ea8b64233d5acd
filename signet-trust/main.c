/* signet-trust: the directory of trust, kept right.  See signet-trust(8). */
#include "command/cmd.h"
#include "signet-trust/base/trust_args.h"

int
main(int argc, char **argv)
{
	return cmd_main(&trust_program, argc, argv);
}
