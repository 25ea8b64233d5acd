#ifndef SIGNET_SIGNET_DOCTOR_H
#define SIGNET_SIGNET_DOCTOR_H

#include "command.h"

/* What may keep one from working, and what to do about it. */
extern const struct command signet_doctor;

#endif
