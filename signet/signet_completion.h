#ifndef SIGNET_SIGNET_COMPLETION_H
#define SIGNET_SIGNET_COMPLETION_H

#include "command.h"

/* `signet completion bash|zsh|fish`: a script for the shell, made from the
 * tables of all commands. */
extern const struct command signet_completion;

#endif
