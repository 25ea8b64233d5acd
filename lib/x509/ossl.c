#include "x509/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
ossl_start_alone(struct fault *f)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return ossl_fault(f, FAULT_INTERNAL, "OpenSSL does not start");
	return 0;
}

void
ossl_fault_at(struct fault *f, enum fault_code code, const char *file, int line,
    const char *fmt, ...)
{
	/* The oldest error is the cause; what follows are its consequences. */
	unsigned long error = ERR_get_error();
	const char *reason = ERR_reason_error_string(error);
	char text[sizeof(f->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ERR_clear_error();
	if (error == 0)
		fault_set_at(f, code, file, line, "%s", text);
	else if (reason == NULL)
		fault_set_at(f, code, file, line, "%s: OpenSSL error %08lx",
		    text, error);
	else
		fault_set_at(f, code, file, line, "%s: %s", text, reason);
}
