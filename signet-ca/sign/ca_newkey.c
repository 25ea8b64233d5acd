#include "ca_newkey.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_file.h"
#include "x509/cert.h"
#include "x509/der.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEM_MOST 65536

static int
name(char *temporary, const char *path)
{
	return text_fmt(temporary, PATH_MAX, "%s.unfinished", path);
}

bool
ca_newkey_left(const char *path)
{
	char temporary[PATH_MAX];

	return path != NULL && name(temporary, path) == 0 &&
	    ca_file_exists(temporary);
}

/* Whether what was locked is still what bears the name. */
static bool
still_there(const struct ca_newkey *k)
{
	struct stat a, b;

	return fstat(k->lock, &a) == 0 && lstat(k->temporary, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Of two who make the same key the second is told. */
static int
hold(struct ca_newkey *k, struct fault *f)
{
	k->lock =
	    open(k->temporary, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (k->lock < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", k->temporary,
		    strerror(errno));
	if (flock(k->lock, LOCK_EX | LOCK_NB) == 0 && still_there(k))
		return 0;
	(void)close(k->lock);
	k->lock = -1;
	return fault_set(f, FAULT_BUSY,
	    "%s is being made at this moment by another", k->path);
}

static int
take_over(struct ca_newkey *k, struct fault *f)
{
	OWN_BUF(pem, PEM_MOST);

	k->left = true;
	if (hold(k, f) < 0)
		return -1;
	if (file_read_private(k->temporary, &pem, f) < 0 ||
	    (k->key = key_read_pem(pem.data, pem.len, NULL, f)) == NULL)
		return fault_wrap(f, "%s: move it away", k->temporary);
	return 0;
}

static int
make(struct ca_newkey *k, const char *kind, struct fault *f)
{
	OWN_BUF(pem, PEM_MOST);

	if ((k->key = key_make(kind, f)) == NULL ||
	    key_write_pem(k->key, NULL, &pem, f) < 0 ||
	    file_write_new(k->temporary, 0600, pem.data, pem.len, f) < 0 ||
	    hold(k, f) < 0)
		return -1;
	/* One who had it until now may have come to its end since we looked:
	 * the key that we made is then of no use to anybody. */
	if (ca_file_absent(k->path, f) == 0)
		return 0;
	(void)unlink(k->temporary);
	return -1;
}

int
ca_newkey_begin(struct ca_newkey *k, const char *path, const char *kind,
    struct fault *f)
{
	int result;

	*k = (struct ca_newkey){ .lock = -1 };
	if (text_copy(k->path, sizeof(k->path), path) < 0 ||
	    name(k->temporary, path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (ca_file_absent(path, f) < 0)
		return -1;
	result =
	    ca_file_exists(k->temporary) ? take_over(k, f) : make(k, kind, f);
	/* What is another's, or was not understood, stays. */
	if (result < 0)
		ca_newkey_clear(k, true);
	return result;
}

struct search {
	const struct ca_newkey *k;
	const char *subject;
	struct buf *der;
	bool other; /* it was certified for somebody else */
};

static int
compare(void *arg, const struct ledger_line *line)
{
	struct search *s = arg;
	struct fault ignored = { 0 };
	OWN_STRUCT(cert) cert = NULL;

	if (line->state != LEDGER_ISSUED || line->der.len == 0 ||
	    (cert = cert_read(line->der, &ignored)) == NULL ||
	    !der_bytes_equal(cert->spki.der, key_spki(s->k->key)->der))
		return 0;
	s->other = strcmp(line->intent.subject, s->subject) != 0;
	if (!s->other)
		buf_put(s->der, line->der.data, line->der.len);
	return 1;
}

static int
search_all(struct search *s, const char *ledger, const char *ca,
    struct fault *f)
{
	const struct ledger_filter filter = { .ca = ca };
	OWN_STRUCT(ledger) l = ledger_open_read(ledger, f);

	return l == NULL ? -1 : ledger_each(l, &filter, compare, s, f);
}

int
ca_newkey_certificate(const struct ca_newkey *k, const char *ledger,
    const char *ca, const struct dn *subject, struct buf *der, struct fault *f)
{
	char text[DN_TEXT_MAX];
	struct search s = { .k = k, .subject = text, .der = der };
	int result;

	if (!k->left)
		return 0;
	if (dn_show_slash(subject, text, sizeof(text)) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	if ((result = search_all(&s, ledger, ca, f)) <= 0)
		return result;
	if (s.other)
		return fault_set(f, FAULT_DENIED,
		    "%s has a certificate of another subject: finish the "
		    "command that made it",
		    k->temporary);
	if (der->failed)
		return fault_set(f, FAULT_MEMORY, "certificate");
	printf("It was signed before; the same certificate is written.\n");
	return 1;
}

int
ca_newkey_end(struct ca_newkey *k, struct fault *f)
{
	if (k->key == NULL)
		return 0;
	if (renameat2(AT_FDCWD, k->temporary, AT_FDCWD, k->path,
		RENAME_NOREPLACE) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", k->path,
		    strerror(errno));
	ca_newkey_clear(k, true);
	return file_sync_directory(k->path, f);
}

void
ca_newkey_clear(struct ca_newkey *k, bool keep)
{
	/* What was left may be certified elsewhere. */
	if (k->key != NULL && !keep && !k->left)
		(void)unlink(k->temporary);
	if (k->key != NULL && k->lock >= 0)
		(void)close(k->lock);
	key_free(k->key);
	k->key = NULL;
}
