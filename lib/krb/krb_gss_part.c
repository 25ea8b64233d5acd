#include "krb/krb_gss_part.h"

#include "base/fault.h"
#include "base/text.h"

#include <krb5/krb5.h>

#include <string.h>

void
own_gss_buffer(gss_buffer_desc *b)
{
	OM_uint32 minor;

	/* The library forgets one whose contents are empty. */
	if (b->value != NULL && b->length == 0)
		b->length = 1;
	(void)gss_release_buffer(&minor, b);
}

void
own_gss_name(gss_name_t *name)
{
	OM_uint32 minor;

	(void)gss_release_name(&minor, name);
}

/* The library's own sentence for a status, as much of it as fits. */
static void
status_text(OM_uint32 status, int kind, char *text, size_t size)
{
	OM_uint32 minor, more = 0;
	OWN_GSS_BUFFER(b);

	text[0] = '\0';
	if (gss_display_status(&minor, status, kind, (gss_OID)gss_mech_krb5,
		&more, &b) != GSS_S_COMPLETE)
		return;
	if (b.length >= size)
		b.length = size - 1;
	memcpy(text, b.value, b.length);
	text[b.length] = '\0';
}

enum fault_code
krb_gss_code(OM_uint32 major, OM_uint32 minor)
{
	krb5_error_code code = (krb5_error_code)minor;

	if (code == KRB5_KDC_UNREACH || code == KRB5_REALM_CANT_RESOLVE)
		return FAULT_UNREACHABLE;
	if (GSS_ROUTINE_ERROR(major) == GSS_S_CREDENTIALS_EXPIRED ||
	    code == KRB5KRB_AP_ERR_TKT_EXPIRED)
		return FAULT_EXPIRED;
	if (GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED)
		return FAULT_ABSENT;
	return FAULT_LOGIN;
}

void
krb_gss_fault_set(struct fault *f, enum fault_code code, OM_uint32 major,
    OM_uint32 minor, const char *doing)
{
	char what[120], why[160];

	status_text(major, GSS_C_GSS_CODE, what, sizeof(what));
	status_text(minor, GSS_C_MECH_CODE, why, sizeof(why));
	(void)fault_set(f, code, "%s: %s", doing,
	    minor != 0 && why[0] != '\0' ? why : what);
}

int
krb_gss_name(gss_name_t name, char *text, size_t size, struct fault *f)
{
	OWN_GSS_BUFFER(b);
	OM_uint32 major, minor;
	const char *at;

	major = gss_display_name(&minor, name, &b, NULL);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_LOGIN, major, minor, "principal");
	if (b.length >= size || memchr(b.value, '\0', b.length) != NULL)
		return fault_set(f, FAULT_LOGIN, "principal too long");
	memcpy(text, b.value, b.length);
	text[b.length] = '\0';
	/*
	 * The library puts a backslash before a '/', '@' or control character
	 * that is part of a name.  Whoever reads name@REALM later need not
	 * know of such things.
	 */
	at = strchr(text, '@');
	if (!text_utf8(text, strlen(text)) || strchr(text, '\\') != NULL ||
	    at == NULL || at == text || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL)
		return fault_set(f, FAULT_LOGIN, "unusual principal");
	return 0;
}
