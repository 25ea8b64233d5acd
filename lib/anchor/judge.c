#include "anchor/judge.h"

#include "anchor/anchor_body.h"
#include "anchor/span_text.h"
#include "anchor/spelling.h"
#include "base/fault.h"
#include "base/text.h"
#include "trust/anchor_text.h"
#include "x509/ossl.h"

#include <openssl/evp.h>

#include <string.h>

/* Clocks differ a little: a certificate or list may begin so much later. */
#define CLOCK_SLACK 300

static const struct {
	const char *digest; /* for anchor_print() */
	const char *word;
} digests[WANT_PINS] = {
	{ "MD5", "md5" },
	{ "SHA1", "sha1" },
	{ "SHA256", "sha256" },
	{ "SHA384", "sha384" },
};

/* A judgement under way. */
struct judging {
	const struct anchor_want *want;
	const struct judge_rules *rules;
	const struct cert *cert;
	struct want_list *said;
	struct fault *f;
};

static int
mismatch(struct judging *j, const char *what, const char *expected,
    const char *got)
{
	return want_say(j->said, j->f,
	    "Mismatched %s, expected \"%s\", got \"%s\"", what, expected, got);
}

static int
check_hash(struct judging *j)
{
	char hash[9];

	if (dn_hash(&j->cert->subject, hash, j->f) < 0)
		return -1;
	if (j->want->hash[0] == '\0' || strcmp(hash, j->want->hash) == 0)
		return 0;
	return want_say(j->said, j->f, "Mismatched hash, expected %s, got %s",
	    j->want->hash, hash);
}

/* ${dn} as it is compared and shown. */
static int
name_of(const struct dn *dn, struct buf *out, struct fault *f)
{
	char text[DN_TEXT_MAX];

	if (dn_show_slash(dn, text, sizeof(text)) < 0)
		return fault_set(f, FAULT_INPUT, "a name too long");
	spelling_put(out, SPELLING_GT4, text);
	return buf_cstr(out) != NULL ? 0 : fault_set(f, FAULT_MEMORY, "a name");
}

static int
check_names(struct judging *j)
{
	const struct anchor_want *want = j->want;
	OWN_BUF(subject, 2 * DN_TEXT_MAX);
	OWN_BUF(issuer, 2 * DN_TEXT_MAX);
	const char *expected = want->issuer;

	if (name_of(&j->cert->subject, &subject, j->f) < 0 ||
	    name_of(&j->cert->issuer, &issuer, j->f) < 0)
		return -1;
	if (want->subject != NULL &&
	    !spelling_same(want->subject, (char *)subject.data) &&
	    mismatch(j, "subject", want->subject, (char *)subject.data) < 0)
		return -1;
	if (want->from == WANT_CADESC && expected == NULL &&
	    !cert_is_self_issued(j->cert))
		return want_say(j->said, j->f,
		    "Certificate is not self-signed, but no SIGNED_BY "
		    "attribute was specified in %s",
		    want->file);
	if (expected == NULL)
		return 0;
	if (*expected == '\0')
		expected = (char *)subject.data;
	if (spelling_same(expected, (char *)issuer.data))
		return 0;
	return mismatch(j, "issuer", expected, (char *)issuer.data);
}

static int
check_pins(struct judging *j)
{
	char print[ANCHOR_PRINT_SIZE], what[32];

	for (size_t i = 0; i < WANT_PINS; i++) {
		if (j->want->pin[i] == NULL)
			continue;
		if (anchor_print(j->cert, digests[i].digest, print, j->f) < 0)
			return -1;
		(void)snprintf(what, sizeof(what), "%s fingerprint",
		    digests[i].word);
		if (strcmp(print, j->want->pin[i]) != 0 &&
		    mismatch(j, what, j->want->pin[i], print) < 0)
			return -1;
	}
	if (j->rules->demand_sha256 && !want_pinned_well(j->want))
		return want_say(j->said, j->f,
		    "No SHA-256 fingerprint, and this site demands one");
	return 0;
}

static int
check_dates(struct judging *j)
{
	char when[MOMENT_TEXT_SIZE];

	if (j->cert->not_after < j->rules->now) {
		moment_text(j->cert->not_after, j->rules->now, when);
		return want_say(j->said, j->f, "Certificate expired at %s",
		    when);
	}
	if (j->cert->not_before > j->rules->now + CLOCK_SLACK) {
		moment_text(j->cert->not_before, j->rules->now, when);
		return want_say(j->said, j->f,
		    "Certificate is not valid before %s", when);
	}
	return 0;
}

/* What it says of itself.  An old root's own signature may be by an algorithm
 * that nobody should rely on: that it is the right one, its pin says. */
static int
check_kind(struct judging *j)
{
	struct fault why = { 0 };

	if (j->cert->kind != CERT_CA)
		return want_say(j->said, j->f,
		    "Certificate is not that of a CA");
	if (cert_is_self_issued(j->cert) &&
	    cert_check_signature(j->cert, j->cert, &why) < 0 &&
	    why.code != FAULT_UNSUPPORTED && why.code != FAULT_KEY)
		return want_say(j->said, j->f,
		    "Certificate's own signature is wrong");
	return 0;
}

int
judge_cert(const struct anchor_want *want, const struct judge_rules *rules,
    const struct cert *cert, struct want_list *said, struct fault *f)
{
	struct judging j = { want, rules, cert, said, f };
	size_t before = said->count;
	bool expired = cert->not_after < rules->now;

	if (check_hash(&j) < 0 || check_names(&j) < 0 || check_pins(&j) < 0 ||
	    check_kind(&j) < 0 || check_dates(&j) < 0)
		return -1;
	if (said->count == before)
		return 0;
	return fault_set(f,
	    expired && said->count == before + 1 ? FAULT_EXPIRED
						 : FAULT_UNTRUSTED,
	    "%s", said->item[before]);
}

/* The one of ${list} that is good; the words against the first, if none is. */
static int
choose(const struct anchor_want *want, const struct judge_rules *rules,
    struct cert_list *list, struct want_list *said, struct cert **cert,
    struct fault *f)
{
	struct fault first = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		struct want_list words = { 0 };
		struct fault why = { 0 };
		int result =
		    judge_cert(want, rules, list->cert[i], &words, &why);

		for (size_t k = 0; i == 0 && result < 0 && k < words.count; k++)
			if (want_list_add(said, words.item[k], f) < 0)
				result = -1;
		want_list_clear(&words);
		if (i == 0)
			first = why;
		if (result < 0)
			continue;
		*cert = TAKE(list->cert[i]);
		want_list_clear(said);
		return 0;
	}
	*f = first;
	return -1;
}

int
judge_body(const struct anchor_want *want, const struct judge_rules *rules,
    struct wire_bytes body, struct want_list *said, struct want_list *notes,
    struct cert **cert, struct fault *f)
{
	struct cert_list list = { 0 };
	size_t count;
	int result;

	if (body_certs(&list, body, f) < 0) {
		struct fault ignored = { 0 };

		(void)!want_say(said, &ignored, "Not a certificate: %s",
		    f->text);
		return -1;
	}
	count = list.count;
	result = choose(want, rules, &list, said, cert, f);
	cert_list_free(&list);
	if (result == 0 && count > 1)
		return want_say(notes, f,
		    "%zu certificates were sent, only that of the CA is used",
		    count);
	return result;
}

static int
check_crl_dates(const struct judge_rules *rules, const struct crl *crl,
    struct fault *f)
{
	char when[MOMENT_TEXT_SIZE];

	if (crl->next_update == 0)
		return fault_set(f, FAULT_EXPIRED,
		    "CRL does not say how long it holds (RFC 5280 5.1.2.5)");
	if (crl->next_update < rules->now) {
		moment_text(crl->next_update, rules->now, when);
		return fault_set(f, FAULT_EXPIRED, "CRL has expired at %s",
		    when);
	}
	if (crl->this_update > rules->now + CLOCK_SLACK) {
		moment_text(crl->this_update, rules->now, when);
		return fault_set(f, FAULT_UNTRUSTED,
		    "CRL is not valid before %s", when);
	}
	return 0;
}

int
judge_crl(const struct judge_rules *rules, const struct cert *cert,
    struct wire_bytes der, const struct crl *old, struct crl *crl,
    struct fault *f)
{
	if (crl_read(crl, der, f) < 0)
		return fault_wrap(f, "Unable to get information for CRL");
	if (crl_check_signature(crl, cert, f) < 0)
		return fault_wrap(f, "Can't verify new CRL");
	if (check_crl_dates(rules, crl, f) < 0)
		return -1;
	if (old != NULL &&
	    (crl->this_update < old->this_update ||
		(crl->number != 0 && old->number != 0 &&
		    crl->number < old->number)))
		return fault_set(f, FAULT_DENIED,
		    "Newly downloaded CRL seems to be older than old CRL, not "
		    "installing");
	return 0;
}

int
judge_parent(const struct cert *child, const struct cert *parent,
    struct fault *f)
{
	if (!dn_equal(&child->issuer, &parent->subject))
		return fault_set(f, FAULT_UNTRUSTED, "another CA signed it");
	return cert_check_signature(child, parent, f);
}

bool
judge_crl_ends_soon(const struct judge_rules *rules, const struct crl *crl)
{
	int64_t life = crl->next_update - crl->this_update;
	int64_t near = rules->warn_crl > 0 ? rules->warn_crl : life / 10;

	return crl->next_update - rules->now < near;
}

bool
judge_cert_ends_soon(const struct judge_rules *rules, const struct cert *cert)
{
	return cert->not_after - rules->now < rules->warn_ca;
}

int
judge_words(const struct anchor_want *want, const struct judge_rules *rules,
    char words[JUDGE_WORDS_SIZE], struct fault *f)
{
	OWN_BUF(text, 65536);
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len = 0;

	buf_fmt(&text, "1 %s|%d|%s|%s", want->hash, rules->demand_sha256,
	    want->subject != NULL ? want->subject : "?",
	    want->issuer != NULL ? want->issuer : "?");
	for (size_t i = 0; i < WANT_PINS; i++)
		buf_fmt(&text, "|%s", want->pin[i] != NULL ? want->pin[i] : "");
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "a verdict");
	if (EVP_Q_digest(NULL, "SHA256", NULL, text.data, text.len, digest,
		&len) != 1)
		return ossl_fault(f, FAULT_SYSTEM, "SHA-256");
	text_hex(digest, len, words);
	return 0;
}
