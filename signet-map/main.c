/* signet-map: from a name to an account.  See signet-map(8). */
#include "command/cmd.h"
#include "signet-map/base/map_args.h"

int
main(int argc, char **argv)
{
	struct fault f = { 0 };

	if (map_become(argc, argv, &f) < 0)
		return cmd_end(&map_program, argc, argv, -1, &f);
	return cmd_main(&map_program, argc, argv);
}
