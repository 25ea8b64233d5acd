#ifndef SIGNET_SIGNET_VERIFY_H
#define SIGNET_SIGNET_VERIFY_H

#include "command.h"

/* Who is this, and why, or why not. */
extern const struct command signet_verify;

#endif
