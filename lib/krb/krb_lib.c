#include "krb/krb_lib.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

/* What libkrb5's commonest errors mean to a person. */
static const struct {
	krb5_error_code code;
	enum fault_code fault;
	const char *text; /* NULL: the library's own sentence */
} errors[] = {
	{ KRB5KDC_ERR_PREAUTH_FAILED, FAULT_LOGIN, "wrong password" },
	{ KRB5KRB_AP_ERR_BAD_INTEGRITY, FAULT_LOGIN, "wrong password" },
	{ KRB5_GET_IN_TKT_LOOP, FAULT_LOGIN, NULL },
	{ KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, FAULT_LOGIN,
	    "there is no such user" },
	{ KRB5KDC_ERR_KEY_EXP, FAULT_LOGIN,
	    "the password has expired; change it with kpasswd" },
	{ KRB5KDC_ERR_NAME_EXP, FAULT_DENIED, "the account has expired" },
	{ KRB5KDC_ERR_CLIENT_REVOKED, FAULT_DENIED, "the account is locked" },
	{ KRB5KDC_ERR_POLICY, FAULT_DENIED, NULL },
	{ KRB5KDC_ERR_BADOPTION, FAULT_DENIED,
	    "the KDC does not allow these options for this ticket" },
	{ KRB5_KDC_UNREACH, FAULT_UNREACHABLE, NULL },
	{ KRB5_REALM_CANT_RESOLVE, FAULT_UNREACHABLE, NULL },
	{ KRB5_REALM_UNKNOWN, FAULT_UNREACHABLE, NULL },
	{ KRB5_CONFIG_NODEFREALM, FAULT_CONFIG,
	    "no default realm; write the name as name@REALM" },
	{ KRB5KRB_AP_ERR_SKEW, FAULT_FAILED,
	    "this machine's clock and the KDC's differ by more than the KDC "
	    "allows; set the clock" },
	{ KRB5_KDCREP_SKEW, FAULT_FAILED,
	    "this machine's clock and the KDC's differ by more than is "
	    "allowed; set the clock" },
	{ KRB5KRB_AP_ERR_TKT_EXPIRED, FAULT_EXPIRED, "the ticket has expired" },
	{ KRB5_FCC_NOFILE, FAULT_ABSENT, NULL },
	{ KRB5_CC_NOTFOUND, FAULT_ABSENT, NULL },
	{ KRB5_KT_NOTFOUND, FAULT_ABSENT, NULL },
	{ KRB5_LIBOS_PWDINTR, FAULT_LOGIN, "no password was given" },
	{ KRB5_LIBOS_CANTREADPWD, FAULT_LOGIN, "no password was given" },
	{ KRB5_PARSE_MALFORMED, FAULT_USAGE, NULL },
	{ KRB5_PREAUTH_FAILED, FAULT_LOGIN, NULL },
};

int
krb_lib_fault(const struct krb_lib *k, krb5_error_code code, const char *doing,
    struct fault *f)
{
	enum fault_code fault = FAULT_FAILED;
	const char *own = NULL;
	const char *library;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code) {
			fault = errors[i].fault;
			own = errors[i].text;
			break;
		}
	if (own != NULL)
		return fault_set(f, fault, "%s: %s", doing, own);
	library = krb5_get_error_message(k->context, code);
	(void)fault_set(f, fault, "%s: %s", doing, library);
	krb5_free_error_message(k->context, library);
	return -1;
}

int
krb_lib_open(struct krb_lib *k, struct fault *f)
{
	krb5_error_code code;

	memset(k, 0, sizeof(*k));
	if ((code = krb5_init_context(&k->context)) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "Kerberos is not set up (krb5.conf): error %ld",
		    (long)code);
	return 0;
}

void
krb_lib_close(struct krb_lib *k)
{
	if (k->context == NULL)
		return;
	krb5_free_cred_contents(k->context, &k->creds);
	if (k->options != NULL)
		krb5_get_init_creds_opt_free(k->context, k->options);
	if (k->keytab != NULL)
		(void)krb5_kt_close(k->context, k->keytab);
	if (k->addresses != NULL)
		krb5_free_addresses(k->context, k->addresses);
	if (k->input != NULL)
		(void)krb5_cc_close(k->context, k->input);
	if (k->cache != NULL)
		(void)krb5_cc_close(k->context, k->cache);
	if (k->client != NULL)
		krb5_free_principal(k->context, k->client);
	krb5_free_context(k->context);
	memset(k, 0, sizeof(*k));
}
