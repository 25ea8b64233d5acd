/* request new and show: what the side that asks does. */
#include "ca_request.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_phrase.h"
#include "signet-ca/base/ca_profile.h"
#include "signet-ca/office/ca_desk.h"
#include "signet-ca/sign/ca_sign.h"
#include "x509/cert.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define KEY_MOST (1u << 20)

int
ca_request_paths(struct ca_asking *a, const char *key, struct fault *f)
{
	if (text_copy(a->key_path, sizeof(a->key_path), key) < 0 ||
	    text_fmt(a->master, sizeof(a->master), "%s.request", key) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

static int
add_host(struct ca_asking *a, const struct dn *subject, struct fault *f)
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

int
ca_request_names(struct ca_asking *a, struct fault *f)
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
take_earlier(struct ca_asking *a, struct buf *file, struct fault *f)
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
write_key(const struct ca_asking *a, const struct key *key, struct fault *f)
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
make_request(struct ca_asking *a, struct buf *file, struct fault *f)
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
made_before(const struct ca_asking *a)
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
say_made(const struct ca_asking *a)
{
	printf("Send %s to the office, and keep %s where it is.\nThe office "
	       "will compare this with you:\n",
	    a->out, a->key_path);
	ca_form_show(a->r, "  ", stdout);
}

int
ca_request_finish(struct ca_asking *a, struct fault *f)
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
check_csr(const struct ca_asking *a, struct fault *f)
{
	struct fault unknown = { 0 };
	OWN_STRUCT(profile) profile =
	    ca_profile(a->r->profile, a->args->profile_dir, &unknown);

	return profile == NULL ? 0 : name_request_check(a->r, profile, f);
}

/* Around the PKCS#10 request that other software made, whose key is its own. */
static int
wrap_csr(struct ca_asking *a, struct fault *f)
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
request_new_with(struct ca_asking *a, struct fault *f)
{
	const struct ca_args *args = a->args;
	const char *key = args->out_key;
	char standard[PATH_MAX];

	if (cmd_need(args->profile, "--profile", f) < 0 ||
	    cmd_need(args->subject, "--subject", f) < 0 ||
	    ca_form_need(args, f) < 0 || cmd_need(args->out, "--out", f) < 0 ||
	    ca_form_fill(a->r, args, f) < 0 || ca_request_names(a, f) < 0)
		return -1;
	if (args->csr != NULL)
		return wrap_csr(a, f);
	if (key == NULL) {
		if (text_fmt(standard, sizeof(standard), "%skey.pem",
			args->profile) < 0)
			return fault_set(f, FAULT_USAGE, "name too long");
		key = standard;
	}
	if (ca_request_paths(a, key, f) < 0)
		return -1;
	return ca_request_finish(a, f);
}

int
ca_request_new(const struct ca_args *args, struct fault *f)
{
	struct ca_asking a = { .args = args,
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
