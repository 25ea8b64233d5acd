#include "signetd/keeper/renewal.h"

#include "base/fault.h"
#include "base/text.h"

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

int
renewal_allowed(struct ledger *l, const struct ledger_intent *intent,
    time_t now, struct fault *f)
{
	const struct ledger_filter filter = { .text = intent->subject,
		.revoked_only = true };
	struct search search = { intent->subject, now };
	int found;

	/* "certificate" and "certificate-sha1" */
	if (!text_starts(intent->method, "certificate"))
		return 0;
	found = ledger_each(l, &filter, look, &search, f);
	if (found > 0)
		return fault_set(f, FAULT_DENIED,
		    "%s has a revoked certificate, and is to prove who that is "
		    "by other means than a certificate",
		    intent->subject);
	return found;
}
