/*
 * What lib/map answers from a map file, to be set beside what the Toolkit says:
 * the questions and answers of gct_map.c, and `mode gct|text|index`: as the
 * Toolkit compares names, as we do, or asked of an index, which is made of the
 * file at `file PATH`.  `put DN ACCOUNTS` answers the lines of a map file for
 * one name, with a tab between, and `gone DN` puts into the index's delta that
 * the name is there no more.
 */
#include "base/fault.h"
#include "map/map_index.h"
#include "map/map_name.h"
#include "map/map_pool.h"
#include "map/mapfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 3

enum mode {
	MODE_GCT,
	MODE_TEXT,
	MODE_INDEX
};

struct talk {
	enum mode mode;
	struct mapfile *text;
	struct map_index *ix;
	char *pool;
	char *path;
};

static int
find(struct talk *t, const char *dn, struct map_accounts *accounts,
    struct fault *f)
{
	if (t->mode == MODE_INDEX)
		return map_index_find(t->ix, dn, strlen(dn), accounts, f);
	return mapfile_find(t->text,
	    t->mode == MODE_GCT ? MAPFILE_GCT : MAPFILE_OURS, dn, accounts, f);
}

static int
each_of(struct talk *t, const char *account, mapfile_name_fn *fn, void *arg,
    struct fault *f)
{
	if (t->mode == MODE_INDEX)
		return map_index_each_of(t->ix, account, fn, arg, f);
	return mapfile_each_of(t->text, account, fn, arg, f);
}

static int
ask_mode(struct talk *t, char **words, struct fault *f)
{
	static const char *const names[] = { "gct", "text", "index" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(words[1], names[i]) == 0) {
			t->mode = (enum mode)i;
			puts("+");
			return 0;
		}
	}
	return fault_set(f, FAULT_USAGE, "no mode %s", words[1]);
}

static int
ask_file(struct talk *t, char **words, struct fault *f)
{
	mapfile_free(t->text);
	map_index_free(t->ix);
	t->ix = NULL;
	free(t->path);
	if ((t->path = strdup(words[1])) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory");
	if ((t->text = mapfile_open(words[1], f)) == NULL)
		return -1;
	if (t->mode == MODE_INDEX &&
	    (map_index_of_text(words[1], NULL, f) < 0 ||
		(t->ix = map_index_open(words[1], f)) == NULL))
		return -1;
	puts("+");
	return 0;
}

static int
ask_pool(struct talk *t, char **words, struct fault *f)
{
	free(t->pool);
	if ((t->pool = strdup(words[1])) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory");
	puts("+");
	return 0;
}

/* The account that a name has of a pool; "-" is none. */
static int
say_leased(struct talk *t, const char *pool, const char *dn, struct fault *f)
{
	char account[MAP_POOL_ACCOUNT_SIZE];
	struct fault none = { 0 };

	(void)f;
	if (t->pool == NULL ||
	    map_pool_lease(t->pool, pool + 1, dn, account, &none) < 0)
		puts("-");
	else
		printf("+%s\n", account);
	return 0;
}

static int
ask_map(struct talk *t, char **words, struct fault *f)
{
	OWN_MAP_ACCOUNTS(accounts);
	int found = find(t, words[1], &accounts, f);
	const char *account = map_accounts_at(&accounts, 0);

	if (found < 0)
		return -1;
	if (account != NULL && account[0] == '.')
		return say_leased(t, account, words[1], f);
	if (account == NULL)
		puts("-");
	else
		printf("+%s\n", account);
	return 0;
}

static int
ask_ok(struct talk *t, char **words, struct fault *f)
{
	OWN_MAP_ACCOUNTS(accounts);
	char held[MAP_POOL_ACCOUNT_SIZE];
	struct fault none = { 0 };
	const char *account;
	bool ok = false;

	if (find(t, words[1], &accounts, f) < 0)
		return -1;
	for (size_t i = 0; (account = map_accounts_at(&accounts, i)) != NULL;
	     i++) {
		ok = ok || strcmp(account, words[2]) == 0;
		if (account[0] == '.' && t->pool != NULL &&
		    map_pool_find(t->pool, account + 1, words[1], held,
			&none) == 0)
			ok = ok || strcmp(held, words[2]) == 0;
	}
	puts(ok ? "+" : "-");
	return 0;
}

static int
ask_user(struct talk *t, char **words, struct fault *f)
{
	OWN_BUF(dn, MAP_TEXT_MAX);
	struct fault none = { 0 };
	int found = mapfile_reverse(t->text, words[1], &dn, f);

	if (found < 0)
		return -1;
	if (found == 0 && t->pool != NULL &&
	    map_pool_holder(t->pool, words[1], &dn, &none) == 0)
		found = 1;
	if (found == 0)
		puts("-");
	else
		printf("+%s\n", buf_cstr(&dn));
	return 0;
}

struct names {
	bool any;
};

static int
say_name(void *arg, const char *dn, bool first)
{
	struct names *names = arg;

	(void)first;
	printf("%s%s", names->any ? "|" : "", dn);
	names->any = true;
	return 0;
}

static int
ask_all(struct talk *t, char **words, struct fault *f)
{
	struct names names = { false };

	putchar('+');
	if (each_of(t, words[1], say_name, &names, f) < 0)
		return -1;
	putchar('\n');
	return 0;
}

static int
ask_put(struct talk *t, char **words, struct fault *f)
{
	OWN_MAP_ACCOUNTS(accounts);
	OWN_BUF(text, MAP_TEXT_MAX);

	(void)t;
	map_accounts_split(&accounts,
	    (struct wire_bytes){ (const uint8_t *)words[2], strlen(words[2]) });
	if (mapfile_put(&text, words[1], &accounts, MAP_READER_ALL, f) < 0)
		return -1;
	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.data[i] == '\n')
			text.data[i] = '\t';
	}
	printf("+%s", buf_cstr(&text));
	return 0;
}

static int
ask_gone(struct talk *t, char **words, struct fault *f)
{
	OWN_STRUCT(map_build) b = map_build_new(MAP_TEXT_MAX, f);
	struct map_index_head head = { 0 };

	if (b == NULL || map_build_remove(b, words[1], f) < 0)
		return -1;
	map_index_head(t->ix, &head);
	head.base = head.seq;
	if (map_delta_write(b, t->path, &head, f) < 0)
		return -1;
	puts("+");
	return 0;
}

static const struct question {
	const char *name;
	int words;
	int (*ask)(struct talk *t, char **words, struct fault *f);
} questions[] = {
	{ "mode", 2, ask_mode },
	{ "file", 2, ask_file },
	{ "pool", 2, ask_pool },
	{ "map", 2, ask_map },
	{ "ok", 3, ask_ok },
	{ "user", 2, ask_user },
	{ "all", 2, ask_all },
	{ "put", 3, ask_put },
	{ "gone", 2, ask_gone },
};

static int
ask(struct talk *t, char *line, struct fault *f)
{
	char *words[WORDS];
	int count = 0;

	while (count < WORDS && line != NULL)
		words[count++] = strsep(&line, "\t");
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(words[0], questions[i].name) == 0 &&
		    count == questions[i].words)
			return questions[i].ask(t, words, f);
	}
	return fault_set(f, FAULT_USAGE, "no question: %s", words[0]);
}

int
main(void)
{
	struct talk talk = { .mode = MODE_GCT };
	struct fault f = { 0 };
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int status = 0;

	while (status == 0 && (n = getline(&line, &room, stdin)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		status = ask(&talk, line, &f);
		(void)fflush(stdout);
	}
	if (status < 0)
		fprintf(stderr, "map_says: %s\n", f.text);
	free(line);
	free(talk.pool);
	free(talk.path);
	mapfile_free(talk.text);
	map_index_free(talk.ix);
	return status < 0 ? fault_exit_status(f.code) : 0;
}
