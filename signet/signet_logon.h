#ifndef SIGNET_SIGNET_LOGON_H
#define SIGNET_SIGNET_LOGON_H

#include "command.h"

/* `myproxy-logon`, `myproxy-get-delegation`: a credential from a MyProxy
 * server, as the command of that name gets one. */
extern const struct command signet_logon;

/* How the myproxy-* names put an error, and their --version. */
void signet_logon_complain(const struct call *call, const struct fault *f);
void signet_logon_version(const struct call *call, FILE *out);

#endif
