#include "credential_show.h"

#include "base/fault.h"
#include "x509/proxy.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int
credential_names(const struct credential *c, bool rfc2253,
    struct credential_names *names, struct fault *f)
{
	int (*show)(const struct dn *, char *, size_t) =
	    rfc2253 ? dn_show_rfc2253 : dn_show_slash;
	const struct cert *leaf = c->chain.cert[0];
	struct dn identity;

	if (cert_identity(leaf, &c->chain, &identity, f) < 0)
		return -1;
	if (show(&leaf->subject, names->subject, sizeof(names->subject)) < 0 ||
	    show(&leaf->issuer, names->issuer, sizeof(names->issuer)) < 0 ||
	    show(&identity, names->identity, sizeof(names->identity)) < 0)
		return fault_set(f, FAULT_INPUT, "a name is too long to show");
	return 0;
}

void
credential_left(int64_t seconds, char text[CREDENTIAL_LEFT_SIZE])
{
	int64_t left = seconds > 0 ? seconds : 0;
	int len = snprintf(text, CREDENTIAL_LEFT_SIZE, "%" PRId64 ":%02d:%02d",
	    left / 3600, (int)(left / 60 % 60), (int)(left % 60));

	if (left > 86400 && len > 0)
		(void)snprintf(text + len, CREDENTIAL_LEFT_SIZE - (size_t)len,
		    "  (%.1f days)", (double)left / 86400);
}

void
credential_when(int64_t when, char text[CREDENTIAL_WHEN_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, CREDENTIAL_WHEN_SIZE, "%a %b %e %H:%M:%S %Y", &tm) ==
		0)
		text[0] = '\0';
}
