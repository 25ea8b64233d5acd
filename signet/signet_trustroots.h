#ifndef SIGNET_SIGNET_TRUSTROOTS_H
#define SIGNET_SIGNET_TRUSTROOTS_H

#include "command.h"

/* `signet trustroots`, `myproxy-get-trustroots`: the server's trust directory,
 * installed here. */
extern const struct command signet_trustroots;

#endif
