#include "maprule/maprule_text.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CHUNK 65536
#define LINE_WORDS_MAX 4096
#define SETTINGS_MAX 4096 /* of one block */

struct maprule_chunk {
	struct maprule_chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char data[];
};

static const struct block_row {
	const char *keyword;
	const char *words;
	size_t least;
	size_t most;
	const char *doc;
} block_rows[] = {
#define BLOCK(name, keyword, words, least, most, doc) \
	{ keyword, words, least, most, doc },
#define SETTING(block, keyword, words, least, most, times, doc)
#include "maprule/maprule_setting.def"
#undef SETTING
#undef BLOCK
};

static const struct setting_row {
	enum maprule_block_kind block;
	const char *keyword;
	const char *words;
	size_t least;
	size_t most;
	size_t times;
	const char *doc;
} setting_rows[] = {
#define BLOCK(name, keyword, words, least, most, doc)
#define SETTING(block, keyword, words, least, most, times, doc) \
	{ MAPRULE_BLOCK_##block, keyword, words, least, most, times, doc },
#include "maprule/maprule_setting.def"
#undef SETTING
#undef BLOCK
};

/* ---- memory */

static struct maprule_chunk *
chunk_new(size_t least, struct fault *f)
{
	size_t size = least > CHUNK ? least : CHUNK;
	struct maprule_chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (chunk == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for rules");
		return NULL;
	}
	chunk->size = size;
	return chunk;
}

void *
maprule_take(struct maprule_arena *a, size_t size, struct fault *f)
{
	size_t room =
	    (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	struct maprule_chunk *chunk = a->chunks;
	void *taken;

	if (chunk == NULL || chunk->size - chunk->used < room) {
		if ((chunk = chunk_new(room, f)) == NULL)
			return NULL;
		chunk->next = a->chunks;
		a->chunks = chunk;
	}
	taken = chunk->data + chunk->used;
	chunk->used += room;
	return taken;
}

char *
maprule_take_text(struct maprule_arena *a, const char *text, size_t len,
    struct fault *f)
{
	char *copy = maprule_take(a, len + 1, f);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

void
maprule_arena_free(struct maprule_arena *a)
{
	while (a->chunks != NULL) {
		struct maprule_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

/* ---- words */

struct line {
	const char *at;
	const char *end;
	size_t count;
	const char *word[LINE_WORDS_MAX];
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A word in double quotes, whose first has been read. */
static int
read_quoted(struct line *l, char *word, size_t *len, struct fault *f)
{
	while (l->at < l->end && *l->at != '"') {
		if (*l->at == '\\' && ++l->at == l->end)
			break;
		if (*len == MAPRULE_WORD_MAX)
			return fault_set(f, FAULT_CONFIG,
			    "a word is longer than %d bytes", MAPRULE_WORD_MAX);
		word[(*len)++] = *l->at++;
	}
	if (l->at == l->end)
		return fault_set(f, FAULT_CONFIG, "no closing quote");
	l->at++;
	if (l->at < l->end && !is_blank(*l->at))
		return fault_set(f, FAULT_CONFIG,
		    "no blank after a closing quote");
	return 0;
}

static int
read_plain(struct line *l, char *word, size_t *len, struct fault *f)
{
	while (l->at < l->end && !is_blank(*l->at)) {
		if (*l->at == '"')
			return fault_set(f, FAULT_CONFIG,
			    "a quote within a word: put all of it in quotes, "
			    "and a backslash before the quote");
		if (*len == MAPRULE_WORD_MAX)
			return fault_set(f, FAULT_CONFIG,
			    "a word is longer than %d bytes", MAPRULE_WORD_MAX);
		word[(*len)++] = *l->at++;
	}
	return 0;
}

static int
read_word(struct maprule_text *t, struct line *l, struct fault *f)
{
	char word[MAPRULE_WORD_MAX];
	size_t len = 0;
	bool quoted = *l->at == '"';

	l->at += quoted;
	if ((quoted ? read_quoted(l, word, &len, f)
		    : read_plain(l, word, &len, f)) < 0)
		return -1;
	if (!text_utf8(word, len))
		return fault_set(f, FAULT_CONFIG,
		    "a control character, or no UTF-8");
	if (len == 0)
		return fault_set(f, FAULT_CONFIG, "an empty word");
	if (l->count == LINE_WORDS_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d words",
		    LINE_WORDS_MAX);
	l->word[l->count] = maprule_take_text(&t->arena, word, len, f);
	return l->word[l->count++] == NULL ? -1 : 0;
}

static int
read_words(struct maprule_text *t, struct line *l, struct fault *f)
{
	for (;;) {
		while (l->at < l->end && is_blank(*l->at))
			l->at++;
		if (l->at == l->end || *l->at == '#')
			return 0;
		if (read_word(t, l, f) < 0)
			return -1;
	}
}

/* The words of ${l} from number ${from} on, kept. */
static int
keep_words(struct maprule_text *t, const struct line *l, size_t from,
    struct maprule_words *words, struct fault *f)
{
	size_t count = l->count - from;
	const char **word =
	    maprule_take(&t->arena, (count + 1) * sizeof(*word), f);

	if (word == NULL)
		return -1;
	memcpy(word, l->word + from, count * sizeof(*word));
	words->count = count;
	words->word = word;
	return 0;
}

/* ---- which words there are */

int
maprule_unknown(const char *what, const char *word, const char *const *known,
    size_t count, struct fault *f)
{
	size_t limit = strlen(word) < 4 ? strlen(word) : 4;
	const char *nearest = NULL;
	int best = (int)limit;

	for (size_t i = 0; i < count; i++) {
		int away = text_distance(word, known[i]);

		if (away < best) {
			best = away;
			nearest = known[i];
		}
	}
	if (nearest == NULL)
		return fault_set(f, FAULT_CONFIG, "unknown %s \"%.64s\"", what,
		    word);
	return fault_set(f, FAULT_CONFIG,
	    "unknown %s \"%.64s\"; did you mean \"%s\"?", what, word, nearest);
}

static int
check_count(const char *keyword, const char *words, size_t count, size_t least,
    size_t most, struct fault *f)
{
	if (count >= least && count <= most)
		return 0;
	return fault_set(f, FAULT_CONFIG, "too %s words: %s %s",
	    count < least ? "few" : "many", keyword, words);
}

static int
find_block(const char *keyword, struct fault *f)
{
	const char *known[COUNT_OF(block_rows)];

	for (size_t i = 0; i < COUNT_OF(block_rows); i++) {
		if (strcmp(block_rows[i].keyword, keyword) == 0)
			return (int)i;
		known[i] = block_rows[i].keyword;
	}
	for (size_t i = 0; i < COUNT_OF(setting_rows); i++)
		if (strcmp(setting_rows[i].keyword, keyword) == 0)
			return fault_set(f, FAULT_CONFIG,
			    "\"%s\" is a setting: blanks go before it",
			    keyword);
	return maprule_unknown("keyword", keyword, known, COUNT_OF(known), f);
}

static const struct setting_row *
find_setting(enum maprule_block_kind block, const char *keyword,
    struct fault *f)
{
	const char *known[COUNT_OF(setting_rows)];
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(setting_rows); i++) {
		if (setting_rows[i].block != block)
			continue;
		if (strcmp(setting_rows[i].keyword, keyword) == 0)
			return &setting_rows[i];
		known[count++] = setting_rows[i].keyword;
	}
	if (maprule_unknown("setting", keyword, known, count, f) < 0)
		(void)fault_wrap(f, "%s", block_rows[block].keyword);
	return NULL;
}

/* ---- lines */

static struct maprule_block *
add_block(struct maprule_text *t, struct fault *f)
{
	if (t->count == MAPRULE_BLOCKS_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "more than %d blocks",
		    MAPRULE_BLOCKS_MAX);
		return NULL;
	}
	if (t->count == t->room) {
		size_t room = t->room == 0 ? 64 : t->room * 2;
		struct maprule_block *more =
		    reallocarray(t->blocks, room, sizeof(*more));

		if (more == NULL) {
			(void)fault_set(f, FAULT_MEMORY, "no memory for rules");
			return NULL;
		}
		t->blocks = more;
		t->room = room;
	}
	t->blocks[t->count] = (struct maprule_block){ 0 };
	return &t->blocks[t->count++];
}

/* A block of ${kind}, whose words begin at number ${from} of the line. */
static int
begin_block(struct maprule_text *t, enum maprule_block_kind kind,
    const struct line *l, size_t from, const char *path, int number,
    struct fault *f)
{
	const struct block_row *row = &block_rows[kind];
	struct maprule_block *block;

	if (check_count(row->keyword, row->words, l->count - from, row->least,
		row->most, f) < 0)
		return -1;
	if ((block = add_block(t, f)) == NULL)
		return -1;
	block->kind = kind;
	block->path = path;
	block->line = number;
	return keep_words(t, l, from, &block->head, f);
}

/* Settings of a block are an array that doubles at powers of two. */
static struct maprule_setting *
add_setting(struct maprule_text *t, struct maprule_block *block,
    struct fault *f)
{
	size_t n = block->count;

	if (n == SETTINGS_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "more than %d settings",
		    SETTINGS_MAX);
		return NULL;
	}
	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		struct maprule_setting *more = maprule_take(&t->arena,
		    (n == 0 ? 8 : n * 2) * sizeof(*more), f);

		if (more == NULL)
			return NULL;
		if (n > 0)
			memcpy(more, block->setting, n * sizeof(*more));
		block->setting = more;
	}
	return &block->setting[block->count++];
}

static int
put_setting(struct maprule_text *t, const struct line *l, int number,
    struct fault *f)
{
	struct maprule_block *block =
	    t->count > 0 ? &t->blocks[t->count - 1] : NULL;
	const struct setting_row *row;
	struct maprule_setting *setting;
	size_t times = 1, at = 0;

	if (block == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "a setting before the first block (a block begins at the "
		    "start of the line)");
	if ((row = find_setting(block->kind, l->word[0], f)) == NULL)
		return -1;
	if (check_count(row->keyword, row->words, l->count - 1, row->least,
		row->most, f) < 0)
		return -1;
	while (maprule_text_next(block, row->keyword, &at) != NULL)
		times++;
	if (times > row->times)
		return row->times == 1 ? fault_set(f, FAULT_CONFIG,
					     "%s is given twice", row->keyword)
				       : fault_set(f, FAULT_CONFIG,
					     "%s is given more than %zu times",
					     row->keyword, row->times);
	if ((setting = add_setting(t, block, f)) == NULL)
		return -1;
	setting->keyword = row->keyword;
	setting->line = number;
	return keep_words(t, l, 1, &setting->words, f);
}

struct reading {
	const char *path;
	bool bans;
	bool begun; /* a block of this file */
	int number;
	struct line line;
};

static int
read_line(struct maprule_text *t, struct reading *r, const char *text,
    size_t len, struct fault *f)
{
	struct line *l = &r->line;
	bool indented = len > 0 && is_blank(text[0]);
	int kind;

	l->at = text;
	l->end = text + len;
	l->count = 0;
	if (read_words(t, l, f) < 0)
		return -1;
	if (l->count == 0)
		return 0;
	if (r->bans)
		return begin_block(t, MAPRULE_BLOCK_BAN, l, 0, r->path,
		    r->number, f);
	if (indented && !r->begun)
		return fault_set(f, FAULT_CONFIG,
		    "a setting before the first block (a block begins at the "
		    "start of the line)");
	if (indented)
		return put_setting(t, l, r->number, f);
	r->begun = true;
	if ((kind = find_block(l->word[0], f)) < 0)
		return -1;
	return begin_block(t, (enum maprule_block_kind)kind, l, 1, r->path,
	    r->number, f);
}

static int
read_lines(struct maprule_text *t, struct reading *r, const char *text,
    size_t len, struct fault *f)
{
	for (r->number = 1; len > 0; r->number++) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);
		size_t bare = n > 0 && text[n - 1] == '\r' ? n - 1 : n;

		if (read_line(t, r, text, bare, f) < 0)
			return fault_wrap(f, "%s%s%d", r->path,
			    *r->path != '\0' ? ":" : "line ", r->number);
		n += newline != NULL;
		text += n;
		len -= n;
	}
	return 0;
}

int
maprule_text_read(struct maprule_text *t, const char *path, const char *text,
    size_t len, bool bans, struct fault *f)
{
	const char *given = path == NULL ? "" : path;
	struct reading r = { .bans = bans };

	if (len > MAPRULE_MAX)
		return fault_set(f, FAULT_CONFIG, "%s is longer than %d bytes",
		    given, MAPRULE_MAX);
	r.path = maprule_take_text(&t->arena, given, strlen(given), f);
	if (r.path == NULL)
		return -1;
	return read_lines(t, &r, text, len, f);
}

void
maprule_text_free(struct maprule_text *t)
{
	free(t->blocks);
	maprule_arena_free(&t->arena);
	*t = (struct maprule_text){ 0 };
}

/* ---- what was read */

const struct maprule_setting *
maprule_text_next(const struct maprule_block *block, const char *keyword,
    size_t *at)
{
	while (*at < block->count) {
		const struct maprule_setting *s = &block->setting[(*at)++];

		if (strcmp(s->keyword, keyword) == 0)
			return s;
	}
	return NULL;
}

int
maprule_text_words(struct maprule_text *t, const struct maprule_block *block,
    const char *keyword, struct maprule_words *words, struct fault *f)
{
	const struct maprule_setting *s;
	size_t at = 0, count = 0;
	const char **word;

	while ((s = maprule_text_next(block, keyword, &at)) != NULL)
		count += s->words.count;
	word = maprule_take(&t->arena, (count + 1) * sizeof(*word), f);
	if (word == NULL)
		return -1;
	count = at = 0;
	while ((s = maprule_text_next(block, keyword, &at)) != NULL) {
		memcpy(word + count, s->words.word,
		    s->words.count * sizeof(*word));
		count += s->words.count;
	}
	words->count = count;
	words->word = word;
	return 0;
}

/* ---- dump */

static bool
needs_quotes(const char *word)
{
	return word[0] == '#' || word[strcspn(word, " \t\"\\")] != '\0';
}

static void
dump_words(const struct maprule_words *words, struct buf *out)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *w = words->word[i];
		bool quoted = needs_quotes(w);

		buf_put_u8(out, ' ');
		if (quoted)
			buf_put_u8(out, '"');
		for (; *w != '\0'; w++) {
			if (quoted && (*w == '"' || *w == '\\'))
				buf_put_u8(out, '\\');
			buf_put_u8(out, (uint8_t)*w);
		}
		if (quoted)
			buf_put_u8(out, '"');
	}
	buf_put_u8(out, '\n');
}

void
maprule_text_dump(const struct maprule_text *t, struct buf *out)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct maprule_block *b = &t->blocks[i];

		buf_text(out, block_rows[b->kind].keyword);
		dump_words(&b->head, out);
		for (size_t j = 0; j < b->count; j++) {
			buf_fmt(out, "\t%s", b->setting[j].keyword);
			dump_words(&b->setting[j].words, out);
		}
	}
}

/* ---- the manual */

/* mdoc(7) wants a new line for each sentence. */
static void
man_text(const char *doc, FILE *out)
{
	for (; *doc != '\0'; doc++) {
		fputc(*doc, out);
		if (*doc == '.' && doc[1] == ' ') {
			fputc('\n', out);
			doc++;
		}
	}
	fputc('\n', out);
}

void
maprule_man(FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < COUNT_OF(block_rows); i++) {
		bool open = false;

		fprintf(out, ".It Ic %s Ar %s\n", block_rows[i].keyword,
		    block_rows[i].words);
		man_text(block_rows[i].doc, out);
		for (size_t j = 0; j < COUNT_OF(setting_rows); j++) {
			if ((size_t)setting_rows[j].block != i)
				continue;
			if (!open)
				fprintf(out, ".Bl -tag -width Ds\n");
			open = true;
			fprintf(out, ".It Ic %s Ar %s\n",
			    setting_rows[j].keyword, setting_rows[j].words);
			man_text(setting_rows[j].doc, out);
		}
		if (open)
			fprintf(out, ".El\n");
	}
	fprintf(out, ".El\n");
}
