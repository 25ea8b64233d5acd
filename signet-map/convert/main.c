/* signet-map-convert: other programs' files as ours.  Started by `signet-map
 * convert`; see signet-map(8). */
#include "convert_args.h"

int
main(int argc, char **argv)
{
	return cmd_main(&convert_program, argc, argv);
}
