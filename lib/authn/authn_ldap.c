#include "authn/authn.h"
#include "authn/own_ldap.h"
#include "base/fault.h"
#include "base/text.h"

#include <sys/time.h>

#include <string.h>

#define DN_SIZE 2048
#define URI_SIZE 256
/* Two are as bad as a thousand. */
#define ENTRIES_MAX 2
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

/* What kind of failure libldap's ${result} is. */
static enum fault_code
code_of(int result)
{
	switch (result) {
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_INVALID_DN_SYNTAX:
		return FAULT_LOGIN;
	default:
		return FAULT_UNREACHABLE;
	}
}

static int
ldap_fault(struct fault *f, enum fault_code code, LDAP *ld, int result,
    const char *doing)
{
	char *detail = NULL;

	(void)ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
	(void)fault_set(f, code, "directory: %s: %s%s%s", doing,
	    ldap_err2string(result),
	    detail != NULL && detail[0] != '\0' ? ": " : "",
	    detail != NULL ? detail : "");
	ldap_memfree(detail);
	return -1;
}

static int
set_options(const struct authn_ldap *l, LDAP *ld, struct fault *f)
{
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND,
		  client = 0;
	struct timeval limit = { .tv_sec = l->timeout_s };
	const char *cas = l->ca_file != NULL && l->ca_file[0] != '\0'
	    ? l->ca_file
	    : SYSTEM_CAS;

	if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    /* A referral would take the pass phrase elsewhere. */
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, cas) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "directory: cannot set up the connection (CA file %s)",
		    cas);
	return 0;
}

/* Nothing secret goes over ${ld} before this has passed. */
static int
protect(const struct authn_ldap *l, LDAP *ld, const char *uri, struct fault *f)
{
	int result;

	if (text_starts(uri, "ldaps://") || text_starts(uri, "ldapi://"))
		return 0;
	if (l->start_tls) {
		result = ldap_start_tls_s(ld, NULL, NULL);
		if (result != LDAP_SUCCESS)
			return ldap_fault(f, FAULT_UNREACHABLE, ld, result,
			    "StartTLS");
		return 0;
	}
	if (l->require_tls)
		return fault_set(f, FAULT_CONFIG,
		    "directory: %s has no TLS, which is required", uri);
	return 0;
}

static int
open_one(const struct authn_ldap *l, const char *uri, LDAP **out,
    struct fault *f)
{
	OWN(LDAP) ld = NULL;
	int result = ldap_initialize(&ld, uri);

	if (result != LDAP_SUCCESS)
		return fault_set(f, FAULT_CONFIG, "directory: %s: %s", uri,
		    ldap_err2string(result));
	if (set_options(l, ld, f) < 0 || protect(l, ld, uri, f) < 0)
		return -1;
	*out = TAKE(ld);
	return 0;
}

static int
simple_bind(LDAP *ld, const char *dn, const char *phrase, size_t len)
{
	char none[] = "";
	struct berval cred = { len, none };

	/* libldap's struct forgets that it does not write. */
	if (len > 0)
		cred.bv_val = (char *)(uintptr_t)phrase;
	return ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL,
	    NULL);
}

/* Bind as the one who searches. */
static int
bind_searcher(const struct authn_ldap *l, LDAP *ld, struct fault *f)
{
	const char *phrase =
	    l->search_password == NULL ? "" : l->search_password;
	const char *dn = l->search_dn == NULL ? "" : l->search_dn;
	int result;

	if (dn[0] != '\0' && phrase[0] == '\0')
		return fault_set(f, FAULT_CONFIG,
		    "directory: no password for %s", dn);
	result =
	    simple_bind(ld, dn, phrase, dn[0] == '\0' ? 0 : strlen(phrase));
	if (result != LDAP_SUCCESS)
		return ldap_fault(f, FAULT_UNREACHABLE, ld, result,
		    dn[0] == '\0' ? "anonymous bind" : dn);
	return 0;
}

/* Is this a server that another one may stand in for? */
static bool
is_down(const struct fault *f)
{
	return f->code == FAULT_UNREACHABLE;
}

/* The first of the servers that answers, bound as the one who searches if
 * ${search}. */
static int
open_any(const struct authn_ldap *l, bool search, LDAP **out, struct fault *f)
{
	const char *at = l->uris;
	char uri[URI_SIZE];

	(void)fault_set(f, FAULT_CONFIG, "directory: no server is named");
	for (;;) {
		OWN(LDAP) ld = NULL;
		size_t len;

		at += strspn(at, " ");
		if ((len = strcspn(at, " ")) == 0)
			return -1;
		if (len >= sizeof(uri))
			return fault_set(f, FAULT_CONFIG, "URI too long");
		memcpy(uri, at, len);
		uri[len] = '\0';
		at += len;
		if (open_one(l, uri, &ld, f) == 0 &&
		    (!search || bind_searcher(l, ld, f) == 0)) {
			*out = TAKE(ld);
			return 0;
		}
		if (!is_down(f))
			return -1;
	}
}

/* Search for ${name}; the only entry found, or NULL with a fault. */
static LDAPMessage *
find_entry(const struct authn_ldap *l, LDAP *ld, const char *name,
    const char *attribute, LDAPMessage **found, struct fault *f)
{
	char filter[DN_SIZE], wanted[256];
	char *attributes[] = { wanted, NULL };
	int result;

	if (authn_ldap_fill(l->filter, name, filter, sizeof(filter), f) < 0)
		return NULL;
	if (text_copy(wanted, sizeof(wanted), attribute) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "attribute name too long");
		return NULL;
	}
	result = ldap_search_ext_s(ld, l->base, LDAP_SCOPE_SUBTREE, filter,
	    attributes, 0, NULL, NULL, NULL, ENTRIES_MAX, found);
	if (result != LDAP_SUCCESS && result != LDAP_SIZELIMIT_EXCEEDED &&
	    result != LDAP_NO_SUCH_OBJECT) {
		(void)ldap_fault(f, FAULT_UNREACHABLE, ld, result, filter);
		return NULL;
	}
	if (result != LDAP_SUCCESS || ldap_count_entries(ld, *found) != 1) {
		(void)fault_set(f, FAULT_ABSENT, "directory: %s: %s", filter,
		    ldap_count_entries(ld, *found) > 1 ? "several entries"
						       : "no entry");
		return NULL;
	}
	return ldap_first_entry(ld, *found);
}

/*
 * The DN of ${user}.  For one who is not there a DN that is not there either:
 * binding as that takes the same trips to the server.
 */
static int
find_dn(const struct authn_ldap *l, LDAP *ld, const char *user, char *dn,
    size_t size, bool *known, struct fault *f)
{
	OWN(LDAPMessage) found = NULL;
	LDAPMessage *entry = find_entry(l, ld, user, LDAP_NO_ATTRS, &found, f);
	char *text;
	int result;

	*known = entry != NULL;
	if (entry == NULL && f->code != FAULT_ABSENT)
		return -1;
	if (entry == NULL)
		return text_fmt(dn, size, "cn=nobody,%s", l->base) < 0
		    ? fault_set(f, FAULT_CONFIG, "search base too long")
		    : 0;
	if ((text = ldap_get_dn(ld, entry)) == NULL)
		return fault_set(f, FAULT_MEMORY, "directory: DN");
	result = text_copy(dn, size, text);
	ldap_memfree(text);
	if (result < 0 || dn[0] == '\0')
		return fault_set(f, FAULT_LOGIN, "directory: DN too long");
	return 0;
}

/* The value among ${values} that is ${user} but for the case of letters. */
static int
pick_name(struct berval *const *values, const char *user, char *name,
    size_t size, struct fault *f)
{
	for (; values != NULL && *values != NULL; values++) {
		size_t len = (*values)->bv_len;

		if (len != strlen(user) || len >= size ||
		    strncasecmp((*values)->bv_val, user, len) != 0)
			continue;
		memcpy(name, (*values)->bv_val, len);
		name[len] = '\0';
		return 0;
	}
	return fault_set(f, FAULT_LOGIN,
	    "directory: the entry is not called %s", user);
}

/* Bound as the user of ${dn}: how does the directory spell the name? */
static int
read_name(const struct authn_ldap *l, LDAP *ld, const char *dn,
    const char *user, char *name, size_t size, struct fault *f)
{
	OWN(LDAPMessage) found = NULL;
	OWN(ldap_values) values = NULL;
	char wanted[256];
	char *attributes[] = { wanted, NULL };
	int result;

	if (l->user_attribute == NULL || l->user_attribute[0] == '\0')
		return text_copy(name, size, user) < 0
		    ? fault_set(f, FAULT_LOGIN, "name too long")
		    : 0;
	if (text_copy(wanted, sizeof(wanted), l->user_attribute) < 0)
		return fault_set(f, FAULT_CONFIG, "attribute name too long");
	result = ldap_search_ext_s(ld, dn, LDAP_SCOPE_BASE, NULL, attributes, 0,
	    NULL, NULL, NULL, 1, &found);
	if (result != LDAP_SUCCESS)
		return ldap_fault(f, FAULT_UNREACHABLE, ld, result,
		    "reading one's own entry");
	if (ldap_first_entry(ld, found) != NULL)
		values = ldap_get_values_len(ld, ldap_first_entry(ld, found),
		    l->user_attribute);
	return pick_name(values, user, name, size, f);
}

int
authn_ldap_bind(const struct authn_ldap *l, const char *user,
    const struct secret *phrase, char *name, size_t size, struct fault *f)
{
	bool search = l->bind_dn == NULL || l->bind_dn[0] == '\0';
	bool known = true;
	char dn[DN_SIZE];
	OWN(LDAP) ld = NULL;
	int result;

	/* RFC 4513 5.1.2: a directory takes that for "anonymous, please". */
	if (secret_len(phrase) == 0)
		return fault_set(f, FAULT_LOGIN, "empty password");
	if (!search && authn_ldap_fill(l->bind_dn, user, dn, sizeof(dn), f) < 0)
		return -1;
	if (open_any(l, search, &ld, f) < 0)
		return -1;
	if (search && find_dn(l, ld, user, dn, sizeof(dn), &known, f) < 0)
		return -1;
	result = simple_bind(ld, dn, secret_text(phrase), secret_len(phrase));
	if (!known)
		return fault_set(f, FAULT_LOGIN,
		    "directory: not one entry for this user");
	if (result != LDAP_SUCCESS)
		return ldap_fault(f, code_of(result), ld, result, dn);
	return read_name(l, ld, dn, user, name, size, f);
}

int
authn_ldap_subject(const struct authn_ldap *l, const char *principal,
    char *subject, size_t size, struct fault *f)
{
	OWN(LDAP) ld = NULL;
	OWN(LDAPMessage) found = NULL;
	OWN(ldap_values) values = NULL;
	LDAPMessage *entry;

	if (open_any(l, true, &ld, f) < 0)
		return -1;
	entry = find_entry(l, ld, principal, l->subject_attribute, &found, f);
	if (entry == NULL)
		return -1;
	values = ldap_get_values_len(ld, entry, l->subject_attribute);
	if (ldap_count_values_len(values) != 1)
		return fault_set(f, FAULT_ABSENT,
		    "directory: %s has %d values of %s", principal,
		    ldap_count_values_len(values), l->subject_attribute);
	if (values[0]->bv_len == 0 || values[0]->bv_len >= size ||
	    !text_utf8(values[0]->bv_val, values[0]->bv_len))
		return fault_set(f, FAULT_ABSENT,
		    "directory: the subject of %s is no text that fits",
		    principal);
	memcpy(subject, values[0]->bv_val, values[0]->bv_len);
	subject[values[0]->bv_len] = '\0';
	return 0;
}
