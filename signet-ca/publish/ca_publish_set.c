#include "ca_publish_set.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/sigpolicy.h"
#include "x509/pem.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clocks of two machines may differ by so much. */
#define SKEW 300

int
publish_read_crl(const char *path, struct buf *der, struct fault *f)
{
	OWN_BUF(file, 2 * PUBLISH_CRL_MOST);
	size_t at = 0;
	int found;

	if (file_read(path, &file, f) < 0)
		return -1;
	found = pem_next(file.data, file.len, &at, "X509 CRL", der, f);
	if (found < 0)
		return fault_wrap(f, "%s", path);
	if (found == 0)
		buf_put(der, file.data, file.len);
	if (der->failed)
		return fault_set(f, FAULT_INPUT, "%s is too large", path);
	return 0;
}

static int
check_crl(const struct publish_ca *ca, time_t now, struct fault *f)
{
	const struct crl *crl = &ca->crl;

	if (crl_check_signature(crl, ca->dir->authority.cert, f) < 0)
		return -1;
	if (crl->this_update > now + SKEW)
		return fault_set(f, FAULT_INPUT,
		    "its CRL is of the future; is the clock right?");
	if (crl->next_update <= now)
		return fault_set(f, FAULT_EXPIRED,
		    "its CRL has expired; make a newer one");
	return 0;
}

/* The list at ${path}, if it is one and fit; whether it was taken. */
static int
take_crl(struct publish_ca *ca, const char *path, time_t now, struct fault *f)
{
	struct buf der = BUF(PUBLISH_CRL_MOST);
	struct publish_ca other = { .dir = ca->dir };

	if (publish_read_crl(path, &der, f) < 0 ||
	    crl_read(&other.crl, (struct wire_bytes){ der.data, der.len }, f) <
		0 ||
	    check_crl(&other, now, f) < 0) {
		buf_free(&der);
		return -1;
	}
	if (ca->crl_der.len > 0 &&
	    other.crl.this_update <= ca->crl.this_update) {
		buf_free(&der);
		return 0;
	}
	buf_free(&ca->crl_der);
	ca->crl_der = der;
	ca->crl = other.crl;
	return 0;
}

/* Of lists made beforehand, the newest that has begun. */
static int
take_crl_of_series(struct publish_ca *ca, const char *dir, time_t now,
    struct fault *f)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (d == NULL)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	while ((entry = readdir(d)) != NULL) {
		struct fault ignored = { 0 };

		if (*entry->d_name != '.' &&
		    text_fmt(path, sizeof(path), "%s/%s", dir, entry->d_name) ==
			0)
			(void)!take_crl(ca, path, now, &ignored);
	}
	(void)closedir(d);
	if (ca->crl_der.len == 0)
		return fault_set(f, FAULT_EXPIRED,
		    "%s has no list of this CA that is in force; make new ones",
		    dir);
	return 0;
}

/* What publish.conf says, else what init made. */
static int
find_crl(const struct publish_conf *c, const struct publish_ca *ca,
    char path[PATH_MAX], struct fault *f)
{
	char alias[ANCHOR_ALIAS_MAX + 1];
	const char *file;

	for (size_t i = 0; i < c->crl.count; i++) {
		if (publish_conf_pair(c->crl.item[i], alias, &file, f) < 0)
			return fault_wrap(f, "crl");
		if (strcmp(alias, ca->alias) == 0)
			return publish_conf_path(c, file, path, f);
	}
	return ca_dir_path(ca->dir, "crl.pem", path, PATH_MAX, f);
}

static int
read_crl(const struct publish_conf *c, struct publish_ca *ca, time_t now,
    struct fault *f)
{
	char path[PATH_MAX];
	struct stat st;

	if (find_crl(c, ca, path, f) < 0)
		return -1;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return take_crl_of_series(ca, path, now, f);
	return take_crl(ca, path, now, f) < 0 ? -1 : 0;
}

static int
fill_urls(const struct publish_conf *c, struct publish_ca *ca, struct fault *f)
{
	ca->crl_urls = ca->dir->authority.conf.crl_url;
	if (ca->crl_urls.count > 0)
		return 0;
	ca->crl_urls.count = 1;
	if (text_fmt(ca->crl_urls.item[0], CONF_STRING_SIZE, "%s%s.crl", c->url,
		ca->alias) < 0)
		return fault_set(f, FAULT_CONFIG, "url is too long");
	return 0;
}

static int
read_ca(const struct publish_conf *c, const char *line, struct publish_ca *ca,
    time_t now, struct fault *f)
{
	const struct cert *cert;
	char path[PATH_MAX];
	const char *dir;

	if (publish_conf_pair(line, ca->alias, &dir, f) < 0)
		return fault_wrap(f, "ca");
	if (publish_conf_path(c, dir, path, f) < 0 ||
	    (ca->dir = ca_dir_open(path, f)) == NULL)
		return -1;
	cert = ca->dir->authority.cert;
	if (cert->not_after <= now)
		return fault_set(f, FAULT_EXPIRED,
		    "the CA has expired; take it out of publish.conf");
	if (cert->not_before > now + SKEW)
		return fault_set(f, FAULT_INPUT,
		    "the CA's time has not begun; is the clock right?");
	if (dn_hash(&cert->subject, ca->hash, f) < 0 ||
	    dn_hash_old(&cert->subject, ca->hash_old, f) < 0 ||
	    fill_urls(c, ca, f) < 0)
		return -1;
	return 0;
}

static int
check_unique(const struct publish_set *s, const struct publish_ca *ca,
    struct fault *f)
{
	for (const struct publish_ca *other = s->ca; other < ca; other++) {
		if (strcasecmp(other->alias, ca->alias) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "the alias is given twice");
		if (strcmp(other->hash, ca->hash) == 0 ||
		    strcmp(other->hash_old, ca->hash_old) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "its name has the hash of %s's: they cannot be in "
			    "one directory",
			    other->alias);
	}
	return 0;
}

/* What ${parent} publishes must allow ${ca}, or nobody could use it. */
static int
check_policy(const struct publish_ca *parent, const struct publish_ca *ca,
    struct fault *f)
{
	OWN_BUF(text, SIGPOLICY_MAX);
	char issuer[DN_TEXT_MAX], subject[DN_TEXT_MAX];
	struct sigpolicy policy;
	bool allows;

	if (authority_signing_policy(&parent->dir->authority, &text, f) < 0 ||
	    sigpolicy_read(&policy, (const char *)text.data, text.len, f) < 0)
		return -1;
	allows = dn_show_slash(&parent->dir->authority.cert->subject, issuer,
		     sizeof(issuer)) == 0 &&
	    dn_show_slash(&ca->dir->authority.cert->subject, subject,
		sizeof(subject)) == 0 &&
	    sigpolicy_allows(&policy, issuer, subject);
	sigpolicy_clear(&policy);
	if (!allows)
		return fault_set(f, FAULT_CONFIG,
		    "%s may not sign it: may-sign-under in its ca.conf",
		    parent->alias);
	return 0;
}

static int
check_parent(struct publish_set *s, struct publish_ca *ca, struct fault *f)
{
	const struct cert *cert = ca->dir->authority.cert;
	struct crl_entry entry;
	int found;

	if (cert_is_self_issued(cert))
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (dn_equal(&s->ca[i].dir->authority.cert->subject,
			&cert->issuer))
			ca->parent = &s->ca[i];
	if (ca->parent == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "the CA above it is not in publish.conf");
	if (cert_check_signature(cert, ca->parent->dir->authority.cert, f) < 0)
		return fault_wrap(f, "by %s", ca->parent->alias);
	found = crl_find(&ca->parent->crl,
	    (struct wire_bytes){ cert->serial, cert->serial_len }, &entry);
	if (found != 0)
		return fault_set(f, FAULT_DENIED,
		    "%s has revoked it; take it out of publish.conf",
		    ca->parent->alias);
	return check_policy(ca->parent, ca, f);
}

static int
read_all(const struct publish_conf *c, time_t now, struct publish_set *s,
    struct fault *f)
{
	for (size_t i = 0; i < c->ca.count; i++) {
		struct publish_ca *ca = &s->ca[s->count++];

		if (read_ca(c, c->ca.item[i], ca, now, f) < 0 ||
		    check_unique(s, ca, f) < 0 || read_crl(c, ca, now, f) < 0)
			return fault_wrap(f, "%s", ca->alias);
	}
	for (size_t i = 0; i < s->count; i++)
		if (check_parent(s, &s->ca[i], f) < 0)
			return fault_wrap(f, "%s", s->ca[i].alias);
	return 0;
}

/* A crl line that names no CA is a slip that would go unnoticed. */
static int
check_crl_lines(const struct publish_conf *c, const struct publish_set *s,
    struct fault *f)
{
	char alias[ANCHOR_ALIAS_MAX + 1];
	const char *file;

	for (size_t i = 0; i < c->crl.count; i++) {
		bool known = false;

		if (publish_conf_pair(c->crl.item[i], alias, &file, f) < 0)
			return fault_wrap(f, "crl");
		for (size_t j = 0; j < s->count; j++)
			known |= strcmp(s->ca[j].alias, alias) == 0;
		if (!known)
			return fault_set(f, FAULT_CONFIG,
			    "crl %s: there is no ca line for it", alias);
	}
	return 0;
}

struct publish_set *
publish_set_read(const struct publish_conf *c, time_t now, struct fault *f)
{
	OWN_STRUCT(publish_set) s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "CAs");
		return NULL;
	}
	if (read_all(c, now, s, f) < 0 || check_crl_lines(c, s, f) < 0)
		return NULL;
	return TAKE(s);
}

void
publish_set_free(struct publish_set *s)
{
	for (size_t i = 0; s != NULL && i < s->count; i++) {
		ca_dir_free(s->ca[i].dir);
		buf_free(&s->ca[i].crl_der);
	}
	free(s);
}

static int
follows(const struct publish_ca *ca, const struct publish_tree *old,
    struct fault *f)
{
	char name[PUBLISH_NAME_MAX];
	const struct publish_file *file;
	struct fault ignored = { 0 };
	struct crl before;

	if (text_fmt(name, sizeof(name), "%s.crl", ca->alias) < 0)
		return fault_set(f, FAULT_CONFIG, "alias too long");
	file = publish_tree_find(old, name);
	/* One that is broken, or of an earlier key, holds nobody back. */
	if (file == NULL ||
	    crl_read(&before,
		(struct wire_bytes){ file->data.data, file->data.len },
		&ignored) < 0 ||
	    crl_check_signature(&before, ca->dir->authority.cert, &ignored) < 0)
		return 0;
	if (file->data.len == ca->crl_der.len &&
	    memcmp(file->data.data, ca->crl_der.data, ca->crl_der.len) == 0)
		return 0;
	if (ca->crl.number < before.number ||
	    ca->crl.this_update < before.this_update)
		return fault_set(f, FAULT_DENIED,
		    "CRL %llu is older than %llu, which is published",
		    (unsigned long long)ca->crl.number,
		    (unsigned long long)before.number);
	if (ca->crl.number == before.number)
		return fault_set(f, FAULT_DENIED,
		    "another CRL %llu is published",
		    (unsigned long long)before.number);
	if (ca->crl.next_update < before.next_update)
		return fault_set(f, FAULT_DENIED,
		    "CRL %llu ends before %llu, which is published",
		    (unsigned long long)ca->crl.number,
		    (unsigned long long)before.number);
	return 0;
}

int
publish_set_follows(const struct publish_set *s, const struct publish_tree *old,
    struct fault *f)
{
	for (size_t i = 0; i < s->count; i++)
		if (follows(&s->ca[i], old, f) < 0)
			return fault_wrap(f, "%s", s->ca[i].alias);
	return 0;
}
