#ifndef SIGNET_INIT_WISH_H
#define SIGNET_INIT_WISH_H

#include "base/buf.h"
#include "base/checked.h"
#include "options.h"
#include "x509/proxy.h"

/* What kind of proxy the options of signet proxy init ask for. */
struct fault;

struct init_options {
#define OPTION_C_VALID int64_t
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "proxy_init.def"
#undef OPTION
};

/**
 * init_wish_read(o, old, wish, policy, f):
 * Fill ${wish} from ${o}; it borrows from ${policy}, which takes the policy
 * file.  What contradicts itself is FAULT_USAGE, in the words of the ${old}
 * tool if that was called.
 */
CHECKED int init_wish_read(const struct init_options *o, bool old,
    struct proxy_wish *wish, struct buf *policy, struct fault *f);

#endif
