#ifndef FRONT_COMMAND_H
#define FRONT_COMMAND_H

#include "myproxy/myproxy_text.h"
#include "signetd/front/visit.h"

/* What a request asks for (facts: PROTOCOL 3): a table of commands. */

/* Do what ${r} asks for, or begin to. */
void command_run(struct visit *v, const struct myproxy_request *r);

/* Queue an OK, with the trust roots if there are any to give. */
void command_put_trustroots(struct visit *v);

#endif
