/* crl: what is no longer to be believed. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_args.h"
#include "ca_crl_series.h"
#include "ca_dir.h"
#include "ca_file.h"
#include "ca_sign.h"
#include "ca_sign_crl.h"
#include "ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

/* Nothing is signed for a place that is taken, or cannot be written. */
static int
check_place(const char *path, struct fault *f)
{
	if (ca_file_absent(path, f) < 0)
		return -1;
	return ca_file_possible(path, f);
}

static int
make_one(struct ca_dir *d, const char *ledger, const struct ca_args *args,
    struct fault *f)
{
	OWN_BUF(der, CRL_BYTES_MAX);

	if (args->out == NULL && args->out_der == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--out, --out-der or --series is needed");
	if (args->every != NULL || args->out_dir != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--every and --out-dir are for --series");
	if (check_place(args->out, f) < 0 ||
	    check_place(args->out_der, f) < 0 ||
	    ca_dir_unlock(d, args->passphrase_fd, f) < 0 ||
	    ca_sign_crl(d, ledger, &der, f) < 0)
		return -1;
	if (args->out_der != NULL &&
	    file_write_new(args->out_der, 0644, der.data, der.len, f) < 0)
		return -1;
	return args->out == NULL
	    ? 0
	    : ca_crl_write_pem(args->out,
		  (struct wire_bytes){ der.data, der.len }, false, f);
}

int
ca_crl(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(args->operand[0], f);
	char ledger[PATH_MAX];

	if (d == NULL ||
	    ca_dir_ledger(d, args->ledger, ledger, sizeof(ledger), f) < 0)
		return -1;
	return args->series != NULL ? ca_crl_series(d, ledger, args, f)
				    : make_one(d, ledger, args, f);
}
