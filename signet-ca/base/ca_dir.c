#include "ca_dir.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_file.h"
#include "ca_phrase.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PEM_MOST (1u << 20)

static int
explain_absence(const char *path, struct fault *f)
{
	char temporary[PATH_MAX];

	if (text_fmt(temporary, sizeof(temporary), "%s.new", path) == 0 &&
	    ca_file_exists(temporary))
		return fault_set(f, FAULT_ABSENT,
		    "%s: its init is not finished; if none is running it was "
		    "interrupted: run it again",
		    path);
	return fault_wrap(f, "no CA");
}

/* Why there is no certificate. */
static int
explain_waiting(const char *path, struct fault *f)
{
	char request[PATH_MAX];

	if (text_fmt(request, sizeof(request), "%s/%s", path, CA_DIR_REQUEST) ==
		0 &&
	    ca_file_exists(request))
		return fault_set(f, FAULT_ABSENT,
		    "%s waits for its certificate: have %s signed, then run "
		    "signet-ca request accept REPLY %s",
		    path, CA_DIR_REQUEST, path);
	return fault_wrap(f, "no CA");
}

static int
read_parts(struct ca_dir *d, struct fault *f)
{
	OWN_BUF(conf, CONF_MAX_TEXT);
	char path[PATH_MAX];

	if (ca_dir_path(d, "ca.conf", path, sizeof(path), f) < 0)
		return -1;
	if (file_read(path, &conf, f) < 0)
		return f->code == FAULT_ABSENT ? explain_absence(d->path, f)
					       : -1;
	/* Where the certificate is, only the settings themselves can say. */
	if (conf_read(&authority_schema, &d->authority.conf,
		(const char *)conf.data, conf.len, f) < 0)
		return fault_wrap(f, "%s", path);
	if (ca_dir_path(d, d->authority.conf.certificate, path, sizeof(path),
		f) < 0)
		return -1;
	if (file_read(path, &d->pem, f) < 0)
		return f->code == FAULT_ABSENT ? explain_waiting(d->path, f)
					       : -1;
	if (authority_read(&d->authority, (const char *)conf.data, conf.len,
		d->pem.data, d->pem.len, f) < 0)
		return fault_wrap(f, "%s", d->path);
	return 0;
}

struct ca_dir *
ca_dir_open(const char *path, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "%s", path);
		return NULL;
	}
	d->pem = BUF(PEM_MOST);
	if (text_copy(d->path, sizeof(d->path), path) < 0) {
		(void)fault_set(f, FAULT_USAGE, "path too long");
		return NULL;
	}
	if (read_parts(d, f) < 0)
		return NULL;
	return TAKE(d);
}

void
ca_dir_free(struct ca_dir *d)
{
	if (d == NULL)
		return;
	if (!d->lent)
		key_free(d->key);
	ca_token_close(d->token);
	authority_clear(&d->authority);
	buf_free(&d->pem);
	free(d);
}

static int
read_key_file(const struct ca_dir *d, struct buf *pem, struct fault *f)
{
	char path[PATH_MAX];

	if (ca_dir_path(d, d->authority.conf.key, path, sizeof(path), f) < 0)
		return -1;
	if (file_read_private(path, pem, f) == 0)
		return 0;
	/* Nobody calls a file so. */
	if (token_uri_is_slot(d->authority.conf.key))
		return fault_set(f, FAULT_CONFIG,
		    "%s/ca.conf: key %s is a slot and a key in it: key-module "
		    "is wanting, the path of the PKCS#11 module",
		    d->path, d->authority.conf.key);
	return -1;
}

static int
take_key(struct ca_dir *d, const struct buf *pem, const struct secret *phrase,
    struct fault *f)
{
	d->key = key_read_pem(pem->data, pem->len, phrase, f);
	if (d->key == NULL)
		return fault_wrap(f, "key of %s", d->path);
	if (!der_bytes_equal(key_spki(d->key)->der,
		d->authority.cert->spki.der))
		return fault_set(f, FAULT_CONFIG,
		    "%s: the key is not that of the certificate", d->path);
	return 0;
}

bool
ca_dir_in_token(const struct ca_dir *d)
{
	return token_uri_named(d->authority.conf.key,
	    d->authority.conf.key_module);
}

int
ca_dir_unlock_token(struct ca_dir *d, bool keep, struct fault *f)
{
	const struct authority_conf *conf = &d->authority.conf;
	const struct spki *spki = &d->authority.cert->spki;
	struct token_uri which;
	char what[128];

	if (token_uri_read_named(&which, conf->key, conf->key_module, f) < 0 ||
	    text_fmt(what, sizeof(what), "the CA %s", conf->name) < 0)
		return fault_wrap(f, "%s/ca.conf", d->path);
	if ((d->token = ca_token_open(&which, f)) == NULL ||
	    ca_token_ask(d->token, what, keep, f) < 0 ||
	    ca_token_login(d->token, spki, f) < 0 ||
	    (d->key = ca_token_key(d->token, f)) == NULL)
		return fault_wrap(f, "%s", d->path);
	return 0;
}

void
ca_dir_put_beside(struct ca_token *token, struct wire_bytes der)
{
	struct fault f = { 0 };

	if (ca_token_put(token, der, &f) < 0)
		fprintf(stderr,
		    "signet-ca: the certificate does not lie beside its key in "
		    "the token: %s; nothing needs it there\n",
		    f.text);
}

void
ca_dir_settle(struct ca_dir *d)
{
	const struct cert *cert = d->authority.cert;

	ca_dir_put_beside(d->token,
	    (struct wire_bytes){ cert->der, cert->len });
}

int
ca_dir_lend_key(struct ca_dir *d, struct key *key, struct fault *f)
{
	if (!der_bytes_equal(key_spki(key)->der, d->authority.cert->spki.der))
		return fault_set(f, FAULT_CONFIG,
		    "%s: the key is not that of the certificate", d->path);
	d->key = key;
	d->lent = true;
	return 0;
}

int
ca_dir_unlock_with(struct ca_dir *d, const struct secret *phrase,
    struct fault *f)
{
	OWN_BUF(pem, PEM_MOST);

	if (read_key_file(d, &pem, f) < 0)
		return -1;
	return take_key(d, &pem, phrase, f);
}

int
ca_dir_unlock(struct ca_dir *d, const char *fd, struct fault *f)
{
	OWN_STRUCT(secret) phrase = NULL;
	OWN_BUF(pem, PEM_MOST);

	if (ca_dir_in_token(d))
		return ca_dir_unlock_token(d, false, f);
	if (read_key_file(d, &pem, f) < 0)
		return -1;
	if (key_is_encrypted(pem.data, pem.len) &&
	    (phrase = ca_phrase_ask(d->authority.conf.name, fd, f)) == NULL)
		return -1;
	return take_key(d, &pem, phrase, f);
}

int
ca_dir_chain(const struct ca_dir *d, struct buf *pem, struct fault *f)
{
	char path[PATH_MAX];

	if (cert_is_self_issued(d->authority.cert))
		return 0;
	if (ca_dir_path(d, d->authority.conf.chain, path, sizeof(path), f) < 0)
		return -1;
	return file_read(path, pem, f);
}

int
ca_dir_path(const struct ca_dir *d, const char *file, char *path, size_t size,
    struct fault *f)
{
	return authority_path(d->path, file, path, size, f);
}

/* A ledger is made with its CA, or of one that signetd serves, as the daemon's,
 * by whoever writes in it first.  One that began anew would use numbers again,
 * and know of no revocation. */
static int
check_ledger(const struct ca_dir *d, const char *path, struct fault *f)
{
	struct stat st;
	bool found = stat(path, &st) == 0;

	if (found ? st.st_size > 0
		  : errno == ENOENT && d->authority.conf.online)
		return 0;
	return fault_set(f, FAULT_ABSENT,
	    "%s: the ledger is not there, or empty; without it numbers would "
	    "come twice: signet-ca restore has it from a backup",
	    path);
}

int
ca_dir_ledger(const struct ca_dir *d, const char *given, char *path,
    size_t size, struct fault *f)
{
	if (given == NULL && d->authority.conf.online)
		return fault_set(f, FAULT_USAGE,
		    "signetd signs with this CA: name its ledger by --ledger");
	if (given == NULL) {
		if (ca_dir_path(d, "ledger.db", path, size, f) < 0)
			return -1;
	} else if (text_copy(path, size, given) < 0) {
		return fault_set(f, FAULT_USAGE, "path too long");
	}
	return check_ledger(d, path, f);
}
