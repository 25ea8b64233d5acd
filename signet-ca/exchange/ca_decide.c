/* sign: a person at a CA that is no daemon's decides on a request. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger_request.h"
#include "office/name.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/base/ca_profile.h"
#include "signet-ca/sign/ca_change.h"
#include "signet-ca/sign/ca_sign.h"
#include "signet-ca/sign/ca_space.h"
#include "sys/ask.h"
#include "x509/der.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define METHOD_MAX 32
#define DAY INT64_C(86400)
#define BUSY_TRIES 50
#define BUSY_WAIT 100000 /* microseconds */
#define CHAIN_MOST (1u << 20)

/* What the book says of the request. */
struct state {
	bool known;
	bool other;		/* known with another content */
	struct wire_bytes file; /* what it is to be */
	enum ledger_request_state state;
	unsigned approvals;
	char serial[2 * CERT_SERIAL_MAX + 3];
};

struct deciding {
	const struct ca_args *args;
	struct buf file;
	struct request *r; /* owned, as are these */
	struct ca_dir *d;
	struct profile *profile;
	struct ca_change *renewed; /* NULL: nothing is */
	char ledger[PATH_MAX];
	struct dn subject;
	time_t not_before;
	time_t not_after;
	struct buf certificate; /* DER */
};

static int
take_state(void *arg, const struct ledger_request *r)
{
	struct state *s = arg;

	s->known = true;
	s->other = !der_bytes_equal(r->file, s->file);
	s->state = r->state;
	s->approvals = r->approvals;
	if (r->serial == NULL ||
	    text_copy(s->serial, sizeof(s->serial), r->serial) < 0)
		s->serial[0] = '\0';
	return 0;
}

/* Opening the ledger to write makes void what a crash left half done. */
static int
look(const struct deciding *d, struct state *s, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open(d->ledger, NULL, f);

	memset(s, 0, sizeof(*s));
	s->file = (struct wire_bytes){ d->file.data, d->file.len };
	if (l == NULL ||
	    ledger_request_find(l, d->d->authority.conf.name, d->r->id,
		take_state, s, f) < 0)
		return -1;
	if (s->other)
		return fault_set(f, FAULT_DENIED,
		    "there was another request with the identifier %s: this "
		    "one is refused",
		    d->r->id);
	return 0;
}

/* The certificate, and whether it is revoked. */
struct found {
	struct buf *der; /* borrowed */
	bool revoked;
};

static int
take_der(void *arg, const struct ledger_line *line)
{
	struct found *found = arg;

	buf_put(found->der, line->der.data, line->der.len);
	found->revoked = line->state == LEDGER_REVOKED;
	return 1;
}

/* The certificate that answered the request, from the book. */
static int
fetch(struct deciding *d, const struct state *s, struct fault *f)
{
	const struct ledger_filter filter = { .ca = d->d->authority.conf.name,
		.serial = s->serial };
	OWN_STRUCT(ledger) l = ledger_open_read(d->ledger, f);
	struct found found = { .der = &d->certificate };

	buf_clear(&d->certificate);
	if (l == NULL || ledger_each(l, &filter, take_der, &found, f) < 0)
		return -1;
	if (d->certificate.failed || d->certificate.len == 0)
		return fault_set(f, FAULT_LEDGER,
		    "the certificate %s is not in the ledger", s->serial);
	/* For one, because the token went while it signed it. */
	if (found.revoked)
		return fault_set(f, FAULT_DENIED,
		    "its certificate, %s, is revoked, and a request gets one: "
		    "a new request is needed",
		    s->serial);
	return 0;
}

/* 1 if there is a certificate already, 0 if there may be one. */
static int
settled(struct deciding *d, struct fault *f)
{
	struct state s;

	for (int tries = 0;; tries++) {
		if (look(d, &s, f) < 0)
			return -1;
		if (!s.known)
			return 0;
		switch (s.state) {
		case LEDGER_REQUEST_OPEN:
			return 0;
		case LEDGER_REQUEST_REJECTED:
			return fault_set(f, FAULT_DENIED,
			    "request %s was rejected", d->r->id);
		case LEDGER_REQUEST_WITHDRAWN:
			return fault_set(f, FAULT_DENIED,
			    "request %s was withdrawn", d->r->id);
		case LEDGER_REQUEST_ISSUED:
			return fetch(d, &s, f) < 0 ? -1 : 1;
		case LEDGER_REQUEST_SIGNING:
			break;
		}
		/* Another signs it at this moment, or was killed doing so while
		 * a third has the ledger open. */
		if (tries == BUSY_TRIES)
			return fault_set(f, FAULT_BUSY,
			    "request %s is being signed by another; run this "
			    "again",
			    d->r->id);
		(void)usleep(BUSY_WAIT);
	}
}

/* Below which names this CA signs, said before anything is written down. */
static int
check_space(const struct deciding *d, struct fault *f)
{
	const struct authority *a = &d->d->authority;

	if (a->signs_ca != d->profile->conf.ca)
		return fault_set(f, FAULT_DENIED,
		    a->signs_ca ? "%s is a root: it signs CAs and nothing else"
				: "%s is no root: it signs no CA",
		    a->conf.name);
	for (size_t i = 0; i < a->under_count; i++)
		if (dn_under(&d->subject, &a->under[i]))
			return 0;
	return fault_set(f, FAULT_DENIED,
	    "%.150s is outside of the name space of %s", d->r->subject,
	    a->conf.name);
}

/* A renewal keeps the subject. */
static int
find_renewed(struct deciding *d, struct fault *f)
{
	if (*d->r->renews == '\0')
		return 0;
	d->renewed = ca_change_find(d->ledger, d->d->authority.conf.name,
	    d->r->renews, f);
	if (d->renewed == NULL)
		return fault_wrap(f, "renewal");
	if (!dn_equal(&d->renewed->cert->subject, &d->subject))
		return fault_set(f, FAULT_DENIED,
		    "renewal: certificate %s is of another subject",
		    d->r->renews);
	return 0;
}

static int
check_request(struct deciding *d, struct fault *f)
{
	const struct request *r = d->r;

	if (dn_read_slash(&d->subject, r->subject, f) < 0 ||
	    name_request_check(r, d->profile, f) < 0 || check_space(d, f) < 0)
		return fault_wrap(f, "refused");
	if (*r->ca_conf_space != '\0' &&
	    ca_space_check(r->ca_conf_space, &d->subject, &d->d->authority, f) <
		0)
		return fault_wrap(f, "refused");
	if (d->profile->conf.ca && !r->proved)
		return fault_set(f, FAULT_DENIED,
		    "refused: a CA's request is signed by its key as a whole");
	if (find_renewed(d, f) < 0)
		return -1;
	return mint_times(d->profile, &d->d->authority, clock_wall(),
	    r->lifetime, &d->not_before, &d->not_after, f);
}

static void
show_list(const char *what, const conf_list *list)
{
	if (list->count == 0)
		return;
	printf("  %-12s", what);
	for (size_t i = 0; i < list->count; i++)
		printf(" %s", list->item[i]);
	putchar('\n');
}

/* An EC key enciphers no keys: mint.c leaves that usage out. */
static void
show_usage(const struct deciding *d)
{
	const conf_list *usage = &d->profile->conf.usage;
	bool rsa = d->r->csr.spki.kind == KEY_RSA;

	printf("  %-12s", "usage");
	for (size_t i = 0; i < usage->count; i++)
		if (rsa || strcmp(usage->item[i], "keyEncipherment") != 0)
			printf(" %s", usage->item[i]);
	putchar('\n');
}

static void
show_extensions(const struct deciding *d)
{
	const struct profile_conf *p = &d->profile->conf;
	const struct authority_conf *a = &d->d->authority.conf;

	if (!p->ca)
		printf("  %-12s no\n", "CA");
	else if (p->path_length >= 0)
		printf("  %-12s yes, path length %lld\n", "CA",
		    (long long)p->path_length);
	else
		printf("  %-12s yes, any path length\n", "CA");
	show_usage(d);
	show_list("purpose", &p->purpose);
	show_list("policy", &p->policy);
	show_list("CRL at", p->crl_url.count > 0 ? &p->crl_url : &a->crl_url);
	if (*p->issuer_url != '\0' || *a->issuer_url != '\0')
		printf("  %-12s %s\n", "issuer at",
		    *p->issuer_url != '\0' ? p->issuer_url : a->issuer_url);
	printf("  %-12s %s\n", "serial", a->serial);
}

/* What the person would not expect from the request alone. */
static void
show_differences(const struct deciding *d)
{
	int64_t given = d->not_after - clock_wall();

	if (d->r->lifetime > 0 && given < d->r->lifetime - 60)
		printf("  NOT AS ASKED: %lld days were asked for, %lld are "
		       "given\n",
		    (long long)(d->r->lifetime / DAY),
		    (long long)((given + 60) / DAY));
}

/* Certificates of the same subject that are good still. */
static int
show_other(void *arg, const struct ledger_line *line)
{
	const char *const *subject = arg;
	char until[CLOCK_TEXT_SIZE];

	if (line->state != LEDGER_ISSUED ||
	    line->intent.not_after < clock_wall() ||
	    strcmp(line->intent.subject, *subject) != 0)
		return 0;
	clock_text(line->intent.not_after, until);
	printf("  THERE IS ONE: this subject has certificate %s until %s\n",
	    line->serial, until);
	return 0;
}

static int
show_others(const struct deciding *d, struct fault *f)
{
	const struct ledger_filter filter = { .ca = d->d->authority.conf.name,
		.text = d->r->subject };
	const char *subject = d->r->subject;
	OWN_STRUCT(ledger) l = NULL;

	if (d->renewed != NULL)
		return 0;
	if ((l = ledger_open_read(d->ledger, f)) == NULL)
		return -1;
	return ledger_each(l, &filter, show_other, &subject, f);
}

static void
show_renewal(const struct deciding *d)
{
	const struct ca_next next = { .subject = &d->subject,
		.spki = &d->r->csr.spki,
		.profile = d->profile->name,
		.dns = d->r->dns.item,
		.mail = d->r->emails.item,
		.not_before = d->not_before,
		.not_after = d->not_after };

	if (d->renewed == NULL)
		return;
	printf("It renews certificate %s:\n", d->r->renews);
	ca_change_show(d->renewed, &next, "  ", stdout);
}

/* Exactly what will be signed. */
static int
show(const struct deciding *d, struct fault *f)
{
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	char issuer[DN_TEXT_MAX];

	if (dn_show_slash(&d->d->authority.cert->subject, issuer,
		sizeof(issuer)) < 0)
		issuer[0] = '\0';
	clock_text(d->not_before, from);
	clock_text(d->not_after, until);
	printf("The request:\n");
	ca_form_show(d->r, "  ", stdout);
	printf("The certificate:\n  %-12s %s\n  %-12s %s\n", "issuer", issuer,
	    "subject", d->r->subject);
	for (size_t i = 0; i < d->r->dns.count; i++)
		printf("  %-12s DNS:%s\n", "name", d->r->dns.item[i]);
	for (size_t i = 0; i < d->r->emails.count; i++)
		printf("  %-12s email:%s\n", "name", d->r->emails.item[i]);
	printf("  %-12s %s until %s\n", "valid", from, until);
	show_extensions(d);
	show_differences(d);
	if (show_others(d, f) < 0)
		return -1;
	show_renewal(d);
	printf("Permission:    %s\n", d->args->permission);
	(void)fflush(stdout);
	return 0;
}

static int
confirm(const struct ca_args *args, struct fault *f)
{
	bool yes = args->yes;

	if (!yes &&
	    ask_yes("Does the fingerprint agree, and shall this be signed? "
		    "(yes/no): ",
		&yes, f) < 0)
		return -1;
	if (!yes)
		return fault_set(f, FAULT_DENIED, "nothing was signed");
	return 0;
}

static int
put_decision(struct ledger *l, const struct deciding *d, struct fault *f)
{
	const char *who = ca_sign_operator();
	char method[METHOD_MAX];
	struct ledger_request r = { .ca = d->d->authority.conf.name,
		.id = d->r->id,
		.who = who,
		.method = method,
		.peer = "local",
		.subject = d->r->subject,
		.profile = d->profile->name,
		.file = { d->file.data, d->file.len } };
	const struct ledger_decision decision = { .verdict = LEDGER_APPROVE,
		.who = who,
		.method = method,
		.text = d->args->permission };

	if (text_fmt(method, sizeof(method), "uid %u", (unsigned)getuid()) < 0)
		return fault_set(f, FAULT_INTERNAL, "uid");
	if (ledger_request_put(l, &r, f) < 0)
		return -1;
	return ledger_request_decide(l, r.ca, r.id, &decision, f);
}

/* Request and decision, in one step. */
static int
record(const struct deciding *d, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open(d->ledger, NULL, f);

	if (l == NULL || ledger_begin(l, f) < 0)
		return -1;
	if (put_decision(l, d, f) == 0 && ledger_end(l, f) == 0)
		return 0;
	ledger_cancel(l);
	return -1;
}

/* 1 if others must approve first. */
static int
waits_for_others(const struct deciding *d, struct fault *f)
{
	int64_t needed = d->profile->conf.approvals;
	struct state s;

	if (look(d, &s, f) < 0)
		return -1;
	if ((int64_t)s.approvals >= needed || s.state == LEDGER_REQUEST_ISSUED)
		return 0;
	printf("Approved by %u of %lld: another administrator runs the same "
	       "command.\n",
	    s.approvals, (long long)needed);
	return 1;
}

static int
sign_it(struct deciding *d, struct fault *f)
{
	const struct ca_wish wish = { .profile = d->profile,
		.issuer = &d->d->authority,
		.key = d->d->key,
		.name = d->d->authority.conf.name,
		.ledger = d->ledger,
		.subject = &d->subject,
		.spki = &d->r->csr.spki,
		.dns_names = d->r->dns.item,
		.emails = d->r->emails.item,
		.lifetime = d->r->lifetime,
		.request = d->r->id };
	struct fault why = { 0 };
	int result;

	if (ca_sign(&wish, &d->certificate, &why) == 0)
		return 0;
	*f = why;
	if (why.code != FAULT_DENIED && why.code != FAULT_BUSY)
		return -1;
	/* Another may have signed it since we looked. */
	if ((result = settled(d, f)) > 0)
		return 0;
	if (result == 0)
		*f = why;
	return -1;
}

/* Approve and sign; 1 if others must approve first. */
static int
decide(struct deciding *d, struct fault *f)
{
	int result;

	if (check_request(d, f) < 0 || show(d, f) < 0)
		return -1;
	if (confirm(d->args, f) < 0 ||
	    ca_dir_unlock(d->d, d->args->passphrase_fd, f) < 0)
		return -1;
	if (record(d, f) < 0) {
		struct fault why = *f;

		/* Decided to the end by another since we looked. */
		if ((why.code != FAULT_DENIED && why.code != FAULT_BUSY) ||
		    (result = settled(d, f)) < 0)
			return -1;
		if (result == 0)
			*f = why;
		return result > 0 ? 0 : -1;
	}
	if ((result = waits_for_others(d, f)) != 0)
		return result;
	return sign_it(d, f);
}

static int
write_reply(const struct deciding *d, struct fault *f)
{
	OWN_STRUCT(reply) reply = reply_new(f);
	OWN_BUF(file, REPLY_FILE_MAX);

	if (reply == NULL)
		return -1;
	memcpy(reply->id, d->r->id, sizeof(reply->id));
	memcpy(reply->request_hash, d->r->hash, sizeof(reply->request_hash));
	buf_put(&reply->certificate, d->certificate.data, d->certificate.len);
	buf_put(&reply->chain, d->d->pem.data, d->d->pem.len);
	if (ca_dir_chain(d->d, &reply->chain, f) < 0 ||
	    reply_write(reply, &file, f) < 0)
		return -1;
	if (ca_file_put(d->args->out, 0644, &file, f) < 0)
		return fault_wrap(f,
		    "signed, and in the ledger: run this again with another "
		    "--out");
	return 0;
}

/* What is at the place of the reply may be the reply of an earlier run, and
 * nothing else. */
static int
check_out(const struct deciding *d, struct fault *f)
{
	const char *path = d->args->out;
	OWN_BUF(file, REPLY_FILE_MAX);
	OWN_STRUCT(reply) there = NULL;

	if (!ca_file_exists(path))
		return ca_file_possible(path, f);
	if (file_read(path, &file, f) < 0)
		return -1;
	there = reply_read((struct wire_bytes){ file.data, file.len }, f);
	if (there == NULL || strcmp(there->id, d->r->id) != 0)
		return ca_file_absent(path, f);
	return 0;
}

static int
open_all(struct deciding *d, struct fault *f)
{
	const struct ca_args *args = d->args;

	if (cmd_need(args->permission, "--permission (who permitted it)", f) <
		0 ||
	    cmd_need(args->out, "--out", f) < 0 ||
	    name_text_check("--permission", args->permission, f) < 0 ||
	    (d->r = ca_form_read(args->operand[1], &d->file, f)) == NULL ||
	    (d->d = ca_dir_open(args->operand[0], f)) == NULL ||
	    ca_dir_ledger(d->d, args->ledger, d->ledger, sizeof(d->ledger), f) <
		0)
		return -1;
	d->profile = ca_profile(d->r->profile, args->profile_dir, f);
	if (d->profile == NULL && f->code == FAULT_ABSENT)
		return fault_set(f, FAULT_INPUT,
		    "refused: the request is for a profile \"%s\", and there "
		    "is no profile of that name here",
		    d->r->profile);
	if (d->profile == NULL)
		return -1;
	return check_out(d, f);
}

static int
run(struct deciding *d, struct fault *f)
{
	int result;

	if (open_all(d, f) < 0 || (result = settled(d, f)) < 0)
		return -1;
	if (result > 0)
		printf("Request %s was signed before; the same certificate is "
		       "written again.\n",
		    d->r->id);
	else if ((result = decide(d, f)) != 0)
		return result < 0 ? -1 : 0;
	if (write_reply(d, f) < 0)
		return -1;
	printf("The reply is %s.\n", d->args->out);
	return 0;
}

int
ca_sign_request(const struct ca_args *args, struct fault *f)
{
	struct deciding d = { .args = args,
		.file = BUF(REQUEST_FILE_MAX),
		.certificate = BUF(CERT_MAX) };
	int result = run(&d, f);

	request_free(d.r);
	ca_dir_free(d.d);
	free(d.profile);
	ca_change_free(d.renewed);
	buf_free(&d.file);
	buf_free(&d.certificate);
	return result;
}
