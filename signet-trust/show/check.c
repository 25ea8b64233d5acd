/* What is installed, looked at without asking anyone. */
#include "base/fault.h"
#include "base/text.h"
#include "signet-trust/base/trust_args.h"
#include "signet-trust/refresh/refresh.h"
#include "x509/dn.h"

#include <stdio.h>
#include <string.h>

/* The exit statuses that Nagios knows. */
enum nagios {
	NAGIOS_OK,
	NAGIOS_WARNING,
	NAGIOS_CRITICAL,
	NAGIOS_UNKNOWN
};

/* A change that a refresh would make is a fault here: something is not as it
 * should be. */
static bool
counts(const char *change)
{
	return !text_starts(change, house_what_word(HOUSE_FOREIGN)) &&
	    !text_starts(change, house_what_word(HOUSE_ADOPTED));
}

/* What is amiss, by the word for what refresh would do of it. */
static const char *
amiss(const char *change)
{
	static const char *const ways[][2] = { { "added", "is missing" },
		{ "changed", "is not what it should be now" },
		{ "removed", "is not wanted any more" },
		{ "repaired", "was changed or removed by somebody" },
		{ "mode-repaired", "has another mode or owner" },
		{ "replaced", "is somebody else's and not what it should be" },
		{ "list-damaged", "cannot be read" } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (text_starts(change, ways[i][0]))
			return ways[i][1];
	return "is not as it should be";
}

static size_t
drift(const struct refresh *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->changes.count; i++)
		count += counts(r->changes.item[i]);
	return count;
}

static size_t
warned(const struct refresh *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->ca[i].warnings.count > 0;
	return count;
}

/* The first thing that is not well, in one line. */
static void
print_first(const struct refresh *r, bool errors)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct refresh_ca *ca = &r->ca[i];
		const struct want_list *list =
		    errors ? &ca->errors : &ca->warnings;
		char text[200];

		if (list->count == 0)
			continue;
		(void)snprintf(text, sizeof(text), "; %s: %s", ca->want->alias,
		    list->item[0]);
		text_clean(text);
		/* The bar begins the figures. */
		for (char *at = text; *at != '\0'; at++)
			if (*at == '|')
				*at = '/';
		fputs(text, stdout);
		return;
	}
}

static int
nagios(const struct refresh *r)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL" };
	size_t failed = refresh_failed(r), warnings = warned(r),
	       changed = drift(r);
	enum nagios status = failed > 0 || changed > 0 ? NAGIOS_CRITICAL
	    : warnings > 0			       ? NAGIOS_WARNING
						       : NAGIOS_OK;

	printf("SIGNET-TRUST %s - %zu CAs, %zu failed, %zu with warnings, %zu "
	       "files not as they should be",
	    words[status], r->count, failed, warnings, changed);
	if (status != NAGIOS_OK)
		print_first(r, failed > 0);
	printf(" | cas=%zu failed=%zu warnings=%zu files=%zu\n", r->count,
	    failed, warnings, changed);
	return (int)status;
}

static int
tell(struct refresh *r, const struct trust_args *args, struct fault *f)
{
	int status = refresh_status(r);

	if (*r->world->conf.metrics != '\0' && args->metrics != NULL &&
	    refresh_metrics(r, r->world->conf.metrics, f) < 0)
		return -1;
	if (args->nagios)
		return nagios(r);
	if (args->json)
		refresh_json(r, NULL, stdout);
	else
		refresh_tell(r, false, args->quiet);
	for (size_t i = 0; !args->json && i < r->changes.count; i++)
		if (counts(r->changes.item[i]))
			fprintf(stderr, "signet-trust: %s %s\n",
			    strchr(r->changes.item[i], ' ') + 1,
			    amiss(r->changes.item[i]));
	return status == 0 && drift(r) > 0 ? fault_exit_status(FAULT_PARTLY)
					   : status;
}

/* What a file ${ending} beside a CA's certificate does; NULL: nothing. */
static const char *
effect(const char *ending)
{
	static const char *const ways[][2] = {
		{ "crl_optional",
		    "has the CA trusted without a revocation list" },
		{ "namespaces", "changes whom it may sign" },
		{ "signing_policy", "changes whom it may sign" }
	};
	const char *number = ending + (*ending == 'r');

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ending, ways[i][0]) == 0)
			return ways[i][1];
	if (*number == '\0' || number[strspn(number, "0123456789")] != '\0')
		return NULL;
	return *ending == 'r' ? "is another revocation list of its name"
			      : "is another certificate trusted by its name";
}

/* The installed CA that the file ${name} is read for, by either hash. */
static struct refresh_ca *
find_ca(const struct refresh *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];
		struct fault why = { 0 };
		char old[9];

		if (ca->state != REFRESH_GOOD || ca->cert == NULL)
			continue;
		if (strncmp(name, ca->want->hash, 8) == 0 ||
		    (dn_hash_old(&ca->cert->subject, old, &why) == 0 &&
			strncmp(name, old, 8) == 0))
			return ca;
	}
	return NULL;
}

/* Files of others stay, but some of them change what a CA of ours may do. */
static int
warn_of_others(const struct refresh *r, struct fault *f)
{
	for (size_t i = 0; i < r->changes.count; i++) {
		const char *change = r->changes.item[i];
		const char *name = strchr(change, ' '), *does;
		struct refresh_ca *ca;

		if (!text_starts(change, house_what_word(HOUSE_FOREIGN)) ||
		    name == NULL || strlen(++name) < 10 || name[8] != '.' ||
		    (does = effect(name + 9)) == NULL ||
		    (ca = find_ca(r, name)) == NULL)
			continue;
		if (want_say(&ca->warnings, f,
			"%s is not ours and %s: remove it, or describe it",
			name, does) < 0)
			return -1;
	}
	return 0;
}

static int
check(struct trust_world *w, const struct trust_args *args, struct fault *f)
{
	struct refresh r = { .offline = true };
	int result = trust_world_open(w, args, f);

	if (result == 0)
		result = refresh_open(&r, w, true, f);
	if (result == 0)
		result = refresh_run(&r, f);
	if (result == 0)
		result = warn_of_others(&r, f);
	if (result == 0)
		result = tell(&r, args, f);
	refresh_close(&r);
	return result;
}

int
trust_check(const struct trust_args *args, struct fault *f)
{
	struct trust_world w = { 0 };
	int result = check(&w, args, f);

	trust_world_close(&w);
	if (result >= 0 || !args->nagios)
		return result;
	text_clean(f->text);
	printf("SIGNET-TRUST UNKNOWN - %s\n", f->text);
	return NAGIOS_UNKNOWN;
}
