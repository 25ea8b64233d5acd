/* edg-mkgridmap.conf (facts: trustmap FORMATS) as rules. */
#include "base/fault.h"
#include "base/text.h"
#include "conv_out.h"
#include "convert_args.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 4096
#define WORDS 4

struct edg {
	struct conv *conv;
	size_t line;
	size_t groups;
	size_t locals;
	struct buf allowed; /* patterns, as a rule takes them */
	char user[256];
};

static char
hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

	return at == NULL ? -1 : (char)(at - digits);
}

/* %XX of an URL; false if a byte cannot stand in a rule. */
static bool
unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		char high, low;

		if (*text == '%') {
			if ((high = hex_digit(text[1])) < 0 ||
			    (low = hex_digit(text[2])) < 0)
				return false;
			*to = (char)(high << 4 | low);
			text += 2;
		} else {
			*to = *text;
		}
		if (*to < ' ' || *to == 0x7f || *to == '"' || *to == '\\')
			return false;
		to++;
	}
	*to = '\0';
	return true;
}

/* A number would be taken for a uid. */
static bool
is_account(const char *user)
{
	return map_request_account_good(user) &&
	    user[strspn(user, "0123456789")] != '\0' &&
	    strcmp(user, "AUTO") != 0;
}

static bool
put_account(struct edg *e, const char *user, struct buf *out)
{
	if (*user == '.' && is_account(user + 1)) {
		buf_fmt(out, "    account pool %s\n", user + 1);
		return true;
	}
	if (is_account(user)) {
		buf_fmt(out, "    account group %s\n", user);
		return true;
	}
	conv_left(e->conv, e->line,
	    "the account \"%.64s\" cannot be carried over: the rule needs one, "
	    "and stands there as a comment",
	    user);
	return false;
}

static void
put_comment(struct edg *e)
{
	buf_fmt(&e->conv->rules,
	    "#map group%zu\n#    from group%zu\n#    account ?\n\n", e->groups,
	    e->groups);
}

static void
put_rule(struct edg *e, const char *user)
{
	OWN_BUF(account, MAP_REQUEST_ACCOUNT_SIZE + 32);

	if (!put_account(e, user, &account)) {
		put_comment(e);
		return;
	}
	buf_fmt(&e->conv->rules, "map group%zu\n    from group%zu\n", e->groups,
	    e->groups);
	buf_put(&e->conv->rules, account.data, account.len);
	if (e->allowed.len > 0) {
		buf_text(&e->conv->rules, "    names");
		buf_put(&e->conv->rules, e->allowed.data, e->allowed.len);
		buf_text(&e->conv->rules, "\n");
	}
	buf_text(&e->conv->rules, "\n");
}

/* ldap[s]://host[:port]/groupDN[??scope?filter] */
static void
take_ldap(struct edg *e, char *uri, const char *user)
{
	struct buf *out = &e->conv->rules;
	char *host = strstr(uri, "://") + 3;
	char *dn = host + strcspn(host, "/");
	bool filtered = false;
	char *more;

	if (*dn == '\0') {
		conv_left(e->conv, e->line, "an LDAP URL without a group");
		return;
	}
	*dn++ = '\0';
	more = dn + strcspn(dn, "?");
	if (*more != '\0') {
		conv_left(e->conv, e->line,
		    "what follows the group's DN (%.64s) is not carried over",
		    more);
		filtered = strchr(more, '(') != NULL;
		*more = '\0';
	}
	if (!unescape(dn) || !text_printable(uri) || strpbrk(uri, " \"#\\") ||
	    *dn == '\0') {
		conv_left(e->conv, e->line, "a DN that a rule cannot have");
		return;
	}
	e->groups++;
	buf_fmt(out, "source group%zu ldap\n    server %s\n", e->groups, uri);
	if (text_starts(uri, "ldap://"))
		buf_text(out, "    tls plain\n");
	buf_text(out, "    base ");
	more = strstr(dn, "dc=");
	(void)conv_quote(out, more != NULL ? more : dn);
	buf_text(out,
	    "\n    dn description\n    groups member\n"
	    "    group-base ");
	(void)conv_quote(out, dn);
	buf_text(out, "\n\n");
	conv_left(e->conv, e->line,
	    "look whether the people are under the base of group%zu",
	    e->groups);
	/* Whom the filter kept out is not let in. */
	if (filtered)
		put_comment(e);
	else
		put_rule(e, user);
}

static void
take_group(struct edg *e, char *uri, const char *user)
{
	for (char *c = uri; *c >= 'A' && *c <= 'Z'; c++)
		*c = (char)(*c | 0x20);
	if (strncasecmp(uri, "ldap://", 7) == 0 ||
	    strncasecmp(uri, "ldaps://", 8) == 0) {
		take_ldap(e, uri, user);
		return;
	}
	if ((strncasecmp(uri, "http://", 7) != 0 &&
		strncasecmp(uri, "https://", 8) != 0) ||
	    !text_printable(uri) || strpbrk(uri, " \"#\\") != NULL) {
		conv_left(e->conv, e->line,
		    "%.150s: export the members as a list of names, and name "
		    "it in a source of the kind list",
		    uri);
		return;
	}
	e->groups++;
	buf_fmt(&e->conv->rules, "source group%zu list %s\n\n", e->groups, uri);
	put_rule(e, user);
}

/* What a rule's pattern has no word for, in place, as `?`: whoever was denied
 * still is. */
static void
widen(struct edg *e, char *pattern)
{
	char *to = pattern;
	bool wider = false;

	for (const char *at = pattern; *at != '\0'; at++) {
		const char *end =
		    *at == '[' && at[1] != '\0' ? strchr(at + 2, ']') : NULL;

		if (end != NULL)
			at = end;
		else if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at != '"' && *at != '\\') {
			*to++ = *at;
			continue;
		}
		wider = true;
		*to++ = '?';
	}
	*to = '\0';
	if (wider)
		conv_left(e->conv, e->line,
		    "deny: banned more widely now, by %.100s", pattern);
}

static void
take_deny(struct edg *e, char *pattern)
{
	struct buf *out = &e->conv->rules;
	size_t before = out->len;

	widen(e, pattern);
	buf_text(out, "ban pattern ");
	if (conv_quote(out, pattern)) {
		buf_text(out, "\n\n");
		return;
	}
	out->len = before;
	conv_left(e->conv, e->line, "a pattern that a rule cannot have");
}

static void
take_local(struct edg *e, const char *path)
{
	struct buf *out = &e->conv->rules;
	size_t before = out->len;

	buf_fmt(out, "source local%zu file ", ++e->locals);
	if (*path != '/' || !conv_quote(out, path)) {
		out->len = before;
		conv_left(e->conv, e->line, "a path that a rule cannot have");
		return;
	}
	buf_fmt(out,
	    "\nsplice local%zu\n    from local%zu\n"
	    "    priority before\n\n",
	    e->locals, e->locals);
}

static void
take_words(struct edg *e, char **word, size_t count)
{
	const char *key = word[0];

	if (strcasecmp(key, "group") == 0 && count >= 2)
		take_group(e, word[1], count > 2 ? word[2] : e->user);
	else if (strcasecmp(key, "default_lcluser") == 0 && count == 2) {
		if (text_copy(e->user, sizeof(e->user), word[1]) < 0)
			conv_left(e->conv, e->line, "an account too long");
	} else if (strcasecmp(key, "gmf_local") == 0 && count == 2)
		take_local(e, word[1]);
	else if (strcasecmp(key, "deny") == 0 && count == 2)
		take_deny(e, word[1]);
	else if (strcasecmp(key, "allow") == 0 && count == 2)
		conv_left(e->conv, e->line,
		    "allow %.100s: where it stood before a deny, the ban wins "
		    "now",
		    word[1]);
	else
		conv_left(e->conv, e->line, "%.32s is not carried over", key);
}

/* If anybody is allowed, nobody else is: known before the first rule. */
static void
take_allow(struct edg *e, char **word, size_t count)
{
	if (strcasecmp(word[0], "allow") != 0)
		return;
	buf_text(&e->allowed, " ");
	if (count != 2 || !conv_quote(&e->allowed, word[1])) {
		conv_left(e->conv, e->line,
		    "a pattern that a rule cannot have: nobody fits it now");
		buf_text(&e->allowed, "/none");
	}
}

typedef void words_fn(struct edg *e, char **word, size_t count);

static void
cut_comment(char *text)
{
	char *at = text;

	while ((at = strchr(at, '#')) != NULL) {
		if (at == text || strchr(" \t", at[-1]) != NULL) {
			*at = '\0';
			return;
		}
		at++;
	}
}

static char *
without_quotes(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || word[0] != '"' || word[len - 1] != '"')
		return word;
	word[len - 1] = '\0';
	return word + 1;
}

/* Whether the first word is ${key}; a pattern with blanks may follow. */
static bool
is_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	return strncasecmp(text, key, len) == 0 &&
	    (text[len] == '\0' || strchr(" \t", text[len]) != NULL);
}

/* What cannot be read allows nobody, if it was to allow somebody. */
static void
take_long_line(struct edg *e, const char *text, size_t len, words_fn *fn)
{
	char start[64], *trimmed;
	char *word[] = { start };

	if (fn == take_words) {
		conv_left(e->conv, e->line, "a line that is too long");
		return;
	}
	len = len < sizeof(start) - 1 ? len : sizeof(start) - 1;
	memcpy(start, text, len);
	start[len] = '\0';
	trimmed = text_trim(start);
	if (!is_key(trimmed, "allow"))
		return;
	trimmed[strlen("allow")] = '\0';
	word[0] = trimmed;
	fn(e, word, 1);
}

static void
take_line(struct edg *e, char *text, words_fn *fn)
{
	char *word[WORDS], *save = NULL;
	size_t count = 0;

	cut_comment(text);
	text = text_trim(text);
	if (is_key(text, "allow") || is_key(text, "deny")) {
		word[0] = strtok_r(text, " \t\r", &save);
		word[1] = without_quotes(text_trim(save));
		fn(e, word, *word[1] == '\0' ? 1 : 2);
		return;
	}
	for (char *w = strtok_r(text, " \t\r", &save);
	     w != NULL && count < WORDS; w = strtok_r(NULL, " \t\r", &save))
		word[count++] = without_quotes(w);
	if (count > 0)
		fn(e, word, count);
}

static void
take_lines(struct edg *e, words_fn *fn)
{
	const char *text = (const char *)e->conv->text.data;
	size_t left = e->conv->text.len;
	char copy[LINE_MAX_BYTES];

	for (e->line = 1; left > 0; e->line++) {
		const char *end = memchr(text, '\n', left);
		size_t len = end == NULL ? left : (size_t)(end - text);

		if (len < sizeof(copy) && memchr(text, '\0', len) == NULL) {
			memcpy(copy, text, len);
			copy[len] = '\0';
			take_line(e, copy, fn);
		} else {
			take_long_line(e, text, len, fn);
		}
		text += len + (end != NULL);
		left -= len + (end != NULL);
	}
}

static int
take_all(struct conv *c, struct fault *f)
{
	struct edg e = { .conv = c, .user = ".", .allowed = BUF(65536) };
	bool failed;

	buf_text(&c->rules,
	    "# The first group that has somebody maps him, as with "
	    "edg-mkgridmap.\n"
	    "service grid\n    file /etc/grid-security/grid-mapfile\n\n");
	take_lines(&e, take_allow);
	take_lines(&e, take_words);
	failed = e.allowed.failed;
	buf_free(&e.allowed);
	return failed ? fault_set(f, FAULT_INPUT, "too many patterns") : 0;
}

int
convert_edg(const struct convert_args *args, struct fault *f)
{
	struct conv c;
	int result = -1;

	if (conv_open(&c, args->operand[0], f) == 0 && take_all(&c, f) == 0)
		result = conv_write(&c, args->dir, f);
	conv_free(&c);
	return result;
}
