#include "trust/namespaces.h"

#include "base/fault.h"
#include "trust/expression.h"
#include "trust/sigmatch.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 512
#define TEXT_SIZE 1024
#define FOLDED_SIZE (2 * TEXT_SIZE)

struct rule {
	char *issuer; /* owned, as it was written; NULL: SELF */
	bool permits;
	char *subject;		       /* owned, as it was written */
	struct expression *expression; /* owned */
};

struct namespaces_rules {
	size_t count;
	struct rule rule[RULES_MAX];
};

/* What is left of the file, and the token that stands at its front. */
struct reader {
	const char *at;
	size_t left;
	int line;
	bool ended;
	bool quoted;
	size_t len;
	char token[TEXT_SIZE];
};

static int
bad(const struct reader *r, struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INPUT, "line %d: %s", r->line, what);
}

static char
take(struct reader *r)
{
	char c = *r->at++;

	r->left--;
	if (c == '\n')
		r->line++;
	return c;
}

/* Blanks, comments, and the backslash by which a rule goes on. */
static void
skip_blank(struct reader *r)
{
	bool comment = false;

	while (r->left > 0) {
		bool goes_on = *r->at == '\\' && r->left > 1 &&
		    (r->at[1] == '\n' || r->at[1] == '\r');

		if (*r->at == '#')
			comment = true;
		if (!comment && !goes_on && !isspace((unsigned char)*r->at))
			return;
		if (take(r) == '\n')
			comment = false;
	}
}

static int
keep(struct reader *r, char c, struct fault *f)
{
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return bad(r, f, "a control character");
	if (r->len + 1 >= sizeof(r->token))
		return bad(r, f, "a text too long");
	r->token[r->len++] = c;
	return 0;
}

static int
next_quoted(struct reader *r, struct fault *f)
{
	(void)take(r);
	while (r->left > 0 && *r->at != '"' && *r->at != '\n')
		if (keep(r, take(r), f) < 0)
			return -1;
	if (r->left == 0 || *r->at != '"')
		return bad(r, f, "no closing quote");
	(void)take(r);
	return r->len > 0 ? 0 : bad(r, f, "an empty text");
}

static int
next(struct reader *r, struct fault *f)
{
	int result = 0;

	skip_blank(r);
	r->len = 0;
	r->ended = r->left == 0;
	r->quoted = !r->ended && *r->at == '"';
	if (r->quoted)
		result = next_quoted(r, f);
	else
		while (result == 0 && r->left > 0 && *r->at != '"' &&
		    !isspace((unsigned char)*r->at))
			result = keep(r, take(r), f);
	r->token[r->len] = '\0';
	return result;
}

static bool
is(const struct reader *r, const char *word)
{
	return !r->ended && !r->quoted && strcasecmp(r->token, word) == 0;
}

static int
expect(struct reader *r, const char *word, struct fault *f)
{
	if (!is(r, word))
		return fault_set(f, FAULT_INPUT, "line %d: no %s", r->line,
		    word);
	return next(r, f);
}

/* If an attribute's other name and '=' stand at ${in}, the usual one. */
static const char *
usual_name(const char *in, size_t *skip)
{
	static const char *const names[][2] = { { "USERID=", "UID=" },
		{ "0.9.2342.19200300.100.1.1=", "UID=" },
		{ "E=", "emailAddress=" }, { "Email=", "emailAddress=" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*skip = strlen(names[i][0]);
		if (strncasecmp(in, names[i][0], *skip) == 0)
			return names[i][1];
	}
	*skip = 0;
	return "";
}

/*
 * As sigmatch_fold, but for an expression: there a backslash before '+' has a
 * meaning of its own, which is the same character in the folded subject, and
 * case is the matcher's affair.
 */
static int
fold_expression(const char *in, struct buf *out)
{
	while (*in != '\0') {
		size_t skip = 0;
		char c = *in++;

		if (c == '\\' && *in == '/')
			continue;
		buf_put_u8(out, (uint8_t)c);
		if (c == '\\' && *in != '\0')
			buf_put_u8(out, (uint8_t)*in++);
		if (c != '/')
			continue;
		buf_text(out, usual_name(in, &skip));
		in += skip;
	}
	return buf_cstr(out) == NULL ? -1 : 0;
}

static int
compile(const struct reader *r, struct rule *rule, struct fault *f)
{
	OWN_BUF(folded, FOLDED_SIZE + 64);

	if (fold_expression(r->token, &folded) < 0)
		return bad(r, f, "an expression too long");
	rule->expression = expression_new((const char *)folded.data, f);
	if (rule->expression == NULL)
		return fault_wrap(f, "line %d", r->line);
	if ((rule->subject = strdup(r->token)) == NULL)
		return fault_set(f, FAULT_MEMORY, "namespaces");
	return 0;
}

static void
rule_clear(struct rule *rule)
{
	free(rule->issuer);
	free(rule->subject);
	expression_free(rule->expression);
	*rule = (struct rule){ 0 };
}

static int
read_issuer(struct reader *r, struct rule *rule, struct fault *f)
{
	if (!r->quoted && !is(r, "SELF"))
		return bad(r, f, "an issuer is SELF, or a name in quotes");
	if (r->quoted && (rule->issuer = strdup(r->token)) == NULL)
		return fault_set(f, FAULT_MEMORY, "namespaces");
	return next(r, f);
}

/* One rule, from TO to its expression. */
static int
read_rule(struct reader *r, struct rule *rule, struct fault *f)
{
	if (expect(r, "TO", f) < 0 || expect(r, "Issuer", f) < 0 ||
	    read_issuer(r, rule, f) < 0)
		return -1;
	rule->permits = is(r, "PERMIT");
	if (!rule->permits && !is(r, "DENY"))
		return bad(r, f, "neither PERMIT nor DENY");
	if (next(r, f) < 0 || expect(r, "Subject", f) < 0)
		return -1;
	if (!r->quoted)
		return bad(r, f, "a subject's expression stands in quotes");
	if (compile(r, rule, f) < 0)
		return -1;
	return next(r, f);
}

static int
read_rules(struct namespaces_rules *rules, struct reader *r, struct fault *f)
{
	if (next(r, f) < 0)
		return -1;
	while (!r->ended) {
		struct rule *rule = &rules->rule[rules->count];

		if (rules->count == RULES_MAX)
			return bad(r, f, "too many rules");
		if (read_rule(r, rule, f) < 0) {
			rule_clear(rule);
			return -1;
		}
		rules->count++;
	}
	return 0;
}

int
namespaces_read(struct namespaces *n, const char *text, size_t len,
    struct fault *f)
{
	struct namespaces made = { NULL };
	struct reader r = { .at = text, .left = len, .line = 1 };

	if (len > NAMESPACES_MAX)
		return fault_set(f, FAULT_INPUT, "larger than %d bytes",
		    NAMESPACES_MAX);
	if ((made.rules = calloc(1, sizeof(*made.rules))) == NULL)
		return fault_set(f, FAULT_MEMORY, "namespaces");
	if (read_rules(made.rules, &r, f) < 0) {
		namespaces_clear(&made);
		return -1;
	}
	*n = made;
	return 0;
}

void
namespaces_clear(struct namespaces *n)
{
	for (size_t i = 0; n->rules != NULL && i < n->rules->count; i++)
		rule_clear(&n->rules->rule[i]);
	free(n->rules);
	n->rules = NULL;
}

size_t
namespaces_count(const struct namespaces *n)
{
	return n->rules == NULL ? 0 : n->rules->count;
}

void
namespaces_write(const struct namespaces *n, struct buf *out)
{
	buf_text(out, "#NAMESPACES-VERSION: 1.0\n");
	for (size_t i = 0; i < namespaces_count(n); i++) {
		const struct rule *rule = &n->rules->rule[i];

		buf_text(out, "TO Issuer ");
		if (rule->issuer == NULL)
			buf_text(out, "SELF");
		else
			buf_fmt(out, "\"%s\"", rule->issuer);
		buf_fmt(out, " \\\n  %s Subject \"%s\"\n",
		    rule->permits ? "PERMIT" : "DENY", rule->subject);
	}
}

/* Whether ${rule} of ${self}'s file is about ${issuer}, which is folded. */
static bool
concerns(const struct rule *rule, const char *self, const char *issuer)
{
	char name[FOLDED_SIZE];

	return sigmatch_fold(rule->issuer != NULL ? rule->issuer : self, name,
		   sizeof(name)) &&
	    strcmp(name, issuer) == 0;
}

enum namespaces_say
namespaces_says(const struct namespaces *n, const char *self,
    const char *issuer, const char *subject)
{
	enum namespaces_say say = NAMESPACES_SILENT;
	char signer[FOLDED_SIZE], signee[FOLDED_SIZE];
	bool permitted = false;

	/* What is too long for us is nobody's to sign. */
	if (!sigmatch_fold(issuer, signer, sizeof(signer)) ||
	    !sigmatch_fold(subject, signee, sizeof(signee)))
		return NAMESPACES_REFUSE;
	for (size_t i = 0; i < namespaces_count(n); i++) {
		const struct rule *rule = &n->rules->rule[i];

		if (!concerns(rule, self, signer))
			continue;
		say = NAMESPACES_REFUSE;
		if (!expression_fits(rule->expression, signee))
			continue;
		if (!rule->permits)
			return NAMESPACES_REFUSE;
		permitted = true;
	}
	return permitted ? NAMESPACES_PERMIT : say;
}
