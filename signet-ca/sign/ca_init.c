/* init root, init slcs, init services: new CAs. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_first_list.h"
#include "ca_init_conf.h"
#include "ca_init_token.h"
#include "ca_sign.h"
#include "ca_space.h"
#include "ledger/ledger.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_new.h"
#include "signet-ca/base/ca_phrase.h"
#include "signet-ca/base/ca_profile.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONF_MOST 65536
#define YEAR 31536000
#define YEARS_MOST 31

/* What is being made. */
struct making {
	const struct ca_args *args;
	const struct ca_kind *kind;
	const struct ca_dir *above; /* NULL for a root */
	struct ca_new place;
	char name[64];
	struct dn subject;
	int64_t lifetime;
	struct profile *profile; /* owned, as are these */
	struct key *key;
	struct secret *phrase;
	struct ca_key_place *token; /* NULL: the key goes into a file */
};

static void
making_clear(struct making *m)
{
	free(m->profile);
	key_free(m->key);
	ca_key_place_free(m->token);
	secret_free(m->phrase);
}

static int
write_conf(const struct making *m, struct fault *f)
{
	OWN_BUF(conf, CONF_MOST);

	if (ca_init_conf(m->kind, m->name, m->token, m->args, &conf, f) < 0)
		return -1;
	return ca_new_write(&m->place, "ca.conf", 0644, &conf, f);
}

static int
write_key(const struct making *m, struct fault *f)
{
	OWN_BUF(pem, CONF_MOST);

	if (m->token != NULL)
		return 0;
	if (key_write_pem(m->key, m->phrase, &pem, f) < 0)
		return -1;
	return ca_new_write(&m->place, "ca.key", 0600, &pem, f);
}

static int
write_chain(const struct making *m, struct fault *f)
{
	OWN_BUF(pem, 1u << 20);

	if (m->above == NULL)
		return 0;
	buf_put(&pem, m->above->pem.data, m->above->pem.len);
	if (ca_dir_chain(m->above, &pem, f) < 0)
		return -1;
	return ca_new_write(&m->place, "chain.pem", 0644, &pem, f);
}

/* The certificate, in the book of who signs it: a root keeps its own. */
static int
write_cert(const struct making *m, struct fault *f)
{
	OWN_BUF(der, CERT_MAX);
	OWN_BUF(pem, (size_t)2 * CERT_MAX);
	char ledger[PATH_MAX];
	struct ca_wish wish = { .profile = m->profile,
		.key = m->key,
		.name = m->name,
		.ledger = ledger,
		.subject = &m->subject,
		.spki = key_spki(m->key),
		.lifetime = m->lifetime };
	int result;

	if (m->above == NULL) {
		result = authority_path(m->place.temporary, "ledger.db", ledger,
		    sizeof(ledger), f);
	} else {
		wish.issuer = &m->above->authority;
		wish.key = m->above->key;
		wish.name = m->above->authority.conf.name;
		result =
		    ca_dir_ledger(m->above, NULL, ledger, sizeof(ledger), f);
	}
	if (result < 0 || ca_sign(&wish, &der, f) < 0)
		return -1;
	pem_put(&pem, "CERTIFICATE", (struct wire_bytes){ der.data, der.len });
	return ca_new_write(&m->place, "ca.pem", 0644, &pem, f);
}

/* What was written reads as the CA it is to be, by the code that will. */
static int
check_result(const struct making *m, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(m->place.temporary, f);

	if (d == NULL)
		return -1;
	if (cert_check_signature(d->authority.cert,
		m->above == NULL ? d->authority.cert : m->above->authority.cert,
		f) < 0)
		return -1;
	if (m->token != NULL)
		ca_key_place_settle(m->token, d->authority.cert);
	return 0;
}

/* What goes to the root's keeper; it also stays here, to be held against the
 * reply. */
static int
write_request(const struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;
	OWN_STRUCT(request) r = request_new(f);
	OWN_BUF(file, REQUEST_FILE_MAX);
	const char *serial =
	    args->serial != NULL ? args->serial : m->kind->serial;

	if (r == NULL || ca_form_fill(r, args, f) < 0)
		return -1;
	r->lifetime = m->lifetime;
	if (text_copy(r->profile, sizeof(r->profile), m->profile->name) < 0 ||
	    text_copy(r->ca_conf_space, sizeof(r->ca_conf_space),
		args->under.item[0]) < 0 ||
	    text_copy(r->serials, sizeof(r->serials), serial) < 0)
		return fault_set(f, FAULT_USAGE, "an option is too long");
	if (request_write(r, m->key, &file, f) < 0)
		return -1;
	return ca_new_write(&m->place, CA_DIR_REQUEST, 0644, &file, f);
}

/* Nothing but an init begins a ledger. */
static int
write_ledger(const struct making *m, struct fault *f)
{
	OWN_STRUCT(ledger) l = NULL;
	char path[PATH_MAX];

	if (authority_path(m->place.temporary, "ledger.db", path, sizeof(path),
		f) < 0)
		return -1;
	l = ledger_open(path, NULL, f);
	return l != NULL ? 0 : -1;
}

/* A CA that waits for its certificate. */
static int
write_pending(const struct making *m, struct fault *f)
{
	if (write_conf(m, f) < 0 || write_key(m, f) < 0 ||
	    write_ledger(m, f) < 0)
		return -1;
	return write_request(m, f);
}

static int
write_all(const struct making *m, struct fault *f)
{
	if (m->args->request != NULL)
		return write_pending(m, f);
	if (write_conf(m, f) < 0 || write_key(m, f) < 0 ||
	    write_ledger(m, f) < 0 || write_chain(m, f) < 0 ||
	    write_cert(m, f) < 0 ||
	    ca_first_list(m->place.temporary, m->key, f) < 0)
		return -1;
	return check_result(m, f);
}

static int
set_name(struct making *m, struct fault *f)
{
	const char *slash = strrchr(m->place.path, '/');
	const char *name = m->args->name;

	if (name == NULL)
		name = slash == NULL ? m->place.path : slash + 1;
	if (*name == '\0' || !text_printable(name) ||
	    strpbrk(name, " /\"'") != NULL ||
	    text_copy(m->name, sizeof(m->name), name) < 0)
		return fault_set(f, FAULT_USAGE,
		    "a CA's name has up to %zu letters, no blank, slash or "
		    "quote: give --name",
		    sizeof(m->name) - 1);
	return 0;
}

/* All that can be wrong in the arguments. */
static int
prepare(struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;
	const char *profile = args->profile;
	int64_t years = 0;

	if (ca_key_place_check(args, f) < 0 ||
	    cmd_need(args->subject, "--subject", f) < 0 ||
	    cmd_need(args->under.item[0], "--may-sign-under", f) < 0 ||
	    dn_read_slash(&m->subject, args->subject, f) < 0)
		return -1;
	m->profile = ca_profile(profile != NULL ? profile : m->kind->profile,
	    args->profile_dir, f);
	if (m->profile == NULL)
		return -1;
	if (!m->profile->conf.ca)
		return fault_set(f, FAULT_USAGE,
		    "profile %s makes no CA certificates", m->profile->name);
	if (cmd_number(args->years, "--years", 1, YEARS_MOST, 0, &years, f) < 0)
		return -1;
	m->lifetime = years * YEAR;
	if (m->lifetime > m->profile->conf.max_lifetime)
		return fault_set(f, FAULT_USAGE,
		    "--years is above the max-lifetime of profile %s",
		    m->profile->name);
	return 0;
}

/* A root's name space is one of CAs; that of a CA below it has none. */
static int
check_spaces(const struct making *m, struct fault *f)
{
	const struct cmd_list *under = &m->args->under;
	const struct authority *above =
	    m->above == NULL ? NULL : &m->above->authority;

	for (size_t i = 0; i < under->count; i++)
		if (ca_space_check(under->item[i], &m->subject, above, f) < 0)
			return -1;
	return 0;
}

static void
show(const struct making *m)
{
	char subject[DN_TEXT_MAX];

	if (dn_show_slash(&m->subject, subject, sizeof(subject)) == 0)
		printf("%s: %s\n", m->place.path, subject);
	if (m->token != NULL)
		ca_key_place_show(m->token, m->key, stdout);
}

/* A key in a file, under a pass phrase or open. */
static int
make_key(struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;
	const char *kind = args->key != NULL ? args->key : m->kind->key;
	bool open = args->no_passphrase ||
	    (m->kind->online && !args->passphrase &&
		args->passphrase_fd == NULL);

	if (ca_phrase_new(open, args->passphrase_fd, m->name, &m->phrase, f) <
	    0)
		return -1;
	m->key = key_make(kind, f);
	return m->key == NULL ? -1 : 0;
}

/* Whether ${rules} allow a key of ${kind}: before it is made where it cannot be
 * taken away again. */
static bool
allows(const struct key_rules *rules, const char *kind)
{
	int64_t size;

	if (strcmp(kind, "ec:P-256") == 0)
		return rules->p256;
	if (strcmp(kind, "ec:P-384") == 0)
		return rules->p384;
	return text_starts(kind, "rsa:") &&
	    text_number(kind + strlen("rsa:"), 1, INT16_MAX, &size) == 0 &&
	    rules->least_rsa > 0 && size >= (int64_t)rules->least_rsa;
}

static int
make_key_in_token(struct making *m, struct fault *f)
{
	const char *kind = m->args->key != NULL ? m->args->key : m->kind->key;

	if (!m->args->use_existing && !allows(&m->profile->keys, kind))
		return fault_set(f, FAULT_KEY,
		    "--key: profile %s takes \"%s\", not %s", m->profile->name,
		    m->profile->conf.key, kind);
	if ((m->token = ca_key_place_new(m->args, m->name, kind, f)) == NULL)
		return -1;
	m->key = ca_key_place_key(m->token, f);
	return m->key == NULL ? -1 : 0;
}

static int
fill_place(struct making *m, struct fault *f)
{
	if (set_name(m, f) < 0 ||
	    (m->args->token != NULL ? make_key_in_token(m, f)
				    : make_key(m, f)) < 0)
		return -1;
	if (spki_check(key_spki(m->key), &m->profile->keys, f) < 0)
		return fault_wrap(f, "--key: profile %s takes \"%s\"",
		    m->profile->name, m->profile->conf.key);
	return write_all(m, f);
}

static int
make_ca(struct making *m, struct fault *f)
{
	if (ca_new_begin(&m->place, m->args->operand[0], f) < 0)
		return -1;
	if (fill_place(m, f) < 0) {
		ca_new_cancel(&m->place);
		if (m->token != NULL)
			ca_key_place_abandon(m->token);
		return -1;
	}
	return ca_new_end(&m->place, f);
}

int
ca_init_root(const struct ca_args *args, struct fault *f)
{
	struct making m = { .args = args, .kind = &ca_kind_root };
	int result = prepare(&m, f) < 0 ? -1 : make_ca(&m, f);

	if (result == 0)
		show(&m);
	making_clear(&m);
	return result;
}

static int
init_signed(const struct ca_args *args, const struct ca_kind *kind,
    struct fault *f)
{
	OWN_STRUCT(ca_dir) above = ca_dir_open(args->root, f);
	struct making m = { .args = args, .kind = kind };
	int result;

	if (above == NULL)
		return -1;
	if (!above->authority.signs_ca)
		return fault_set(f, FAULT_DENIED, "%s signs no CAs",
		    args->root);
	if (ca_dir_unlock(above, args->root_passphrase_fd, f) < 0)
		return -1;
	m.above = above;
	result =
	    prepare(&m, f) < 0 || check_spaces(&m, f) < 0 ? -1 : make_ca(&m, f);
	if (result == 0)
		show(&m);
	making_clear(&m);
	return result;
}

/* The request of the CA that waits in ${dir}, if it is the one asked for: the
 * command was interrupted before it had written the copy that travels. */
static int
read_waiting(const struct ca_args *args, const struct dn *subject,
    struct buf *file, struct request **r, struct fault *f)
{
	OWN_STRUCT(request) there = NULL;
	char path[PATH_MAX], shown[DN_TEXT_MAX];

	if (authority_path(args->operand[0], CA_DIR_REQUEST, path, sizeof(path),
		f) < 0)
		return -1;
	if (!ca_file_exists(path))
		return ca_file_absent(args->operand[0], f);
	if ((there = ca_form_read(path, file, f)) == NULL)
		return -1;
	if (dn_show_slash(subject, shown, sizeof(shown)) < 0 ||
	    strcmp(shown, there->subject) != 0 ||
	    strcmp(there->ca_conf_space, args->under.item[0]) != 0)
		return fault_set(f, FAULT_DENIED,
		    "%s is there already, for another subject or name space",
		    args->operand[0]);
	*r = TAKE(there);
	return 0;
}

static int
send_request(const struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;
	OWN_STRUCT(request) r = NULL;
	OWN_BUF(file, REQUEST_FILE_MAX);

	if (read_waiting(args, &m->subject, &file, &r, f) < 0)
		return -1;
	if (r == NULL)
		return fault_set(f, FAULT_INTERNAL, "no request");
	if (ca_file_put(args->request, 0644, &file, f) < 0)
		return -1;
	if (m->token != NULL)
		ca_key_place_show(m->token, m->key, stdout);
	printf("Send %s to the root's keeper, who will compare this with "
	       "you:\n",
	    args->request);
	ca_form_show(r, "  ", stdout);
	return 0;
}

/* Names as the root's keeper will judge them. */
static int
check_asking(const struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;

	if (ca_form_need(args, f) < 0 || check_spaces(m, f) < 0 ||
	    name_profile_check(m->profile, &m->subject, NULL, NULL, f) < 0)
		return -1;
	if (args->under.count != 1)
		return fault_set(f, FAULT_USAGE,
		    "a request is for one name space: give --may-sign-under "
		    "once");
	return ca_file_possible(args->request, f);
}

static int
init_asking(const struct ca_args *args, const struct ca_kind *kind,
    struct fault *f)
{
	struct making m = { .args = args, .kind = kind };
	int result = -1;

	if (prepare(&m, f) == 0 && check_asking(&m, f) == 0) {
		result = ca_file_exists(args->operand[0]) ? 0 : make_ca(&m, f);
		if (result == 0)
			result = send_request(&m, f);
	}
	making_clear(&m);
	return result;
}

static int
init_under(const struct ca_args *args, const struct ca_kind *kind,
    struct fault *f)
{
	if (args->root != NULL && args->request != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--root signs at once, --request asks a root elsewhere: "
		    "one of them");
	if (args->request != NULL)
		return init_asking(args, kind, f);
	if (cmd_need(args->root, "--root or --request", f) < 0)
		return -1;
	return init_signed(args, kind, f);
}

int
ca_init_slcs(const struct ca_args *args, struct fault *f)
{
	return init_under(args, &ca_kind_slcs, f);
}

int
ca_init_services(const struct ca_args *args, struct fault *f)
{
	return init_under(args, &ca_kind_services, f);
}
