#include "map/map_request.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"

#include <string.h>

#define NEEDS_NAME 1u
#define NEEDS_ACCOUNT 2u
#define NEEDS_BOTH (NEEDS_NAME | NEEDS_ACCOUNT)

static const struct {
	const char *word;
	char sign;
	unsigned needs;
} verbs[MAP_REQUEST_VERBS] = {
#define VERB(NAME, word, sign, needs, doc) { word, sign, needs },
#include "map/map_request_verb.def"
#undef VERB
};

const char *
map_request_word(enum map_request_verb verb)
{
	return verbs[verb].word;
}

bool
map_request_account_good(const char *account)
{
	size_t len = strlen(account);

	return len > 0 && len < MAP_REQUEST_ACCOUNT_SIZE &&
	    strspn(account,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-") == len &&
	    account[0] != '-' && account[0] != '.' &&
	    strcmp(account, "root") != 0;
}

bool
map_request_name_good(const char *name)
{
	return name[0] == '/' && strlen(name) < MAP_REQUEST_NAME_SIZE &&
	    strchr(name, '=') != NULL && text_printable(name) &&
	    strchr(name, '"') == NULL;
}

static const char *
service_of(enum map_request_verb verb)
{
	return verbs[verb].sign == '*' ? MAP_REQUEST_DESK : MAP_REQUEST_SERVICE;
}

static bool
good_id(const char *id)
{
	return strlen(id) == MAP_REQUEST_ID_SIZE - 1 &&
	    strspn(id, "0123456789abcdef") == MAP_REQUEST_ID_SIZE - 1;
}

void
map_request_entry(const struct map_request *r, struct map_book_entry *e)
{
	*e = (struct map_book_entry){ .when = r->when,
		.sign = verbs[r->verb].sign,
		.service = service_of(r->verb),
		.account = r->account,
		.rule = verbs[r->verb].word,
		.source = r->by,
		.entry = r->id,
		.name = r->name,
		.reason = r->reason };
}

static int
check(const struct map_request *r, struct fault *f)
{
	unsigned needs = verbs[r->verb].needs;

	if (!good_id(r->id))
		return fault_set(f, FAULT_INPUT, "no number of a request");
	if ((needs & NEEDS_NAME) == 0 ? *r->name != '\0'
				      : !map_request_name_good(r->name))
		return fault_set(f, FAULT_INPUT, "%s: no fit name",
		    verbs[r->verb].word);
	if ((needs & NEEDS_ACCOUNT) == 0
		? *r->account != '\0'
		: !map_request_account_good(r->account))
		return fault_set(f, FAULT_INPUT, "%s: no fit account",
		    verbs[r->verb].word);
	return 0;
}

int
map_request_of(const struct map_book_entry *e, struct map_request *r,
    struct fault *f)
{
	for (unsigned i = 0; i < MAP_REQUEST_VERBS; i++) {
		struct map_request got = { .verb = (enum map_request_verb)i,
			.when = e->when,
			.id = e->entry,
			.account = e->account,
			.name = e->name,
			.by = e->source,
			.reason = e->reason };

		if (strcmp(e->rule, verbs[i].word) != 0)
			continue;
		if (e->sign != verbs[i].sign)
			return fault_set(f, FAULT_INPUT, "%s with the sign %c",
			    verbs[i].word, e->sign);
		if (strcmp(e->service, service_of(got.verb)) != 0)
			return fault_set(f, FAULT_INPUT,
			    "%s of another service", verbs[i].word);
		if (check(&got, f) < 0)
			return -1;
		*r = got;
		return 0;
	}
	return fault_set(f, FAULT_INPUT, "no word of a request");
}

struct walk {
	const char *path;
	map_request_fn *fn;
	void *arg;
	size_t line;
	struct fault *f;
};

static int
step(void *arg, const struct map_book_entry *e)
{
	struct walk *w = arg;
	struct map_request r;

	w->line++;
	if (map_request_of(e, &r, w->f) < 0)
		return fault_wrap(w->f, "%s:%zu", w->path, w->line);
	return w->fn(w->arg, &r, w->line, w->f);
}

int
map_request_each(const char *path, map_request_fn *fn, void *arg,
    struct fault *f)
{
	struct walk w = { path, fn, arg, 0, f };
	struct map_book_filter all = { 0 };
	struct map_book_sum sum;

	if (map_book_check(path, &sum, f) < 0)
		return -1;
	return map_book_each(path, &all, step, &w, f);
}
