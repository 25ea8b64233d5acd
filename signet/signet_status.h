#ifndef SIGNET_SIGNET_STATUS_H
#define SIGNET_SIGNET_STATUS_H

#include "command.h"

/* What do I hold, for how long, and would a service accept it? */
extern const struct command signet_status;

#endif
