#include "maprule/maprule.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "maprule/maprule_accounts.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define UID_LEAST 1000
#define UID_MOST 4294967293 /* above: nobody of NFS, and no uid at all */
#define SHRINK_LIMIT 20
#define DAY 86400
#define YEAR_MOST 9999

/* ---- words that are something */

/* The moment ${form} makes of ${text}; false also for 30 February, which
 * strptime reads and timegm moves to March. */
static bool
read_moment(const char *text, const char *form, time_t *when)
{
	struct tm tm = { 0 }, again;
	const char *end = strptime(text, form, &tm);
	int day = tm.tm_mday;

	if (end == NULL || *end != '\0' || tm.tm_year + 1900 > YEAR_MOST)
		return false;
	*when = timegm(&tm);
	return *when > 0 && gmtime_r(when, &again) != NULL &&
	    again.tm_mday == day;
}

int
maprule_time_read(const char *text, time_t *until, struct fault *f)
{
	time_t when;

	if (read_moment(text, "%Y-%m-%dT%H:%M:%SZ", &when)) {
		*until = when;
		return 0;
	}
	if (read_moment(text, "%Y-%m-%d", &when)) {
		*until = when + DAY;
		return 0;
	}
	return fault_set(f, FAULT_CONFIG,
	    "a time is a day like 2026-12-01 (its last), or "
	    "2026-12-01T12:00:00Z, not \"%.64s\"",
	    text);
}

int
maprule_seconds_read(const char *text, int64_t *seconds, struct fault *f)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY },
		{ 'y', 365 * DAY } };
	char digits[20];
	size_t len = strlen(text);
	int64_t unit = 1, number;

	for (size_t i = 0; i < COUNT_OF(units) && len > 1; i++) {
		if (text[len - 1] != units[i].letter)
			continue;
		unit = units[i].seconds;
		len--;
		break;
	}
	if (len < sizeof(digits)) {
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (text_number(digits, 0, INT64_MAX, &number) == 0 &&
		    !__builtin_mul_overflow(number, unit, &number) &&
		    number <= 100 * 365 * (int64_t)DAY) {
			*seconds = number;
			return 0;
		}
	}
	return fault_set(f, FAULT_CONFIG,
	    "a length of time is written 90s, 15m, 12h, 30d or 1y, not "
	    "\"%.64s\"",
	    text);
}

static int
one_of(const char *what, const char *word, const char *const *known,
    size_t count, struct fault *f)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], word) == 0)
			return (int)i;
	return maprule_unknown(what, word, known, count, f);
}

int
maprule_yes_read(const char *keyword, const char *word, bool *yes,
    struct fault *f)
{
	static const char *const known[] = { "no", "yes" };
	int which;

	if ((which = one_of("answer", word, known, COUNT_OF(known), f)) < 0)
		return fault_wrap(f, "%s is yes or no", keyword);
	*yes = which == 1;
	return 0;
}

/* Names of blocks are shown, and stand in logs and in the history. */
static int
check_label(const char *name, struct fault *f)
{
	if (strlen(name) >= MAPRULE_LABEL_SIZE)
		return fault_set(f, FAULT_CONFIG,
		    "the name \"%.64s\" is longer than %d bytes", name,
		    MAPRULE_LABEL_SIZE - 1);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "the name \"%.64s\" has other characters than "
			    "letters, digits, '.', '_' and '-'",
			    name);
	return 0;
}

static int
check_path(const char *path, struct fault *f)
{
	if (path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "a path begins with /, not \"%.64s\"", path);
	return 0;
}

static int
check_hosts(const struct maprule_words *hosts, struct fault *f)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (maprule_host_check(hosts->word[i], f) < 0)
			return fault_wrap(f, "hosts");
	return 0;
}

/* ---- sources */

static const char *const source_kinds[] = { "ldap", "file", "list",
	"requests" };

static int
check_place(struct maprule_source *s, const struct maprule_block *b,
    struct fault *f)
{
	bool ldap = strcmp(s->kind, "ldap") == 0;

	if (ldap && b->head.count == 3)
		return fault_set(f, FAULT_CONFIG,
		    "an ldap source says where it is with server and base");
	if (ldap) {
		s->where = "";
		if (maprule_source_get(s, "server").count == 0)
			return fault_set(f, FAULT_CONFIG,
			    "an ldap source needs a server");
		if (maprule_source_get(s, "base").count == 0)
			return fault_set(f, FAULT_CONFIG,
			    "an ldap source needs a base");
		return 0;
	}
	if (b->head.count < 3)
		return fault_set(f, FAULT_CONFIG, "source %s %s: of which %s?",
		    s->name, s->kind,
		    strcmp(s->kind, "list") == 0 ? "URL or file" : "file");
	s->where = b->head.word[2];
	if (strcmp(s->kind, "list") == 0 &&
	    (text_starts(s->where, "https://") ||
		text_starts(s->where, "http://")))
		return 0;
	return check_path(s->where, f);
}

/* All but the template of subjects is about directories. */
static int
check_source_settings(const struct maprule_source *s, struct fault *f)
{
	if (strcmp(s->kind, "ldap") == 0)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->setting[i].keyword, "subject") != 0)
			return fault_set(f, FAULT_CONFIG,
			    "%s is no setting of a source of kind %s",
			    s->setting[i].keyword, s->kind);
	return 0;
}

static int
put_source(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	struct maprule_source *s = &r->sources[r->source_count];
	struct maprule_setting *kept =
	    maprule_take(&r->text.arena, (b->count + 1) * sizeof(*kept), f);
	int which;

	if (kept == NULL || check_label(b->head.word[0], f) < 0)
		return -1;
	*s = (struct maprule_source){ .name = b->head.word[0],
		.kind = b->head.word[1],
		.line = b->line,
		.setting = kept };
	if ((which = one_of("kind of source", s->kind, source_kinds,
		 COUNT_OF(source_kinds), f)) < 0)
		return -1;
	for (size_t i = 0; i < r->source_count; i++)
		if (strcmp(r->sources[i].name, s->name) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "source %s is there already, on line %d", s->name,
			    r->sources[i].line);
	for (size_t i = 0; i < b->count; i++) {
		const struct maprule_setting *had = &b->setting[i];

		if (strcmp(had->keyword, "max-age") != 0)
			kept[s->count++] = *had;
		else if (maprule_seconds_read(had->words.word[0], &s->max_age,
			     f) < 0)
			return fault_wrap(f, "max-age");
	}
	if (check_place(s, b, f) < 0 || check_source_settings(s, f) < 0 ||
	    maprule_source_conf_read(&r->text.arena, s,
		&r->confs[r->source_count], f) < 0)
		return -1;
	r->source_count++;
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

/* ---- services */

static int
read_uids(const char *text, struct maprule_service *s, struct fault *f)
{
	char digits[16];
	const char *dash = strchr(text, '-');
	size_t len = dash == NULL ? 0 : (size_t)(dash - text);
	int64_t least, most;

	if (dash == NULL || len >= sizeof(digits))
		return fault_set(f, FAULT_CONFIG,
		    "uids are written 1000-60000, not \"%.32s\"", text);
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_number(digits, 0, UID_MOST, &least) < 0 ||
	    text_number(dash + 1, 0, UID_MOST, &most) < 0 || least > most)
		return fault_set(f, FAULT_CONFIG,
		    "uids are written 1000-60000, not \"%.32s\"", text);
	if (least == 0)
		return fault_set(f, FAULT_CONFIG,
		    "nobody is mapped to uid 0: uids begin at 1");
	s->uid_least = (uint32_t)least;
	s->uid_most = (uint32_t)most;
	return 0;
}

static int
read_mode(const char *text, struct maprule_service *s, struct fault *f)
{
	unsigned mode = 0;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '7' || c - text == 4)
			return fault_set(f, FAULT_CONFIG,
			    "a mode is written 0644, not \"%.16s\"", text);
		mode = mode * 8 + (unsigned)(*c - '0');
	}
	if ((mode & 07133) != 0 || (mode & 0600) != 0600)
		return fault_set(f, FAULT_CONFIG,
		    "mode %s: a map is read and written by its owner, and "
		    "written or run by nobody else",
		    text);
	s->mode = mode;
	return 0;
}

static int
read_limit(const char *text, struct maprule_service *s, struct fault *f)
{
	char digits[8];
	size_t len = strlen(text);
	int64_t limit;

	if (len > 1 && len < sizeof(digits) && text[len - 1] == '%') {
		memcpy(digits, text, len - 1);
		digits[len - 1] = '\0';
		if (text_number(digits, 0, 100, &limit) == 0) {
			s->shrink_limit = (int)limit;
			return 0;
		}
	}
	return fault_set(f, FAULT_CONFIG,
	    "a part of a hundred is written 20%%, not \"%.16s\"", text);
}

static int
read_format(const struct maprule_words *words, struct maprule_service *s,
    struct fault *f)
{
	static const char *const known[] = { "gct", "lcmaps", "xrootd" };
	int which;

	for (size_t i = 0; i < words->count; i++)
		if ((which = one_of("reader", words->word[i], known,
			 COUNT_OF(known), f)) < 0)
			return -1;
	s->format = *words;
	return 0;
}

static int
read_which(const char *text, struct maprule_service *s, struct fault *f)
{
	static const char *const known[] = { "first", "all" };
	int which;

	if ((which = one_of("word for accounts", text, known, COUNT_OF(known),
		 f)) < 0)
		return -1;
	s->accounts =
	    which == 0 ? MAPRULE_ACCOUNTS_FIRST : MAPRULE_ACCOUNTS_ALL;
	return 0;
}

static int
service_setting(struct maprule_service *s, const struct maprule_setting *set,
    struct fault *f)
{
	const char *k = set->keyword, *word = set->words.word[0];

	if (strcmp(k, "file") == 0) {
		s->file = word;
		return check_path(word, f);
	}
	if (strcmp(k, "format") == 0)
		return read_format(&set->words, s, f);
	if (strcmp(k, "accounts") == 0)
		return read_which(word, s, f);
	if (strcmp(k, "uid") == 0)
		return read_uids(word, s, f);
	if (strcmp(k, "exist") == 0)
		return maprule_yes_read(k, word, &s->exist, f);
	if (strcmp(k, "index") == 0)
		return maprule_yes_read(k, word, &s->index, f);
	if (strcmp(k, "mode") == 0)
		return read_mode(word, s, f);
	if (strcmp(k, "shrink-limit") == 0)
		return read_limit(word, s, f);
	if (strcmp(k, "owner") == 0)
		s->owner = word;
	return 0;
}

static int
put_service(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	static const char *const all[] = { "gct", "lcmaps", "xrootd" };
	struct maprule_service_block *s = &r->services[r->service_count];

	*s = (struct maprule_service_block){
		.said = { .name = b->head.word[0],
		    .line = b->line,
		    .format = { COUNT_OF(all), all },
		    .uid_least = UID_LEAST,
		    .uid_most = UID_MOST,
		    .exist = true,
		    .mode = 0644,
		    .index = true,
		    .shrink_limit = SHRINK_LIMIT }
	};
	if (check_label(s->said.name, f) < 0)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		if (service_setting(&s->said, &b->setting[i], f) < 0)
			return fault_wrap(f, "line %d", b->setting[i].line);
	if (s->said.file == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "service %s does not say which file", s->said.name);
	if (maprule_text_words(&r->text, b, "hosts", &s->hosts, f) < 0 ||
	    check_hosts(&s->hosts, f) < 0)
		return -1;
	r->service_count++;
	return 0;
}

/* ---- maps and splices */

static int
read_account(struct maprule *r, const struct maprule_setting *set,
    const char **account, struct fault *f)
{
	static const char *const known[] = { "personal", "group", "pool" };
	const char *name = set->words.count > 1 ? set->words.word[1] : "";
	char text[MAPRULE_WORD_MAX + 2];
	int which;

	if ((which = one_of("kind of account", set->words.word[0], known,
		 COUNT_OF(known), f)) < 0)
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
	if (which == 1 && strcmp(name, "root") == 0)
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
	if (check_hosts(&rule->hosts, f) < 0 ||
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
		if ((which = one_of("priority", set->words.word[0], known,
			 COUNT_OF(known), f)) < 0)
			return -1;
		rule->before = which == 1;
	}
	at = 0;
	if ((set = maprule_text_next(b, "until", &at)) != NULL &&
	    maprule_time_read(set->words.word[0], &rule->until, f) < 0)
		return fault_wrap(f, "until");
	return 0;
}

static int
put_rule(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	struct maprule_rule *rule = &r->rules[r->rule_count];

	*rule = (struct maprule_rule){ .label = b->head.word[0],
		.splice = b->kind == MAPRULE_BLOCK_SPLICE,
		.line = b->line };
	if (check_label(rule->label, f) < 0)
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

static int
by_priority(const void *a, const void *b)
{
	const struct maprule_rule *x = a, *y = b;

	if (rank(x) != rank(y))
		return rank(x) < rank(y) ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* A word in `services` that no service fits is a slip of the pen. */
static int
check_services(const struct maprule *r, const struct maprule_rule *rule,
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

/* ---- the whole */

static int
put_bans(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	const char **word;
	struct maprule_words *w = &r->bans_paths;

	if (check_path(b->head.word[0], f) < 0)
		return -1;
	word = maprule_take(&r->text.arena, (w->count + 1) * sizeof(*word), f);
	if (word == NULL)
		return -1;
	if (w->count > 0)
		memcpy(word, w->word, w->count * sizeof(*word));
	word[w->count] = b->head.word[0];
	*w = (struct maprule_words){ w->count + 1, word };
	return 0;
}

static int
put_block(struct maprule *r, const struct maprule_block *b, struct fault *f)
{
	switch (b->kind) {
	case MAPRULE_BLOCK_SOURCE:
		return put_source(r, b, f);
	case MAPRULE_BLOCK_SERVICE:
		return put_service(r, b, f);
	case MAPRULE_BLOCK_MAP:
	case MAPRULE_BLOCK_SPLICE:
		return put_rule(r, b, f);
	case MAPRULE_BLOCK_BAN:
		if (maprule_ban_read(b, &r->bans[r->ban_count], f) < 0)
			return -1;
		r->ban_count++;
		return 0;
	case MAPRULE_BLOCK_BANS:
		return put_bans(r, b, f);
	case MAPRULE_BLOCK_COUNT:
		break;
	}
	return fault_set(f, FAULT_INTERNAL, "a block of no kind");
}

/* Sources and services are defined before or behind those that name them. */
static bool
is_named(enum maprule_block_kind kind)
{
	return kind == MAPRULE_BLOCK_SOURCE || kind == MAPRULE_BLOCK_SERVICE;
}

static int
put_blocks(struct maprule *r, size_t from, bool named, struct fault *f)
{
	for (size_t i = from; i < r->text.count; i++) {
		const struct maprule_block *b = &r->text.blocks[i];

		if (is_named(b->kind) == named && put_block(r, b, f) < 0)
			return fault_wrap(f, "%s%s%d", b->path,
			    *b->path != '\0' ? ":" : "line ", b->line);
	}
	return 0;
}

/* Room for as many of each as there are blocks. */
static int
make_room(struct maprule *r, struct fault *f)
{
	size_t n = r->text.count + 1;
	struct maprule_ban *bans = reallocarray(r->bans, n, sizeof(*bans));

	if (bans == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for rules");
	r->bans = bans;
	if (r->sources != NULL)
		return 0;
	r->sources = calloc(n, sizeof(*r->sources));
	r->confs = calloc(n, sizeof(*r->confs));
	r->services = calloc(n, sizeof(*r->services));
	r->rules = calloc(n, sizeof(*r->rules));
	if (r->sources == NULL || r->confs == NULL || r->services == NULL ||
	    r->rules == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for rules");
	return 0;
}

static int
read_rules(struct maprule *r, const char *path, const char *text, size_t len,
    struct fault *f)
{
	r->path = maprule_take_text(&r->text.arena, path == NULL ? "" : path,
	    path == NULL ? 0 : strlen(path), f);
	if (r->path == NULL ||
	    maprule_text_read(&r->text, path, text, len, false, f) < 0 ||
	    make_room(r, f) < 0 || put_blocks(r, 0, true, f) < 0 ||
	    put_blocks(r, 0, false, f) < 0)
		return -1;
	for (size_t i = 0; i < r->rule_count; i++)
		if (check_services(r, &r->rules[i], f) < 0)
			return -1;
	qsort(r->rules, r->rule_count, sizeof(*r->rules), by_priority);
	return 0;
}

struct maprule *
maprule_read(const char *path, const char *text, size_t len, struct fault *f)
{
	OWN_STRUCT(maprule) r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for rules");
		return NULL;
	}
	if (read_rules(r, path, text, len, f) < 0)
		return NULL;
	return TAKE(r);
}

int
maprule_bans_read(struct maprule *r, const char *path, const char *text,
    size_t len, struct fault *f)
{
	size_t from = r->text.count;

	if (maprule_text_read(&r->text, path, text, len, true, f) < 0 ||
	    make_room(r, f) < 0)
		return -1;
	return put_blocks(r, from, false, f);
}

static int
read_bans_file(struct maprule *r, const char *path, struct fault *f)
{
	OWN_BUF(text, MAPRULE_MAX);

	if (file_read(path, &text, f) < 0)
		return f->code == FAULT_ABSENT ? 0 : -1;
	return maprule_bans_read(r, path, (const char *)text.data, text.len, f);
}

struct maprule *
maprule_open(const char *path, struct fault *f)
{
	OWN_STRUCT(maprule) r = NULL;
	OWN_BUF(text, MAPRULE_MAX);

	if (file_read(path, &text, f) < 0 ||
	    (r = maprule_read(path, (const char *)text.data, text.len, f)) ==
		NULL)
		return NULL;
	for (size_t i = 0; i < r->bans_paths.count; i++)
		if (read_bans_file(r, r->bans_paths.word[i], f) < 0)
			return NULL;
	return TAKE(r);
}

void
maprule_free(struct maprule *r)
{
	if (r == NULL)
		return;
	free(r->sources);
	free(r->confs);
	free(r->services);
	free(r->rules);
	free(r->bans);
	maprule_text_free(&r->text);
	free(r);
}

void
maprule_dump(const struct maprule *r, struct buf *out)
{
	maprule_text_dump(&r->text, out);
}

const char *
maprule_path(const struct maprule *r)
{
	return r->path;
}

struct maprule_words
maprule_bans_paths(const struct maprule *r)
{
	return r->bans_paths;
}

size_t
maprule_source_count(const struct maprule *r)
{
	return r->source_count;
}

const struct maprule_source *
maprule_source(const struct maprule *r, size_t i)
{
	return i < r->source_count ? &r->sources[i] : NULL;
}

const struct roster_source_conf *
maprule_source_conf(const struct maprule *r, size_t i)
{
	return i < r->source_count ? &r->confs[i] : NULL;
}

struct maprule_words
maprule_source_get(const struct maprule_source *s, const char *keyword)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->setting[i].keyword, keyword) == 0)
			return s->setting[i].words;
	return (struct maprule_words){ 0 };
}

int
maprule_services(const struct maprule *r, const struct maprule_host *host,
    maprule_service_fn *fn, void *arg)
{
	for (size_t i = 0; i < r->service_count; i++) {
		const struct maprule_service_block *s = &r->services[i];
		bool had = false;
		int result;

		if (!maprule_host_fits(&s->hosts, host))
			continue;
		for (size_t j = 0; j < i && !had; j++)
			had = strcmp(r->services[j].said.name, s->said.name) ==
				0 &&
			    maprule_host_fits(&r->services[j].hosts, host);
		if (!had && (result = fn(arg, &s->said)) != 0)
			return result;
	}
	return 0;
}

size_t
maprule_ban_count(const struct maprule *r)
{
	return r->ban_count;
}

const struct maprule_ban *
maprule_ban(const struct maprule *r, size_t i)
{
	return i < r->ban_count ? &r->bans[i] : NULL;
}

size_t
maprule_rule_count(const struct maprule *r)
{
	return r->rule_count;
}

const struct maprule_rule *
maprule_rule(const struct maprule *r, size_t i)
{
	return i < r->rule_count ? &r->rules[i] : NULL;
}
