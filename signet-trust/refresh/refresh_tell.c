/* What came of it, for people. */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Descriptions and servers may have put any bytes there. */
static void
print(FILE *out, const char *before, const char *text)
{
	OWN(char) copy = strdup(text);

	if (copy == NULL)
		return;
	text_clean(copy);
	fprintf(out, "%s%s\n", before, copy);
}

static const char *
program(const struct refresh *r)
{
	return r->world->old ? "gx-ca-update" : "signet-trust";
}

/* Words for what the house does, as gx-ca-update had them. */
static void
print_change(const struct refresh *r, const char *change)
{
	static const struct {
		const char *word, *say;
	} words[] = { { "added", "Installing" }, { "changed", "Installing" },
		{ "removed", "Removing" }, { "repaired", "Repairing" } };
	const char *name = strchr(change, ' ');
	size_t len = name != NULL ? (size_t)(name - change) : 0;

	for (size_t i = 0; name != NULL && i < sizeof(words) / sizeof(words[0]);
	     i++)
		if (strlen(words[i].word) == len &&
		    strncmp(words[i].word, change, len) == 0) {
			printf("%s %s/%s\n", words[i].say,
			    r->world->conf.target, name + 1);
			return;
		}
	print(stdout, "", change);
}

static bool
is_of(const char *change, const char *hash)
{
	const char *name = strchr(change, ' ');

	return name != NULL && *hash != '\0' && text_starts(name + 1, hash);
}

static void
tell_ca(const struct refresh *r, const struct refresh_ca *ca)
{
	const struct anchor_want *want = ca->want;
	char head[64];

	(void)snprintf(head, sizeof(head), "Processing %s ",
	    want->hash[0] != '\0' ? want->hash : "?");
	print(stdout, head, want->title != NULL ? want->title : want->alias);
	for (size_t i = 0; i < r->changes.count; i++)
		if (is_of(r->changes.item[i], want->hash))
			print_change(r, r->changes.item[i]);
	for (size_t i = 0; i < ca->news.count; i++)
		print(stdout, "", ca->news.item[i]);
	for (size_t i = 0; i < ca->warnings.count; i++)
		print(stdout, "", ca->warnings.item[i]);
	for (size_t i = 0; i < ca->errors.count; i++)
		print(stdout, ">>> ", ca->errors.item[i]);
	printf("\n");
}

/* What is of no CA that was looked at. */
static void
tell_rest(const struct refresh *r)
{
	for (size_t i = 0; i < r->changes.count; i++) {
		bool told = false;

		for (size_t k = 0; k < r->count && !told; k++)
			told = is_of(r->changes.item[i], r->ca[k].want->hash);
		if (!told)
			print_change(r, r->changes.item[i]);
	}
}

/* The journal gets what it can be searched by. */
static void
log_all(const struct refresh *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct refresh_ca *ca = &r->ca[i];

		for (size_t k = 0; k < ca->errors.count; k++)
			LOG(TRUST_FAILED, LOG_TEXT("hash", ca->want->hash),
			    LOG_TEXT("ca", ca->want->alias),
			    LOG_TEXT("text", ca->errors.item[k]));
		for (size_t k = 0; k < ca->warnings.count; k++)
			LOG(TRUST_WARNED, LOG_TEXT("hash", ca->want->hash),
			    LOG_TEXT("ca", ca->want->alias),
			    LOG_TEXT("text", ca->warnings.item[k]));
	}
	if (r->changed && !r->look)
		LOG(TRUST_CHANGED, LOG_TEXT("dir", r->world->conf.target),
		    LOG_NUMBER("files", r->changes.count),
		    LOG_NUMBER("cas", r->count));
}

static void
complain(const struct refresh *r, bool quiet)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct refresh_ca *ca = &r->ca[i];
		const char *name =
		    ca->want->alias != NULL ? ca->want->alias : "?";
		char head[192];

		(void)snprintf(head, sizeof(head), "%s: %s%s%s: ", program(r),
		    ca->want->hash, ca->want->hash[0] != '\0' ? " " : "", name);
		text_clean(head);
		for (size_t k = 0; k < ca->errors.count; k++)
			print(stderr, head, ca->errors.item[k]);
		for (size_t k = 0; !quiet && k < ca->warnings.count; k++)
			print(stderr, head, ca->warnings.item[k]);
	}
}

void
refresh_tell(const struct refresh *r, bool verbose, bool quiet)
{
	size_t failed = refresh_failed(r);

	if (verbose) {
		for (size_t i = 0; i < r->count; i++)
			tell_ca(r, &r->ca[i]);
		tell_rest(r);
	} else if (getenv("JOURNAL_STREAM") != NULL) {
		log_open(program(r), 7);
		log_all(r);
	} else {
		complain(r, quiet);
	}
	if (failed > 0)
		fprintf(stderr, "%s: %zu of %zu CA%s failed\n", program(r),
		    failed, r->count, r->count == 1 ? "" : "s");
	if (r->on_terminal && !quiet)
		fprintf(stderr, "%s: %zu CA%s looked at, %zu file%s %s\n",
		    program(r), r->count, r->count == 1 ? "" : "s",
		    r->changes.count, r->changes.count == 1 ? "" : "s",
		    r->look	     ? "would change"
			: r->changed ? "to be seen to"
				     : "as they were");
}
