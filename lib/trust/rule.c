#include "trust/rule.h"

#include "x509/der.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 120 /* of a name: as much as leaves room for the rule */

int
rule_broken(struct fault *f, enum fault_code code, const struct cert *cert,
    const char *fmt, ...)
{
	char name[DN_TEXT_MAX];
	char text[sizeof(f->text)];
	const char *end = name;
	va_list ap;
	size_t len;

	if (dn_show_slash(&cert->subject, name, sizeof(name)) < 0)
		(void)snprintf(name, sizeof(name), "a certificate");
	if ((len = strlen(name)) > SHOWN)
		end = name + len - SHOWN;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fault_set(f, code, "%s%s: %s", end == name ? "" : "...", end,
	    text);
}

int
rule_next_extension(const struct cert *cert, size_t *at,
    struct rule_extension *ext)
{
	struct der_in in =
	    DER_IN(cert->extensions.data + *at, cert->extensions.len - *at);
	struct der_in one;

	if (in.left == 0)
		return 0;
	one = der_enter(&in, DER_SEQUENCE);
	if (der_oid_text(der_get(&one, DER_OID), ext->oid, sizeof(ext->oid)) <
	    0)
		return -1;
	ext->critical =
	    der_peek(&one) == DER_BOOLEAN ? der_get_bool(&one) : false;
	ext->value = der_get(&one, DER_OCTET_STRING);
	if (!der_ended(&one) || in.failed)
		return -1;
	*at = cert->extensions.len - in.left;
	return 1;
}

bool
rule_find_extension(const struct cert *cert, const char *oid,
    struct rule_extension *ext)
{
	size_t at = 0;

	while (rule_next_extension(cert, &at, ext) == 1)
		if (strcmp(ext->oid, oid) == 0)
			return true;
	return false;
}
