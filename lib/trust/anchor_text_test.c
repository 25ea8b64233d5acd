/* The files beside a trust anchor. */
#include "trust/anchor_text.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "trust/pki_probe.h"

#include <string.h>

int
main(void)
{
	return 0;
}
