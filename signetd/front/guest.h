#ifndef FRONT_GUEST_H
#define FRONT_GUEST_H

#include "base/checked.h"
#include "ipc/msg.h"

#include <stdint.h>

/*
 * One connection: a socket, TLS over it once the first byte has come, and the
 * visit that goes on inside.  A guest frees himself when he leaves.
 */
struct fault;
struct guest;
struct house;
struct sockaddr;

/* Take over the connected non-blocking ${fd} of ${from}.  On a fault it stays
 * the caller's; FAULT_BUSY: there are too many guests already. */
CHECKED int guest_enter(struct house *house, int fd,
    const struct sockaddr *from, struct fault *f);

/* Another role has said ${m} about this guest. */
void guest_heard(struct guest *guest, const struct msg *m);

/* There is news about the trust directory: judge him, if that has to be done.
 */
void guest_again(struct guest *guest);

/* We want to close: who has said nothing yet goes at once; the others too if
 * ${all}, after a word. */
void guest_dismiss(struct guest *guest, bool all);

#endif
