#include "signetd/keeper/renewal.h"

#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger_login.h"

#include <string.h>

struct search {
	const char *subject;
	time_t now;
};

static int
look(void *arg, const struct ledger_line *line)
{
	const struct search *s = arg;

	return strcmp(line->intent.subject, s->subject) == 0 &&
	    line->intent.not_after >= s->now;
}

/* "certificate" and "certificate-sha1" */
static bool
is_renewal(const struct ledger_intent *intent)
{
	return text_starts(intent->method, "certificate");
}

static int
check_age(const struct ledger_login *login, const struct renewal *shown,
    time_t now, struct fault *f)
{
	if (shown->limit == 0 || now - login->when <= shown->limit)
		return 0;
	return fault_set(f, FAULT_DENIED,
	    "the login that it comes from was %lld seconds ago, more than "
	    "renewal-limit",
	    (long long)(now - login->when));
}

int
renewal_login(struct ledger *l, struct ledger_intent *intent,
    const struct renewal *shown, time_t now, struct fault *f)
{
	struct ledger_login login = { 0 };
	int found = 0;

	if (!is_renewal(intent))
		return 0;
	if (shown->ca != NULL)
		found =
		    ledger_login_find(l, shown->ca, shown->serial, &login, f);
	if (found < 0)
		return -1;
	if (found == 0 && shown->limit != 0)
		return fault_set(f, FAULT_DENIED,
		    "the certificate that was shown is not in the ledger");
	if (found == 0)
		return 0;
	intent->login = login.entry;
	return check_age(&login, shown, now, f);
}

int
renewal_allowed(struct ledger *l, const struct ledger_intent *intent,
    time_t now, struct fault *f)
{
	const struct ledger_filter filter = { .text = intent->subject,
		.revoked_only = true };
	struct search search = { intent->subject, now };
	int found;

	if (!is_renewal(intent))
		return 0;
	found = ledger_each(l, &filter, look, &search, f);
	if (found > 0)
		return fault_set(f, FAULT_DENIED,
		    "%s has a revoked certificate, and is to prove who that is "
		    "by other means than a certificate",
		    intent->subject);
	return found;
}
