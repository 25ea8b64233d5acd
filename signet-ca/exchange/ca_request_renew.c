/* request renew: the same subject and names again. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_request.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_phrase.h"
#include "signet-ca/sign/ca_sign.h"
#include "x509/cert.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define KEY_MOST (1u << 20)

/* The names of the certificate that is renewed, as texts in ${room}. */
static int
take_names(struct request_names *names, const struct cert *cert, unsigned tag,
    struct buf *room, struct fault *f)
{
	struct wire_bytes name;
	size_t at = 0;
	int found;

	while ((found = cert_alt_name(cert, tag, &at, &name)) > 0) {
		if (names->count == REQUEST_NAMES_MAX)
			return fault_set(f, FAULT_INPUT, "too many names");
		names->item[names->count++] =
		    (const char *)room->data + room->len;
		buf_put(room, name.data, name.len);
		buf_put_u8(room, 0);
	}
	if (found < 0 || room->failed)
		return fault_set(f, FAULT_INPUT, "malformed subjectAltName");
	return 0;
}

static int
copy_names(struct ca_asking *a, const struct cert *cert, struct fault *f)
{
	struct request *r = a->r;

	/* Texts do not move while there is room. */
	if (buf_room(&r->text, REQUEST_FILE_MAX / 2) == NULL)
		return fault_set(f, FAULT_MEMORY, "names");
	if (cert->alt_names.len > REQUEST_FILE_MAX / 4)
		return fault_set(f, FAULT_INPUT, "too many names");
	if (dn_show_slash(&cert->subject, r->subject, sizeof(r->subject)) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	cert_serial_text(cert, r->renews);
	if (take_names(&r->dns, cert, 2, &r->text, f) < 0)
		return -1;
	return take_names(&r->emails, cert, 1, &r->text, f);
}

/* The key of the certificate, which says that who renews it has it. */
static int
read_old_key(const struct ca_args *args, const struct cert *cert,
    struct key **key, struct fault *f)
{
	OWN_STRUCT(secret) phrase = NULL;
	OWN_STRUCT(key) found = NULL;
	OWN_BUF(pem, KEY_MOST);

	if (file_read_private(args->key, &pem, f) < 0)
		return -1;
	if (key_is_encrypted(pem.data, pem.len) &&
	    (phrase = ca_phrase_ask(args->key, args->passphrase_fd, f)) == NULL)
		return -1;
	if ((found = key_read_pem(pem.data, pem.len, phrase, f)) == NULL)
		return fault_wrap(f, "%s", args->key);
	if (!der_bytes_equal(key_spki(found)->der, cert->spki.der))
		return fault_set(f, FAULT_DENIED,
		    "%s is not the key of the certificate %s", args->key,
		    args->cert);
	*key = TAKE(found);
	return 0;
}

/* A new key is of the kind of the old one. */
static const char *
kind_of(const struct key *key)
{
	if (key_kind_of(key) == KEY_P256)
		return "ec:P-256";
	if (key_kind_of(key) == KEY_P384)
		return "ec:P-384";
	if (key_size(key) <= 2048)
		return "rsa:2048";
	return key_size(key) <= 3072 ? "rsa:3072" : "rsa:4096";
}

/* Contact, purpose and profile are those of the earlier request, if it lies
 * beside the key, and no others are given. */
static int
take_over(struct ca_asking *a, struct ca_args *args, struct request *earlier,
    struct fault *f)
{
	if (args->profile == NULL && *earlier->profile != '\0')
		args->profile = earlier->profile;
	if (args->contact == NULL && *earlier->contact_name != '\0')
		args->contact = earlier->contact_name;
	if (args->contact_mail == NULL && *earlier->contact_mail != '\0')
		args->contact_mail = earlier->contact_mail;
	if (args->contact_phone == NULL && *earlier->contact_phone != '\0')
		args->contact_phone = earlier->contact_phone;
	if (args->purpose == NULL && *earlier->purpose != '\0')
		args->purpose = earlier->purpose;
	if (cmd_need(args->profile, "--profile", f) < 0 ||
	    ca_form_need(args, f) < 0)
		return -1;
	return ca_form_fill(a->r, args, f);
}

static int
fill_renewal(struct ca_asking *a, const struct cert *cert, struct fault *f)
{
	struct ca_args args = *a->args;
	OWN_STRUCT(request) earlier = NULL;
	OWN_BUF(file, REQUEST_FILE_MAX);
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s.request", args.key) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	earlier = ca_file_exists(path) ? ca_form_read(path, &file, f)
				       : request_new(f);
	if (earlier == NULL || take_over(a, &args, earlier, f) < 0 ||
	    copy_names(a, cert, f) < 0)
		return -1;
	return ca_request_names(a, f);
}

static int
renew_with(struct ca_asking *a, const struct cert *cert, struct fault *f)
{
	const struct ca_args *args = a->args;
	OWN_STRUCT(key) old = NULL;
	char fresh[PATH_MAX];

	if (args->same_key && args->out_key != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--same-key makes no key: no --out-key");
	if (read_old_key(args, cert, &old, f) < 0 ||
	    fill_renewal(a, cert, f) < 0)
		return -1;
	a->kind = kind_of(old);
	if (args->same_key)
		a->same = old;
	if (text_fmt(fresh, sizeof(fresh), "%s.new", args->key) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (ca_request_paths(a,
		args->same_key		    ? args->key
		    : args->out_key != NULL ? args->out_key
					    : fresh,
		f) < 0)
		return -1;
	return ca_request_finish(a, f);
}

/* A CA's request lies in its directory.  It keeps its key: with another it
 * would be another CA, whose relying parties must be told. */
static int
fill_ca(struct ca_asking *a, const struct ca_dir *d, struct fault *f)
{
	const struct authority_conf *conf = &d->authority.conf;
	struct ca_args args = *a->args;
	struct request *r = a->r;
	OWN_STRUCT(request) earlier = NULL;
	OWN_BUF(file, REQUEST_FILE_MAX);

	if (ca_dir_path(d, CA_DIR_REQUEST, a->master, sizeof(a->master), f) <
		0 ||
	    ca_dir_path(d, conf->key, a->key_path, sizeof(a->key_path), f) < 0)
		return -1;
	earlier = ca_file_exists(a->master) ? ca_form_read(a->master, &file, f)
					    : request_new(f);
	if (earlier == NULL)
		return -1;
	if (args.profile == NULL && *earlier->profile == '\0')
		args.profile = "sub-ca";
	if (take_over(a, &args, earlier, f) < 0)
		return -1;
	if (conf->may_sign_under.count != 1)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s has more than one name space", d->path);
	cert_serial_text(d->authority.cert, r->renews);
	if (dn_show_slash(&d->authority.cert->subject, r->subject,
		sizeof(r->subject)) < 0 ||
	    text_copy(r->ca_conf_space, sizeof(r->ca_conf_space),
		conf->may_sign_under.item[0]) < 0 ||
	    text_copy(r->serials, sizeof(r->serials), conf->serial) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: a value is too long",
		    d->path);
	return ca_request_names(a, f);
}

static int
renew_ca(struct ca_asking *a, const char *dir, struct fault *f)
{
	const struct ca_args *args = a->args;
	OWN_STRUCT(ca_dir) d = NULL;

	if (args->cert != NULL || args->key != NULL || args->out_key != NULL)
		return fault_set(f, FAULT_USAGE,
		    "a CA's directory has certificate and key, and the key "
		    "stays: no --cert, --key or --out-key");
	if ((d = ca_dir_open(dir, f)) == NULL)
		return -1;
	if (cert_is_self_issued(d->authority.cert))
		return fault_set(f, FAULT_USAGE,
		    "%s is a root: nobody is above it to ask", dir);
	if (fill_ca(a, d, f) < 0 ||
	    ca_dir_unlock(d, args->passphrase_fd, f) < 0)
		return -1;
	a->same = d->key;
	return ca_request_finish(a, f);
}

/* For a host, a service or a robot. */
static int
renew_end(struct ca_asking *a, struct fault *f)
{
	const struct ca_args *args = a->args;
	struct cert_list list = { 0 };
	OWN_BUF(pem, KEY_MOST);
	int result;

	if (cmd_need(args->cert, "--cert or a CA's directory", f) < 0 ||
	    cmd_need(args->key, "--key", f) < 0 ||
	    file_read(args->cert, &pem, f) < 0 ||
	    cert_list_read_pem(&list, pem.data, pem.len, f) < 0)
		return -1;
	result = list.count > 0
	    ? renew_with(a, list.cert[0], f)
	    : fault_set(f, FAULT_INPUT, "%s: no certificate", args->cert);
	cert_list_free(&list);
	return result;
}

int
ca_request_renew(const struct ca_args *args, struct fault *f)
{
	struct ca_asking a = { .args = args, .out = args->out };
	int result;

	if (cmd_need(args->out, "--out", f) < 0 ||
	    (a.r = request_new(f)) == NULL)
		return -1;
	result = args->count > 0 ? renew_ca(&a, args->operand[0], f)
				 : renew_end(&a, f);
	request_free(a.r);
	return result;
}
