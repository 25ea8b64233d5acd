#include "base/clock.h"
#include "credential_show.h"
#include "doctor.h"
#include "trust/store.h"
#include "x509/crl.h"

#include <sys/timex.h>

#define SKEW_MAX 300 /* seconds: what Kerberos and our proxies bear */

/* Whether the kernel is told the time by someone who knows. */
static void
ask_kernel(struct doctor *d)
{
	static const char hint[] =
	    "keep it right with chrony, ntpd or systemd-timesyncd";
	struct timex state = { .modes = 0 };
	int answer = adjtimex(&state);

	if (answer < 0)
		doctor_say(d, DOCTOR_WARN, "clock", hint,
		    "the kernel does not say how good its clock is");
	else if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
		doctor_say(d, DOCTOR_WARN, "clock", hint,
		    "nothing keeps this machine's clock right");
	else
		doctor_say(d, DOCTOR_OK, "clock", NULL,
		    "kept right by the kernel, within %ld ms",
		    state.maxerror / 1000);
}

/* The latest moment at which something here was certainly made. */
static time_t
latest_witness(const struct doctor *d, const char **what)
{
	time_t latest = 0;

	if (d->proxy.state == HOLDING_GOOD) {
		latest = d->proxy.credential.chain.cert[0]->not_before;
		*what = "the proxy";
	}
	for (size_t i = 0; d->store != NULL && i < trust_count(d->store); i++) {
		const struct trust_anchor *a = trust_at(d->store, i);
		const struct trust_lists *lists = trust_lists(d->store, a);
		const struct crl *crl = lists == NULL || lists->crl == NULL
		    ? NULL
		    : crl_index_head(lists->crl);

		if (crl == NULL || crl->this_update <= latest)
			continue;
		latest = crl->this_update;
		*what = "a CRL";
	}
	return latest;
}

void
doctor_clock(struct doctor *d)
{
	const char *what = "";
	time_t witness = latest_witness(d, &what);
	char when[CREDENTIAL_WHEN_SIZE];

	ask_kernel(d);
	if (witness <= d->now + SKEW_MAX)
		return;
	credential_when(witness, when);
	doctor_say(d, DOCTOR_FAIL, "clock", "set the clock",
	    "this clock is behind: %s was made on %s", what, when);
}
