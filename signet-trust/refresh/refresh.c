#include "refresh.h"

#include "anchor/anchor_source.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signet-trust/base/trust_args.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 30000
#define LEAST_RSA 2048
#define CLOCK_BACK_MOST 86400 /* seconds that a clock is set back */

/* Whether this run is about ${want}. */
static bool
concerns(const struct refresh *r, const struct anchor_want *want)
{
	if (!want->chosen || want->meta)
		return false;
	return want->wrong.count == 0 || !r->world->conf.ignore_bad_cadesc ||
	    want->hash[0] != '\0';
}

static int
copy_list(struct want_list *to, const struct want_list *from, struct fault *f)
{
	for (size_t i = 0; i < from->count; i++)
		if (want_list_add(to, from->item[i], f) < 0)
			return -1;
	return 0;
}

static int
open_ca(struct refresh *r, struct anchor_want *want, struct fault *f)
{
	struct refresh_ca *ca = &r->ca[r->count];

	*ca = (struct refresh_ca){ .run = r, .want = want };
	for (size_t i = 0; i < WANT_CRLS_MAX; i++)
		ca->crl[i].pem = BUF(REFRESH_PEM_MAX);
	ca->state = want->disabled  ? REFRESH_DISABLED
	    : want->wrong.count > 0 ? REFRESH_BROKEN
				    : REFRESH_GOOD;
	/* Several CAs may have one hash. */
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->ca[i].want->hash, want->hash) == 0) {
			ca->nth++;
			ca->crl[0].nth += r->ca[i].want->crls;
		}
	for (size_t i = 1; i < WANT_CRLS_MAX; i++)
		ca->crl[i].nth = ca->crl[i - 1].nth + 1;
	r->count++;
	if (want->disabled)
		return want_say(&ca->news, f, "CA is disabled");
	if (!r->world->conf.ignore_bad_cadesc &&
	    copy_list(&ca->errors, &want->wrong, f) < 0)
		return -1;
	return copy_list(&ca->news, &want->notes, f);
}

int
refresh_open(struct refresh *r, const struct trust_world *world, bool look,
    struct fault *f)
{
	const struct house_options options = {
		.file_mode = world->conf.file_mode,
		.owned = world->conf.owned,
		.uid = world->conf.uid,
		.gid = world->conf.gid,
		.keep = (unsigned)world->conf.generations,
		.look = look,
		.wait_ms = LOCK_WAIT_MS,
	};

	r->world = world;
	r->look = look;
	/* Who reads what we say, or a server, may go away: that is an error of
	 * write(2), and hooks are run all the same. */
	(void)signal(SIGPIPE, SIG_IGN);
	r->on_terminal = isatty(STDERR_FILENO) == 1;
	r->ca = calloc(world->set.count + 1, sizeof(*r->ca));
	if (r->ca == NULL)
		return fault_set(f, FAULT_MEMORY, "CAs");
	for (size_t i = 0; i < world->set.count; i++)
		if (concerns(r, world->set.item[i]) &&
		    open_ca(r, world->set.item[i], f) < 0)
			return -1;
	r->house = house_open(world->conf.target, &options, f);
	return r->house != NULL ? 0 : -1;
}

void
refresh_close(struct refresh *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];

		if (ca->cert_owned)
			cert_free(ca->cert);
		for (size_t k = 0; k < WANT_CRLS_MAX; k++)
			buf_free(&ca->crl[k].pem);
		want_list_clear(&ca->errors);
		want_list_clear(&ca->warnings);
		want_list_clear(&ca->news);
	}
	free(r->ca);
	want_list_clear(&r->changes);
	if (r->house != NULL)
		house_close(r->house);
	*r = (struct refresh){ 0 };
}

int
refresh_installed(struct refresh *r, const char *name, struct buf *text,
    struct fault *f)
{
	char path[PATH_MAX];
	struct fault why = { 0 };

	if (house_read(r->house, name, text, &why) == 0)
		return 1;
	if (why.code == FAULT_MEMORY) {
		*f = why;
		return -1;
	}
	buf_clear(text);
	/* What another program left there is as good, if it is good. */
	if (text_fmt(path, sizeof(path), "%s/%s", r->world->conf.target, name) <
		0 ||
	    file_read(path, text, &why) < 0)
		return 0;
	return 1;
}

static bool
is_key_used(const struct cert *cert)
{
	return cert->spki.kind != KEY_OTHER &&
	    (cert->spki.kind != KEY_RSA || cert->spki.size >= LEAST_RSA);
}

static int
warn_of_ends(struct refresh *r, struct fault *f)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];
		struct tm tm;
		char date[32];

		if (ca->state == REFRESH_GOOD && !is_key_used(ca->cert) &&
		    want_say(&ca->news, f,
			"Signet's verifier does not rely on its key: that is "
			"neither RSA of 2048 bits nor P-256 nor P-384") < 0)
			return -1;
		if (ca->state != REFRESH_GOOD ||
		    !judge_cert_ends_soon(&r->world->rules, ca->cert) ||
		    gmtime_r(&ca->cert->not_after, &tm) == NULL)
			continue;
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
		if (want_say(&ca->warnings, f, "Certificate will expire at %s",
			date) < 0)
			return -1;
	}
	return 0;
}

static bool
is_nameless(const struct refresh_ca *ca)
{
	return ca->state == REFRESH_BROKEN && ca->want->hash[0] == '\0' &&
	    ca->want->subject != NULL;
}

/* One whose certificate is not to be had: what is installed by its name. */
static int
recognise_one(const struct anchor_set *there, struct refresh_ca *ca,
    struct fault *f)
{
	const struct anchor_want *it =
	    anchor_set_find_subject(there, ca->want->subject);

	if (it == NULL || it->hash[0] == '\0')
		return 0;
	memcpy(ca->want->hash, it->hash, sizeof(it->hash));
	return want_say(&ca->news, f, "What is installed by its name stays");
}

/* What is there of a CA stays if its description cannot be used, also if the
 * hash cannot be found out: a file that was cut off empties no directory. */
static int
recognise(struct refresh *r, struct fault *f)
{
	struct anchor_set there = { 0 };
	struct fault why = { 0 };
	bool some = false;
	int result = 0;

	for (size_t i = 0; i < r->count; i++)
		some = some || is_nameless(&r->ca[i]);
	if (!some)
		return 0;
	(void)!source_directory(&there, r->world->conf.target, &why);
	for (size_t i = 0; result == 0 && i < r->count; i++)
		if (is_nameless(&r->ca[i]))
			result = recognise_one(&there, &r->ca[i], f);
	anchor_set_clear(&there);
	return result;
}

static void
note_made(void *arg, const struct house_generation *g)
{
	time_t *made = arg;

	if (g->current && g->ours)
		*made = g->made;
}

/* A machine that woke up in 1970 would find no certificate valid, and remove
 * them all. */
static int
check_clock(struct refresh *r, struct fault *f)
{
	time_t made = 0;
	char then[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

	if (house_generations(r->house, note_made, &made, f) < 0)
		return -1;
	if (made <= r->world->rules.now + CLOCK_BACK_MOST)
		return 0;
	clock_text(made, then);
	clock_text(r->world->rules.now, now);
	return fault_set(f, FAULT_SYSTEM,
	    "the clock is wrong: it says %s, and %s was changed at %s", now,
	    r->world->conf.target, then);
}

int
refresh_run(struct refresh *r, struct fault *f)
{
	if (check_clock(r, f) < 0 || recognise(r, f) < 0 ||
	    refresh_certs(r, f) < 0 || refresh_crls(r, f) < 0 ||
	    refresh_chain(r, f) < 0 || refresh_files(r, f) < 0 ||
	    warn_of_ends(r, f) < 0)
		return -1;
	if (r->look)
		return 0;
	return house_commit(r->house, &r->changed, f);
}

size_t
refresh_failed(const struct refresh *r)
{
	size_t failed = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->ca[i].errors.count > 0 ||
		    r->ca[i].state == REFRESH_FAILED)
			failed++;
	return failed;
}

int
refresh_status(const struct refresh *r)
{
	size_t failed = refresh_failed(r);

	if (failed == 0)
		return 0;
	return fault_exit_status(failed == r->count ? FAULT_FAILED
						    : FAULT_PARTLY);
}

int
refresh_after(struct refresh *r, bool metrics, struct fault *f)
{
	const char *path = r->world->conf.metrics;
	struct fault second = { 0 };
	int result = 0;

	if (metrics && *path != '\0')
		result = refresh_metrics(r, path, f);
	house_close(r->house);
	r->house = NULL;
	if (refresh_hooks(r, result < 0 ? &second : f) < 0)
		result = -1;
	return result;
}

int
refresh_complain(const struct refresh *r, struct fault *f)
{
	text_clean(f->text);
	fprintf(stderr, "%s: %s\n",
	    r->world->old ? "gx-ca-update" : "signet-trust", f->text);
	return fault_exit_status(f->code);
}

/* Only the CAs that are named, if any are. */
static int
narrow(struct refresh *r, struct trust_world *w, const struct trust_args *args,
    struct fault *f)
{
	struct want_list names = { 0 };
	int result = 0;

	/* The settings alone say what there is to be in all. */
	r->only = args->count > 0 || args->ca.count > 0 ||
	    args->ca_list != NULL || args->profile.count > 0;
	for (size_t i = 0; args->count > 0 && i < w->set.count; i++)
		w->set.item[i]->chosen = false;
	for (size_t i = 0; result == 0 && i < args->count; i++)
		result = trust_names(&names, args->operand[i], f);
	if (result == 0)
		result = trust_choose_names(w, &names, f);
	if (result == 0 && r->only)
		result = trust_choose_siblings(w, f);
	want_list_clear(&names);
	return result;
}

/* Some servers are asked by thousands of sites at the same minute. */
static void
wait_some(const struct refresh *r)
{
	uint64_t most = (uint64_t)r->world->conf.random_wait, chance = 0;

	if (most == 0 || r->on_terminal || r->offline || r->look)
		return;
	(void)!getentropy(&chance, sizeof(chance));
	(void)sleep((unsigned)(chance % most));
}

static int
run_and_tell(struct refresh *r, const struct trust_args *args, struct fault *f)
{
	int result = 0;

	if (refresh_run(r, f) < 0)
		return -1;
	if (!args->json)
		refresh_tell(r, args->verbose || r->look, args->quiet);
	if (!r->look)
		result = refresh_after(r, true, f);
	if (!args->json)
		return result < 0 ? -1 : refresh_status(r);
	refresh_json(r, result < 0 ? f : NULL, stdout);
	return result < 0 ? refresh_complain(r, f) : refresh_status(r);
}

static int
refresh_or_look(const struct trust_args *args, bool look, struct fault *f)
{
	struct trust_world world = { 0 };
	struct refresh r = { .force = args->force, .offline = args->offline };
	int result = trust_world_open(&world, args, f);

	if (result == 0)
		result = narrow(&r, &world, args, f);
	r.world = &world;
	r.look = look;
	if (result == 0)
		wait_some(&r);
	if (result == 0)
		result = refresh_open(&r, &world, look, f);
	if (result == 0)
		result = run_and_tell(&r, args, f);
	refresh_close(&r);
	trust_world_close(&world);
	return result;
}

int
trust_refresh(const struct trust_args *args, struct fault *f)
{
	return refresh_or_look(args, false, f);
}

int
trust_diff(const struct trust_args *args, struct fault *f)
{
	return refresh_or_look(args, true, f);
}
