/* issue: certificates for hosts, services and robots. */
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_newkey.h"
#include "ca_sign.h"
#include "office/asked.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_profile.h"
#include "x509/csr.h"
#include "x509/der.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

/* The key to be certified: made here, or asked for in a request. */
struct subject_key {
	struct ca_newkey made;
	struct buf der; /* of the request, which ${csr} points into */
	struct csr csr;
	const struct spki *spki;
	bool certified; /* the ledger has its certificate */
};

static void
subject_key_clear(struct subject_key *k)
{
	/* A key that nothing certifies is of no use. */
	ca_newkey_clear(&k->made, k->certified);
	buf_free(&k->der);
}

static int
read_request(struct subject_key *k, const char *path, struct fault *f)
{
	k->der = BUF(CSR_MAX);
	if (ca_form_csr(path, &k->der, f) < 0)
		return -1;
	if (csr_read(&k->csr, (struct wire_bytes){ k->der.data, k->der.len },
		f) < 0)
		return fault_wrap(f, "%s", path);
	k->spki = &k->csr.spki;
	return 0;
}

/* The key is on the disk before its certificate is asked for: of the two, a
 * key without certificate is the one that does no harm. */
static int
get_key(struct subject_key *k, const struct ca_args *args, struct fault *f)
{
	if (args->csr != NULL && (args->key != NULL || args->out_key != NULL))
		return fault_set(f, FAULT_USAGE,
		    "--csr brings its own key: no --key, no --out-key");
	if (args->csr != NULL)
		return read_request(k, args->csr, f);
	if (cmd_need(args->out_key, "--out-key or --csr", f) < 0)
		return -1;
	if (strcmp(args->out_key, args->out_cert) == 0)
		return fault_set(f, FAULT_USAGE,
		    "--out-key and --out-cert are the same file");
	if (ca_newkey_begin(&k->made, args->out_key,
		args->key != NULL ? args->key : "rsa:2048", f) < 0)
		return -1;
	k->spki = key_spki(k->made.key);
	return 0;
}

static bool
has(const struct cmd_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], name) == 0)
			return true;
	return false;
}

/* The host of a server's CN ("fqdn" or "service/fqdn") is among its names:
 * TLS looks nowhere else (RFC 6125 6.4.4). */
static int
add_cn(const struct profile *profile, const struct dn *subject, char *cn,
    size_t size, struct cmd_list *names, struct fault *f)
{
	const char *slash, *host;

	if ((profile->purpose & CERT_EKU_SERVER_AUTH) == 0)
		return 0;
	if (dn_cn(subject, cn, size) < 0)
		return fault_set(f, FAULT_INPUT, "the CN is too long");
	slash = strrchr(cn, '/');
	host = slash == NULL ? cn : slash + 1;
	if (*host == '\0' || strchr(host, ' ') != NULL || has(names, host))
		return 0;
	if (names->count == CMD_LIST_MAX)
		return fault_set(f, FAULT_USAGE, "too many names");
	memmove(names->item + 1, names->item,
	    names->count * sizeof(names->item[0]));
	names->item[0] = host;
	names->count++;
	return 0;
}

/* What a request asks for beyond its key is given by the options, or it is
 * refused: nobody is to think that it was. */
static int
check_asked(const struct subject_key *k, const struct profile *profile,
    const struct cmd_list *dns, const struct cmd_list *emails, struct fault *f)
{
	struct asked asked;

	if (k->made.key != NULL)
		return 0;
	if (asked_read(&asked, &k->csr, f) < 0)
		return -1;
	return asked_check(&asked, profile, dns->item, emails->item, f);
}

/* By the ledger if it was signed before. */
static int
sign(struct subject_key *k, const struct ca_wish *wish, struct buf *der,
    struct fault *f)
{
	int found = ca_newkey_certificate(&k->made, wish->ledger, wish->name,
	    wish->subject, der, f);

	if (found < 0 || (found == 0 && ca_sign(wish, der, f) < 0))
		return -1;
	k->certified = true;
	return 0;
}

static int
sign_and_write(const struct ca_args *args, const struct ca_dir *d,
    const struct profile *profile, struct subject_key *k, struct fault *f)
{
	struct cmd_list dns = args->dns;
	char cn[DN_TEXT_MAX], ledger[PATH_MAX];
	struct dn subject;
	struct ca_wish wish = { .profile = profile,
		.issuer = &d->authority,
		.key = d->key,
		.name = d->authority.conf.name,
		.ledger = ledger,
		.subject = &subject,
		.spki = k->spki,
		.dns_names = dns.item,
		.emails = args->email.item };
	OWN_BUF(der, CERT_MAX);
	OWN_BUF(pem, (size_t)2 * CERT_MAX);
	int64_t days = 0;

	if (dn_read_slash(&subject, args->subject, f) < 0 ||
	    add_cn(profile, &subject, cn, sizeof(cn), &dns, f) < 0 ||
	    cmd_number(args->days, "--days", 1, 10000, 0, &days, f) < 0 ||
	    ca_dir_ledger(d, args->ledger, ledger, sizeof(ledger), f) < 0)
		return -1;
	wish.lifetime = days * DAY;
	if (wish.lifetime > profile->conf.max_lifetime)
		return fault_set(f, FAULT_USAGE,
		    "--days is above the max-lifetime of profile %s",
		    profile->name);
	if (name_profile_check(profile, &subject, dns.item, args->email.item,
		f) < 0 ||
	    check_asked(k, profile, &dns, &args->email, f) < 0 ||
	    sign(k, &wish, &der, f) < 0)
		return -1;
	pem_put(&pem, "CERTIFICATE", (struct wire_bytes){ der.data, der.len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "certificate");
	if (ca_file_put(args->out_cert, 0644, &pem, f) < 0)
		return fault_wrap(f,
		    "signed, and in the ledger (signet-ca ledger export), but");
	return ca_newkey_end(&k->made, f);
}

int
ca_issue(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = NULL;
	OWN_STRUCT(profile) profile = NULL;
	struct subject_key k = { 0 };
	int result;

	if (cmd_need(args->profile, "--profile", f) < 0 ||
	    cmd_need(args->subject, "--subject", f) < 0 ||
	    cmd_need(args->out_cert, "--out-cert", f) < 0 ||
	    (!ca_newkey_left(args->out_key) &&
		ca_file_absent(args->out_cert, f) < 0) ||
	    ca_file_absent(args->out_key, f) < 0 ||
	    ca_file_possible(args->out_cert, f) < 0)
		return -1;
	if ((d = ca_dir_open(args->operand[0], f)) == NULL ||
	    (profile = ca_profile(args->profile, args->profile_dir, f)) ==
		NULL ||
	    ca_dir_unlock(d, args->passphrase_fd, f) < 0)
		return -1;
	if (profile->conf.ca && args->csr == NULL)
		return fault_set(f, FAULT_USAGE,
		    "a CA's key is made by init, or brings a --csr");
	result = get_key(&k, args, f);
	if (result == 0)
		result = sign_and_write(args, d, profile, &k, f);
	subject_key_clear(&k);
	return result;
}
