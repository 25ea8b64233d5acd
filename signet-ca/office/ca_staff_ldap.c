/* Administrators as a directory has them. */
#include "authn/own_ldap.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca_staff.h"

#include <sys/time.h>

#include <string.h>

#define TIMEOUT_S 30
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"
#define PASSWORD_MAX 1024
#define VALUE_MAX 1024

/* What is made of an entry, and of which attribute if not told otherwise. */
enum part {
	NAME,
	ACCOUNT,
	PRINCIPAL,
	ROLE,
	MAY_ASK,
	PARTS
};
static const struct {
	const char *name;
	const char *attribute; /* "": of none */
} parts[PARTS] = {
	[NAME] = { "name", "uid" },
	[ACCOUNT] = { "account", "uid" },
	[PRINCIPAL] = { "principal", "" },
	[ROLE] = { "role", "" },
	[MAY_ASK] = { "may-ask", "" },
};

struct plan {
	const char *attribute[PARTS];
};

static int
read_plan(const struct ca_args *args, struct plan *plan, struct fault *f)
{
	for (int i = 0; i < PARTS; i++)
		plan->attribute[i] = parts[i].attribute;
	for (size_t n = 0; n < args->attr.count; n++) {
		const char *item = args->attr.item[n];
		size_t len = strcspn(item, "=");
		bool known = false;

		for (int i = 0; i < PARTS && item[len] == '='; i++)
			if (strlen(parts[i].name) == len &&
			    memcmp(parts[i].name, item, len) == 0) {
				plan->attribute[i] = item + len + 1;
				known = true;
			}
		if (!known)
			return fault_set(f, FAULT_USAGE,
			    "--attr is name=, account=, principal=, role= or "
			    "may-ask=ATTRIBUTE, not \"%s\"",
			    item);
	}
	return *plan->attribute[NAME] != '\0'
	    ? 0
	    : fault_set(f, FAULT_USAGE, "--attr name= must name one");
}

static int
directory_fault(struct fault *f, int result, const char *doing)
{
	return fault_set(f, FAULT_UNREACHABLE, "directory: %s: %s", doing,
	    ldap_err2string(result));
}

static int
set_options(const struct ca_args *args, LDAP *ld, struct fault *f)
{
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND,
		  client = 0;
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	const char *cas = args->ca_file != NULL ? args->ca_file : SYSTEM_CAS;

	if (ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, cas) != 0 ||
	    ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "directory: cannot set up TLS with %s", cas);
	return 0;
}

/* Who may do what is not taken from a directory that anybody could play. */
static int
protect(const struct ca_args *args, LDAP *ld, struct fault *f)
{
	int result;

	if (text_starts(args->uri, "ldaps://") ||
	    text_starts(args->uri, "ldapi://"))
		return 0;
	result = ldap_start_tls_s(ld, NULL, NULL);
	return result == LDAP_SUCCESS ? 0
				      : directory_fault(f, result, "StartTLS");
}

static int
bind_searcher(const struct ca_args *args, LDAP *ld, struct fault *f)
{
	OWN_BUF(password, PASSWORD_MAX);
	char none[] = "";
	struct berval cred = { 0, none };
	int result;

	if (args->bind_dn != NULL) {
		if (cmd_need(args->password_file, "--password-file", f) < 0 ||
		    file_read_private(args->password_file, &password, f) < 0)
			return -1;
		if (buf_cstr(&password) == NULL)
			return fault_set(f, FAULT_MEMORY, "password");
		cred.bv_val = (char *)password.data;
		cred.bv_len = strcspn(cred.bv_val, "\r\n");
		/* RFC 4513 5.1.2: an empty one would be anonymous. */
		if (cred.bv_len == 0)
			return fault_set(f, FAULT_CONFIG, "%s is empty",
			    args->password_file);
	}
	result = ldap_sasl_bind_s(ld, args->bind_dn, LDAP_SASL_SIMPLE, &cred,
	    NULL, NULL, NULL);
	return result == LDAP_SUCCESS ? 0 : directory_fault(f, result, "bind");
}

static LDAP *
open_directory(const struct ca_args *args, struct fault *f)
{
	OWN(LDAP) ld = NULL;
	int result = ldap_initialize(&ld, args->uri);

	if (result != LDAP_SUCCESS) {
		(void)directory_fault(f, result, args->uri);
		return NULL;
	}
	if (set_options(args, ld, f) < 0 || protect(args, ld, f) < 0 ||
	    bind_searcher(args, ld, f) < 0)
		return NULL;
	return TAKE(ld);
}

/* ---- one entry */

struct entry {
	LDAP *ld;
	LDAPMessage *message;
	const struct plan *plan;
	char name[VALUE_MAX];
};

typedef int value_fn(struct entry *e, const struct berval *value,
    struct buf *out, struct fault *f);

static int
each_value(struct entry *e, enum part part, value_fn *fn, struct buf *out,
    struct fault *f)
{
	OWN(ldap_values) values = NULL;

	if (*e->plan->attribute[part] == '\0')
		return 0;
	values =
	    ldap_get_values_len(e->ld, e->message, e->plan->attribute[part]);
	for (int i = 0; values != NULL && values[i] != NULL; i++)
		if (fn(e, values[i], out, f) < 0)
			return -1;
	return 0;
}

static int
put_account(struct entry *e, const struct berval *value, struct buf *out,
    struct fault *f)
{
	(void)e;
	buf_text(out, " account");
	return ca_staff_put(out, value->bv_val, value->bv_len, f);
}

static int
put_principal(struct entry *e, const struct berval *value, struct buf *out,
    struct fault *f)
{
	(void)e;
	buf_text(out, " principal");
	return ca_staff_put(out, value->bv_val, value->bv_len, f);
}

static int
put_role(struct entry *e, const struct berval *value, struct buf *out,
    struct fault *f)
{
	buf_text(out, "role");
	if (ca_staff_put(out, e->name, strlen(e->name), f) < 0 ||
	    ca_staff_put(out, value->bv_val, value->bv_len, f) < 0)
		return -1;
	buf_text(out, "\n");
	return 0;
}

/* "host .ligo.org": a profile, a blank, a name. */
static int
put_rule(struct entry *e, const struct berval *value, struct buf *out,
    struct fault *f)
{
	const char *blank = memchr(value->bv_val, ' ', value->bv_len);
	size_t len = blank == NULL ? 0 : (size_t)(blank - value->bv_val);

	if (len == 0)
		return fault_set(f, FAULT_INPUT,
		    "directory: %s of %s is not \"PROFILE NAME\": %.60s",
		    e->plan->attribute[MAY_ASK], e->name, value->bv_val);
	buf_text(out, "may-ask");
	if (ca_staff_put(out, e->name, strlen(e->name), f) < 0 ||
	    ca_staff_put(out, value->bv_val, len, f) < 0 ||
	    ca_staff_put(out, blank + 1, value->bv_len - len - 1, f) < 0)
		return -1;
	buf_text(out, "\n");
	return 0;
}

static int
take_name(struct entry *e, const struct berval *value, struct buf *out,
    struct fault *f)
{
	(void)out;
	if (value->bv_len >= sizeof(e->name) ||
	    memchr(value->bv_val, '\0', value->bv_len) != NULL)
		return fault_set(f, FAULT_INPUT, "directory: a name too long");
	if (*e->name != '\0')
		return fault_set(f, FAULT_INPUT,
		    "directory: %s has several names", e->name);
	memcpy(e->name, value->bv_val, value->bv_len);
	e->name[value->bv_len] = '\0';
	return 0;
}

static int
put_entry(struct entry *e, struct buf *out, struct fault *f)
{
	if (each_value(e, NAME, take_name, out, f) < 0)
		return -1;
	if (*e->name == '\0')
		return fault_set(f, FAULT_INPUT,
		    "directory: an entry without %s", e->plan->attribute[NAME]);
	buf_text(out, "administrator");
	if (ca_staff_put(out, e->name, strlen(e->name), f) < 0 ||
	    each_value(e, ACCOUNT, put_account, out, f) < 0 ||
	    each_value(e, PRINCIPAL, put_principal, out, f) < 0)
		return -1;
	buf_text(out, "\n");
	if (each_value(e, ROLE, put_role, out, f) < 0)
		return -1;
	return each_value(e, MAY_ASK, put_rule, out, f);
}

int
ca_staff_gather(const struct ca_args *args, struct buf *out, struct fault *f)
{
	const char *filter =
	    args->filter != NULL ? args->filter : "(objectClass=person)";
	OWN(LDAPMessage) found = NULL;
	OWN(LDAP) ld = NULL;
	struct plan plan;
	int result, count = 0;

	if (read_plan(args, &plan, f) < 0 ||
	    (ld = open_directory(args, f)) == NULL)
		return -1;
	result = ldap_search_ext_s(ld, args->base, LDAP_SCOPE_SUBTREE, filter,
	    NULL, 0, NULL, NULL, NULL, 0, &found);
	/* A part of the list is worse than yesterday's. */
	if (result != LDAP_SUCCESS)
		return directory_fault(f, result, filter);
	for (LDAPMessage *m = ldap_first_entry(ld, found); m != NULL;
	     m = ldap_next_entry(ld, m)) {
		struct entry e = { .ld = ld, .message = m, .plan = &plan };

		if (put_entry(&e, out, f) < 0)
			return -1;
		count++;
	}
	if (count == 0)
		return fault_set(f, FAULT_ABSENT,
		    "directory: %s finds nobody below %s", filter, args->base);
	return 0;
}
