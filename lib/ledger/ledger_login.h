#ifndef LEDGER_LEDGER_LOGIN_H
#define LEDGER_LEDGER_LOGIN_H

#include "base/checked.h"
#include "ledger/ledger.h"

/*
 * Where a certificate came from: each that was got by showing another names the
 * login at the beginning of that chain (ledger_intent.login), so that its age
 * is found without a walk along it.
 */
struct fault;

struct ledger_login {
	uint64_t entry; /* its intent */
	time_t when;
};

/* The login that ${ca}'s certificate with the serial ${hex} came from, which
 * may be itself: 1, or 0 if ${ca} never reserved that serial. */
CHECKED int ledger_login_find(struct ledger *l, const char *ca, const char *hex,
    struct ledger_login *login, struct fault *f);

#endif
