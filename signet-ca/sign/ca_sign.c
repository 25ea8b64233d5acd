#include "ca_sign.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rand.h"
#include "base/text.h"
#include "ledger/ledger_exposed.h"
#include "x509/tbs.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNATURE_MOST 4096

const char *
ca_sign_operator(void)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *pw = getpwuid(getuid());

	if (sudo != NULL && *sudo != '\0')
		return sudo;
	return pw == NULL ? "unknown" : pw->pw_name;
}

/* Take a serial, durably. */
static int
reserve(struct ledger *l, const struct ca_wish *w, const struct mint *m,
    uint8_t serial[20], size_t *len, struct fault *f)
{
	struct ledger_numbering numbering = { .random = true };
	struct ledger_intent intent = { .ca = w->name,
		.peer = "local",
		.method = "signet-ca",
		.profile = w->profile->name,
		.not_before = m->not_before,
		.not_after = m->not_after,
		.request = w->request };
	char subject[DN_TEXT_MAX], ref[RAND_REF_SIZE];

	if (dn_show_slash(w->subject, subject, sizeof(subject)) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	rand_ref(ref);
	intent.ref = ref;
	intent.subject = subject;
	intent.username = ca_sign_operator();
	intent.principal = intent.username;
	if (w->issuer != NULL) {
		numbering.random = w->issuer->serial_random;
		numbering.start = w->issuer->serial_start;
		numbering.span = w->issuer->serial_span;
	}
	if (ledger_begin(l, f) < 0)
		return -1;
	return ledger_settle(l,
	    ledger_reserve(l, &intent, &numbering, serial, len, NULL, f), f);
}

/* Sign ${tbs}.  *${shadow}: its token went meanwhile, and there is a signature
 * all the same. */
static int
sign(const struct ca_wish *w, struct wire_bytes tbs, struct buf *signature,
    bool *shadow, struct fault *f)
{
	/* A root signs itself; its settings are checked against the
	 * certificate when the directory is read back. */
	if (w->issuer != NULL && tbs_check(tbs, w->issuer, clock_wall(), f) < 0)
		return fault_wrap(f, "refused to sign");
	if (key_sign(w->key, tbs, signature, f) == 0)
		return 0;
	*shadow = f->code == FAULT_SUSPENDED && signature->len > 0;
	return -1;
}

/* Mint, let the last gate judge, sign.  What was signed in the shadow of a
 * token's removal is finished too, for the book. */
static int
make(const struct ca_wish *w, const struct mint *m, struct buf *der,
    bool *shadow, struct fault *f)
{
	OWN_BUF(tbs, CERT_MAX);
	OWN_BUF(signature, SIGNATURE_MOST);
	struct fault other = { 0 };
	struct wire_bytes bytes;
	int result;

	if (mint_tbs(m, &tbs, f) < 0)
		return -1;
	bytes = (struct wire_bytes){ tbs.data, tbs.len };
	result = sign(w, bytes, &signature, shadow, f);
	if (result < 0 && !*shadow)
		return -1;
	if (mint_finish(bytes, m->signer_kind,
		(struct wire_bytes){ signature.data, signature.len }, der,
		*shadow ? &other : f) < 0) {
		*shadow = false;
		return -1;
	}
	return result;
}

/* The certificate is durable in the book before anyone sees it. */
static int
record(struct ledger *l, const struct ca_wish *w, struct wire_bytes serial,
    const struct buf *der, struct fault *f)
{
	if (ledger_begin(l, f) < 0)
		return -1;
	return ledger_settle(l,
	    ledger_commit(l, w->name, serial,
		(struct wire_bytes){ der->data, der->len }, f),
	    f);
}

/* Entered and revoked in one step: nobody gets it, but there is a signature
 * that we cannot answer for. */
static int
record_revoked(struct ledger *l, const struct ca_wish *w,
    struct wire_bytes serial, const struct buf *der, struct fault *f)
{
	int result;

	if (ledger_begin(l, f) < 0)
		return -1;
	result = ledger_commit(l, w->name, serial,
	    (struct wire_bytes){ der->data, der->len }, f);
	if (result == 0)
		result = ledger_revoke(l, w->name, serial, 0,
		    ca_sign_operator(), clock_wall(), f);
	return ledger_settle(l, result, f);
}

static int
withhold(struct ledger *l, const struct ca_wish *w, struct wire_bytes serial,
    struct buf *der, struct fault *f)
{
	struct fault why = *f;

	if (record_revoked(l, w, serial, der, f) < 0) {
		buf_clear(der);
		return fault_wrap(f,
		    "the token went while it signed; its certificate, which "
		    "nobody gets, is not in the ledger");
	}
	buf_clear(der);
	return fault_set(f, FAULT_SUSPENDED,
	    "the token went while it signed: the certificate is revoked and "
	    "was not written (%s)",
	    why.text);
}

static void
make_void(struct ledger *l, const struct ca_wish *w, struct wire_bytes serial)
{
	struct fault ignored = { 0 };

	/* If this fails too, the next one who opens the ledger does it. */
	if (ledger_begin(l, &ignored) == 0 &&
	    (ledger_void(l, w->name, serial, &ignored) < 0 ||
		ledger_end(l, &ignored) < 0))
		ledger_cancel(l);
}

int
ca_sign(const struct ca_wish *w, struct buf *der, struct fault *f)
{
	OWN_STRUCT(ledger) l = NULL;
	uint8_t serial[20];
	size_t len = 0;
	bool shadow = false;
	struct mint m = { .profile = w->profile,
		.issuer = w->issuer,
		.serial = serial,
		.spki = *w->spki,
		.dns_names = w->dns_names,
		.emails = w->emails,
		.signer_kind = key_kind_of(w->key) };
	struct wire_bytes number;

	m.subject = *w->subject;
	if (spki_check(w->spki, &w->profile->keys, f) < 0 ||
	    mint_times(w->profile, w->issuer, clock_wall(), w->lifetime,
		&m.not_before, &m.not_after, f) < 0)
		return -1;
	if ((l = ledger_open(w->ledger, NULL, f)) == NULL ||
	    ledger_key_refuse(l, w->spki->der, f) < 0 ||
	    reserve(l, w, &m, serial, &len, f) < 0)
		return -1;
	m.serial_len = len;
	number = (struct wire_bytes){ serial, len };
	if (make(w, &m, der, &shadow, f) == 0 &&
	    record(l, w, number, der, f) == 0)
		return 0;
	if (shadow)
		return withhold(l, w, number, der, f);
	buf_clear(der);
	make_void(l, w, number);
	return -1;
}
