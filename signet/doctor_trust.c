#include "base/text.h"
#include "credential_show.h"
#include "doctor.h"
#include "trust/store.h"
#include "trust/verify.h"
#include "x509/crl.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DAY 86400
#define ANCHOR_SOON (30 * (time_t)DAY)

static void
complain(void *arg, const char *file, const struct fault *why)
{
	doctor_say(arg, DOCTOR_WARN, "trust",
	    "remove the file or get it again: signet trustroots", "%s: %s",
	    file, why->text);
}

static bool
check_dir(struct doctor *d)
{
	char hint[PLACE_SIZE + 32];
	struct stat st;

	if (stat(d->trust_dir, &st) < 0) {
		doctor_say(d, DOCTOR_FAIL, "trust",
		    "run: signet trustroots, or install your site's CAs",
		    "there is no trust directory %s: %s", d->trust_dir,
		    strerror(errno));
		return false;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		doctor_say(d, DOCTOR_FAIL, "trust",
		    "set X509_CERT_DIR to a directory of your own or root's",
		    "%s belongs to uid %u", d->trust_dir, (unsigned)st.st_uid);
		return false;
	}
	if ((st.st_mode & 022) != 0) {
		(void)snprintf(hint, sizeof(hint), "run: chmod go-w %s",
		    d->trust_dir);
		doctor_say(d, DOCTOR_FAIL, "trust", hint,
		    "others can put CAs into %s", d->trust_dir);
	}
	return true;
}

/* How long a thing lasts, for a sentence. */
static void
until(const struct doctor *d, time_t end, char text[CREDENTIAL_LEFT_SIZE])
{
	credential_left(end > d->now ? end - d->now : d->now - end, text);
}

static bool
check_end(struct doctor *d, const struct trust_anchor *a, const char *name)
{
	char left[CREDENTIAL_LEFT_SIZE];

	until(d, a->cert->not_after, left);
	if (a->cert->not_after <= d->now)
		doctor_say(d, DOCTOR_FAIL, "trust",
		    "run: signet trustroots, or ask your site for the new one",
		    "%s (%s.0) expired %s ago", name, a->hash, left);
	else if (a->cert->not_before > d->now)
		doctor_say(d, DOCTOR_FAIL, "trust", "look at the clock",
		    "%s (%s.0) is not valid yet", name, a->hash);
	else if (a->cert->not_after - d->now < ANCHOR_SOON)
		doctor_say(d, DOCTOR_WARN, "trust",
		    "run: signet trustroots, or ask your site for the new one",
		    "%s (%s.0) expires in %s", name, a->hash, left);
	else
		return true;
	return false;
}

static bool
check_policy(struct doctor *d, const struct trust_anchor *a, const char *name)
{
	char hint[120];

	if (a->has_policy)
		return true;
	(void)snprintf(hint, sizeof(hint),
	    a->bad_policy ? "install %s.signing_policy anew"
			  : "install %s.signing_policy beside it",
	    a->hash);
	doctor_say(d, DOCTOR_FAIL, "trust", hint,
	    a->bad_policy ? "the signing policy of %s cannot be read, so that "
			    "nothing it signs is accepted"
			  : "%s has no signing policy, so that nothing it "
			    "signs is accepted",
	    name);
	return false;
}

/* A CRL near its end, by its own measure: those that are made daily are always
 * within a day of it. */
static bool
is_near_end(const struct crl *crl, time_t now)
{
	time_t left = crl->next_update - now;

	return left < DAY && left < (crl->next_update - crl->this_update) / 3;
}

static bool
check_crl_times(struct doctor *d, const struct crl *crl, const char *name)
{
	static const char hint[] = "run: fetch-crl, or signet trustroots";
	char left[CREDENTIAL_LEFT_SIZE];

	until(d, crl->next_update, left);
	if (crl->next_update == 0)
		doctor_say(d, DOCTOR_FAIL, "crl", hint,
		    "that of %s does not say until when it holds", name);
	else if (crl->next_update <= d->now)
		doctor_say(d, DOCTOR_FAIL, "crl", hint,
		    "that of %s expired %s ago, so that nothing it signed is "
		    "accepted",
		    name, left);
	else if (is_near_end(crl, d->now))
		doctor_say(d, DOCTOR_WARN, "crl", hint,
		    "that of %s expires in %s", name, left);
	else
		return true;
	return false;
}

static bool
check_crl(struct doctor *d, const struct trust_anchor *a, const char *name)
{
	static const char hint[] = "run: fetch-crl, or signet trustroots";
	const struct trust_lists *lists = trust_lists(d->store, a);

	if (lists == NULL || lists->bad) {
		doctor_say(d, DOCTOR_FAIL, "crl", hint,
		    "%s.r0 is no good CRL of %s, so that nothing it signed is "
		    "accepted",
		    a->hash, name);
		return false;
	}
	if (lists->crl == NULL &&
	    (a->crl_optional ||
		(trust_demands(d->store) & TRUST_CRL_OPTIONAL) != 0)) {
		doctor_say(d, DOCTOR_WARN, "crl", hint,
		    "%s has none here and needs none: what it revoked is "
		    "accepted",
		    name);
		return false;
	}
	if (lists->crl == NULL) {
		doctor_say(d, DOCTOR_FAIL, "crl", hint,
		    "%s has none here, so that nothing it signed is accepted",
		    name);
		return false;
	}
	return check_crl_times(d, crl_index_head(lists->crl), name);
}

void
doctor_trust(struct doctor *d)
{
	size_t good = 0;

	if (!check_dir(d)) {
		(void)fault_set(&d->no_store, FAULT_UNTRUSTED,
		    "there is no trust directory to ask");
		return;
	}
	d->store = trust_load(d->trust_dir, false, complain, d, &d->no_store);
	if (d->store == NULL) {
		doctor_say(d, DOCTOR_FAIL, "trust",
		    "run: signet trustroots, or install your site's CAs", "%s",
		    d->no_store.text);
		return;
	}
	trust_demand(d->store, signet_conf_trust(&d->conf));
	/* Whatever is wrong with one is to be heard, whoever made it. */
	trust_read_lists(d->store);
	for (size_t i = 0; i < trust_count(d->store); i++) {
		const struct trust_anchor *a = trust_at(d->store, i);
		char name[DN_TEXT_MAX];
		bool fine;

		if (dn_show_slash(&a->cert->subject, name, sizeof(name)) < 0)
			continue;
		fine = check_end(d, a, name);
		fine &= check_policy(d, a, name);
		fine &= check_crl(d, a, name);
		good += fine;
		if (fine && (d->call->common.verbose || d->checks != NULL))
			doctor_say(d, DOCTOR_OK, "trust", NULL,
			    "%s: certificate, signing policy and CRL", name);
	}
	if (good > 0)
		doctor_say(d, DOCTOR_OK, "trust", NULL,
		    "%zu of %zu CAs in %s are in good order", good,
		    trust_count(d->store), d->trust_dir);
}
