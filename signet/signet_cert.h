#ifndef SIGNET_SIGNET_CERT_H
#define SIGNET_SIGNET_CERT_H

#include "command.h"

/* signet cert info (grid-cert-info) and signet cert convert. */
extern const struct command signet_cert_info;
extern const struct command grid_cert_info;
extern const struct command signet_cert_convert;

#endif
