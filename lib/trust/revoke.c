#include "trust/revoke.h"

#include "base/clock.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "x509/crl.h"

static const char *
reason_text(uint8_t reason)
{
	static const char *const texts[] = { "revoked",
		"its key is compromised", "its CA is compromised",
		"its affiliation changed", "it is superseded",
		"it is out of use", "it is on hold", "revoked",
		"removed from a CRL", "its privilege is withdrawn",
		"its authority is compromised" };

	return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason]
							 : "revoked";
}

static int
check_dates(const struct crl *crl, const struct cert *ca, time_t now,
    struct fault *f)
{
	char when[CLOCK_TEXT_SIZE];

	if (crl->next_update == 0)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its CRL does not say when the next one is due "
		    "(RFC 5280 5.1.2.5)");
	if (now < crl->this_update) {
		clock_text(crl->this_update, when);
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its CRL is not yet valid, only from %s on", when);
	}
	if (now >= crl->next_update) {
		clock_text(crl->next_update, when);
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its CRL has expired at %s: run fetch-crl", when);
	}
	return 0;
}

static int
check_serial(const struct crl_index *crl, const struct cert *cert,
    struct fault *f)
{
	struct crl_entry entry = { 0 };
	char when[CLOCK_TEXT_SIZE];

	if (crl_index_find(crl,
		(struct wire_bytes){ cert->serial, cert->serial_len },
		&entry) == 0)
		return 0;
	clock_text((time_t)entry.when, when);
	return rule_broken(f, FAULT_UNTRUSTED, cert,
	    "revoked by its CA at %s: %s", when, reason_text(entry.reason));
}

/* RFC 5280 6.3.3 (f): a CA that signs CRLs says so, if it says anything. */
static int
check_usage(const struct trust_anchor *record, const struct cert *ca,
    struct fault *f)
{
	const struct cert *signer = record->cert != NULL ? record->cert : ca;

	if (signer->has_key_usage &&
	    (signer->key_usage & CERT_KU_CRL_SIGN) == 0)
		return rule_broken(f, FAULT_UNTRUSTED, signer,
		    "its key signed a CRL and may not");
	return 0;
}

/* One record of the directory about ${ca}: is ${cert} revoked there?  Whether
 * it ${has} a CRL. */
static int
check_record(const struct path_question *q, const struct trust_anchor *record,
    const struct cert *ca, const struct cert *cert, bool *has, struct fault *f)
{
	const struct trust_lists *lists = trust_lists(q->store, record);

	if (lists == NULL) {
		*q->unread = true;
		return rule_broken(f, FAULT_BUSY, ca,
		    "its CRL is not read yet");
	}
	*has = *has || lists->crl != NULL;
	if (lists->bad)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "there is a CRL file %s.r0 that is no CRL of this CA",
		    record->hash);
	if (lists->crl == NULL)
		return 0;
	if (check_usage(record, ca, f) < 0)
		return -1;
	/* An anchor's was checked when it was read. */
	if (record->cert == NULL &&
	    known_check_crl(trust_known(q->store), lists->crl, ca, f) < 0)
		return rule_broken(f, FAULT_UNTRUSTED, ca,
		    "its CRL is not signed by it");
	if (check_dates(crl_index_head(lists->crl), ca, q->now, f) < 0)
		return -1;
	return check_serial(lists->crl, cert, f);
}

/* Without a CRL nobody knows what was revoked. */
static int
no_crl(const struct path_question *q, const struct cert *ca, struct fault *f)
{
	return rule_broken(f, FAULT_UNTRUSTED, ca,
	    "there is no CRL of this CA in %s: run fetch-crl or signet-trust",
	    trust_dir(q->store));
}

int
revoke_crl(const struct path_question *q, const struct trust_path *path,
    size_t i, struct fault *f)
{
	bool optional = (q->flags & TRUST_CRL_OPTIONAL) != 0;
	const struct trust_anchor *record;
	const struct cert *ca;
	size_t at = 0;

	if (i < path->eec || i + 1 >= path->count ||
	    cert_is_proxy(path->cert[i]))
		return 0;
	ca = path->cert[i + 1];
	while ((record = trust_next_of(q->store, &ca->subject, &at)) != NULL) {
		if (check_record(q, record, ca, path->cert[i], &optional, f) <
		    0)
			return -1;
		optional = optional || record->crl_optional;
	}
	return optional ? 0 : no_crl(q, ca, f);
}
