/* publish: a CA becomes a trust anchor in a directory. */
#include "ca_publish.h"

#include "anchor/anchor_body.h"
#include "anchor/root_files.h"
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
add(struct root_files *files, const char *hash, const char *ending,
    struct buf *body, struct fault *f)
{
	char name[ROOT_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.%s", hash, ending);
	return root_files_add(files, name, body, f);
}

static int
add_crl(const struct ca_args *args, struct ca_dir *d, const char *hash,
    struct root_files *files, struct fault *f)
{
	OWN_BUF(der, PUBLISH_CRL_MOST);
	OWN_BUF(pem, 2 * PUBLISH_CRL_MOST);
	struct crl crl;

	if (get_crl(args, d, &der, f) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, f) < 0 ||
	    crl_check_signature(&crl, d->authority.cert, f) < 0)
		return -1;
	if (crl.next_update <= clock_wall())
		return fault_set(f, FAULT_EXPIRED,
		    "the CRL has expired; name a newer one by --crl");
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	return add(files, hash, "r0", &pem, f);
}

static int
add_all(const struct ca_args *args, struct ca_dir *d, const char *hash,
    struct root_files *files, struct fault *f)
{
	OWN_BUF(pem, ANCHOR_MOST);
	OWN_BUF(policy, ANCHOR_MOST);

	if (authority_signing_policy(&d->authority, &policy, f) < 0)
		return -1;
	body_cert_put(&pem, d->authority.cert);
	if (add(files, hash, "signing_policy", &policy, f) < 0 ||
	    add(files, hash, "0", &pem, f) < 0)
		return -1;
	return add_crl(args, d, hash, files, f);
}

/* What we have made ourselves is good, or we say why not. */
static void
take_first(void *arg, const char *name, const struct fault *why)
{
	struct fault *f = arg;

	if (f->code == FAULT_NONE)
		(void)fault_set(f, why->code, "%s: %s", name, why->text);
}

static int
install(const struct ca_args *args, struct root_files *files, const char *hash,
    struct fault *f)
{
	char by[32];
	/* An older list would undo revocations: one that was named is refused,
	 * that of init gives way to what the site publishes by now. */
	const struct root_install how = { .by = by,
		.only_newer = args->crl != NULL };
	struct fault bad = { 0 };
	size_t installed;

	(void)snprintf(by, sizeof(by), "signet-ca:%s", hash);
	if (root_files_judge(files, take_first, &bad, f) < 0)
		return -1;
	if (bad.code != FAULT_NONE) {
		*f = bad;
		return -1;
	}
	return root_files_install(files, args->trust_dir, &how, &installed, f);
}

static int
publish(const struct ca_args *args, const char *path, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(path, f);
	struct root_files files = { 0, NULL };
	char hash[9], to[PATH_MAX];
	int result;

	if (d == NULL || dn_hash(&d->authority.cert->subject, hash, f) < 0)
		return -1;
	if (text_fmt(to, sizeof(to), "%s/%s.0", args->trust_dir, hash) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (check_free(to, d->authority.cert, f) < 0)
		return -1;
	result = add_all(args, d, hash, &files, f);
	if (result == 0)
		result = install(args, &files, hash, f);
	root_files_clear(&files);
	return result;
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
