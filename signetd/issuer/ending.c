#include "signetd/issuer/ending.h"

#include "base/log.h"
#include "x509/cert.h"

#define DAY 86400
#define NEAR_DAYS 30
#define EVERY_MS (DAY * INT64_C(1000))

bool
ending_near(const struct cert *cert, time_t now, int64_t *days)
{
	int64_t left = cert->not_after - now;

	if (left >= NEAR_DAYS * INT64_C(86400))
		return false;
	/* Towards the past: an hour ago is not today. */
	*days = left >= 0 ? left / DAY : (left - (DAY - 1)) / DAY;
	return true;
}

void
ending_look(struct ending *ending, const struct policy *policy, int64_t mono_ms,
    time_t now)
{
	if (ending->next_ms != 0 && mono_ms < ending->next_ms)
		return;
	ending->next_ms = mono_ms + EVERY_MS;
	for (size_t i = 0; i < policy_cas(policy); i++) {
		const struct authority *a = &policy_ca(policy, i)->authority;
		int64_t days;

		if (ending_near(a->cert, now, &days))
			LOG(CA_ENDING, LOG_TEXT("ca", a->conf.name),
			    LOG_NUMBER("days", days));
	}
}
