#include "trust/sigpolicy.h"

#include "base/fault.h"
#include "trust/sigmatch.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAS_MAX 64
#define RIGHTS_MAX 64
#define PATTERNS_MAX 256
#define NAME_TEXT_MAX 1024

/* The principals of one entry share its group number with its rights. */
struct ca {
	size_t group;
	char *name; /* owned; NULL: access_id_ANYBODY */
};

/* Only the right to sign certificates is kept. */
struct right {
	size_t group;
	bool grants;  /* false: neg_rights */
	bool unknown; /* it has a condition that we cannot judge */
	size_t sets;  /* cond_subjects: each of them must be met */
};

struct pattern {
	size_t right;
	size_t set;
	char *text; /* owned */
};

struct sigpolicy_rules {
	size_t cas;
	size_t rights;
	size_t patterns;
	struct ca ca[CAS_MAX];
	struct right right[RIGHTS_MAX];
	struct pattern pattern[PATTERNS_MAX];
};

/* What is left of the file, and the token that stands at its front. */
struct reader {
	const char *at;
	size_t left;
	int line;
	bool ended;
	size_t len;
	char token[NAME_TEXT_MAX * 8];
};

static char
take(struct reader *r)
{
	char c = *r->at++;

	r->left--;
	if (c == '\n')
		r->line++;
	return c;
}

static int
bad(const struct reader *r, struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INPUT, "line %d: %s", r->line, what);
}

static void
skip_blank(struct reader *r)
{
	bool comment = false;

	while (r->left > 0) {
		if (*r->at == '#')
			comment = true;
		if (!comment && !isspace((unsigned char)*r->at))
			return;
		if (take(r) == '\n')
			comment = false;
	}
}

static int
keep(struct reader *r, char c, struct fault *f)
{
	if (c == '\0')
		return bad(r, f, "a NUL byte");
	if (r->len + 1 >= sizeof(r->token))
		return bad(r, f, "a word too long");
	r->token[r->len++] = c;
	r->token[r->len] = '\0';
	return 0;
}

/* The rest of a token that began with a single quote. */
static int
next_quoted(struct reader *r, struct fault *f)
{
	while (r->left > 0) {
		char c = take(r);

		if (c == '\'')
			return 0;
		if (c == '\\' && r->left > 0)
			c = take(r);
		if (keep(r, c, f) < 0)
			return -1;
	}
	return bad(r, f, "no closing quote");
}

static int
next(struct reader *r, struct fault *f)
{
	skip_blank(r);
	r->len = 0;
	r->token[0] = '\0';
	r->ended = r->left == 0;
	if (r->ended)
		return 0;
	if (*r->at == '\'') {
		(void)take(r);
		return next_quoted(r, f);
	}
	while (r->left > 0 && !isspace((unsigned char)*r->at))
		if (keep(r, take(r), f) < 0)
			return -1;
	return 0;
}

static bool
is(const struct reader *r, const char *word)
{
	return !r->ended && strcmp(r->token, word) == 0;
}

/* The authority that follows a keyword, then the value, which stays the
 * reader's token.  Whether the authority is ${authority} goes to ${same}. */
static int
next_value(struct reader *r, const char *authority, bool *same, struct fault *f)
{
	if (next(r, f) < 0)
		return -1;
	*same = is(r, authority);
	if (r->ended)
		return bad(r, f, "no authority after a keyword");
	if (next(r, f) < 0)
		return -1;
	if (r->ended)
		return bad(r, f, "no value after an authority");
	return 0;
}

static int
copy_name(const struct reader *r, const char *from, size_t len, char **to,
    struct fault *f)
{
	if (len == 0)
		return bad(r, f, "an empty name");
	if (len >= NAME_TEXT_MAX)
		return bad(r, f, "a name too long");
	if ((*to = strndup(from, len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "signing policy");
	return 0;
}

static int
add_pattern(struct sigpolicy_rules *p, const struct reader *r, const char *from,
    size_t len, struct fault *f)
{
	struct pattern *new = &p->pattern[p->patterns];
	size_t right = p->rights - 1;

	if (p->patterns == PATTERNS_MAX)
		return bad(r, f, "too many patterns");
	if (copy_name(r, from, len, &new->text, f) < 0)
		return -1;
	new->right = right;
	new->set = p->right[right].sets;
	p->patterns++;
	return 0;
}

/* The value of cond_subjects: every "..." in it, or else the whole of it. */
static int
add_subjects(struct sigpolicy_rules *p, const struct reader *r, struct fault *f)
{
	const char *at = strchr(r->token, '"');
	size_t written = 0;
	const char *end;

	if (at == NULL && add_pattern(p, r, r->token, r->len, f) < 0)
		return -1;
	for (; at != NULL; at = strchr(end + 1, '"')) {
		if ((end = strchr(at + 1, '"')) == NULL)
			return bad(r, f, "no closing double quote");
		/* As long as sigpolicy_write makes it. */
		written += (size_t)(end - at) + 2;
		if (written >= sizeof(r->token))
			return bad(r, f, "too many names");
		if (add_pattern(p, r, at + 1, (size_t)(end - at - 1), f) < 0)
			return -1;
	}
	p->right[p->rights - 1].sets++;
	return 0;
}

static int
read_conditions(struct sigpolicy_rules *p, struct reader *r, bool counts,
    struct fault *f)
{
	while (!r->ended && strncmp(r->token, "cond_", 5) == 0) {
		bool subjects = is(r, "cond_subjects");
		bool globus;

		if (next_value(r, "globus", &globus, f) < 0)
			return -1;
		if (counts && subjects && globus && add_subjects(p, r, f) < 0)
			return -1;
		if (counts && !(subjects && globus))
			p->right[p->rights - 1].unknown = true;
		if (next(r, f) < 0)
			return -1;
	}
	return 0;
}

/* One right of entry ${group} and its conditions. */
static int
read_right(struct sigpolicy_rules *p, struct reader *r, size_t group,
    struct fault *f)
{
	struct right right = { .group = group, .grants = is(r, "pos_rights") };
	bool globus;
	bool counts;

	if (next_value(r, "globus", &globus, f) < 0)
		return -1;
	counts = globus && is(r, "CA:sign");
	if (counts && p->rights == RIGHTS_MAX)
		return bad(r, f, "too many rights");
	if (counts)
		p->right[p->rights++] = right;
	if (next(r, f) < 0)
		return -1;
	return read_conditions(p, r, counts, f);
}

static bool
is_right(const struct reader *r)
{
	return is(r, "pos_rights") || is(r, "neg_rights");
}

/* One principal, if the token names one: 1, 0 if it does not. */
static int
read_principal(struct sigpolicy_rules *p, struct reader *r, size_t group,
    struct fault *f)
{
	bool anybody = is(r, "access_id_ANYBODY");
	bool is_ca = is(r, "access_id_CA");
	bool other = is(r, "access_id_USER") || is(r, "access_id_GROUP") ||
	    is(r, "access_id_HOST") || is(r, "access_id_APPLICATION");
	bool x509 = false;

	if (!anybody && !is_ca && !other)
		return 0;
	if (!anybody && next_value(r, "X509", &x509, f) < 0)
		return -1;
	if (anybody || (is_ca && x509)) {
		if (p->cas == CAS_MAX)
			return bad(r, f, "too many principals");
		p->ca[p->cas].name = NULL;
		if (!anybody &&
		    copy_name(r, r->token, r->len, &p->ca[p->cas].name, f) < 0)
			return -1;
		p->ca[p->cas++].group = group;
	}
	return next(r, f) < 0 ? -1 : 1;
}

static int
read_entry(struct sigpolicy_rules *p, struct reader *r, size_t group,
    struct fault *f)
{
	int some = read_principal(p, r, group, f);
	int more = some;

	if (some == 0)
		return bad(r, f, "not an access_id_ keyword");
	while (more == 1)
		more = read_principal(p, r, group, f);
	if (more < 0)
		return -1;
	if (!is_right(r))
		return bad(r, f, "no pos_rights after a principal");
	while (is_right(r))
		if (read_right(p, r, group, f) < 0)
			return -1;
	return 0;
}

static int
read_entries(struct sigpolicy_rules *p, struct reader *r, struct fault *f)
{
	if (r->ended)
		return bad(r, f, "a signing policy without any entry");
	for (size_t group = 0; !r->ended; group++)
		if (read_entry(p, r, group, f) < 0)
			return -1;
	return 0;
}

int
sigpolicy_read(struct sigpolicy *p, const char *text, size_t len,
    struct fault *f)
{
	struct sigpolicy made = { NULL };
	struct reader r = { .at = text, .left = len, .line = 1 };

	if (len > SIGPOLICY_MAX)
		return fault_set(f, FAULT_INPUT, "larger than %d bytes",
		    SIGPOLICY_MAX);
	if ((made.rules = calloc(1, sizeof(*made.rules))) == NULL)
		return fault_set(f, FAULT_MEMORY, "signing policy");
	if (next(&r, f) < 0 || read_entries(made.rules, &r, f) < 0) {
		sigpolicy_clear(&made);
		return -1;
	}
	*p = made;
	return 0;
}

void
sigpolicy_clear(struct sigpolicy *p)
{
	struct sigpolicy_rules *rules = p->rules;

	if (rules == NULL)
		return;
	/* A failed read may have left a name just past the counted ones. */
	for (size_t i = 0; i < CAS_MAX; i++)
		free(rules->ca[i].name);
	for (size_t i = 0; i < PATTERNS_MAX; i++)
		free(rules->pattern[i].text);
	free(rules);
	p->rules = NULL;
}

static void
write_quoted(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			buf_put_u8(out, '\\');
		buf_put_u8(out, (uint8_t)*text);
	}
}

static void
write_subjects(const struct sigpolicy_rules *p, size_t right, size_t set,
    struct buf *out)
{
	const char *blank = "";

	buf_text(out, "cond_subjects globus '");
	for (size_t i = 0; i < p->patterns; i++) {
		if (p->pattern[i].right != right || p->pattern[i].set != set)
			continue;
		buf_text(out, blank);
		buf_put_u8(out, '"');
		write_quoted(out, p->pattern[i].text);
		buf_put_u8(out, '"');
		blank = " ";
	}
	buf_text(out, "'\n");
}

static void
write_rights(const struct sigpolicy_rules *p, size_t group, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < p->rights; i++) {
		const struct right *right = &p->right[i];

		if (right->group != group)
			continue;
		any = true;
		buf_text(out, right->grants ? "pos_rights" : "neg_rights");
		buf_text(out, " globus CA:sign\n");
		for (size_t set = 0; set < right->sets; set++)
			write_subjects(p, i, set, out);
		if (right->unknown)
			buf_text(out, "cond_unknown globus 'never'\n");
	}
	/* The grammar wants a right; this one says nothing. */
	if (!any)
		buf_text(out, "pos_rights globus none\n");
}

void
sigpolicy_write(const struct sigpolicy *p, struct buf *out)
{
	const struct sigpolicy_rules *rules = p->rules;

	for (size_t i = 0; i < rules->cas; i++) {
		const struct ca *ca = &rules->ca[i];
		bool last =
		    i + 1 == rules->cas || rules->ca[i + 1].group != ca->group;

		if (ca->name == NULL) {
			buf_text(out, "access_id_ANYBODY\n");
		} else {
			buf_text(out, "access_id_CA X509 '");
			write_quoted(out, ca->name);
			buf_text(out, "'\n");
		}
		if (last)
			write_rights(rules, ca->group, out);
	}
	/* Entries for other kinds of principal only: nobody may sign. */
	if (rules->cas == 0)
		buf_text(out,
		    "access_id_USER none none\n"
		    "neg_rights globus none\n");
}

static bool
set_met(const struct sigpolicy_rules *p, size_t right, size_t set,
    const char *subject)
{
	char pattern[NAME_TEXT_MAX * 2];

	for (size_t i = 0; i < p->patterns; i++)
		if (p->pattern[i].right == right && p->pattern[i].set == set &&
		    sigmatch_fold(p->pattern[i].text, pattern,
			sizeof(pattern)) &&
		    sigmatch_pattern(pattern, subject))
			return true;
	return false;
}

static bool
sets_met(const struct sigpolicy_rules *p, size_t right, const char *subject)
{
	for (size_t set = 0; set < p->right[right].sets; set++)
		if (!set_met(p, right, set, subject))
			return false;
	return true;
}

static bool
concerns(const struct sigpolicy_rules *p, size_t group, const char *ca)
{
	char name[NAME_TEXT_MAX * 2];

	for (size_t i = 0; i < p->cas; i++) {
		if (p->ca[i].group != group)
			continue;
		if (p->ca[i].name == NULL)
			return true;
		if (sigmatch_fold(p->ca[i].name, name, sizeof(name)) &&
		    strcmp(name, ca) == 0)
			return true;
	}
	return false;
}

int
sigpolicy_patterns(const struct sigpolicy *p, const char *ca,
    sigpolicy_pattern_fn *fn, void *arg, struct fault *f)
{
	const struct sigpolicy_rules *rules = p->rules;
	char signer[NAME_TEXT_MAX * 2];
	int result = 0;

	if (rules == NULL || !sigmatch_fold(ca, signer, sizeof(signer)))
		return fault_set(f, FAULT_INPUT, "the CA's name is too long");
	for (size_t i = 0; i < rules->rights && result == 0; i++) {
		const struct right *right = &rules->right[i];

		if (!concerns(rules, right->group, signer))
			continue;
		if (!right->grants || right->unknown || right->sets != 1)
			return fault_set(f, FAULT_INPUT,
			    "its signing policy is more than patterns");
		for (size_t k = 0; k < rules->patterns && result == 0; k++)
			if (rules->pattern[k].right == i)
				result = fn(arg, rules->pattern[k].text, f);
	}
	return result;
}

bool
sigpolicy_allows(const struct sigpolicy *p, const char *ca, const char *subject)
{
	const struct sigpolicy_rules *rules = p->rules;
	char signer[NAME_TEXT_MAX * 2];
	char signee[NAME_TEXT_MAX * 2];
	bool granted = false;

	if (strcmp(ca, subject) == 0)
		return true;
	if (rules == NULL || !sigmatch_fold(ca, signer, sizeof(signer)) ||
	    !sigmatch_fold(subject, signee, sizeof(signee)))
		return false;
	for (size_t i = 0; i < rules->rights; i++) {
		const struct right *right = &rules->right[i];

		if (!concerns(rules, right->group, signer) ||
		    !sets_met(rules, i, signee))
			continue;
		/* In doubt about a condition: what takes away, does. */
		if (!right->grants)
			return false;
		granted = granted || !right->unknown;
	}
	return granted;
}
