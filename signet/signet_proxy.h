#ifndef SIGNET_SIGNET_PROXY_H
#define SIGNET_SIGNET_PROXY_H

#include "command.h"

/* signet proxy init, info and destroy, and the grid-proxy-* tools. */
extern const struct command signet_proxy_init;
extern const struct command grid_proxy_init;
extern const struct command signet_proxy_info;
extern const struct command grid_proxy_info;
extern const struct command signet_proxy_destroy;

#endif
