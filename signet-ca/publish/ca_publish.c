/* publish: a CA becomes a trust anchor in a directory. */
#include "ca_publish.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/sign/ca_sign.h"
#include "x509/crl.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define ANCHOR_MOST (1u << 20)

/* Write ${data} to ${path} unless it says so already. */
static int
install(const char *path, const struct buf *data, struct fault *f)
{
	struct buf old = BUF(data->limit);
	struct fault ignored = { 0 };
	bool same;

	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	same = file_read(path, &old, &ignored) == 0 && old.len == data->len &&
	    memcmp(old.data, data->data, data->len) == 0;
	buf_free(&old);
	if (same)
		return 0;
	return file_write(path, 0644, data->data, data->len, f);
}

/* FAULT_DENIED if ${path} holds anything but this certificate. */
static int
check_free(const char *path, const struct cert *cert, struct fault *f)
{
	OWN_BUF(pem, ANCHOR_MOST);
	struct cert_list list = { 0 };
	bool same = false;

	if (file_read(path, &pem, f) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	if (cert_list_read_pem(&list, pem.data, pem.len, f) == 0) {
		same = list.count == 1 && list.cert[0]->len == cert->len &&
		    memcmp(list.cert[0]->der, cert->der, cert->len) == 0;
		cert_list_free(&list);
	}
	if (!same)
		return fault_set(f, FAULT_DENIED,
		    "%s is another certificate; take it away first", path);
	return 0;
}

/* When the list of this CA at ${path} was made; 0 if there is none. */
static time_t
made_at(const char *path, const struct cert *cert)
{
	OWN_BUF(der, PUBLISH_CRL_MOST);
	struct fault ignored = { 0 };
	struct crl crl;

	if (publish_read_crl(path, &der, &ignored) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, &ignored) <
		0 ||
	    crl_check_signature(&crl, cert, &ignored) < 0)
		return 0;
	return crl.this_update;
}

/* The list to be published: as given, as init made it, or new. */
static int
get_crl(const struct ca_args *args, struct ca_dir *d, struct buf *der,
    struct fault *f)
{
	char path[PATH_MAX];

	if (args->crl != NULL)
		return publish_read_crl(args->crl, der, f);
	if (d->authority.conf.online && args->ledger == NULL) {
		if (ca_dir_path(d, "crl.pem", path, sizeof(path), f) < 0)
			return -1;
		return publish_read_crl(path, der, f);
	}
	if (ca_dir_ledger(d, args->ledger, path, sizeof(path), f) < 0 ||
	    ca_dir_unlock(d, args->passphrase_fd, f) < 0)
		return -1;
	return ca_sign_crl(d, path, der, f);
}

static int
publish_crl(const struct ca_args *args, struct ca_dir *d, const char *path,
    struct fault *f)
{
	const struct cert *cert = d->authority.cert;
	time_t there = made_at(path, cert);
	OWN_BUF(der, PUBLISH_CRL_MOST);
	OWN_BUF(pem, 2 * PUBLISH_CRL_MOST);
	struct crl crl;

	if (get_crl(args, d, &der, f) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, f) < 0 ||
	    crl_check_signature(&crl, cert, f) < 0)
		return -1;
	/* An older list would undo revocations. */
	if (there > crl.this_update && args->crl != NULL)
		return fault_set(f, FAULT_DENIED,
		    "%s is newer than the CRL to be published", path);
	if (there > crl.this_update)
		return 0;
	if (crl.next_update <= clock_wall())
		return fault_set(f, FAULT_EXPIRED,
		    "the CRL has expired; name a newer one by --crl");
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	return install(path, &pem, f);
}

static int
publish(const struct ca_args *args, const char *path, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(path, f);
	OWN_BUF(pem, ANCHOR_MOST);
	OWN_BUF(policy, ANCHOR_MOST);
	char hash[9], to[PATH_MAX];
	const char *dir = args->trust_dir;

	if (d == NULL || dn_hash(&d->authority.cert->subject, hash, f) < 0 ||
	    authority_signing_policy(&d->authority, &policy, f) < 0 ||
	    file_mkdir(dir, 0755, f) < 0 ||
	    text_fmt(to, sizeof(to), "%s/%s.0", dir, hash) < 0 ||
	    check_free(to, d->authority.cert, f) < 0)
		return -1;
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){
		d->authority.cert->der, d->authority.cert->len });
	/* The policy before the anchor: without one, an anchor may be trusted
	 * for every name by some. */
	if (text_fmt(to, sizeof(to), "%s/%s.signing_policy", dir, hash) < 0 ||
	    install(to, &policy, f) < 0 ||
	    text_fmt(to, sizeof(to), "%s/%s.r0", dir, hash) < 0 ||
	    publish_crl(args, d, to, f) < 0 ||
	    text_fmt(to, sizeof(to), "%s/%s.0", dir, hash) < 0)
		return -1;
	return install(to, &pem, f);
}

int
ca_publish(const struct ca_args *args, struct fault *f)
{
	if (args->trust_dir == NULL && args->count == 1 && args->crl == NULL &&
	    args->ledger == NULL)
		return publish_site(args, f);
	if (args->trust_dir == NULL)
		return fault_set(f, FAULT_USAGE,
		    "publish DIR [--conf FILE], or publish CADIR... "
		    "--trust-dir DIR");
	if (args->conf != NULL || args->check || args->draft || args->json)
		return fault_set(f, FAULT_USAGE,
		    "--conf, --check, --draft and --json are not for "
		    "--trust-dir");
	if (args->count > 1 && (args->crl != NULL || args->ledger != NULL))
		return fault_set(f, FAULT_USAGE,
		    "--crl and --ledger are for one CA");
	for (size_t i = 0; i < args->count; i++)
		if (publish(args, args->operand[i], f) < 0)
			return fault_wrap(f, "%s", args->operand[i]);
	return 0;
}
