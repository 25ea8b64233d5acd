/* request new, renew and show: what the side that asks does. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_args.h"
#include "ca_desk.h"
#include "ca_dir.h"
#include "ca_file.h"
#include "ca_form.h"
#include "ca_sign.h"
#include "office/name.h"
#include "x509/cert.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KEY_MOST (1u << 20)

/*
 * A request in the making.  Three files, in this order: the request beside the
 * key's place, the key, and the copy that travels.  A request without its key
 * was interrupted and is made anew; with the key it is whole, and only copied;
 * a key without a request is somebody's, and is left alone.
 */
struct asking {
	const struct ca_args *args;
	const char *out;
	char key_path[PATH_MAX];
	char master[PATH_MAX];	/* KEY.request */
	struct request *r;	/* owned */
	const char *kind;	/* of the new key */
	const struct key *same; /* or the key there is */
	char host[DN_TEXT_MAX];
};

static int
set_paths(struct asking *a, const char *key, struct fault *f)
{
	if (text_copy(a->key_path, sizeof(a->key_path), key) < 0 ||
	    text_fmt(a->master, sizeof(a->master), "%s.request", key) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* The host of a server's CN is asked for with the others. */
static int
add_host(struct asking *a, const struct dn *subject, struct fault *f)
{
	struct request_names *dns = &a->r->dns;
	char cn[DN_TEXT_MAX];

	if (dn_cn(subject, cn, sizeof(cn)) < 0 ||
	    text_copy(a->host, sizeof(a->host), name_host_of(cn)) < 0)
		return fault_set(f, FAULT_INPUT, "the CN is too long");
	for (size_t i = 0; i < dns->count; i++)
		if (strcasecmp(dns->item[i], a->host) == 0)
			return 0;
	if (dns->count == REQUEST_NAMES_MAX)
		return fault_set(f, FAULT_USAGE, "too many names");
	memmove(dns->item + 1, dns->item, dns->count * sizeof(dns->item[0]));
	dns->item[0] = a->host;
	dns->count++;
	return 0;
}

/* What the office would refuse is refused here, if the profile is known here:
 * the office may have its own. */
static int
check_names(struct asking *a, struct fault *f)
{
	OWN_STRUCT(profile) profile = NULL;
	struct dn subject;

	if (dn_read_slash(&subject, a->r->subject, f) < 0)
		return fault_wrap(f, "--subject");
	profile = ca_profile(a->r->profile, a->args->profile_dir, f);
	if (profile == NULL && f->code == FAULT_ABSENT) {
		fprintf(stderr,
		    "signet-ca: profile %s is not known here; the names are "
		    "checked where they are signed\n",
		    a->r->profile);
		return 0;
	}
	if (profile == NULL)
		return -1;
	if ((profile->purpose & CERT_EKU_SERVER_AUTH) != 0 &&
	    add_host(a, &subject, f) < 0)
		return -1;
	return name_profile_check(profile, &subject, a->r->dns.item,
	    a->r->emails.item, f);
}

static bool
names_equal(const struct request_names *a, const struct request_names *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return a->count == b->count;
}

/* The request that is there already, if it is the one that is asked for. */
static int
take_earlier(struct asking *a, struct buf *file, struct fault *f)
{
	OWN_STRUCT(request) there = ca_form_read(a->master, file, f);
	char subject[DN_TEXT_MAX];
	struct dn dn;

	if (there == NULL)
		return -1;
	if (dn_read_slash(&dn, a->r->subject, f) < 0 ||
	    dn_show_slash(&dn, subject, sizeof(subject)) < 0)
		return fault_wrap(f, "--subject");
	if (strcmp(there->subject, subject) != 0 ||
	    strcmp(there->profile, a->r->profile) != 0 ||
	    strcmp(there->renews, a->r->renews) != 0 ||
	    !names_equal(&there->dns, &a->r->dns) ||
	    !names_equal(&there->emails, &a->r->emails))
		return fault_set(f, FAULT_DENIED,
		    "%s is there already, with a request for other names; "
		    "nothing is overwritten",
		    a->key_path);
	request_free(a->r);
	a->r = TAKE(there);
	fprintf(stderr,
	    "signet-ca: %s and its request are there already; the same "
	    "request is written again\n",
	    a->key_path);
	return 0;
}

static int
write_key(const struct asking *a, const struct key *key, struct fault *f)
{
	const struct ca_args *args = a->args;
	OWN_STRUCT(secret) phrase = NULL;
	OWN_BUF(pem, KEY_MOST);

	if (ca_phrase_new(!args->passphrase && args->passphrase_fd == NULL,
		args->passphrase_fd, a->key_path, &phrase, f) < 0 ||
	    key_write_pem(key, phrase, &pem, f) < 0)
		return -1;
	/* The mode that the Toolkit asks of keys. */
	return file_write_new(a->key_path, 0400, pem.data, pem.len, f);
}

/* For a new key, or for the one there is. */
static int
make_request(struct asking *a, struct buf *file, struct fault *f)
{
	OWN_STRUCT(key) fresh = NULL;

	if (a->same == NULL && (fresh = key_make(a->kind, f)) == NULL)
		return -1;
	if (request_write(a->r, a->same != NULL ? a->same : fresh, file, f) < 0)
		return -1;
	/* Without its key this one is of no use to anyone. */
	if (file_write(a->master, 0644, file->data, file->len, f) < 0)
		return -1;
	return a->same != NULL ? 0 : write_key(a, fresh, f);
}

/* Whether request and key are there.  The request beside a key that is to be
 * used again may be the one of its first certificate. */
static bool
made_before(const struct asking *a)
{
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct fault ignored = { 0 };
	OWN_STRUCT(request) there = NULL;

	if (!ca_file_exists(a->key_path) || !ca_file_exists(a->master))
		return false;
	if (a->same == NULL)
		return true;
	there = ca_form_read(a->master, &file, &ignored);
	return there != NULL && strcmp(there->renews, a->r->renews) == 0;
}

static void
say_made(const struct asking *a)
{
	printf("Send %s to the office, and keep %s where it is.\nThe office "
	       "will compare this with you:\n",
	    a->out, a->key_path);
	ca_form_show(a->r, "  ", stdout);
}

/* Make all files that are not there. */
static int
finish(struct asking *a, struct fault *f)
{
	OWN_BUF(file, REQUEST_FILE_MAX);

	if (ca_file_possible(a->key_path, f) < 0 ||
	    ca_file_possible(a->out, f) < 0)
		return -1;
	if (made_before(a)) {
		if (take_earlier(a, &file, f) < 0)
			return -1;
	} else {
		if ((a->same == NULL && ca_file_absent(a->key_path, f) < 0) ||
		    ca_file_absent(a->out, f) < 0 ||
		    make_request(a, &file, f) < 0)
			return -1;
	}
	if (ca_file_put(a->out, 0644, &file, f) < 0)
		return -1;
	say_made(a);
	return 0;
}

/* What the PKCS#10 request asks for, if the profile is known here. */
static int
check_csr(const struct asking *a, struct fault *f)
{
	struct fault unknown = { 0 };
	OWN_STRUCT(profile) profile =
	    ca_profile(a->r->profile, a->args->profile_dir, &unknown);

	return profile == NULL ? 0 : name_request_check(a->r, profile, f);
}

/* Around the PKCS#10 request that other software made, whose key is its own. */
static int
wrap_csr(struct asking *a, struct fault *f)
{
	OWN_BUF(file, REQUEST_FILE_MAX);

	if (a->args->key != NULL || a->args->out_key != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--csr brings its own key: no --key, no --out-key");
	if (ca_file_absent(a->out, f) < 0 ||
	    ca_form_csr(a->args->csr, &a->r->der, f) < 0 ||
	    request_write(a->r, NULL, &file, f) < 0 || check_csr(a, f) < 0)
		return fault_wrap(f, "%s", a->args->csr);
	if (ca_file_put(a->out, 0644, &file, f) < 0)
		return -1;
	printf("Send %s to the office, which will compare this with you:\n",
	    a->out);
	ca_form_show(a->r, "  ", stdout);
	return 0;
}

static int
request_new_with(struct asking *a, struct fault *f)
{
	const struct ca_args *args = a->args;
	const char *key = args->out_key;
	char standard[PATH_MAX];

	if (ca_need(args->profile, "--profile", f) < 0 ||
	    ca_need(args->subject, "--subject", f) < 0 ||
	    ca_form_need(args, f) < 0 || ca_need(args->out, "--out", f) < 0 ||
	    ca_form_fill(a->r, args, f) < 0 || check_names(a, f) < 0)
		return -1;
	if (args->csr != NULL)
		return wrap_csr(a, f);
	if (key == NULL) {
		if (text_fmt(standard, sizeof(standard), "%skey.pem",
			args->profile) < 0)
			return fault_set(f, FAULT_USAGE, "name too long");
		key = standard;
	}
	if (set_paths(a, key, f) < 0)
		return -1;
	return finish(a, f);
}

int
ca_request_new(const struct ca_args *args, struct fault *f)
{
	struct asking a = { .args = args,
		.out = args->out,
		.kind = args->key != NULL ? args->key : "rsa:2048" };
	int result;

	if ((a.r = request_new(f)) == NULL)
		return -1;
	result = request_new_with(&a, f);
	request_free(a.r);
	return result;
}

int
ca_request_show(const struct ca_args *args, struct fault *f)
{
	OWN_BUF(file, REQUEST_FILE_MAX);
	OWN_STRUCT(request) r = NULL;
	json_t *json;

	/* One that the office of a daemon has. */
	if (args->office != NULL ||
	    (ca_desk_is_id(args->operand[0]) &&
		!ca_file_exists(args->operand[0])))
		return ca_desk_show(args, f);
	if ((r = ca_form_read(args->operand[0], &file, f)) == NULL)
		return -1;
	if (!args->json) {
		ca_form_show(r, "", stdout);
		return 0;
	}
	if ((json = ca_form_json(r)) == NULL ||
	    json_dumpf(json, stdout, JSON_COMPACT) < 0) {
		json_decref(json);
		return fault_set(f, FAULT_MEMORY, "JSON");
	}
	putchar('\n');
	json_decref(json);
	return 0;
}

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
copy_names(struct asking *a, const struct cert *cert, struct fault *f)
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
take_over(struct asking *a, struct ca_args *args, struct request *earlier,
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
	if (ca_need(args->profile, "--profile", f) < 0 ||
	    ca_form_need(args, f) < 0)
		return -1;
	return ca_form_fill(a->r, args, f);
}

static int
fill_renewal(struct asking *a, const struct cert *cert, struct fault *f)
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
	return check_names(a, f);
}

static int
renew_with(struct asking *a, const struct cert *cert, struct fault *f)
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
	if (set_paths(a,
		args->same_key		    ? args->key
		    : args->out_key != NULL ? args->out_key
					    : fresh,
		f) < 0)
		return -1;
	return finish(a, f);
}

int
ca_request_renew(const struct ca_args *args, struct fault *f)
{
	struct asking a = { .args = args, .out = args->out };
	struct cert_list list = { 0 };
	OWN_BUF(pem, KEY_MOST);
	int result;

	if (ca_need(args->cert, "--cert", f) < 0 ||
	    ca_need(args->key, "--key", f) < 0 ||
	    ca_need(args->out, "--out", f) < 0 ||
	    file_read(args->cert, &pem, f) < 0 ||
	    cert_list_read_pem(&list, pem.data, pem.len, f) < 0)
		return -1;
	if (list.count == 0) {
		cert_list_free(&list);
		return fault_set(f, FAULT_INPUT, "%s: no certificate",
		    args->cert);
	}
	a.r = request_new(f);
	result = a.r == NULL ? -1 : renew_with(&a, list.cert[0], f);
	request_free(a.r);
	cert_list_free(&list);
	return result;
}
