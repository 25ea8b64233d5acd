#include "trust/store.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/stamp.h"
#include "x509/crl.h"
#include "x509/der.h"
#include "x509/pem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANCHORS_MAX 4096
#define ANCHOR_FILE_MAX 262144
#define CRL_FILE_MAX (96u << 20) /* a million entries as PEM, twice */

/*
 * Records live in one array: anchors first, then those that have a signing
 * policy or a CRL but no certificate.
 */
struct trust_store {
	char dir[PATH_MAX];
	struct stamps *stamps;
	struct trust_anchor *record;
	size_t records;
	size_t anchors;
};

/* A load under way. */
struct load {
	struct trust_store *store;
	trust_complaint_fn *complain;
	void *arg;
};

typedef int read_fn(struct load *l, const char *name, struct fault *f);

static void
record_clear(struct trust_anchor *r)
{
	cert_free(r->cert);
	sigpolicy_clear(&r->policy);
	buf_free(&r->crl);
}

void
trust_free(struct trust_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->records; i++)
		record_clear(&store->record[i]);
	free(store->record);
	stamps_free(store->stamps);
	free(store);
}

static struct trust_anchor *
record_new(struct trust_store *store, const char *hash, struct fault *f)
{
	struct trust_anchor *more;
	struct trust_anchor *r;

	if (store->records == ANCHORS_MAX) {
		(void)fault_set(f, FAULT_INPUT, "more than %d CAs",
		    ANCHORS_MAX);
		return NULL;
	}
	more = reallocarray(store->record, store->records + 1, sizeof(*more));
	if (more == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	store->record = more;
	r = &more[store->records++];
	*r = (struct trust_anchor){ .crl = BUF(CRL_FILE_MAX) };
	memcpy(r->hash, hash, 8);
	return r;
}

static int
read_file(const struct load *l, const char *name, struct buf *b,
    struct fault *f)
{
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", l->store->dir, name) < 0)
		return fault_set(f, FAULT_INPUT, "the path is too long");
	return file_read(path, b, f);
}

static bool
known(const struct trust_store *store, const struct cert *cert)
{
	for (size_t i = 0; i < store->records; i++)
		if (store->record[i].cert->len == cert->len &&
		    memcmp(store->record[i].cert->der, cert->der, cert->len) ==
			0)
			return true;
	return false;
}

/* The first certificate in ${pem}; whether there is another. */
static struct cert *
first_cert(const struct buf *pem, bool *another, struct fault *f)
{
	OWN_BUF(der, CERT_MAX);
	OWN_BUF(rest, CERT_MAX);
	struct fault ignored = { 0 };
	size_t at = 0;
	int found = pem_next(pem->data, pem->len, &at, "CERTIFICATE", &der, f);

	if (found == 0)
		(void)fault_set(f, FAULT_INPUT, "no certificate");
	if (found <= 0)
		return NULL;
	*another = pem_next(pem->data, pem->len, &at, "CERTIFICATE", &rest,
		       &ignored) != 0;
	return cert_read((struct wire_bytes){ der.data, der.len }, f);
}

static int
check_anchor(const struct cert *cert, const char *name, char hash[9],
    struct fault *f)
{
	char old[9];

	if (cert->kind != CERT_CA)
		return fault_set(f, FAULT_INPUT, "not a CA certificate");
	if (dn_hash(&cert->subject, hash, f) < 0)
		return -1;
	if (memcmp(name, hash, 8) == 0)
		return 0;
	if (dn_hash_old(&cert->subject, old, f) == 0 &&
	    memcmp(name, old, 8) == 0)
		return 0;
	return fault_set(f, FAULT_INPUT,
	    "the hash of the name of its certificate is %s", hash);
}

static int
read_anchor(struct load *l, const char *name, struct fault *f)
{
	OWN_BUF(pem, ANCHOR_FILE_MAX);
	OWN_STRUCT(cert) cert = NULL;
	struct trust_anchor *r;
	bool another = false;
	char hash[9];

	if (read_file(l, name, &pem, f) < 0 ||
	    (cert = first_cert(&pem, &another, f)) == NULL ||
	    check_anchor(cert, name, hash, f) < 0)
		return -1;
	if (!known(l->store, cert)) {
		if ((r = record_new(l->store, hash, f)) == NULL)
			return -1;
		r->cert = TAKE(cert);
		l->store->anchors++;
	}
	if (another)
		return fault_set(f, FAULT_INPUT,
		    "only the first certificate of this file is trusted");
	return 0;
}

/* The next record for ${name}'s hash from *${at} on. */
static struct trust_anchor *
next_of_hash(const struct trust_store *store, const char *name, size_t *at)
{
	while (*at < store->records) {
		struct trust_anchor *r = &store->record[(*at)++];

		if (memcmp(r->hash, name, 8) == 0)
			return r;
	}
	return NULL;
}

/* Make sure there is a record for ${name}'s hash. */
static int
want_record(struct trust_store *store, const char *name, struct fault *f)
{
	size_t at = 0;

	if (next_of_hash(store, name, &at) != NULL)
		return 0;
	return record_new(store, name, f) == NULL ? -1 : 0;
}

static int
read_policy(struct load *l, const char *name, struct fault *f)
{
	OWN_BUF(text, SIGPOLICY_MAX);
	struct trust_anchor *r;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0 ||
	    read_file(l, name, &text, f) < 0)
		return -1;
	while ((r = next_of_hash(l->store, name, &at)) != NULL) {
		if (sigpolicy_read(&r->policy, (const char *)text.data,
			text.len, f) < 0)
			return -1;
		r->has_policy = true;
	}
	return 0;
}

/* The DER of a CRL from a file that holds it as it is or as PEM. */
static int
crl_bytes(struct load *l, const char *name, struct buf *der, struct fault *f)
{
	OWN_BUF(file, CRL_FILE_MAX);
	size_t at = 0;
	int found;

	if (read_file(l, name, &file, f) < 0)
		return -1;
	if (file.len > 0 && file.data[0] == DER_SEQUENCE) {
		buf_put(der, file.data, file.len);
		return der->failed ? fault_set(f, FAULT_MEMORY, "CRL") : 0;
	}
	found = pem_next(file.data, file.len, &at, "X509 CRL", der, f);
	if (found == 0)
		return fault_set(f, FAULT_INPUT, "no CRL");
	return found < 0 ? -1 : 0;
}

/* Whether ${fresh} was issued after what ${r} has. */
static bool
newer(const struct trust_anchor *r, const struct crl *fresh)
{
	struct fault ignored = { 0 };
	struct crl old;

	return r->crl.len == 0 ||
	    crl_read(&old, (struct wire_bytes){ r->crl.data, r->crl.len },
		&ignored) < 0 ||
	    fresh->this_update > old.this_update;
}

static int
keep_crl(struct trust_anchor *r, const struct crl *crl, const struct buf *der,
    struct fault *f)
{
	if (!newer(r, crl))
		return 0;
	buf_clear(&r->crl);
	buf_put(&r->crl, der->data, der->len);
	return r->crl.failed ? fault_set(f, FAULT_MEMORY, "CRL") : 0;
}

/* Give ${crl} to each record of its hash whose CA made it. */
static int
share_crl(struct load *l, const char *name, const struct crl *crl,
    const struct buf *der, struct fault *f)
{
	struct trust_anchor *r;
	bool taken = false;
	size_t at = 0;

	(void)fault_set(f, FAULT_INPUT, "another CA's CRL");
	while ((r = next_of_hash(l->store, name, &at)) != NULL) {
		if (r->cert != NULL &&
		    (!dn_equal(&crl->issuer, &r->cert->subject) ||
			crl_check_signature(crl, r->cert, f) < 0))
			continue;
		if (keep_crl(r, crl, der, f) < 0)
			return -1;
		taken = true;
	}
	return taken ? 0 : -1;
}

static int
read_crl(struct load *l, const char *name, struct fault *f)
{
	OWN_BUF(der, CRL_FILE_MAX);
	struct trust_anchor *r;
	struct crl crl;
	size_t at = 0;

	if (want_record(l->store, name, f) < 0)
		return -1;
	if (crl_bytes(l, name, &der, f) == 0 &&
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, f) == 0 &&
	    share_crl(l, name, &crl, &der, f) == 0)
		return 0;
	while ((r = next_of_hash(l->store, name, &at)) != NULL)
		r->crl_bad = true;
	return -1;
}

/* "01234567.0", "01234567.r0", "01234567.signing_policy". */
static read_fn *
reader_of(const char *name)
{
	const char *end = name + strspn(name, "0123456789abcdef");

	if (end - name != 8 || *end++ != '.')
		return NULL;
	if (strcmp(end, "signing_policy") == 0)
		return read_policy;
	if (*end == 'r')
		return end[1] != '\0' &&
			end[1 + strspn(end + 1, "0123456789")] == '\0'
		    ? read_crl
		    : NULL;
	return *end != '\0' && end[strspn(end, "0123456789")] == '\0'
	    ? read_anchor
	    : NULL;
}

static void
read_all(struct load *l, read_fn *read)
{
	const char *name;

	for (size_t i = 0; (name = stamps_name(l->store->stamps, i)) != NULL;
	     i++) {
		struct fault f = { 0 };

		if (reader_of(name) == read && read(l, name, &f) < 0 &&
		    l->complain != NULL)
			l->complain(l->arg, name, &f);
	}
}

static bool
wanted(const char *name)
{
	return reader_of(name) != NULL;
}

struct trust_store *
trust_load(const char *dir, bool may_be_empty, trust_complaint_fn *complain,
    void *arg, struct fault *f)
{
	OWN_STRUCT(trust_store) store = calloc(1, sizeof(*store));
	struct load l = { store, complain, arg };

	if (store == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	if (text_copy(store->dir, sizeof(store->dir), dir) < 0) {
		(void)fault_set(f, FAULT_INPUT, "the path is too long");
		return NULL;
	}
	/* Taken before the files are read, so that no change goes unseen. */
	if ((store->stamps = stamps_new(dir, wanted, f)) == NULL)
		return NULL;
	read_all(&l, read_anchor);
	read_all(&l, read_policy);
	read_all(&l, read_crl);
	for (size_t i = 0; i < store->records; i++)
		if (store->record[i].crl.len > 0)
			store->record[i].crl_bad = false;
	if (store->anchors == 0 && !may_be_empty) {
		(void)fault_set(f, FAULT_UNTRUSTED,
		    "no trusted CA in %s: install trust roots there", dir);
		return NULL;
	}
	return TAKE(store);
}

bool
trust_changed(const struct trust_store *store)
{
	return stamps_changed(store->stamps);
}

const char *
trust_dir(const struct trust_store *store)
{
	return store->dir;
}

size_t
trust_count(const struct trust_store *store)
{
	return store->anchors;
}

const struct trust_anchor *
trust_at(const struct trust_store *store, size_t i)
{
	return i < store->anchors ? &store->record[i] : NULL;
}

static const struct trust_anchor *
next_anchor(const struct trust_store *store, const struct dn *name, size_t *at)
{
	while (*at < store->anchors) {
		const struct trust_anchor *r = &store->record[(*at)++];

		if (dn_equal(&r->cert->subject, name))
			return r;
	}
	return NULL;
}

const struct trust_anchor *
trust_next_of(const struct trust_store *store, const struct dn *name,
    size_t *at)
{
	const struct trust_anchor *r = next_anchor(store, name, at);
	struct fault ignored = { 0 };
	size_t first = 0;
	char hash[9];

	/* Hashing costs more than looking through the anchors. */
	if (r != NULL || *at >= store->records ||
	    next_anchor(store, name, &first) != NULL ||
	    dn_hash(name, hash, &ignored) < 0)
		return r;
	while ((r = next_of_hash(store, hash, at)) != NULL)
		if (r->cert == NULL)
			return r;
	return NULL;
}

const struct trust_anchor *
trust_find_issuer(const struct trust_store *store, const struct cert *cert)
{
	struct fault ignored = { 0 };
	const struct trust_anchor *r;
	size_t at = 0;

	while ((r = trust_next_of(store, &cert->issuer, &at)) != NULL)
		if (r->cert != NULL &&
		    cert_check_signature(cert, r->cert, &ignored) == 0)
			return r;
	return NULL;
}

static bool
home_dir(char *path, size_t size)
{
	const char *home = getenv("HOME");

	return home != NULL && home[0] == '/' &&
	    text_fmt(path, size, "%s/.globus/certificates", home) == 0;
}

static int
find_dir(const char *option, bool install, char *path, size_t size,
    struct fault *f)
{
	const char *env = getenv("X509_CERT_DIR");

	if (option == NULL && env != NULL && env[0] != '\0')
		option = env;
	if (option == NULL && home_dir(path, size) &&
	    ((install && geteuid() != 0) || access(path, F_OK) == 0))
		return 0;
	if (option == NULL)
		option = "/etc/grid-security/certificates";
	if (text_copy(path, size, option) < 0)
		return fault_set(f, FAULT_INPUT,
		    "the path of the trust directory is too long");
	return 0;
}

int
trust_default_dir(const char *option, char *path, size_t size, struct fault *f)
{
	return find_dir(option, false, path, size, f);
}

int
trust_install_dir(const char *option, char *path, size_t size, struct fault *f)
{
	return find_dir(option, true, path, size, f);
}
