#include "trust/expression.h"

#include "base/fault.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX ((size_t)4 * EXPRESSION_MAX)
#define DEPTH_MAX 64

enum op {
	OP_CHARACTER,
	OP_ANY,
	OP_CLASS,
	OP_SPLIT, /* go on at both */
	OP_JUMP,
	OP_END
};

struct step {
	enum op op;
	uint8_t character;
	uint16_t first;	 /* where it goes on; OP_CLASS: which class */
	uint16_t second; /* OP_SPLIT */
};

struct class
{
	uint8_t bits[32];
};

struct expression {
	size_t steps;
	size_t classes;
	struct step step[STEPS_MAX];
	struct class *class; /* owned, EXPRESSION_MAX / 2 of them */
};

/* An expression being read. */
struct reader {
	struct expression *e;
	const char *begins;
	const char *at;
	int depth;
	struct fault *f;
};

static int
bad(struct reader *r, const char *what)
{
	return fault_set(r->f, FAULT_INPUT, "expression, character %d: %s",
	    (int)(r->at - r->begins) + 1, what);
}

static int
emit(struct reader *r, enum op op, size_t first, size_t second)
{
	struct expression *e = r->e;

	if (e->steps == STEPS_MAX)
		return bad(r, "too long");
	e->step[e->steps++] = (struct step){
		.op = op, .first = (uint16_t)first, .second = (uint16_t)second
	};
	return 0;
}

/* Put a split before the steps from ${at} on, which move by one with what they
 * point to. */
static int
insert_split(struct reader *r, size_t at)
{
	struct expression *e = r->e;

	if (emit(r, OP_END, 0, 0) < 0)
		return -1;
	memmove(&e->step[at + 1], &e->step[at],
	    (e->steps - 1 - at) * sizeof(e->step[0]));
	for (size_t i = at + 1; i < e->steps; i++) {
		struct step *s = &e->step[i];

		if (s->op != OP_SPLIT && s->op != OP_JUMP)
			continue;
		s->first = (uint16_t)(s->first + (s->first >= at));
		s->second = (uint16_t)(s->second + (s->second >= at));
	}
	e->step[at] = (struct step){ .op = OP_SPLIT,
		.first = (uint16_t)(at + 1),
		.second = (uint16_t)e->steps };
	return 0;
}

/* One character of a class, or anything: after a backslash the next one. */
static int
class_character(struct reader *r, uint8_t *c)
{
	if (*r->at == '\\')
		r->at++;
	if (*r->at == '\0')
		return bad(r, "no ]");
	if (*r->at == '[' && r->at[1] == ':')
		return bad(r, "[: is not for here");
	*c = (uint8_t)*r->at++;
	return 0;
}

static void
class_add(struct class *class, unsigned from, unsigned to)
{
	for (unsigned c = from; c <= to; c++) {
		unsigned low = (unsigned)tolower((int)c);

		class->bits[low / 8] |= (uint8_t)(1u << low % 8);
	}
}

static int
read_class(struct reader *r)
{
	struct expression *e = r->e;
	struct class *class = &e->class[e->classes];
	bool negated = r->at[1] == '^';
	uint8_t from = 0, to = 0;

	r->at += negated ? 2 : 1;
	for (bool first = true; first || *r->at != ']'; first = false) {
		if (class_character(r, &from) < 0)
			return -1;
		to = from;
		if (r->at[0] == '-' && r->at[1] != ']') {
			r->at++;
			if (class_character(r, &to) < 0)
				return -1;
		}
		if (to < from)
			return bad(r, "a range that runs backwards");
		class_add(class, from, to);
	}
	r->at++;
	for (size_t i = 0; negated && i < sizeof(class->bits); i++)
		class->bits[i] = (uint8_t) ~class->bits[i];
	return emit(r, OP_CLASS, e->classes++, 0);
}

static int read_choice(struct reader *r);

static int
read_group(struct reader *r)
{
	if (++r->depth > DEPTH_MAX)
		return bad(r, "nested too deep");
	r->at++;
	if (read_choice(r) < 0)
		return -1;
	if (*r->at != ')')
		return bad(r, "no )");
	r->at++;
	r->depth--;
	return 0;
}

static int
read_character(struct reader *r)
{
	if (*r->at == '\\') {
		r->at++;
		if (*r->at == '\0' || isalnum((unsigned char)*r->at))
			return bad(r, "\\ before a letter");
	} else if (strchr("{*+?", *r->at) != NULL) {
		return bad(r, "nothing that could be repeated");
	} else if (*r->at == '^' || *r->at == '$') {
		return bad(r, "^ and $ stand at the ends: write \\^ or \\$");
	}
	if (emit(r, OP_CHARACTER, 0, 0) < 0)
		return -1;
	r->e->step[r->e->steps - 1].character =
	    (uint8_t)tolower((unsigned char)*r->at++);
	return 0;
}

static int
read_atom(struct reader *r)
{
	switch (*r->at) {
	case '(':
		return read_group(r);
	case '[':
		return read_class(r);
	case '.':
		r->at++;
		return emit(r, OP_ANY, 0, 0);
	default:
		return read_character(r);
	}
}

/* What stands behind an atom whose steps begin at ${begins}. */
static int
read_quantifier(struct reader *r, size_t begins)
{
	char c = *r->at;

	if (c == '\0' || strchr("*+?{", c) == NULL)
		return 0;
	if (c == '{')
		return bad(r, "{ is not for here: write \\{ or [{]");
	r->at++;
	if (*r->at != '\0' && strchr("*+?{", *r->at) != NULL)
		return bad(r, "a quantifier behind another");
	if (c == '+')
		return emit(r, OP_SPLIT, begins, r->e->steps + 1);
	if (insert_split(r, begins) < 0)
		return -1;
	if (c == '?')
		return 0;
	r->e->step[begins].second = (uint16_t)(r->e->steps + 1);
	return emit(r, OP_JUMP, begins, 0);
}

static int
read_branch(struct reader *r)
{
	while (*r->at != '\0' && *r->at != '|' && *r->at != ')' &&
	    !(*r->at == '$' && r->at[1] == '\0')) {
		size_t begins = r->e->steps;

		if (read_atom(r) < 0 || read_quantifier(r, begins) < 0)
			return -1;
	}
	return 0;
}

/* Branches with | between: all but the last jump to the end. */
static int
read_choice(struct reader *r)
{
	size_t jumps[DEPTH_MAX], count = 0;

	for (;;) {
		size_t begins = r->e->steps;

		if (read_branch(r) < 0)
			return -1;
		if (*r->at != '|')
			break;
		if (count == DEPTH_MAX)
			return bad(r, "too many |");
		r->at++;
		if (insert_split(r, begins) < 0)
			return -1;
		r->e->step[begins].second = (uint16_t)(r->e->steps + 1);
		jumps[count++] = r->e->steps;
		if (emit(r, OP_JUMP, 0, 0) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++)
		r->e->step[jumps[i]].first = (uint16_t)r->e->steps;
	return 0;
}

static int
read_all(struct reader *r)
{
	if (*r->at == '^')
		r->at++;
	if (read_choice(r) < 0)
		return -1;
	if (*r->at == '$' && r->at[1] == '\0')
		r->at++;
	if (*r->at != '\0')
		return bad(r, "no (");
	return emit(r, OP_END, 0, 0);
}

struct expression *
expression_new(const char *text, struct fault *f)
{
	OWN_STRUCT(expression) e = NULL;
	struct reader r = { NULL, text, text, 0, f };

	if (strlen(text) > EXPRESSION_MAX) {
		(void)fault_set(f, FAULT_INPUT, "an expression too long");
		return NULL;
	}
	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    (e->class = calloc(EXPRESSION_MAX / 2, sizeof(*e->class))) ==
		NULL) {
		(void)fault_set(f, FAULT_MEMORY, "expression");
		return NULL;
	}
	r.e = e;
	return read_all(&r) < 0 ? NULL : TAKE(e);
}

void
expression_free(struct expression *e)
{
	if (e == NULL)
		return;
	free(e->class);
	free(e);
}

/* The steps that wait for a character. */
struct waiting {
	size_t count;
	uint16_t step[STEPS_MAX];
	bool has[STEPS_MAX];
	bool ended;
};

/* ${at} and all that it leads to without a character, each once. */
static void
go(const struct expression *e, struct waiting *w, uint16_t at)
{
	uint16_t stack[2 * STEPS_MAX];
	size_t depth = 0;

	stack[depth++] = at;
	while (depth > 0) {
		uint16_t i = stack[--depth];
		const struct step *s = &e->step[i];

		if (w->has[i])
			continue;
		w->has[i] = true;
		if (s->op == OP_SPLIT)
			stack[depth++] = s->second;
		if (s->op == OP_SPLIT || s->op == OP_JUMP)
			stack[depth++] = s->first;
		else if (s->op == OP_END)
			w->ended = true;
		else
			w->step[w->count++] = i;
	}
}

static bool
takes(const struct expression *e, const struct step *s, uint8_t c)
{
	if (s->op == OP_CLASS)
		return (e->class[s->first].bits[c / 8] >> c % 8 & 1) != 0;
	return s->op == OP_ANY || s->character == c;
}

bool
expression_fits(const struct expression *e, const char *text)
{
	struct waiting a = { 0 }, b;
	struct waiting *now = &a, *next = &b;

	go(e, now, 0);
	for (; *text != '\0' && now->count > 0; text++) {
		uint8_t c = (uint8_t)tolower((unsigned char)*text);
		struct waiting *swap = now;

		next->count = 0;
		next->ended = false;
		memset(next->has, 0, e->steps * sizeof(next->has[0]));
		for (size_t i = 0; i < now->count; i++)
			if (takes(e, &e->step[now->step[i]], c))
				go(e, next, (uint16_t)(now->step[i] + 1));
		now = next;
		next = swap;
	}
	return *text == '\0' && now->ended;
}
