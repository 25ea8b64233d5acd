#include "ca_first_list.h"

#include "base/fault.h"
#include "base/file.h"
#include "ca_sign.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "x509/pem.h"

#define LIST_MOST (1u << 20)

static int
write_first_list(struct ca_dir *d, const char *path, struct fault *f)
{
	OWN_BUF(der, LIST_MOST);
	OWN_BUF(pem, (size_t)2 * LIST_MOST);
	char ledger[PATH_MAX];

	if (ca_dir_path(d, "ledger.db", ledger, sizeof(ledger), f) < 0 ||
	    ca_sign_crl(d, ledger, &der, f) < 0)
		return -1;
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "list");
	return file_write(path, 0644, pem.data, pem.len, f);
}

/* Whether signetd makes the lists of ${d} but the first, which is not there. */
static int
lacks_list(struct ca_dir *d, char path[PATH_MAX], struct fault *f)
{
	if (ca_dir_path(d, "crl.pem", path, PATH_MAX, f) < 0)
		return -1;
	return d->authority.conf.online && !ca_file_exists(path);
}

int
ca_first_list(const char *dir, struct key *key, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(dir, f);
	char path[PATH_MAX];
	int wanted;

	if (d == NULL || (wanted = lacks_list(d, path, f)) < 0)
		return -1;
	if (wanted == 0)
		return 0;
	if (ca_dir_lend_key(d, key, f) < 0)
		return -1;
	return write_first_list(d, path, f);
}

int
ca_first_list_unlock(const char *dir, const char *passphrase_fd,
    struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(dir, f);
	char path[PATH_MAX];
	int wanted;
	bool token;

	if (d == NULL || (wanted = lacks_list(d, path, f)) < 0)
		return -1;
	token = ca_dir_in_token(d);
	if (wanted == 0 && !token)
		return 0;
	if ((token ? ca_dir_unlock_token(d, true, f)
		   : ca_dir_unlock(d, passphrase_fd, f)) < 0)
		return -1;
	if (wanted == 1 && write_first_list(d, path, f) < 0)
		return -1;
	if (token)
		ca_dir_settle(d);
	return 0;
}
