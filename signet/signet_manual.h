#ifndef SIGNET_SIGNET_MANUAL_H
#define SIGNET_SIGNET_MANUAL_H

#include "command.h"

/*
 * `signet manual < PAGE.in`: the build's tool, not for people.  It copies a
 * manual page in mdoc(7) from standard input to standard output and replaces
 * lines that begin with '@':
 *
 *   @OPTIONS NAME   the options of a command, given by verb or old name
 *   @EXIT           the exit statuses, from fault.def
 *   @SETTINGS       the settings of signet.conf
 *   @COMMANDS       all verbs and what they do
 */
extern const struct command signet_manual;

#endif
