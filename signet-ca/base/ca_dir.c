#include "ca_dir.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_args.h"
#include "sys/ask.h"
#include "x509/pem.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MOST (1u << 20)

/* In a directory that is being made, from first to last: a CA that a person
 * named DIR.new has none, and is nobody's rubbish. */
#define MARK "unfinished"

/* What an init writes; a killed one may leave each with letters behind it. */
static const char *const files[] = { "ca.conf", "ca.pem", "ca.key", "chain.pem",
	"crl.pem", "ledger.db", CA_DIR_REQUEST, "log.key", "log.pub",
	"backup" };

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int
explain_absence(const char *path, struct fault *f)
{
	char temporary[PATH_MAX];

	if (text_fmt(temporary, sizeof(temporary), "%s.new", path) == 0 &&
	    exists(temporary))
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
	    exists(request))
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

/* The pass phrase that is on descriptor ${fd}. */
static struct secret *
phrase_from(const char *fd, struct fault *f)
{
	int64_t number = -1;

	if (cmd_number(fd, "--passphrase-fd", 0, 1 << 20, -1, &number, f) < 0)
		return NULL;
	return ask_secret_fd((int)number, f);
}

struct secret *
ca_phrase_ask(const char *what, const char *fd, struct fault *f)
{
	char prompt[PATH_MAX];

	if (fd != NULL)
		return phrase_from(fd, f);
	if (text_fmt(prompt, sizeof(prompt), "Pass phrase of %s: ", what) < 0) {
		(void)fault_set(f, FAULT_USAGE, "name too long");
		return NULL;
	}
	return ask_secret(prompt, f);
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

/* The directory above ${path}, made if it is not there. */
static int
make_parent(const char *path, struct fault *f)
{
	char parent[PATH_MAX];
	char *slash;

	if (text_copy(parent, sizeof(parent), path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((slash = strrchr(parent, '/')) == NULL || slash == parent)
		return 0;
	*slash = '\0';
	return file_mkdir(parent, 0755, f);
}

static bool
is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (text_starts(name, files[i]))
			return true;
	return false;
}

static bool
is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static DIR *
list(int fd, const char *path, struct fault *f)
{
	int copy = dup(fd);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir == NULL) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
		if (copy >= 0)
			(void)close(copy);
		return NULL;
	}
	rewinddir(dir);
	return dir;
}

/* What has no mark was not left by an init, unless there is nothing in it. */
static int
check_mark(int fd, const char *path, struct fault *f)
{
	struct stat st;
	const struct dirent *entry;
	DIR *dir;
	int result = 0;

	if (fstatat(fd, MARK, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if ((dir = list(fd, path, f)) == NULL)
		return -1;
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (!is_dot(entry->d_name))
			result = fault_set(f, FAULT_DENIED,
			    "%s is there, with %s in it: move it away", path,
			    entry->d_name);
	(void)closedir(dir);
	return result;
}

/* Take away what an init wrote into the directory ${fd}, but for its mark.
 * Anything else that is there was put there by a person, and stays. */
static int
empty(int fd, const char *path, struct fault *f)
{
	const struct dirent *entry;
	int result = 0;
	DIR *dir;

	if (check_mark(fd, path, f) < 0 || (dir = list(fd, path, f)) == NULL)
		return -1;
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (is_dot(entry->d_name) || strcmp(entry->d_name, MARK) == 0)
			continue;
		if (!is_ours(entry->d_name) ||
		    unlinkat(fd, entry->d_name, 0) < 0)
			result = fault_set(f, FAULT_DENIED,
			    "%s is there, with %s in it: move it away", path,
			    entry->d_name);
	}
	(void)closedir(dir);
	return result;
}

static int
put_mark(int fd, const char *path, struct fault *f)
{
	int mark =
	    openat(fd, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (mark < 0)
		return fault_set(f, FAULT_SYSTEM, "%s/%s: %s", path, MARK,
		    strerror(errno));
	(void)close(mark);
	return 0;
}

/* Whether the directory ${fd} is still what ${path} names. */
static bool
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Make the temporary directory, or take over one that was left, and hold its
 * lock.  1 if it went away meanwhile, because its maker has finished.
 */
static int
try_place(struct ca_new *n, struct fault *f)
{
	int result;

	if (mkdir(n->temporary, 0700) < 0 && errno != EEXIST)
		return fault_set(f, FAULT_SYSTEM, "mkdir %s: %s", n->temporary,
		    strerror(errno));
	n->lock =
	    open(n->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (n->lock < 0)
		return errno == ENOENT ? 1
				       : fault_set(f, FAULT_SYSTEM, "%s: %s",
					     n->temporary, strerror(errno));
	if (flock(n->lock, LOCK_EX | LOCK_NB) < 0) {
		(void)close(n->lock);
		return fault_set(f, FAULT_BUSY,
		    "%s is being made at this moment by another init", n->path);
	}
	result = still_there(n->lock, n->temporary)
	    ? empty(n->lock, n->temporary, f)
	    : 1;
	if (result == 0)
		result = put_mark(n->lock, n->temporary, f);
	if (result != 0)
		(void)close(n->lock);
	return result;
}

static int
take_place(struct ca_new *n, struct fault *f)
{
	for (int i = 0; i < 8; i++) {
		int result = try_place(n, f);

		if (result <= 0)
			return result;
	}
	return fault_set(f, FAULT_BUSY, "%s is made by others again and again",
	    n->path);
}

static int
refuse_present(const struct ca_new *n, struct fault *f)
{
	char mark[PATH_MAX];

	if (!exists(n->path))
		return 0;
	/* Its maker was killed just after it had its name. */
	if (text_fmt(mark, sizeof(mark), "%s/%s", n->path, MARK) == 0)
		(void)unlink(mark);
	return fault_set(f, FAULT_DENIED,
	    "%s is there already; nothing is overwritten", n->path);
}

int
ca_new_begin(struct ca_new *n, const char *path, struct fault *f)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (text_fmt(n->path, sizeof(n->path), "%.*s", (int)len, path) < 0 ||
	    text_fmt(n->temporary, sizeof(n->temporary), "%s.new", n->path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (refuse_present(n, f) < 0 || make_parent(n->path, f) < 0 ||
	    take_place(n, f) < 0)
		return -1;
	/* Another may have finished it before the lock was ours. */
	if (refuse_present(n, f) < 0) {
		ca_new_cancel(n);
		return -1;
	}
	return 0;
}

int
ca_new_write(const struct ca_new *n, const char *file, mode_t mode,
    const struct buf *data, struct fault *f)
{
	char path[PATH_MAX];

	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", file);
	if (authority_path(n->temporary, file, path, sizeof(path), f) < 0)
		return -1;
	return file_write_new(path, mode, data->data, data->len, f);
}

/* What has a new name is on the disk under it. */
static int
sync_parent(const char *path, struct fault *f)
{
	char parent[PATH_MAX];
	char *slash;
	int fd, result;

	if (text_copy(parent, sizeof(parent), path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((slash = strrchr(parent, '/')) == NULL)
		memcpy(parent, ".", 2);
	else
		slash[slash == parent ? 1 : 0] = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = fd < 0 ? -1 : fsync(fd);
	/* Some file systems cannot sync a directory (EINVAL). */
	if (result < 0 && errno != EINVAL)
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", parent,
		    strerror(errno));
	else
		result = 0;
	if (fd >= 0)
		(void)close(fd);
	return result;
}

int
ca_new_end(struct ca_new *n, struct fault *f)
{
	/* rename() would replace an empty directory made meanwhile. */
	int result = renameat2(AT_FDCWD, n->temporary, AT_FDCWD, n->path,
	    RENAME_NOREPLACE);

	if (result < 0)
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", n->path,
		    strerror(errno));
	else
		(void)unlinkat(n->lock, MARK, 0);
	(void)close(n->lock);
	return result < 0 ? -1 : sync_parent(n->path, f);
}

void
ca_new_cancel(struct ca_new *n)
{
	struct fault ignored = { 0 };

	/* The mark last: killed before, the next one finds it. */
	if (empty(n->lock, n->temporary, &ignored) == 0 &&
	    unlinkat(n->lock, MARK, 0) == 0)
		(void)rmdir(n->temporary);
	(void)close(n->lock);
}

int
ca_phrase_new(bool none, const char *fd, const char *what,
    struct secret **phrase, struct fault *f)
{
	OWN_STRUCT(secret) fresh = NULL;
	char prompt[128];

	*phrase = NULL;
	if (none && fd != NULL)
		return fault_set(f, FAULT_USAGE,
		    "a pass phrase is given, and none is wanted");
	if (none)
		return 0;
	if (text_fmt(prompt, sizeof(prompt), "New pass phrase for %s: ", what) <
	    0)
		return fault_set(f, FAULT_USAGE, "name too long");
	fresh = fd != NULL ? phrase_from(fd, f)
			   : ask_new_secret(prompt, CA_PHRASE_LEAST, f);
	if (fresh == NULL)
		return -1;
	if (secret_len(fresh) < CA_PHRASE_LEAST)
		return fault_set(f, FAULT_USAGE,
		    "a pass phrase has at least %d characters",
		    CA_PHRASE_LEAST);
	*phrase = TAKE(fresh);
	return 0;
}
