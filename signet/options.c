#include "options.h"

#include "base/fault.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 32
#define LONGS_MAX 160
#define LETTERS 128

const struct option_row options_common_rows[] = {
#define OPTION(...) OPTION_ROW(struct options_common, __VA_ARGS__)
#include "options_common.def"
#undef OPTION
};
const size_t options_common_count =
    sizeof(options_common_rows) / sizeof(options_common_rows[0]);

/* A name and the row it stands for; rows of both tables are numbered through:
 * the command's first, then the common ones. */
struct reader {
	const struct options_table *table;
	struct option longs[LONGS_MAX + 1];
	char names[LONGS_MAX][NAME_SIZE];
	size_t long_count;
	int letter[LETTERS]; /* row number + 1 */
	unsigned turn;	     /* how many TURNs were taken */
	char letters[2 * LETTERS + 2];
};

static const struct option_row *
row_at(const struct options_table *table, size_t number)
{
	return number < table->count
	    ? &table->rows[number]
	    : &options_common_rows[number - table->count];
}

/* The next name from *${at} on; false at the end of the list. */
static bool
next_name(const char **at, char name[NAME_SIZE], bool *shown)
{
	size_t len;

	*at += strspn(*at, " ");
	*shown = **at != '~';
	if (!*shown)
		(*at)++;
	len = strcspn(*at, " ");
	if (len == 0 || len >= NAME_SIZE)
		return false;
	memcpy(name, *at, len);
	name[len] = '\0';
	*at += len;
	return true;
}

static bool
row_has(const struct option_row *row, const char *wanted)
{
	char name[NAME_SIZE];
	const char *at = row->names;
	bool shown;

	while (next_name(&at, name, &shown))
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

/* Whether the command's own table takes ${name} away from a common option. */
static bool
is_taken(const struct options_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (row_has(&table->rows[i], name))
			return true;
	return false;
}

static void
add_name(struct reader *r, size_t number, const char *name)
{
	enum option_kind kind = row_at(r->table, number)->kind;
	bool takes = kind != OPTION_FLAG && kind != OPTION_TURN;
	size_t end = strlen(r->letters);

	if (name[1] == '\0') {
		r->letter[(unsigned char)name[0] % LETTERS] = (int)number + 1;
		r->letters[end] = name[0];
		r->letters[end + 1] = takes ? ':' : '\0';
		return;
	}
	if (r->long_count == LONGS_MAX)
		return;
	memcpy(r->names[r->long_count], name, NAME_SIZE);
	r->longs[r->long_count].name = r->names[r->long_count];
	r->longs[r->long_count].has_arg = takes;
	r->longs[r->long_count].val = LETTERS + (int)number;
	r->long_count++;
}

static void
reader_fill(struct reader *r, const struct options_table *table)
{
	size_t all = table->count + options_common_count;
	char name[NAME_SIZE] = "";
	bool shown;

	memset(r, 0, sizeof(*r));
	r->table = table;
	r->letters[0] = ':';
	for (size_t i = 0; i < all; i++) {
		const char *at = row_at(table, i)->names;

		while (next_name(&at, name, &shown))
			if (i < table->count || !is_taken(table, name))
				add_name(r, i, name);
	}
}

/* "h:m" or "h:m:s"; ${at} is behind the first colon. */
static int
span_clock(const char *text, int64_t *seconds)
{
	int64_t part[3] = { 0 };
	int64_t most = 99999999;
	size_t parts = 0;

	for (;;) {
		char digits[16];
		size_t len = strcspn(text, ":");

		if (len == 0 || len >= sizeof(digits) || parts == 3)
			return -1;
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (text_number(digits, 0, most, &part[parts++]) < 0)
			return -1;
		if (text[len] == '\0')
			break;
		text += len + 1;
		most = 59;
	}
	*seconds = part[0] * 3600 + part[1] * 60 + part[2];
	return 0;
}

static int64_t
unit_seconds(char unit)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 },
		{ '\0', 1 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == unit)
			return units[i].seconds;
	return 0;
}

int
options_span(const char *text, int64_t *seconds)
{
	int64_t sum = 0;

	if (strchr(text, ':') != NULL)
		return span_clock(text, seconds);
	do {
		char digits[16];
		size_t len = strspn(text, "0123456789");
		int64_t number;
		int64_t unit = unit_seconds(text[len]);

		if (len == 0 || len >= sizeof(digits) || unit == 0)
			return -1;
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (text_number(digits, 0, 99999999, &number) < 0)
			return -1;
		sum += number * unit;
		text += len + (text[len] != '\0');
	} while (*text != '\0');
	*seconds = sum;
	return 0;
}

/* "h:m" as globus_args has it, and in its words: minutes up to 60. */
static int
set_clock(const char *name, const char *text, int64_t *seconds, struct fault *f)
{
	char hours[16];
	size_t len = strcspn(text, ":");
	int64_t h, m;

	if (text_fmt(hours, sizeof(hours), "%.*s", (int)len, text) < 0 ||
	    text[len] != ':' || text_number(hours, 0, 99999999, &h) < 0 ||
	    text_number(text + len + 1, -99999999, 99999999, &m) < 0)
		return fault_set(f, FAULT_USAGE,
		    "%s: \"%s\" is not a time such as 12:00", name, text);
	if (m < 0 || m > 60)
		return fault_set(f, FAULT_USAGE,
		    "%s: specified minutes must be in the range 0-60", name);
	*seconds = h * 3600 + m * 60;
	return 0;
}

static int
read_number(const struct option_row *row, const char *value, int64_t *number)
{
	if (row->kind == OPTION_SPAN)
		return options_span(value, number);
	return text_number(value, 0, 1000000000, number);
}

static int
set_number(const struct option_row *row, const char *name, int64_t *field,
    const char *value, struct fault *f)
{
	int64_t number = 0;

	if (row->kind == OPTION_CLOCK) {
		if (set_clock(name, value, &number, f) < 0)
			return -1;
	} else if (read_number(row, value, &number) < 0) {
		return fault_set(f, FAULT_USAGE, "%s: \"%s\" is not %s", name,
		    value,
		    row->kind == OPTION_SPAN ? "a time such as 12:00 or 12h"
					     : "a number");
	}
	if (row->kind == OPTION_HOURS)
		number *= 3600;
	if (number < row->min || number > row->max)
		return fault_set(f, FAULT_USAGE,
		    "%s: %s is outside %lld..%lld%s", name, value,
		    (long long)row->min, (long long)row->max,
		    row->kind == OPTION_NUMBER ? "" : " seconds");
	*field = number;
	return 0;
}

static int
set_value(struct reader *r, const struct option_row *row, const char *name,
    void *field, const char *value, struct fault *f)
{
	struct option_list *list;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TURN:
		if (r->turn == OPTION_TURNS)
			return fault_set(f, FAULT_USAGE,
			    "more is asked for than %d things", OPTION_TURNS);
		*(uint64_t *)field |= UINT64_C(1) << r->turn++;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_LIST:
		list = field;
		if (list->count == OPTION_LIST_MAX)
			return fault_set(f, FAULT_USAGE,
			    "%s is given more than %d times", name,
			    OPTION_LIST_MAX);
		list->item[list->count++] = value;
		return 0;
	case OPTION_NUMBER:
	case OPTION_HOURS:
	case OPTION_SPAN:
	case OPTION_CLOCK:
		return set_number(row, name, field, value, f);
	}
	return fault_set(f, FAULT_INTERNAL, "%s has no kind", name);
}

static void
set_unset(const struct option_row *rows, size_t count, void *to)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].kind == OPTION_NUMBER ||
		    rows[i].kind == OPTION_HOURS ||
		    rows[i].kind == OPTION_SPAN || rows[i].kind == OPTION_CLOCK)
			*(int64_t *)(void *)((char *)to + rows[i].offset) =
			    OPTION_UNSET;
}

static int
unknown(const struct reader *r, const char *word, struct fault *f)
{
	const char *bare = word + strspn(word, "-");
	const char *near = NULL;
	int best = 3;

	for (size_t i = 0; i < r->long_count; i++) {
		int distance = text_distance(bare, r->longs[i].name);

		if (distance < best) {
			best = distance;
			near = r->longs[i].name;
		}
	}
	if (near != NULL)
		return fault_set(f, FAULT_USAGE,
		    "%s is no option here; did you mean %.*s%s?", word,
		    (int)(bare - word), word, near);
	return fault_set(f, FAULT_USAGE, "%s is no option here", word);
}

/* The word that getopt last looked at, for messages. */
static int
refuse(const struct reader *r, int got, char **argv, struct fault *f)
{
	const char *word = optind > 0 ? argv[optind - 1] : "";
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt != 0 && optopt < LETTERS)
		word = letter;
	if (got == ':')
		return fault_set(f, FAULT_USAGE, "%s needs a value", word);
	if (optopt >= LETTERS)
		return fault_set(f, FAULT_USAGE, "%s takes no value", word);
	return unknown(r, word, f);
}

/* Tools that know both -h and -help. */
static const char *
old_word(const char *word)
{
	static const char *const words[] = { "--help", "--usage", "--version" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i] + 1) == 0)
			return words[i];
	return NULL;
}

static bool
asks_for_help(char **argv, struct options_common *common)
{
	for (size_t i = 1; argv[i] != NULL; i++) {
		const char *word = old_word(argv[i]);

		if (word != NULL && word[2] == 'v')
			common->version = true;
		else if (word != NULL)
			common->help = true;
	}
	return common->help || common->version;
}

/* One option as getopt found it. */
static int
take(struct reader *r, int got, int index, enum options_style style, void *own,
    struct options_common *common, struct fault *f)
{
	size_t number = got < LETTERS ? (size_t)r->letter[got] - 1
				      : (size_t)(got - LETTERS);
	const struct option_row *row = row_at(r->table, number);
	char *to = number < r->table->count ? own : (void *)common;
	char name[NAME_SIZE + 2];

	if (got < LETTERS)
		(void)snprintf(name, sizeof(name), "-%c", got);
	else
		(void)snprintf(name, sizeof(name), "%s%s",
		    style == OPTIONS_SINGLE_DASH ? "-" : "--",
		    r->longs[index].name);
	return set_value(r, row, name, to + row->offset, optarg, f);
}

int
options_read(const struct options_table *table, enum options_style style,
    int argc, char **argv, void *own, struct options_common *common,
    int *operands, struct fault *f)
{
	struct reader r;
	int index = 0;
	int got;

	reader_fill(&r, table);
	memset(own, 0, table->size);
	memset(common, 0, sizeof(*common));
	set_unset(table->rows, table->count, own);
	*operands = argc;
	if (style == OPTIONS_GNU_OLD && asks_for_help(argv, common))
		return 0;
	opterr = 0;
	optind = 0;
	for (;;) {
		got = style == OPTIONS_SINGLE_DASH
		    ? getopt_long_only(argc, argv, r.letters, r.longs, &index)
		    : getopt_long(argc, argv, r.letters, r.longs, &index);
		if (got == -1)
			break;
		if (got == '?' || got == ':')
			return refuse(&r, got, argv, f);
		if (take(&r, got, index, style, own, common, f) < 0)
			return -1;
	}
	*operands = optind;
	return 0;
}
