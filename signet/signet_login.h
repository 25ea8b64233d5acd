#ifndef SIGNET_SIGNET_LOGIN_H
#define SIGNET_SIGNET_LOGIN_H

#include "command.h"

/* `signet login`, `ligo-login`: one login, one grid credential (the seed's
 * anatomy of the credentialing process). */
extern const struct command signet_login;

#endif
