/* revoke and crl: what is no longer to be believed. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_args.h"
#include "ca_dir.h"
#include "ca_sign.h"
#include "ledger/ledger.h"
#include "x509/pem.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CRL_MOST ((size_t)256 << 20)

/* RFC 5280 5.3.1; removeFromCRL (8) is for delta CRLs, 7 is no reason. */
static const struct {
	const char *word;
	int code;
} reasons[] = {
	{ "unspecified", 0 },
	{ "keyCompromise", 1 },
	{ "cACompromise", 2 },
	{ "affiliationChanged", 3 },
	{ "superseded", 4 },
	{ "cessationOfOperation", 5 },
	{ "certificateHold", 6 },
	{ "privilegeWithdrawn", 9 },
};

static int
read_reason(const char *word, int *code, struct fault *f)
{
	*code = 0;
	if (word == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(reasons[i].word, word) != 0)
			continue;
		*code = reasons[i].code;
		return 0;
	}
	return fault_set(f, FAULT_USAGE, "unknown --reason \"%s\"", word);
}

static int
read_serial(const char *hex, uint8_t serial[CERT_SERIAL_MAX], size_t *len,
    struct fault *f)
{
	char even[2 * CERT_SERIAL_MAX + 1];
	int n;

	hex += strspn(hex, "0");
	if (text_fmt(even, sizeof(even), "%s%s", strlen(hex) % 2 ? "0" : "",
		hex) < 0 ||
	    (n = text_unhex(even, serial, CERT_SERIAL_MAX)) <= 0)
		return fault_set(f, FAULT_USAGE,
		    "a serial is a hexadecimal number");
	*len = (size_t)n;
	return 0;
}

int
ca_revoke(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = NULL;
	OWN_STRUCT(ledger) l = NULL;
	const struct passwd *pw = getpwuid(getuid());
	uint8_t serial[CERT_SERIAL_MAX];
	char path[PATH_MAX];
	size_t len = 0;
	int reason, result;

	if (read_reason(args->reason, &reason, f) < 0 ||
	    read_serial(args->operand[1], serial, &len, f) < 0 ||
	    (d = ca_dir_open(args->operand[0], f)) == NULL ||
	    ca_dir_ledger(d, args->ledger, path, sizeof(path), f) < 0 ||
	    (l = ledger_open(path, NULL, f)) == NULL || ledger_begin(l, f) < 0)
		return -1;
	result = ledger_revoke(l, d->authority.conf.name,
	    (struct wire_bytes){ serial, len }, reason,
	    pw == NULL ? "unknown" : pw->pw_name, clock_wall(), f);
	if (result == 0)
		result = ledger_end(l, f);
	if (result < 0)
		ledger_cancel(l);
	return result < 0 ? -1 : 0;
}

int
ca_crl(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = NULL;
	OWN_BUF(der, CRL_MOST);
	OWN_BUF(pem, CRL_MOST * 2);
	char ledger[PATH_MAX];

	if (ca_need(args->out, "--out", f) < 0 ||
	    (d = ca_dir_open(args->operand[0], f)) == NULL ||
	    ca_dir_ledger(d, args->ledger, ledger, sizeof(ledger), f) < 0 ||
	    ca_dir_unlock(d, args->passphrase_fd, f) < 0 ||
	    ca_sign_crl(d, ledger, &der, f) < 0)
		return -1;
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "CRL");
	return file_write_new(args->out, 0644, pem.data, pem.len, f);
}
