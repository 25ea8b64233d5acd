#ifndef SIGNET_CA_CA_CRL_SERIES_H
#define SIGNET_CA_CA_CRL_SERIES_H

#include "base/checked.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"

/* Lists for the time an offline root sleeps. */
struct fault;

/* As --series, --every and --out-dir say: make the lists of ${d}, file them in
 * ${ledger}, print their paths. */
CHECKED int ca_crl_series(struct ca_dir *d, const char *ledger,
    const struct ca_args *args, struct fault *f);

#endif
