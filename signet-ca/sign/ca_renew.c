/* renew: a certificate again, with the same subject and the same names. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "ca_change.h"
#include "ca_newkey.h"
#include "ca_sign.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_profile.h"
#include "sys/ask.h"
#include "x509/pem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY 86400
#define FILE_MOST (1u << 20)

struct renewing {
	const struct ca_args *args;
	struct ca_dir *d; /* owned, as are these */
	struct profile *profile;
	struct ca_change *old;
	struct ca_newkey made; /* if one is */
	bool certified;	       /* the ledger has its certificate */
	struct buf csr_der;    /* which ${csr} points into */
	struct csr csr;
	const struct spki *spki;
	int64_t lifetime;
	char ledger[PATH_MAX];
	char serial[CERT_SERIAL_TEXT];
};

/* The serial that was given, or that of the certificate that was. */
static int
take_serial(struct renewing *r, struct fault *f)
{
	const struct ca_args *args = r->args;
	struct cert_list list = { 0 };
	OWN_BUF(pem, FILE_MOST);

	if ((args->count > 1) == (args->cert != NULL))
		return fault_set(f, FAULT_USAGE,
		    "which certificate? Its SERIAL or --cert FILE");
	if (args->cert == NULL)
		return 0;
	if (file_read(args->cert, &pem, f) < 0 ||
	    cert_list_read_pem(&list, pem.data, pem.len, f) < 0)
		return -1;
	if (list.count > 0)
		cert_serial_text(list.cert[0], r->serial);
	cert_list_free(&list);
	if (*r->serial == '\0')
		return fault_set(f, FAULT_INPUT, "%s: no certificate",
		    args->cert);
	return 0;
}

/* Which key the new certificate is for; a new one is not written yet. */
static int
take_key(struct renewing *r, struct fault *f)
{
	const struct ca_args *args = r->args;

	if (args->same_key + (args->csr != NULL) + (args->out_key != NULL) != 1)
		return fault_set(f, FAULT_USAGE,
		    "one of --out-key (a new key), --csr and --same-key is "
		    "needed");
	if (args->same_key) {
		r->spki = &r->old->cert->spki;
		return 0;
	}
	if (args->csr != NULL) {
		if (ca_form_csr(args->csr, &r->csr_der, f) < 0 ||
		    csr_read(&r->csr,
			(struct wire_bytes){ r->csr_der.data, r->csr_der.len },
			f) < 0)
			return fault_wrap(f, "%s", args->csr);
		r->spki = &r->csr.spki;
		return 0;
	}
	if (r->profile->conf.ca)
		return fault_set(f, FAULT_USAGE,
		    "a CA's key is made where the CA is: --csr or --same-key");
	if (strcmp(args->out_key, args->out_cert) == 0)
		return fault_set(f, FAULT_USAGE,
		    "--out-key and --out-cert are the same file");
	if (ca_newkey_begin(&r->made, args->out_key,
		args->key != NULL ? args->key : "rsa:2048", f) < 0)
		return -1;
	r->spki = key_spki(r->made.key);
	return 0;
}

static int
open_all(struct renewing *r, struct fault *f)
{
	const struct ca_args *args = r->args;
	const char *serial;
	int64_t days = 0;

	if (cmd_need(args->out_cert, "--out-cert", f) < 0 ||
	    (!ca_newkey_left(args->out_key) &&
		ca_file_absent(args->out_cert, f) < 0) ||
	    ca_file_absent(args->out_key, f) < 0 ||
	    ca_file_possible(args->out_cert, f) < 0 ||
	    cmd_number(args->days, "--days", 1, 11000, 0, &days, f) < 0 ||
	    take_serial(r, f) < 0 ||
	    (r->d = ca_dir_open(args->operand[0], f)) == NULL ||
	    ca_dir_ledger(r->d, args->ledger, r->ledger, sizeof(r->ledger), f) <
		0)
		return -1;
	r->lifetime = days * DAY;
	serial = args->count > 1 ? args->operand[1] : r->serial;
	r->old =
	    ca_change_find(r->ledger, r->d->authority.conf.name, serial, f);
	if (r->old == NULL)
		return -1;
	r->profile =
	    ca_profile(args->profile != NULL ? args->profile : r->old->profile,
		args->profile_dir, f);
	return r->profile == NULL ? -1 : take_key(r, f);
}

static int
show_and_ask(const struct renewing *r, struct fault *f)
{
	struct ca_next next = { .subject = &r->old->cert->subject,
		.spki = r->spki,
		.profile = r->profile->name,
		.dns = r->old->dns,
		.mail = r->old->mail };
	char subject[DN_TEXT_MAX];
	bool yes = r->args->yes;

	if (mint_times(r->profile, &r->d->authority, clock_wall(), r->lifetime,
		&next.not_before, &next.not_after, f) < 0 ||
	    dn_show_slash(&r->old->cert->subject, subject, sizeof(subject)) < 0)
		return -1;
	printf("%s\n", subject);
	ca_change_show(r->old, &next, "  ", stdout);
	(void)fflush(stdout);
	if (!yes && ask_yes("Shall this be signed? (yes/no): ", &yes, f) < 0)
		return -1;
	if (!yes)
		return fault_set(f, FAULT_DENIED, "nothing was signed");
	return 0;
}

static int
sign(struct renewing *r, struct buf *der, struct fault *f)
{
	const struct ca_wish wish = { .profile = r->profile,
		.issuer = &r->d->authority,
		.key = r->d->key,
		.name = r->d->authority.conf.name,
		.ledger = r->ledger,
		.subject = &r->old->cert->subject,
		.spki = r->spki,
		.dns_names = r->old->dns,
		.emails = r->old->mail,
		.lifetime = r->lifetime };

	if (ca_sign(&wish, der, f) < 0)
		return -1;
	r->certified = true;
	return 0;
}

/* What an interrupted run of the command has signed; 0 if nothing. */
static int
find_signed(struct renewing *r, struct buf *der, struct fault *f)
{
	int found = ca_newkey_certificate(&r->made, r->ledger,
	    r->d->authority.conf.name, &r->old->cert->subject, der, f);

	if (found > 0)
		r->certified = true;
	return found;
}

static int
renew(struct renewing *r, struct fault *f)
{
	OWN_BUF(der, CERT_MAX);
	OWN_BUF(pem, FILE_MOST);
	int found;

	if (open_all(r, f) < 0 || (found = find_signed(r, &der, f)) < 0)
		return -1;
	if (found == 0 &&
	    (name_profile_check(r->profile, &r->old->cert->subject, r->old->dns,
		 r->old->mail, f) < 0 ||
		show_and_ask(r, f) < 0 ||
		ca_dir_unlock(r->d, r->args->passphrase_fd, f) < 0 ||
		sign(r, &der, f) < 0))
		return -1;
	pem_put(&pem, "CERTIFICATE", (struct wire_bytes){ der.data, der.len });
	if (ca_file_put(r->args->out_cert, 0644, &pem, f) < 0)
		return fault_wrap(f,
		    "signed, and in the ledger (signet-ca ledger export), but");
	return ca_newkey_end(&r->made, f);
}

int
ca_renew(const struct ca_args *args, struct fault *f)
{
	struct renewing r = { .args = args, .csr_der = BUF(CSR_MAX) };
	int result = renew(&r, f);

	ca_dir_free(r.d);
	free(r.profile);
	ca_change_free(r.old);
	ca_newkey_clear(&r.made, r.certified);
	buf_free(&r.csr_der);
	return result;
}
