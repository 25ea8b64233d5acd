/* The revocation lists of each CA. */
#include "anchor/anchor_body.h"
#include "anchor/crl_points.h"
#include "anchor/span_text.h"
#include "base/fault.h"
#include "base/text.h"
#include "fetch/fetch_cache.h"
#include "refresh_get.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 64
#define PLACES_MAX 10

/* One list to be had. */
struct want_one {
	struct refresh_ca *ca;
	struct refresh_crl *crl;
	const struct want_list *urls;
	char key[KEY_SIZE];
	bool old_good;	 /* what is installed holds still */
	bool old_signed; /* ${old} is this CA's, ended or not */
	struct crl old;	 /* the newest that we had, without its bytes */
};

/*
 * Keep ${der}, which came in ${body}, as it is to be installed.  fetch-crl
 * leaves out the newline at the end of a list that came as PEM, and the two may
 * take turns in a directory without a change.
 */
static int
keep(struct refresh_crl *to, struct wire_bytes body, struct wire_bytes der,
    const struct crl *crl, struct fault *f)
{
	bool newline = body.data == der.data;

	buf_clear(&to->pem);
	buf_reserve(&to->pem, der.len / 48 * 65 + 256);
	pem_put(&to->pem, "X509 CRL", der);
	if (to->pem.failed)
		return fault_set(f, FAULT_MEMORY, "CRL");
	if (!newline)
		to->pem.len--;
	to->have = true;
	to->number = crl->number;
	to->this_update = crl->this_update;
	to->next_update = crl->next_update;
	return 0;
}

/* What is installed as <hash>.r${place}: whether it is to be trusted still. */
static int
look_at(struct want_one *one, size_t place, struct fault *f)
{
	const struct refresh_ca *ca = one->ca;
	OWN_BUF(text, REFRESH_PEM_MAX);
	OWN_BUF(decoded, CRL_BYTES_MAX);
	struct wire_bytes der = { NULL, 0 };
	struct fault why = { 0 };
	char name[32];
	int found;

	(void)snprintf(name, sizeof(name), "%s.r%zu", ca->want->hash, place);
	found = refresh_installed(ca->run, name, &text, f);
	if (found <= 0)
		return found;
	if (body_crl((struct wire_bytes){ text.data, text.len }, &decoded, &der,
		&why) < 0)
		return 0;
	one->old_good = judge_crl(&ca->run->world->rules, ca->cert, der, NULL,
			    &one->old, &why) == 0;
	/* An ended one tells still which came before it. */
	one->old_signed = one->old_good || why.code == FAULT_EXPIRED;
	if (!one->old_good)
		return 0;
	if (keep(one->crl, (struct wire_bytes){ text.data, text.len }, der,
		&one->old, f) < 0)
		return -1;
	/* It stays as it is. */
	if (text.data[text.len - 1] == '\n')
		buf_text(&one->crl->pem, "\n");
	return one->crl->pem.failed ? fault_set(f, FAULT_MEMORY, "CRL") : 0;
}

/* A CA of the same hash that left or came may have moved it. */
static int
look_here(struct want_one *one, struct fault *f)
{
	int result = look_at(one, one->crl->nth, f);

	for (size_t i = 0; result == 0 && !one->old_signed &&
	     one->ca->want->crls == 1 && i < PLACES_MAX;
	     i++)
		if (i != one->crl->nth)
			result = look_at(one, i, f);
	return result;
}

/*
 * What the cache still has: its CA may have left and returned, or what is
 * installed have been rolled back, and an older list is to be known as one.
 */
static void
look_cached(struct want_one *one)
{
	const struct trust_world *world = one->ca->run->world;
	OWN_BUF(decoded, CRL_BYTES_MAX);
	struct wire_bytes der = { NULL, 0 };
	struct fetch_entry entry;
	struct fault why = { 0 };
	struct crl crl;

	if (fetch_entry_open(&entry, world->conf.cache, one->key, &why) < 0)
		return;
	if (body_crl(entry.body, &decoded, &der, &why) == 0 &&
	    (judge_crl(&world->rules, one->ca->cert, der,
		 one->old_signed ? &one->old : NULL, &crl, &why) == 0 ||
		(why.code == FAULT_EXPIRED && !one->old_signed))) {
		one->old = crl;
		one->old_signed = true;
	}
	fetch_entry_close(&entry);
}

static int
judge(void *arg, struct wire_bytes body, const char *url, struct fault *f)
{
	struct want_one *one = arg;
	OWN_BUF(decoded, CRL_BYTES_MAX);
	struct wire_bytes der = { NULL, 0 };
	struct crl crl;

	(void)url;
	if (body_crl(body, &decoded, &der, f) < 0)
		return fault_wrap(f, "Unable to get information for CRL");
	if (judge_crl(&one->ca->run->world->rules, one->ca->cert, der,
		one->old_signed ? &one->old : NULL, &crl, f) < 0)
		return -1;
	return keep(one->crl, body, der, &crl, f);
}

/* Why there is nothing newer than what we have. */
static void
done(void *arg, const struct fetch_result *result)
{
	const struct want_one *one = arg;
	struct refresh_ca *ca = one->ca;
	const char *why = result->fault.text;
	bool nothing_came = refresh_nothing_came(result->fault.code);
	struct fault ignored = { 0 };

	if (result->state == FETCH_FETCHED ||
	    result->state == FETCH_UNCHANGED) {
		/* What another mirror sent is worth a word. */
		if (result->fault.code != FAULT_NONE)
			(void)!want_say(nothing_came ? &ca->news
						     : &ca->warnings,
			    &ignored, "%s", why);
		return;
	}
	if (one->crl->have && (ca->run->offline || result->waiting))
		return;
	if (one->crl->have && nothing_came)
		/* It holds still, so nobody needs to be woken for it. */
		(void)!want_say(ca->run->on_terminal ? &ca->warnings
						     : &ca->news,
		    &ignored, "%s, using %s copy", why,
		    result->state == FETCH_CACHED ? "cached" : "installed");
	else if (ca->want->allow_missing_crl && !one->crl->have)
		(void)!want_say(&ca->warnings, &ignored, "No CRL: %s", why);
	else
		(void)!want_say(&ca->errors, &ignored, "%s", why);
}

/* What follows for the CA. */
static int
settle(struct refresh_ca *ca, struct fault *f)
{
	char when[MOMENT_TEXT_SIZE];

	if (ca->want->crls == 0 && ca->want->allow_missing_crl)
		return want_say(&ca->news, f, "No CRL");
	if (ca->want->crls == 0) {
		ca->state = REFRESH_FAILED;
		return want_say(&ca->errors, f, "No CRL specified");
	}
	for (size_t i = 0; i < ca->want->crls; i++) {
		const struct refresh_crl *c = &ca->crl[i];
		const struct crl ends = { .this_update = c->this_update,
			.next_update = c->next_update };

		if (!c->have && !ca->want->allow_missing_crl)
			ca->state = REFRESH_FAILED;
		if (!c->have)
			continue;
		moment_text(c->next_update, ca->run->world->rules.now, when);
		if (want_say(judge_crl_ends_soon(&ca->run->world->rules, &ends)
			    ? &ca->warnings
			    : &ca->news,
			f, "CRL will expire at %s", when) < 0)
			return -1;
	}
	return 0;
}

/* The lists of ${ca}, from ${one} on. */
static int
prepare(struct refresh_ca *ca, struct want_one *one, struct fetch_job *job,
    struct fault *f)
{
	for (size_t i = 0; i < ca->want->crls; i++) {
		const struct want_list *urls = &ca->want->crl[i].urls;

		one[i] = (struct want_one){
			.ca = ca, .crl = &ca->crl[i], .urls = urls
		};
		(void)snprintf(one[i].key, KEY_SIZE, "%s.r%zu.crl",
		    ca->want->hash, ca->crl[i].nth);
		if (look_here(&one[i], f) < 0)
			return -1;
		look_cached(&one[i]);
		job[i] = (struct fetch_job){
			.urls = (const char *const *)urls->item,
			.url_count = urls->count,
			.key = one[i].key,
			.max_bytes = (size_t)ca->run->world->conf.max_crl,
			.allow_file = ca->want->from != WANT_CADESC,
			.unchecked = refresh_unchecked(ca->run, ca->want),
			.judge = judge,
			.done = done,
			.arg = &one[i],
		};
	}
	return 0;
}

/* Where the certificates that ${ca} signed say that its list is. */
static int
find_points(struct refresh_ca *ca, struct fault *f)
{
	const struct refresh *r = ca->run;

	for (size_t i = 0; i < r->count; i++) {
		const struct refresh_ca *below = &r->ca[i];

		if (below->state == REFRESH_GOOD &&
		    dn_equal(&below->cert->issuer, &ca->cert->subject) &&
		    crl_points(below->cert, &ca->want->crl[0].urls, f) < 0)
			return -1;
	}
	ca->want->crls = ca->want->crl[0].urls.count > 0;
	return 0;
}

int
refresh_crls(struct refresh *r, struct fault *f)
{
	size_t most = r->count * WANT_CRLS_MAX + 1, count = 0;
	struct fetch_job *jobs = calloc(most, sizeof(*jobs));
	struct want_one *ones = calloc(most, sizeof(*ones));
	int result = 0;

	if (jobs == NULL || ones == NULL)
		result = fault_set(f, FAULT_MEMORY, "jobs");
	for (size_t i = 0; result == 0 && i < r->count; i++) {
		if (r->ca[i].state != REFRESH_GOOD)
			continue;
		if (r->ca[i].want->crls == 0 &&
		    r->world->conf.crl_from_certificate)
			result = find_points(&r->ca[i], f);
		if (result == 0)
			result =
			    prepare(&r->ca[i], &ones[count], &jobs[count], f);
		count += r->ca[i].want->crls;
	}
	if (result == 0)
		result = refresh_get(r, jobs, count, "revocation lists", f);
	for (size_t i = 0; result == 0 && i < r->count; i++)
		if (r->ca[i].state == REFRESH_GOOD)
			result = settle(&r->ca[i], f);
	free(jobs);
	free(ones);
	return result;
}
