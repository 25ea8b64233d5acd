/* request accept: a reply is held against the request before anything of it is
 * installed. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_phrase.h"
#include "signet-ca/sign/ca_first_list.h"
#include "signet-ca/sign/ca_sign.h"
#include "x509/cert.h"
#include "x509/pem.h"

#include <openssl/sha.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PEM_MOST (1u << 20)

/* Its certificate is not kept. */
OWN_FREE_STRUCT(authority, free)

struct accepting {
	const struct ca_args *args;
	struct buf request_file;
	struct buf reply_file;
	struct request *r; /* owned, as are these */
	struct reply *reply;
	struct cert *cert;
	struct cert_list above;
};

static int
read_reply(struct accepting *a, const char *path, struct fault *f)
{
	if (file_read(path, &a->reply_file, f) < 0)
		return -1;
	a->reply = reply_read((struct wire_bytes){ a->reply_file.data,
				  a->reply_file.len },
	    f);
	if (a->reply == NULL)
		return fault_wrap(f, "%s", path);
	a->cert = cert_read((struct wire_bytes){ a->reply->certificate.data,
				a->reply->certificate.len },
	    f);
	if (a->cert == NULL ||
	    cert_list_read_pem(&a->above, a->reply->chain.data,
		a->reply->chain.len, f) < 0)
		return fault_wrap(f, "%s", path);
	if (a->above.count == 0)
		return fault_set(f, FAULT_INPUT,
		    "%s: nothing is above the certificate", path);
	return 0;
}

/* The reply to this request, and to no other. */
static int
check_answers(const struct accepting *a, struct fault *f)
{
	if (strcmp(a->reply->id, a->r->id) != 0)
		return fault_set(f, FAULT_DENIED,
		    "the reply answers request %s; the one here is %s",
		    a->reply->id, a->r->id);
	if (memcmp(a->reply->request_hash, a->r->hash, sizeof(a->r->hash)) != 0)
		return fault_set(f, FAULT_DENIED,
		    "the reply answers a request file that is not the one "
		    "here");
	if (!der_bytes_equal(a->cert->spki.der, a->r->csr.spki.der))
		return fault_set(f, FAULT_DENIED,
		    "the certificate is for another key than ours");
	return 0;
}

static bool
listed(struct wire_bytes name, const struct request_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->item[i]) == name.len &&
		    strncasecmp(names->item[i], (const char *)name.data,
			name.len) == 0)
			return true;
	return false;
}

static bool
certified(const struct cert *cert, unsigned tag, const char *wanted)
{
	struct wire_bytes name;
	size_t at = 0;

	while (cert_alt_name(cert, tag, &at, &name) > 0)
		if (strlen(wanted) == name.len &&
		    strncasecmp(wanted, (const char *)name.data, name.len) == 0)
			return true;
	return false;
}

/* All names that were asked for, and no other. */
static int
check_names(const struct cert *cert, unsigned tag,
    const struct request_names *names, struct fault *f)
{
	struct wire_bytes name;
	size_t at = 0;
	int found;

	while ((found = cert_alt_name(cert, tag, &at, &name)) > 0) {
		if (!listed(name, names))
			return fault_set(f, FAULT_DENIED,
			    "the certificate has the name %.*s, which was not "
			    "asked for",
			    name.len > 100 ? 100 : (int)name.len,
			    (const char *)name.data);
	}
	if (found < 0)
		return fault_set(f, FAULT_INPUT,
		    "the certificate's subjectAltName is malformed");
	for (size_t i = 0; i < names->count; i++)
		if (!certified(cert, tag, names->item[i]))
			return fault_set(f, FAULT_DENIED,
			    "the certificate lacks the name %.100s, which was "
			    "asked for",
			    names->item[i]);
	return 0;
}

static int
check_content(const struct accepting *a, bool ca, struct fault *f)
{
	static const struct request_names none;
	char subject[DN_TEXT_MAX];

	if (dn_show_slash(&a->cert->subject, subject, sizeof(subject)) < 0 ||
	    strcmp(subject, a->r->subject) != 0)
		return fault_set(f, FAULT_DENIED,
		    "the certificate is for another subject, \"%.120s\"",
		    subject);
	if (a->cert->ca != ca)
		return fault_set(f, FAULT_DENIED,
		    ca ? "the certificate is not that of a CA"
		       : "the certificate is that of a CA, which was not "
			 "asked for");
	/* Addresses of the web and of the network are never asked for. */
	if (check_names(a->cert, 6, &none, f) < 0 ||
	    check_names(a->cert, 7, &none, f) < 0 ||
	    check_names(a->cert, 2, &a->r->dns, f) < 0)
		return -1;
	return check_names(a->cert, 1, &a->r->emails, f);
}

static int
check_dates(const struct cert *cert, time_t now, const char *what,
    struct fault *f)
{
	char when[CLOCK_TEXT_SIZE];

	clock_text(now < cert->not_before ? cert->not_before : cert->not_after,
	    when);
	if (now < cert->not_before)
		return fault_set(f, FAULT_EXPIRED,
		    "%s is not valid before %s: is a clock wrong?", what, when);
	if (now > cert->not_after)
		return fault_set(f, FAULT_EXPIRED, "%s ended at %s", what,
		    when);
	return 0;
}

/* RFC 5280 6.1, as far as a chain in its order needs it: ${below} CAs stand
 * between ${issuer} and the end. */
static int
check_link(const struct cert *cert, const struct cert *issuer, int below,
    struct fault *f)
{
	if (!dn_equal(&cert->issuer, &issuer->subject))
		return fault_set(f, FAULT_UNTRUSTED,
		    "the chain is broken: an issuer is not the next one's "
		    "subject");
	if (!issuer->ca ||
	    (issuer->has_key_usage &&
		(issuer->key_usage & CERT_KU_KEY_CERT_SIGN) == 0))
		return fault_set(f, FAULT_UNTRUSTED,
		    "a certificate of the chain is not that of a CA");
	if (issuer->path_length >= 0 && below > issuer->path_length)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the path length of a CA in the chain is too short");
	if (cert_check_signature(cert, issuer, f) < 0)
		return fault_wrap(f, "the chain is broken");
	return check_dates(issuer, clock_wall(), "a CA in the chain", f);
}

static int
check_chain(const struct accepting *a, struct fault *f)
{
	const struct cert *cert = a->cert;
	int below = cert->ca ? 1 : 0;

	if (check_dates(cert, clock_wall(), "the certificate", f) < 0)
		return -1;
	for (size_t i = 0; i < a->above.count; i++) {
		if (check_link(cert, a->above.cert[i], below, f) < 0)
			return -1;
		cert = a->above.cert[i];
		below++;
	}
	/* The root, which signs itself. */
	return check_link(cert, cert, 0, f);
}

/* 64 hexadecimal digits, with or without colons and blanks. */
static bool
same_fingerprint(const char *text, const struct cert *cert)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char digits[2 * SHA256_DIGEST_LENGTH + 1];
	size_t n = 0;

	SHA256(cert->der, cert->len, hash);
	text_hex(hash, sizeof(hash), digits);
	for (; *text != '\0'; text++) {
		if (*text == ':' || *text == ' ')
			continue;
		if (n == sizeof(digits) - 1 ||
		    tolower((unsigned char)*text) != digits[n])
			return false;
		n++;
	}
	return n == sizeof(digits) - 1;
}

/* The root is known from elsewhere, not from the reply. */
static int
check_root(const struct accepting *a, struct fault *f)
{
	const struct cert *root = a->above.cert[a->above.count - 1];
	const struct ca_args *args = a->args;
	struct cert_list given = { 0 };
	OWN_BUF(pem, PEM_MOST);
	bool same;

	if (args->root == NULL && args->root_sha256 == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--root FILE or --root-sha256 HEX is needed: the root as "
		    "you know it from elsewhere");
	if (args->root_sha256 != NULL &&
	    !same_fingerprint(args->root_sha256, root))
		return fault_set(f, FAULT_UNTRUSTED,
		    "the chain ends at another root than that fingerprint's");
	if (args->root == NULL)
		return 0;
	if (file_read(args->root, &pem, f) < 0 ||
	    cert_list_read_pem(&given, pem.data, pem.len, f) < 0)
		return -1;
	same = given.count == 1 && given.cert[0]->len == root->len &&
	    memcmp(given.cert[0]->der, root->der, root->len) == 0;
	cert_list_free(&given);
	if (!same)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the chain ends at another root than %s", args->root);
	return 0;
}

static int
check_all(struct accepting *a, const char *request, bool ca, struct fault *f)
{
	if ((a->r = ca_form_read(request, &a->request_file, f)) == NULL ||
	    read_reply(a, a->args->operand[0], f) < 0)
		return -1;
	if (check_root(a, f) < 0 || check_answers(a, f) < 0 ||
	    check_content(a, ca, f) < 0 || check_chain(a, f) < 0)
		return fault_wrap(f, "refused");
	return 0;
}

/* Append the certificate, and those between it and the root. */
static void
put_certificates(const struct accepting *a, struct buf *pem)
{
	pem_put(pem, "CERTIFICATE",
	    (struct wire_bytes){ a->cert->der, a->cert->len });
	for (size_t i = 0; i + 1 < a->above.count; i++)
		pem_put(pem, "CERTIFICATE",
		    (struct wire_bytes){
			a->above.cert[i]->der, a->above.cert[i]->len });
}

static int
check_key(const struct accepting *a, struct fault *f)
{
	const char *path = a->args->key;
	OWN_STRUCT(secret) phrase = NULL;
	OWN_STRUCT(key) key = NULL;
	OWN_BUF(pem, PEM_MOST);

	if (file_read_private(path, &pem, f) < 0)
		return -1;
	if (key_is_encrypted(pem.data, pem.len) &&
	    (phrase = ca_phrase_ask(path, a->args->passphrase_fd, f)) == NULL)
		return -1;
	if ((key = key_read_pem(pem.data, pem.len, phrase, f)) == NULL)
		return fault_wrap(f, "%s", path);
	if (!der_bytes_equal(key_spki(key)->der, a->cert->spki.der))
		return fault_set(f, FAULT_DENIED,
		    "the certificate is for another key than %s", path);
	return 0;
}

static int
accept_for_key(struct accepting *a, struct fault *f)
{
	const struct ca_args *args = a->args;
	OWN_BUF(pem, PEM_MOST);
	char request[PATH_MAX];

	if (cmd_need(args->key, "--key or a CA's directory", f) < 0 ||
	    cmd_need(args->out, "--out", f) < 0 ||
	    text_fmt(request, sizeof(request), "%s.request", args->key) < 0)
		return f->code == FAULT_USAGE
		    ? -1
		    : fault_set(f, FAULT_USAGE, "path too long");
	if (check_all(a, args->request != NULL ? args->request : request, false,
		f) < 0 ||
	    check_key(a, f) < 0)
		return -1;
	put_certificates(a, &pem);
	if (ca_file_put(args->out, 0644, &pem, f) < 0)
		return -1;
	printf("%s: %s\n", args->out, a->r->subject);
	return 0;
}

/* ca.conf takes the certificate, and its name space is what was asked for. */
static int
judge_conf(const struct accepting *a, const struct buf *text,
    struct authority *authority, struct fault *f)
{
	const struct authority_conf *conf = &authority->conf;
	OWN_BUF(pem, PEM_MOST);

	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ a->cert->der, a->cert->len });
	if (authority_read(authority, (const char *)text->data, text->len,
		pem.data, pem.len, f) < 0)
		return -1;
	cert_free(authority->cert);
	authority->cert = NULL;
	if (conf->may_sign_under.count != 1 ||
	    strcmp(conf->may_sign_under.item[0], a->r->ca_conf_space) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "may-sign-under is not what was asked for, \"%.120s\"",
		    a->r->ca_conf_space);
	return 0;
}

static struct authority *
check_conf(const struct accepting *a, const char *dir, struct fault *f)
{
	OWN_STRUCT(authority) authority = calloc(1, sizeof(*authority));
	OWN_BUF(text, CONF_MAX_TEXT);
	char path[PATH_MAX];

	if (authority == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "ca.conf");
		return NULL;
	}
	if (authority_path(dir, "ca.conf", path, sizeof(path), f) < 0 ||
	    file_read(path, &text, f) < 0)
		return NULL;
	if (judge_conf(a, &text, authority, f) < 0) {
		(void)fault_wrap(f, "%s", path);
		return NULL;
	}
	return TAKE(authority);
}

/* A certificate that is there may be this one, or the one it renews. */
static int
check_old(const struct accepting *a, const char *path, struct fault *f)
{
	struct cert_list there = { 0 };
	char serial[CERT_SERIAL_TEXT] = "";
	OWN_BUF(pem, PEM_MOST);
	bool same = false;

	if (!ca_file_exists(path))
		return 0;
	if (file_read(path, &pem, f) < 0 ||
	    cert_list_read_pem(&there, pem.data, pem.len, f) < 0)
		return -1;
	if (there.count == 1) {
		same = there.cert[0]->len == a->cert->len &&
		    memcmp(there.cert[0]->der, a->cert->der, a->cert->len) == 0;
		cert_serial_text(there.cert[0], serial);
	}
	cert_list_free(&there);
	if (same ||
	    (*a->r->renews != '\0' && strcmp(serial, a->r->renews) == 0))
		return 0;
	return fault_set(f, FAULT_DENIED,
	    "%s is there already, and not what this renews", path);
}

/* The chain first: the certificate makes it a CA. */
static int
install(const struct accepting *a, const char *dir,
    const struct authority_conf *conf, struct fault *f)
{
	OWN_BUF(pem, PEM_MOST);
	char chain[PATH_MAX], certificate[PATH_MAX];

	if (authority_path(dir, conf->chain, chain, sizeof(chain), f) < 0 ||
	    authority_path(dir, conf->certificate, certificate,
		sizeof(certificate), f) < 0 ||
	    check_old(a, certificate, f) < 0)
		return -1;
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ a->cert->der, a->cert->len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "certificate");
	if (file_write(chain, 0644, a->reply->chain.data, a->reply->chain.len,
		f) < 0)
		return -1;
	return file_write(certificate, 0644, pem.data, pem.len, f);
}

static int
accept_for_ca(struct accepting *a, const char *dir, struct fault *f)
{
	OWN_STRUCT(authority) authority = NULL;
	char request[PATH_MAX];

	if (authority_path(dir, CA_DIR_REQUEST, request, sizeof(request), f) <
		0 ||
	    check_all(a, request, true, f) < 0 ||
	    (authority = check_conf(a, dir, f)) == NULL ||
	    install(a, dir, &authority->conf, f) < 0 ||
	    ca_first_list_unlock(dir, a->args->passphrase_fd, f) < 0)
		return -1;
	printf("%s: %s\n", dir, a->r->subject);
	return 0;
}

int
ca_request_accept(const struct ca_args *args, struct fault *f)
{
	struct accepting a = { .args = args,
		.request_file = BUF(REQUEST_FILE_MAX),
		.reply_file = BUF(REPLY_FILE_MAX) };
	int result = args->count > 1 ? accept_for_ca(&a, args->operand[1], f)
				     : accept_for_key(&a, f);

	request_free(a.r);
	reply_free(a.reply);
	cert_free(a.cert);
	cert_list_free(&a.above);
	buf_free(&a.request_file);
	buf_free(&a.reply_file);
	return result;
}
