/* `map` and `splice` blocks. */
#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule_accounts.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int
read_account(struct maprule *r, const struct maprule_setting *set,
    const char **account, struct fault *f)
{
	static const char *const known[] = { "personal", "group", "pool" };
	const char *name = set->words.count > 1 ? set->words.word[1] : "";
	char text[MAPRULE_WORD_MAX + 2];
	int which;

	if ((which = maprule_one_of("kind of account", set->words.word[0],
		 known, COUNT_OF(known), f)) < 0)
		return -1;
	if ((which == 0) != (*name == '\0'))
		return fault_set(f, FAULT_CONFIG,
		    which == 0 ? "account personal has no name"
			       : "account %s needs a name",
		    known[which]);
	*account = MAPRULE_PERSONAL;
	if (which == 0)
		return 0;
	if (!maprule_account_good(name))
		return fault_set(f, FAULT_CONFIG, "no account: \"%.64s\"",
		    name);
	if (which == 1 && maprule_account_root(name))
		return fault_set(f, FAULT_CONFIG, "nobody is mapped to root");
	if (text_fmt(text, sizeof(text), "%c%s", which == 1 ? '=' : '.', name) <
	    0)
		return fault_set(f, FAULT_INTERNAL, "a long account");
	*account = maprule_take_text(&r->text.arena, text, strlen(text), f);
	return *account == NULL ? -1 : 0;
}

static int
read_accounts(struct maprule *r, const struct maprule_block *b,
    struct maprule_rule *rule, struct fault *f)
{
	static const char *const personal[] = { MAPRULE_PERSONAL };
	const struct maprule_setting *set;
	const char **word;
	size_t at = 0;

	word = maprule_take(&r->text.arena, (b->count + 1) * sizeof(*word), f);
	if (word == NULL)
		return -1;
	rule->accounts.word = word;
	while ((set = maprule_text_next(b, "account", &at)) != NULL)
		if (read_account(r, set, &word[rule->accounts.count++], f) < 0)
			return -1;
	if (rule->accounts.count == 0)
		rule->accounts = (struct maprule_words){ 1, personal };
	return 0;
}

static const struct maprule_source *
find_source(const struct maprule *r, const char *name, struct fault *f)
{
	const char **known;

	for (size_t i = 0; i < r->source_count; i++)
		if (strcmp(r->sources[i].name, name) == 0)
			return &r->sources[i];
	known = calloc(r->source_count + 1, sizeof(*known));
	for (size_t i = 0; known != NULL && i < r->source_count; i++)
		known[i] = r->sources[i].name;
	(void)maprule_unknown("source", name, known,
	    known == NULL ? 0 : r->source_count, f);
	free(known);
	return NULL;
}

static int
check_sources(const struct maprule *r, struct maprule_rule *rule,
    struct fault *f)
{
	if (rule->splice && rule->from.count == 0)
		return fault_set(f, FAULT_CONFIG,
		    "splice %s does not say from which file", rule->label);
	for (size_t i = 0; i < rule->from.count; i++) {
		const struct maprule_source *s =
		    find_source(r, rule->from.word[i], f);

		if (s == NULL)
			return fault_wrap(f, "from");
		if (rule->splice && strcmp(s->kind, "file") != 0 &&
		    strcmp(s->kind, "requests") != 0)
			return fault_set(f, FAULT_CONFIG,
			    "splice %s: source %s is no file, but of kind %s: "
			    "its people need a map",
			    rule->label, s->name, s->kind);
	}
	return 0;
}

static int
check_patterns(const struct maprule_words *names, struct fault *f)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->word[i][0] != '/' && names->word[i][0] != '*')
			return fault_set(f, FAULT_CONFIG,
			    "a pattern of names begins with / or *, not "
			    "\"%.64s\"",
			    names->word[i]);
	return 0;
}

static int
read_lists(struct maprule *r, const struct maprule_block *b,
    struct maprule_rule *rule, struct fault *f)
{
	const struct {
		const char *keyword;
		struct maprule_words *words;
	} lists[] = { { "hosts", &rule->hosts },
		{ "services", &rule->services }, { "from", &rule->from },
		{ "groups", &rule->groups },
		{ "not-groups", &rule->not_groups },
		{ "people", &rule->people }, { "names", &rule->names },
		{ "not-names", &rule->not_names } };

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		if (maprule_text_words(&r->text, b, lists[i].keyword,
			lists[i].words, f) < 0)
			return -1;
	if (maprule_hosts_check(&rule->hosts, f) < 0 ||
	    check_patterns(&rule->names, f) < 0 ||
	    check_patterns(&rule->not_names, f) < 0)
		return -1;
	return check_sources(r, rule, f);
}

static int
read_words(const struct maprule_block *b, struct maprule_rule *rule,
    struct fault *f)
{
	static const char *const known[] = { "after", "before" };
	const struct maprule_setting *set;
	size_t at = 0;
	int which;

	if ((set = maprule_text_next(b, "priority", &at)) != NULL) {
		if ((which = maprule_one_of("priority", set->words.word[0],
			 known, COUNT_OF(known), f)) < 0)
			return -1;
		rule->before = which == 1;
	}
	at = 0;
	if ((set = maprule_text_next(b, "until", &at)) != NULL &&
	    maprule_time_read(set->words.word[0], &rule->until, f) < 0)
		return fault_wrap(f, "until");
	return 0;
}

int
maprule_rule_read(struct maprule *r, const struct maprule_block *b,
    struct fault *f)
{
	struct maprule_rule *rule = &r->rules[r->rule_count];

	*rule = (struct maprule_rule){ .label = b->head.word[0],
		.splice = b->kind == MAPRULE_BLOCK_SPLICE,
		.line = b->line };
	if (maprule_label_check(rule->label, f) < 0)
		return -1;
	for (size_t i = 0; i < r->rule_count; i++)
		if (strcmp(r->rules[i].label, rule->label) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "a rule %s is there already, on line %d",
			    rule->label, r->rules[i].line);
	if (read_lists(r, b, rule, f) < 0 || read_words(b, rule, f) < 0 ||
	    read_accounts(r, b, rule, f) < 0)
		return -1;
	r->rule_count++;
	return 0;
}

/* Splices before, maps, splices behind; within each as the file has them. */
static unsigned
rank(const struct maprule_rule *rule)
{
	return !rule->splice ? 1 : rule->before ? 0 : 2;
}

int
maprule_rule_order(const void *a, const void *b)
{
	const struct maprule_rule *x = a, *y = b;

	if (rank(x) != rank(y))
		return rank(x) < rank(y) ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* A word in `services` that no service fits is a slip of the pen. */
int
maprule_rule_services(const struct maprule *r, const struct maprule_rule *rule,
    struct fault *f)
{
	for (size_t i = 0; i < rule->services.count; i++) {
		const char *word = rule->services.word[i];
		const char **known;
		bool found = false;

		for (size_t j = 0; j < r->service_count; j++)
			found = found ||
			    maprule_glob(word, r->services[j].said.name);
		if (found)
			continue;
		known = calloc(r->service_count + 1, sizeof(*known));
		for (size_t j = 0; known != NULL && j < r->service_count; j++)
			known[j] = r->services[j].said.name;
		(void)maprule_unknown("service", word, known,
		    known == NULL ? 0 : r->service_count, f);
		free(known);
		return fault_wrap(f, "%s%s%d: services", r->path,
		    *r->path != '\0' ? ":" : "line ", rule->line);
	}
	return 0;
}
