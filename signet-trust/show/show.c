/* What is described, and why something is there or not. */
#include "anchor/span_text.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "signet-trust/base/trust_args.h"
#include "signet-trust/refresh/refresh.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const froms[] = { "cadesc", "igtf", "plain" };
static const char *const pins[WANT_PINS] = { "MD5", "SHA1", "SHA256",
	"SHA384" };

static const char *
state_of(const struct anchor_want *want)
{
	if (want->wrong.count > 0)
		return "broken";
	if (want->disabled)
		return "disabled";
	return want->chosen ? "wanted" : "not chosen";
}

static json_t *
text_of(const char *text)
{
	OWN(char) copy = text != NULL ? strdup(text) : NULL;

	if (copy == NULL)
		return json_null();
	text_clean(copy);
	return json_string(copy);
}

static json_t *
list_of(const struct want_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, text_of(list->item[i]));
	return array;
}

static json_t *
want_json(const struct anchor_want *want)
{
	json_t *crls = json_array(), *prints = json_object();

	for (size_t i = 0; i < want->crls; i++)
		(void)json_array_append_new(crls, list_of(&want->crl[i].urls));
	for (size_t i = 0; i < WANT_PINS; i++)
		if (want->pin[i] != NULL)
			(void)json_object_set_new(prints, pins[i],
			    text_of(want->pin[i]));
	return json_pack("{s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,"
			 "s:b,s:o,s:o}",
	    "hash", want->hash, "alias", text_of(want->alias), "title",
	    text_of(want->title), "state", state_of(want), "from",
	    froms[want->from], "described_by", text_of(want->file), "subject",
	    text_of(want->subject), "status", text_of(want->status),
	    "fingerprints", prints, "certificate_urls",
	    list_of(&want->cert_urls), "crl_urls", crls, "may_sign",
	    list_of(&want->may_sign), "allow_missing_crl",
	    want->allow_missing_crl, "wrong", list_of(&want->wrong), "notes",
	    list_of(&want->notes));
}

static void
dump(json_t *value)
{
	if (value == NULL)
		return;
	(void)json_dumpf(value, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(value);
}

static void
print(const char *key, const char *value)
{
	OWN(char) copy = value != NULL ? strdup(value) : NULL;

	if (copy == NULL)
		return;
	text_clean(copy);
	printf("%-14s %s\n", key, copy);
}

static void
print_list(const char *key, const struct want_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		print(key, list->item[i]);
}

static bool
listed(const struct anchor_want *want, bool all)
{
	return !want->meta && (all || want->chosen);
}

int
trust_list(const struct trust_args *args, struct fault *f)
{
	struct trust_world w = { 0 };
	json_t *array = args->json ? json_array() : NULL;
	int result = trust_world_open(&w, args, f);

	for (size_t i = 0; result == 0 && i < w.set.count; i++) {
		const struct anchor_want *want = w.set.item[i];
		OWN(char) title = strdup(want->title != NULL ? want->title
			: want->subject != NULL		     ? want->subject
							     : "");

		if (!listed(want, args->all) || title == NULL)
			continue;
		text_clean(title);
		if (array != NULL)
			(void)json_array_append_new(array, want_json(want));
		else
			printf("%-8s %-10s %-28s %s\n",
			    want->hash[0] != '\0' ? want->hash : "?",
			    state_of(want), want->alias, title);
	}
	if (result == 0 && array != NULL)
		dump(json_incref(array));
	json_decref(array);
	trust_world_close(&w);
	return result;
}

/* The one that is asked for. */
static int
find(struct trust_world *w, const char *name, struct anchor_want **want,
    struct fault *f)
{
	*want = anchor_set_find(&w->set, name);
	if (*want != NULL)
		return 0;
	return fault_set(f, FAULT_ABSENT,
	    "no description of a CA has the hash or name %s: see signet-trust "
	    "list --all",
	    name);
}

static void
show(const struct anchor_want *want)
{
	print("hash", want->hash);
	print("name", want->alias);
	print("title", want->title);
	print("state", state_of(want));
	print("described by", want->file);
	print("subject", want->subject);
	if (want->issuer != NULL)
		print("signed by",
		    *want->issuer == '\0' ? "itself" : want->issuer);
	print("status", want->status);
	print("version", want->version);
	for (size_t i = 0; i < WANT_PINS; i++)
		print(pins[i], want->pin[i]);
	print_list("certificate", &want->cert_urls);
	for (size_t i = 0; i < want->crls; i++)
		print_list("CRL", &want->crl[i].urls);
	if (want->allow_missing_crl)
		print("CRL", "may be missing");
	print_list("may sign", &want->may_sign);
	print_list("requires", &want->requires);
	print("page", want->page);
	print("contact", want->contact);
	print_list("note", &want->notes);
	print_list("wrong", &want->wrong);
}

/* What is installed of it, as a run without asking anyone finds it. */
static int
show_installed(struct trust_world *w, const struct anchor_want *want,
    struct fault *f)
{
	struct refresh r = { .offline = true };
	char when[MOMENT_TEXT_SIZE];
	int result = refresh_open(&r, w, true, f);

	if (result == 0)
		result = refresh_run(&r, f);
	for (size_t i = 0; result == 0 && i < r.count; i++) {
		const struct refresh_ca *ca = &r.ca[i];

		if (ca->want != want)
			continue;
		if (ca->cert != NULL) {
			moment_text(ca->cert->not_after, w->rules.now, when);
			print("ends", when);
		}
		for (size_t k = 0; k < want->crls; k++) {
			if (!ca->crl[k].have)
				continue;
			moment_text(ca->crl[k].next_update, w->rules.now, when);
			print("CRL ends", when);
		}
		print_list("warning", &ca->warnings);
		print_list("fault", &ca->errors);
	}
	refresh_close(&r);
	return result;
}

int
trust_show(const struct trust_args *args, struct fault *f)
{
	struct trust_world w = { 0 };
	struct anchor_want *want;
	int result = trust_world_open(&w, args, f);

	if (result == 0)
		result = find(&w, args->operand[0], &want, f);
	if (result == 0 && args->json) {
		dump(want_json(want));
	} else if (result == 0) {
		show(want);
		if (want->chosen && !want->disabled)
			result = show_installed(&w, want, f);
	}
	trust_world_close(&w);
	return result;
}

/* Whether refresh would do ${what} to the certificate ${place} of ${want}; any
 * of its hash if ${place} is negative. */
static bool
would(const struct refresh *r, enum house_what what,
    const struct anchor_want *want, int place)
{
	char change[64];

	for (int i = place < 0 ? 0 : place; i <= (place < 0 ? 9 : place); i++) {
		(void)snprintf(change, sizeof(change), "%s %s.%d",
		    house_what_word(what), want->hash, i);
		if (want_list_has(&r->changes, change))
			return true;
	}
	return false;
}

/* What is, and what refresh would make of it. */
static const char *
verdict(const struct refresh *r, const struct refresh_ca *ca,
    const struct anchor_want *want)
{
	if (ca != NULL && ca->state == REFRESH_GOOD)
		return would(r, HOUSE_NEW, want, (int)ca->place)
		    ? "not installed yet: refresh installs it"
		    : "installed";
	if (ca != NULL && ca->state == REFRESH_BROKEN)
		return "what is there stays";
	return would(r, HOUSE_GONE, want, -1)
	    ? "installed still: refresh removes it"
	    : "not installed";
}

/* What a run without asking anyone comes to. */
static int
why_installed(struct trust_world *w, const struct anchor_want *want,
    struct fault *f)
{
	struct refresh r = { .offline = true };
	const struct refresh_ca *ca = NULL;
	int result = refresh_open(&r, w, true, f);

	if (result == 0)
		result = refresh_run(&r, f);
	for (size_t i = 0; result == 0 && i < r.count; i++)
		if (r.ca[i].want == want)
			ca = &r.ca[i];
	if (ca != NULL && ca->state != REFRESH_DISABLED) {
		if (ca->cert != NULL)
			print("certificate", "good: it is as described");
		print_list("note", &ca->news);
		print_list("warning", &ca->warnings);
		print_list("fault", &ca->errors);
	}
	if (result == 0) {
		print("verdict", verdict(&r, ca, want));
		result = ca != NULL && ca->state == REFRESH_GOOD ? 0 : 1;
	}
	refresh_close(&r);
	return result;
}

int
trust_why(const struct trust_args *args, struct fault *f)
{
	struct trust_world w = { 0 };
	struct anchor_want *want = NULL;
	int result = trust_world_open(&w, args, f);

	if (result == 0)
		result = find(&w, args->operand[0], &want, f);
	if (result < 0 || want == NULL) {
		trust_world_close(&w);
		return -1;
	}
	print("name", want->alias);
	print("described by", want->file);
	print_list("note", &want->notes);
	print_list("wrong", &want->wrong);
	print("chosen",
	    !want->chosen ? "no: neither ca, ca-list nor profile names it"
		: want->disabled ? "yes, but it is disabled"
				 : "yes");
	result = why_installed(&w, want, f);
	trust_world_close(&w);
	return result;
}
