#ifndef MAPRULE_MAPRULE_TEXT_H
#define MAPRULE_MAPRULE_TEXT_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "maprule/maprule.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The form of a rules file, before anybody asks what it means: blocks, their
 * settings, and the words of each.  What there may be is maprule_setting.def.
 */
struct fault;

enum maprule_block_kind {
#define BLOCK(name, keyword, words, least, most, doc) MAPRULE_BLOCK_##name,
#define SETTING(block, keyword, words, least, most, times, doc)
#include "maprule/maprule_setting.def"
#undef SETTING
#undef BLOCK
	MAPRULE_BLOCK_COUNT
};

struct maprule_block {
	enum maprule_block_kind kind;
	const char *path; /* as it was given, "" for none */
	int line;
	struct maprule_words head; /* after the keyword */
	size_t count;
	struct maprule_setting *setting;
};

/* Memory that is given back as a whole. */
struct maprule_arena {
	struct maprule_chunk *chunks;
};
/* ${size} cleared bytes; NULL and FAULT_MEMORY. */
CHECKED void *maprule_take(struct maprule_arena *a, size_t size,
    struct fault *f);
CHECKED char *maprule_take_text(struct maprule_arena *a, const char *text,
    size_t len, struct fault *f);
void maprule_arena_free(struct maprule_arena *a);

struct maprule_text {
	struct maprule_arena arena;
	struct maprule_block *blocks; /* owned */
	size_t count;
	size_t room;
};

/**
 * maprule_text_read(t, path, text, len, bans, f):
 * Add what the ${len} bytes at ${text} say to ${t}.  ${bans}: each line is what
 * stands after `ban`.  FAULT_CONFIG, "path:line: ...".
 */
CHECKED int maprule_text_read(struct maprule_text *t, const char *path,
    const char *text, size_t len, bool bans, struct fault *f);
void maprule_text_free(struct maprule_text *t);

/* Append the blocks in one form. */
void maprule_text_dump(const struct maprule_text *t, struct buf *out);

/* The setting ${keyword} of ${block}, from number *${at} on; *${at} is then
 * past it.  NULL if there is none more. */
const struct maprule_setting *maprule_text_next(const struct maprule_block
						    *block,
    const char *keyword, size_t *at);

/* All words of ${keyword} in ${block}, of all its lines. */
CHECKED int maprule_text_words(struct maprule_text *t,
    const struct maprule_block *block, const char *keyword,
    struct maprule_words *words, struct fault *f);

/* FAULT_CONFIG "... "word"; did you mean "nearest"?" for a ${word} that is none
 * of the ${count} ${known}; ${what} says what it was to be.
 * Always -1. */
int maprule_unknown(const char *what, const char *word,
    const char *const *known, size_t count, struct fault *f);

#endif
