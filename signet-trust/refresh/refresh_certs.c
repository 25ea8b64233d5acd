/* The certificate of each CA. */
#include "anchor/anchor_body.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh_get.h"

#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 64
#define PLACES_MAX 10

static const char *
say_key(const struct refresh_ca *ca, char key[KEY_SIZE])
{
	(void)snprintf(key, KEY_SIZE, "%s.%zu.cert", ca->want->hash, ca->nth);
	return key;
}

/* What is wrong with a certificate, said of its CA. */
static int
blame(struct refresh_ca *ca, const struct want_list *said, struct fault *f)
{
	for (size_t i = 0; i < said->count; i++)
		if (!want_list_has(&ca->errors, said->item[i]) &&
		    want_list_add(&ca->errors, said->item[i], f) < 0)
			return -1;
	return 0;
}

/* One that came with its description. */
static int
take_local(struct refresh_ca *ca, struct fault *f)
{
	struct want_list said = { 0 };
	struct fault why = { 0 };
	int result = 0;

	if (judge_cert(ca->want, &ca->run->world->rules, ca->want->cert, &said,
		&why) == 0)
		ca->cert = ca->want->cert;
	else
		result = blame(ca, &said, f);
	want_list_clear(&said);
	return result;
}

/*
 * One that is installed and is what the description asks for need not be
 * fetched again: its fingerprints say all that there is to say of it.
 */
static int
take_installed(struct refresh_ca *ca, struct fault *f)
{
	for (size_t i = 0; i < PLACES_MAX && ca->cert == NULL; i++) {
		OWN_BUF(text, ANCHOR_CERT_BODY_MAX);
		struct want_list said = { 0 }, notes = { 0 };
		struct fault why = { 0 };
		char name[32];
		int found;

		(void)snprintf(name, sizeof(name), "%s.%zu", ca->want->hash, i);
		found = refresh_installed(ca->run, name, &text, f);
		if (found < 0)
			return -1;
		if (found == 1 &&
		    judge_body(ca->want, &ca->run->world->rules,
			(struct wire_bytes){ text.data, text.len }, &said,
			&notes, &ca->cert, &why) == 0)
			ca->cert_owned = true;
		want_list_clear(&said);
		want_list_clear(&notes);
	}
	return 0;
}

static int
judge(void *arg, struct wire_bytes body, const char *url, struct fault *f)
{
	struct refresh_ca *ca = arg;
	struct want_list said = { 0 }, notes = { 0 };
	struct fault ignored = { 0 };
	struct cert *cert = NULL;
	int result;

	(void)url;
	result = judge_body(ca->want, &ca->run->world->rules, body, &said,
	    &notes, &cert, f);
	if (result == 0) {
		if (ca->cert_owned)
			cert_free(ca->cert);
		ca->cert = cert;
		ca->cert_owned = true;
		for (size_t i = 0; i < notes.count; i++)
			(void)!want_list_add(&ca->warnings, notes.item[i],
			    &ignored);
	} else {
		(void)!blame(ca, &said, &ignored);
	}
	want_list_clear(&said);
	want_list_clear(&notes);
	return result;
}

static void
done(void *arg, const struct fetch_result *result)
{
	struct refresh_ca *ca = arg;
	struct fault ignored = { 0 };

	if (ca->cert != NULL) {
		/* Another mirror's is as good: the pins are the same. */
		want_list_clear(&ca->errors);
		if (result->state == FETCH_CACHED && !ca->run->offline)
			(void)!want_say(&ca->warnings, &ignored,
			    "%s, using cached copy", result->fault.text);
		return;
	}
	if (ca->errors.count == 0)
		(void)!want_say(&ca->errors, &ignored, "%s",
		    result->fault.text);
}

static void
make_job(struct refresh_ca *ca, struct fetch_job *job, char key[KEY_SIZE])
{
	*job = (struct fetch_job){
		.urls = (const char *const *)ca->want->cert_urls.item,
		.url_count = ca->want->cert_urls.count,
		.key = say_key(ca, key),
		.max_bytes = ANCHOR_CERT_BODY_MAX,
		.unchecked = refresh_unchecked(ca->run, ca->want),
		.judge = judge,
		.done = done,
		.arg = ca,
	};
}

/* What is there already; false for *${fetch} if that does. */
static int
look_here(struct refresh_ca *ca, bool *fetch, struct fault *f)
{
	*fetch = false;
	if (ca->state != REFRESH_GOOD)
		return 0;
	if (ca->want->cert != NULL)
		return take_local(ca, f);
	if (!ca->run->force && take_installed(ca, f) < 0)
		return -1;
	if (ca->cert == NULL && ca->want->cert_urls.count == 0)
		return want_say(&ca->errors, f,
		    "No address of its certificate is known");
	*fetch = ca->cert == NULL;
	return 0;
}

static int
settle(struct refresh *r, struct fault *f)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];

		if (ca->state != REFRESH_GOOD || ca->cert != NULL)
			continue;
		/* Asked for anew, and none came: what is there may do. */
		if (r->force && ca->want->cert == NULL &&
		    take_installed(ca, f) < 0)
			return -1;
		if (ca->cert == NULL)
			ca->state = REFRESH_FAILED;
	}
	return 0;
}

int
refresh_certs(struct refresh *r, struct fault *f)
{
	struct fetch_job *jobs = calloc(r->count + 1, sizeof(*jobs));
	char(*keys)[KEY_SIZE] = calloc(r->count + 1, sizeof(*keys));
	size_t count = 0;
	int result = 0;

	if (jobs == NULL || keys == NULL)
		result = fault_set(f, FAULT_MEMORY, "jobs");
	for (size_t i = 0; result == 0 && i < r->count; i++) {
		bool fetch = false;

		result = look_here(&r->ca[i], &fetch, f);
		if (result == 0 && fetch) {
			make_job(&r->ca[i], &jobs[count], keys[count]);
			count++;
		}
	}
	if (result == 0)
		result = refresh_get(r, jobs, count, "certificates", f);
	free(jobs);
	free(keys);
	return result == 0 ? settle(r, f) : -1;
}
