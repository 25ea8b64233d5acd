#include "conv_gx.h"

#include "base/fault.h"
#include "base/text.h"
#include "conv_out.h"
#include "convert_args.h"
#include "map/map_book.h"
#include "map/mapfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define YEAR_9999 INT64_C(253402300799) /* its last second */

/* ---- reading */

struct reading {
	char operation[16];
	bool stamped;
	bool bad; /* a value that is needed does not fit */
};

/* "1163000000.123456 Ddd 2006-11-08 ..." */
static bool
read_stamp(const char *text, struct gx_record *r)
{
	char number[32];
	size_t whole = strspn(text, "0123456789");
	size_t part = 0;

	if (text_fmt(number, sizeof(number), "%.*s", (int)whole, text) < 0 ||
	    text_number(number, 0, YEAR_9999, &r->seconds) < 0)
		return false;
	r->micros = 0;
	if (text[whole] == '.')
		part = strspn(text + whole + 1, "0123456789");
	if (part > 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		r->micros =
		    r->micros * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
	text += whole + (part > 0 ? part + 1 : 0);
	return *text == '\0' || *text == ' ';
}

static bool
read_dn(const char *text, struct gx_record *r)
{
	size_t len = strlen(text);

	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	return len > 0 &&
	    text_fmt(r->dn, sizeof(r->dn), "%.*s", (int)len, text) == 0;
}

static void
add_comment(struct gx_record *r, const char *text)
{
	char more[sizeof(r->comment)];

	if (text_fmt(more, sizeof(more), "%s%s%s", r->comment,
		r->comment[0] != '\0' ? "; " : "", text) == 0)
		memcpy(r->comment, more, sizeof(more));
	text_clean(r->comment);
}

/* What is not named here says nothing about the map. */
static void
take(struct reading *g, struct gx_record *r, const char *key, const char *value)
{
	bool good = true;

	if (strcmp(key, "operation") == 0)
		good =
		    text_copy(g->operation, sizeof(g->operation), value) == 0;
	else if (strcmp(key, "timestamp") == 0)
		good = g->stamped = read_stamp(value, r);
	else if (strcmp(key, "dn") == 0)
		good = read_dn(value, r);
	else if (strcmp(key, "username") == 0)
		good = text_copy(r->account, sizeof(r->account), value) == 0;
	else if (strcmp(key, "requested_by_name") == 0)
		good = text_copy(r->by, sizeof(r->by), value) == 0;
	else if (strcmp(key, "comment") == 0 || strcmp(key, "email") == 0)
		add_comment(r, value);
	g->bad = g->bad || !good;
}

static int
finish(const struct reading *g, struct gx_record *r, struct fault *f)
{
	static const struct {
		const char *word;
		enum map_request_verb verb;
		bool dn, account;
	} words[] = { { "add", MAP_REQUEST_ADD, true, true },
		{ "remove", MAP_REQUEST_REMOVE, true, true },
		{ "remove-dn", MAP_REQUEST_REMOVE_NAME, true, false },
		{ "remove-user", MAP_REQUEST_REMOVE_ACCOUNT, false, true } };

	text_clean(r->by);
	if (g->bad || !g->stamped)
		return fault_set(f, FAULT_INPUT,
		    "a record with a bad or missing value");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(g->operation, words[i].word) != 0)
			continue;
		if ((words[i].dn && r->dn[0] == '\0') ||
		    (words[i].account && r->account[0] == '\0'))
			return fault_set(f, FAULT_INPUT,
			    "%s without a dn or username", words[i].word);
		if (!words[i].dn)
			r->dn[0] = '\0';
		if (!words[i].account)
			r->account[0] = '\0';
		r->verb = words[i].verb;
		return 1;
	}
	return fault_set(f, FAULT_INPUT, "an operation that is none");
}

/* The next line, trimmed; false at the end.  One that is too long is "". */
static bool
next_line(const char *text, size_t len, size_t *at, size_t *line,
    char copy[LINE_MAX_BYTES], char **trimmed)
{
	const char *end;
	size_t n;

	if (*at >= len)
		return false;
	end = memchr(text + *at, '\n', len - *at);
	n = end == NULL ? len - *at : (size_t)(end - text) - *at;
	copy[0] = '\0';
	if (n < LINE_MAX_BYTES && memchr(text + *at, '\0', n) == NULL) {
		memcpy(copy, text + *at, n);
		copy[n] = '\0';
	}
	*at += n + (end != NULL);
	(*line)++;
	*trimmed = text_trim(copy);
	return true;
}

static void
take_line(struct reading *g, struct gx_record *r, char *text)
{
	char *value = text + strcspn(text, " \t");

	if (*value != '\0')
		*value++ = '\0';
	take(g, r, text, text_trim(value));
}

int
gx_read(const char *text, size_t len, size_t *at, size_t *line,
    struct gx_record *r, struct fault *f)
{
	struct reading g = { .bad = false };
	char copy[LINE_MAX_BYTES];
	char *one;
	bool inside = false;

	memset(r, 0, sizeof(*r));
	while (next_line(text, len, at, line, copy, &one)) {
		if (!inside && *one == '\0')
			continue;
		if (!inside && strcmp(one, "{") == 0) {
			inside = true;
			r->line = *line;
			continue;
		}
		if (!inside)
			return fault_set(f, FAULT_INPUT,
			    "what stands between records");
		if (strcmp(one, "}") == 0)
			return finish(&g, r, f);
		take_line(&g, r, one);
	}
	return inside ? fault_set(f, FAULT_INPUT, "a record without its end")
		      : 0;
}

/* ---- converting */

struct records {
	struct gx_record *at;
	size_t count;
	size_t room;
};

static int
by_time(const void *left, const void *right)
{
	const struct gx_record *a = left, *b = right;

	if (a->seconds != b->seconds)
		return a->seconds < b->seconds ? -1 : 1;
	if (a->micros != b->micros)
		return a->micros < b->micros ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int
keep(struct records *all, const struct gx_record *r, struct fault *f)
{
	if (all->count == all->room) {
		size_t room = all->room == 0 ? 64 : 2 * all->room;
		void *at = reallocarray(all->at, room, sizeof(*all->at));

		if (at == NULL)
			return fault_set(f, FAULT_MEMORY, "records");
		all->at = at;
		all->room = room;
	}
	all->at[all->count++] = *r;
	return 0;
}

static int
read_all(struct conv *c, struct records *all, struct fault *f)
{
	size_t at = 0, line = 0;
	struct gx_record r;
	struct fault why = { 0 };
	int got;

	while ((got = gx_read((const char *)c->text.data, c->text.len, &at,
		    &line, &r, &why)) != 0) {
		if (got < 0)
			conv_left(c, line, "%s", why.text);
		else if (keep(all, &r, f) < 0)
			return -1;
	}
	qsort(all->at, all->count, sizeof(*all->at), by_time);
	return 0;
}

/* Whether ${r} can be one of ours; its name is then as certificates have it. */
static bool
is_fit(struct conv *c, struct gx_record *r)
{
	char name[MAP_REQUEST_NAME_SIZE];

	if (r->account[0] != '\0' && !map_request_account_good(r->account)) {
		conv_left(c, r->line, "the account %.64s cannot be asked for",
		    r->account);
		return false;
	}
	if (r->dn[0] == '\0')
		return true;
	if (!conv_name(r->dn, name)) {
		conv_left(c, r->line, "%.200s cannot stand in a map", r->dn);
		return false;
	}
	memcpy(r->dn, name, sizeof(name));
	return true;
}

struct target {
	struct conv *conv;
	struct map_replay *now;
	struct map_book *book; /* NULL: only what it comes to */
	struct fault *f;
};

static int
write_one(const struct target *t, const struct gx_record *r, size_t number)
{
	char id[MAP_REQUEST_ID_SIZE], by[MAP_REQUEST_ACCOUNT_SIZE + 16];
	struct map_request q = { .verb = r->verb,
		.when = (time_t)r->seconds,
		.id = id,
		.account = r->account,
		.name = r->dn,
		.by = by,
		.reason = r->comment };
	struct map_book_entry e;

	(void)snprintf(id, sizeof(id), "%016zx", number);
	(void)snprintf(by, sizeof(by), "gx-map %s", r->by);
	if (map_replay_do(t->now, &q, number, t->f) < 0)
		return -1;
	map_request_entry(&q, &e);
	return t->book == NULL ? 0 : map_book_add(t->book, &e, t->f);
}

static int
put_line(void *arg, const char *name, const struct map_replay_held *held,
    size_t count)
{
	const struct target *t = arg;
	OWN_MAP_ACCOUNTS(accounts);
	struct fault why = { 0 };

	for (size_t i = 0; i < count; i++)
		map_accounts_put(&accounts, held[i].account,
		    strlen(held[i].account));
	if (mapfile_put(&t->conv->map, name, &accounts, 1, &why) < 0)
		conv_left(t->conv, held[0].line, "%s", why.text);
	return 0;
}

static int
write_all(struct target *t, struct records *all, const char *dir)
{
	char path[CONV_PATH_SIZE];
	int result = 0;

	if (dir != NULL &&
	    (conv_path(dir, "requests.log", path, t->f) < 0 ||
		(t->book = map_book_open(path, t->f)) == NULL))
		return -1;
	for (size_t i = 0; i < all->count && result == 0; i++)
		if (is_fit(t->conv, &all->at[i]))
			result = write_one(t, &all->at[i], i + 1);
	if (result == 0 && t->book != NULL)
		result = map_book_sync(t->book, t->f);
	map_book_close(t->book);
	if (result == 0 && dir == NULL)
		result = map_replay_each(t->now, put_line, t);
	return result;
}

int
convert_gx_map(const struct convert_args *args, struct fault *f)
{
	struct conv c;
	struct records all = { 0 };
	OWN_STRUCT(map_replay) now = map_replay_new(f);
	struct target t = { &c, now, NULL, f };
	int result = -1;

	if (now == NULL)
		return -1;
	if (conv_open(&c, args->operand[0], f) == 0 &&
	    read_all(&c, &all, f) == 0 && write_all(&t, &all, args->dir) == 0) {
		if (args->dir != NULL)
			buf_fmt(&c.rules,
			    "# Of gx-map's %s.  Put requests.log into the "
			    "state directory, and give a service that "
			    "takes more than the default: accounts all\n"
			    "source requests requests "
			    "/var/lib/signet-map/requests.log\n"
			    "splice requests\n    from requests\n",
			    "requests.log");
		result = conv_write(&c, args->dir, f);
	}
	free(all.at);
	conv_free(&c);
	return result;
}
