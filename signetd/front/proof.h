#ifndef FRONT_PROOF_H
#define FRONT_PROOF_H

#include "signetd/front/visit.h"

/* How a client proves who it is after the request (facts: PROTOCOL 5). */

/* Offer what auth would take; without a method that can be offered the visit
 * is refused. */
void proof_offer(struct visit *v, const struct msg_auth_offer *offer);

/* Take a step of the client's out of what has come.  Whether there was one. */
bool proof_step(struct visit *v);

/* Auth's answer to a step of SASL. */
void proof_more(struct visit *v, struct wire_bytes token);

#endif
