/* init root, init slcs, init services: new CAs. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_init_token.h"
#include "ca_sign.h"
#include "ca_space.h"
#include "ledger/ledger.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_profile.h"
#include "x509/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONF_MOST 65536
#define LIST_MOST (1u << 20)
#define YEAR 31536000
#define YEARS_MOST 31

/* What the kinds of CA differ in. */
static const struct kind {
	const char *profile;
	const char *key;    /* default kind of key */
	const char *serial; /* default; NULL: always random */
	bool online; /* signetd signs with it; open unless asked otherwise */
	const char *fixed;  /* lines of ca.conf */
	const char *remark; /* its first line */
} root_kind = {
	.profile = "root",
	.key = "ec:P-384",
	.fixed = "kind ca\n"
		 "max-lifetime 20y\n"
		 "usage keyCertSign\n"
		 "usage cRLSign\n"
		 "crl-lifetime 400d\n",
	.remark = "# A root: signs CAs and nothing else. See ca.conf(5).\n",
};

static const struct kind slcs_kind = {
	.profile = "sub-ca",
	.key = "ec:P-256",
	.serial = "random",
	.online = true,
	.fixed = "kind end-entity\n"
		 "online yes\n"
		 "max-lifetime 1000000\n"
		 "usage digitalSignature\n"
		 "usage keyEncipherment\n"
		 "purpose clientAuth\n"
		 "crl-lifetime 30d\n",
	.remark =
	    "# Signs people's short-lived certificates. See ca.conf(5).\n",
};

static const struct kind services_kind = {
	.profile = "sub-ca",
	.key = "ec:P-256",
	.serial = "random",
	.fixed = "kind end-entity\n"
		 "max-lifetime 395d\n"
		 "usage digitalSignature\n"
		 "usage keyEncipherment\n"
		 "purpose serverAuth\n"
		 "purpose clientAuth\n"
		 "crl-lifetime 30d\n",
	.remark = "# Signs hosts, services and robots. See ca.conf(5).\n",
};

/* What is being made. */
struct making {
	const struct ca_args *args;
	const struct kind *kind;
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

/* One line of ca.conf; nothing in ${value} may begin another. */
static int
put_setting(struct buf *conf, const char *keyword, const char *value,
    struct fault *f)
{
	if (value == NULL)
		return 0;
	if (*value == '\0' || !text_utf8(value, strlen(value)))
		return fault_set(f, FAULT_USAGE,
		    "%s: empty, or with control characters", keyword);
	buf_fmt(conf, "%s %s\n", keyword, value);
	return 0;
}

static int
put_settings(struct buf *conf, const char *keyword, const struct cmd_list *list,
    struct fault *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (put_setting(conf, keyword, list->item[i], f) < 0)
			return -1;
	return 0;
}

static int
write_conf(const struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;
	const char *serial = args->serial;
	OWN_BUF(conf, CONF_MOST);

	if (serial == NULL)
		serial = m->kind->serial;
	buf_text(&conf, m->kind->remark);
	if (put_setting(&conf, "name", m->name, f) < 0)
		return -1;
	buf_text(&conf, m->kind->fixed);
	if (m->token != NULL)
		ca_key_place_conf(m->token, &conf);
	if (put_settings(&conf, "may-sign-under", &args->under, f) < 0 ||
	    put_setting(&conf, "serial", serial, f) < 0 ||
	    put_settings(&conf, "crl-url", &args->crl_url, f) < 0 ||
	    put_setting(&conf, "issuer-url", args->issuer_url, f) < 0)
		return -1;
	if (args->online && !m->kind->online)
		buf_text(&conf, "online yes\n");
	/* A mistake in the settings shows before anything is signed. */
	if (conf.failed)
		return fault_set(f, FAULT_MEMORY, "ca.conf");
	if (authority_conf_check((const char *)conf.data, conf.len, f) < 0)
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

static int
write_first_list(struct ca_dir *d, const char *path, struct fault *f)
{
	OWN_BUF(der, LIST_MOST);
	OWN_BUF(pem, (size_t)2 * LIST_MOST);
	char ledger[PATH_MAX];

	if (ca_dir_path(d, "ledger.db", ledger, sizeof(ledger), f) < 0 ||
	    ca_sign_crl(d, ledger, &der, f) < 0)
		return -1;
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "list");
	return file_write(path, 0644, pem.data, pem.len, f);
}

/* Whether signetd makes the lists of ${d} but the first, which is not there. */
static int
lacks_list(struct ca_dir *d, char path[PATH_MAX], struct fault *f)
{
	if (ca_dir_path(d, "crl.pem", path, PATH_MAX, f) < 0)
		return -1;
	return d->authority.conf.online && !ca_file_exists(path);
}

/* That of the CA that was made just now. */
static int
first_list(const struct making *m, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(m->place.temporary, f);
	char path[PATH_MAX];
	int wanted;

	if (d == NULL || (wanted = lacks_list(d, path, f)) < 0)
		return -1;
	if (wanted == 0)
		return 0;
	if (ca_dir_lend_key(d, m->key, f) < 0)
		return -1;
	return write_first_list(d, path, f);
}

int
ca_sign_first_list(const char *dir, const char *passphrase_fd, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(dir, f);
	char path[PATH_MAX];
	int wanted;
	bool token;

	if (d == NULL || (wanted = lacks_list(d, path, f)) < 0)
		return -1;
	token = ca_dir_in_token(d);
	if (wanted == 0 && !token)
		return 0;
	if ((token ? ca_dir_unlock_token(d, true, f)
		   : ca_dir_unlock(d, passphrase_fd, f)) < 0)
		return -1;
	if (wanted == 1 && write_first_list(d, path, f) < 0)
		return -1;
	if (token)
		ca_dir_settle(d);
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
	    write_cert(m, f) < 0 || first_list(m, f) < 0)
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
	struct making m = { .args = args, .kind = &root_kind };
	int result = prepare(&m, f) < 0 ? -1 : make_ca(&m, f);

	if (result == 0)
		show(&m);
	making_clear(&m);
	return result;
}

static int
init_signed(const struct ca_args *args, const struct kind *kind,
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
init_asking(const struct ca_args *args, const struct kind *kind,
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
init_under(const struct ca_args *args, const struct kind *kind, struct fault *f)
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
	return init_under(args, &slcs_kind, f);
}

int
ca_init_services(const struct ca_args *args, struct fault *f)
{
	return init_under(args, &services_kind, f);
}
