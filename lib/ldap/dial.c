#include "ldap/dial.h"

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

#include <sys/time.h>

#include <sasl/sasl.h>
#include <string.h>

#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"
/* With GSSAPI and no TLS: nothing less than encryption. */
#define SASL_NEED "noanonymous,noplain,minssf=56"
#define SASL_NEED_UNDER_TLS "noanonymous,noplain,maxssf=0"

enum fault_code
dial_code(int result)
{
	switch (result) {
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_STRONG_AUTH_REQUIRED:
	case LDAP_CONFIDENTIALITY_REQUIRED:
	case LDAP_LOCAL_ERROR: /* what libldap says if Kerberos does not */
		return FAULT_LOGIN;
	case LDAP_NO_SUCH_OBJECT:
		return FAULT_ABSENT;
	case LDAP_FILTER_ERROR:
	case LDAP_INVALID_DN_SYNTAX:
		return FAULT_CONFIG;
	case LDAP_NO_MEMORY:
		return FAULT_MEMORY;
	default:
		return FAULT_UNREACHABLE;
	}
}

int
dial_fault(struct fault *f, enum fault_code code, LDAP *ld, int result,
    const char *doing)
{
	char *detail = NULL;
	char shown[120];

	if (ld != NULL)
		(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
	/* The server may have put anything into it. */
	(void)snprintf(shown, sizeof(shown), "%s",
	    detail != NULL ? detail : "");
	text_clean(shown);
	ldap_memfree(detail);
	return fault_set(f, code, "%s: %s%s%s", doing, ldap_err2string(result),
	    shown[0] != '\0' ? ": " : "", shown);
}

/* The server was there, and TLS with it failed: libldap says why only to
 * those who link what it links. */
static int
untrusted(struct fault *f)
{
	return fault_set(f, FAULT_UNTRUSTED,
	    "TLS fails: its certificate has ended, or is for another name, or "
	    "does not lead to the CA file");
}

static bool
has_said(LDAP *ld)
{
	char *detail = NULL;
	bool said;

	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
	said = detail != NULL && detail[0] != '\0';
	ldap_memfree(detail);
	return said;
}

static int
set_options(const struct dial *d, LDAP *ld, struct fault *f)
{
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND,
		  client = 0, keepalive = 60, sizelimit = 0;
	struct timeval limit = { .tv_sec = d->timeout_s };
	const char *cas = d->ca_file != NULL && d->ca_file[0] != '\0'
	    ? d->ca_file
	    : SYSTEM_CAS;

	if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_SIZELIMIT, &sizelimit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_TIMELIMIT, &sizelimit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit) != 0 ||
	    /* One who follows for days would not notice a server that went. */
	    ldap_set_option(ld, LDAP_OPT_X_KEEPALIVE_IDLE, &keepalive) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, cas) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "cannot set up the connection (CA file %s)", cas);
	return 0;
}

static bool
is_inside(const char *uri)
{
	return text_starts(uri, "ldaps://") || text_starts(uri, "ldapi://");
}

/* Nothing secret goes over ${ld} before this has passed. */
static int
protect(const struct dial *d, LDAP *ld, struct fault *f)
{
	int result;

	if (is_inside(d->uri))
		return 0;
	if (d->start_tls) {
		result = ldap_start_tls_s(ld, NULL, NULL);
		if (result == LDAP_CONNECT_ERROR)
			return untrusted(f);
		if (result != LDAP_SUCCESS)
			return dial_fault(f, FAULT_UNREACHABLE, ld, result,
			    "StartTLS");
		return 0;
	}
	if (!d->plain && d->bind != DIAL_GSSAPI)
		return fault_set(f, FAULT_CONFIG,
		    "no TLS: say ldaps://, or starttls, or that plain will do");
	return 0;
}

/* Who we are the ticket says: nothing is asked. */
static int
answer_nothing(LDAP *ld, unsigned flags, void *defaults, void *asked)
{
	sasl_interact_t *at = asked;

	(void)ld;
	(void)flags;
	(void)defaults;
	for (; at->id != SASL_CB_LIST_END; at++) {
		at->result = "";
		at->len = 0;
	}
	return LDAP_SUCCESS;
}

static int
bind_gssapi(const struct dial *d, LDAP *ld)
{
	bool tls = text_starts(d->uri, "ldaps://") || d->start_tls;
	const char *need = tls		    ? SASL_NEED_UNDER_TLS
	    : d->plain || is_inside(d->uri) ? "noanonymous,noplain"
					    : SASL_NEED;

	if (ldap_set_option(ld, LDAP_OPT_X_SASL_SECPROPS, need) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) != 0)
		return LDAP_LOCAL_ERROR;
	return ldap_sasl_interactive_bind_s(ld, NULL, "GSSAPI", NULL, NULL,
	    LDAP_SASL_QUIET, answer_nothing, NULL);
}

static int
bind_simple(const struct dial *d, LDAP *ld)
{
	char none[] = "";
	struct berval cred = { 0, none };

	if (d->bind == DIAL_SIMPLE) {
		cred.bv_len = secret_len(d->password);
		/* libldap's struct forgets that it does not write. */
		cred.bv_val = (char *)(uintptr_t)secret_text(d->password);
	}
	return ldap_sasl_bind_s(ld, d->bind == DIAL_SIMPLE ? d->bind_dn : "",
	    LDAP_SASL_SIMPLE, &cred, NULL, NULL, NULL);
}

static int
bind_as(const struct dial *d, LDAP *ld, struct fault *f)
{
	int result;

	/* RFC 4513 5.1.2: without a password a name counts as nobody. */
	if (d->bind == DIAL_SIMPLE &&
	    (d->bind_dn == NULL || d->bind_dn[0] == '\0' ||
		d->password == NULL || secret_len(d->password) == 0))
		return fault_set(f, FAULT_CONFIG, "no name or no password");
	result =
	    d->bind == DIAL_GSSAPI ? bind_gssapi(d, ld) : bind_simple(d, ld);
	if (result == LDAP_SUCCESS)
		return 0;
	/* Of a server that is not there there is nothing more to say. */
	if (result == LDAP_SERVER_DOWN && text_starts(d->uri, "ldaps://") &&
	    has_said(ld))
		return untrusted(f);
	return dial_fault(f, dial_code(result), ld, result,
	    d->bind == DIAL_GSSAPI	 ? "GSSAPI bind"
		: d->bind == DIAL_SIMPLE ? d->bind_dn
					 : "anonymous bind");
}

LDAP *
dial_open(const struct dial *d, struct fault *f)
{
	OWN(LDAP) ld = NULL;
	int result = ldap_initialize(&ld, d->uri);

	if (result != LDAP_SUCCESS) {
		(void)fault_set(f, FAULT_CONFIG, "%s: %s", d->uri,
		    ldap_err2string(result));
		return NULL;
	}
	if (set_options(d, ld, f) < 0 || protect(d, ld, f) < 0 ||
	    bind_as(d, ld, f) < 0) {
		(void)fault_wrap(f, "%s", d->uri);
		return NULL;
	}
	return TAKE(ld);
}
