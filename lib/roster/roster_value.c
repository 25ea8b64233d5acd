#include "roster/roster_value.h"

#include "base/fault.h"
#include "base/text.h"
#include "roster/roster_part.h"
#include "x509/dn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROUP_MAX 1000
#define MARK "xXthePersonXx"
/* RFC 5280 appendix A, ub-common-name: up to here no look at the type is
 * needed. */
#define PLAIN_MAX 64

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool
roster_value_account(const char *data, size_t len, bool pool)
{
	size_t first = pool && len > 0 && data[0] == '.' ? 1 : 0;

	if (len <= first || len >= ROSTER_ACCOUNT_SIZE || data[first] == '-' ||
	    data[first] == '.')
		return false;
	for (size_t i = first; i < len; i++)
		if (!is_plain(data[i]))
			return false;
	return true;
}

bool
roster_value_principal(const char *data, size_t len)
{
	if (len == 0 || len >= ROSTER_ACCOUNT_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] <= ' ' || data[i] > '~' || data[i] == '"' ||
		    data[i] == '\\')
			return false;
	return true;
}

bool
roster_value_group(const char *data, size_t len)
{
	return len > 0 && len <= GROUP_MAX && text_utf8(data, len);
}

/*
 * A backslash in the one-line form is OpenSSL's own: before '/' or '+', or with
 * a byte that is not ASCII.  Any other one stands for itself, and what follows
 * it would be read otherwise in a map file.
 */
static bool
has_bare_backslash(const char *text)
{
	for (; (text = strchr(text, '\\')) != NULL; text += 2) {
		if (text[1] == '/' || text[1] == '+')
			continue;
		if (text[1] == 'x' && strchr("89ABCDEF", text[2]) != NULL &&
		    text[2] != '\0' && isxdigit((unsigned char)text[3]))
			continue;
		return true;
	}
	return false;
}

static int
read_name(const char *data, size_t len, char text[ROSTER_NAME_SIZE],
    struct fault *f)
{
	char copy[ROSTER_NAME_SIZE];
	struct dn dn;

	if (len >= sizeof(copy))
		return fault_set(f, FAULT_INPUT, "a name of %zu bytes", len);
	if (memchr(data, '\0', len) != NULL)
		return fault_set(f, FAULT_INPUT, "a NUL byte in a name");
	if (!text_utf8(data, len))
		return fault_set(f, FAULT_INPUT,
		    "a control character or wrong UTF-8 in a name");
	if (memchr(data, '"', len) != NULL)
		return fault_set(f, FAULT_INPUT, "a quote in a name");
	memcpy(copy, data, len);
	copy[len] = '\0';
	if (dn_read_slash(&dn, copy, f) < 0)
		return -1;
	if (dn_show_slash(&dn, text, ROSTER_NAME_SIZE) < 0)
		return fault_set(f, FAULT_INPUT, "a name that is too long");
	if (text[strlen(text) - 1] == ' ')
		return fault_set(f, FAULT_INPUT,
		    "a blank at the end of a name");
	if (has_bare_backslash(text) || strchr(text, '"') != NULL ||
	    !text_printable(text))
		return fault_set(f, FAULT_INPUT,
		    "a backslash or quote in a name");
	return 1;
}

static void
skip(const char **data, size_t *len)
{
	++*data;
	--*len;
}

int
roster_value_name(const char *data, size_t len, char text[ROSTER_NAME_SIZE],
    struct fault *f)
{
	static const char word[] = "subject=";
	bool said = false;

	while (len > 0 && (data[0] == ' ' || data[0] == '\t'))
		skip(&data, &len);
	if (len >= sizeof(word) - 1 &&
	    strncasecmp(data, word, sizeof(word) - 1) == 0) {
		data += sizeof(word) - 1;
		len -= sizeof(word) - 1;
		said = true;
		while (len > 0 && data[0] == ' ')
			skip(&data, &len);
	}
	while (len > 0 && (data[len - 1] == ' ' || data[len - 1] == '\t'))
		len--;
	if (len == 0 || data[0] != '/')
		return said
		    ? fault_set(f, FAULT_INPUT, "no name after subject=")
		    : 0;
	return read_name(data, len, text, f);
}

/* ${template} filled in with what is not empty. */
static bool
fill(const char *template, const char *principal, const char *account,
    char text[ROSTER_NAME_SIZE], struct fault *f)
{
	char user[ROSTER_ACCOUNT_SIZE];
	struct dn_value values[4];
	struct dn dn;
	size_t n = 0, at = strcspn(principal, "@");

	if (at > 0 && at < sizeof(user)) {
		memcpy(user, principal, at);
		user[at] = '\0';
		values[n++] = (struct dn_value){ "principal", principal };
		values[n++] = (struct dn_value){ "user", user };
	}
	if (account[0] != '\0')
		values[n++] = (struct dn_value){ "account", account };
	values[n] = (struct dn_value){ NULL, NULL };
	return dn_fill(&dn, template, values, f) == 0 &&
	    dn_show_slash(&dn, text, ROSTER_NAME_SIZE) == 0 &&
	    !has_bare_backslash(text) && strchr(text, '"') == NULL &&
	    text_printable(text);
}

/* The one word of the template, or NULL if it has another number of them. */
static const char *
only_word(const char *template)
{
	const char *at = strchr(template, '{');

	return at != NULL && strchr(at + 1, '{') == NULL ? at : NULL;
}

int
roster_subject_prepare(struct roster_source *s, struct fault *f)
{
	char text[ROSTER_NAME_SIZE];
	char *mark;

	free(s->subject_before);
	free(s->subject_after);
	s->subject_before = s->subject_after = NULL;
	if (s->subject[0] == '\0')
		return 0;
	if (strchr(s->subject, '{') == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "subject: %s is the same for everyone: {principal}, {user} "
		    "or {account} is missing",
		    s->subject);
	if (!fill(s->subject, MARK, MARK, text, f)) {
		f->code = FAULT_CONFIG;
		return fault_wrap(f, "subject");
	}
	/* Of all but the oddest templates the text around the value is known,
	 * and need not be made anew for each of a million. */
	if (only_word(s->subject) == NULL ||
	    (mark = strstr(text, MARK)) == NULL)
		return 0;
	*mark = '\0';
	s->subject_before = strdup(text);
	s->subject_after = strdup(mark + strlen(MARK));
	if (s->subject_before == NULL || s->subject_after == NULL)
		return fault_set(f, FAULT_MEMORY, "a template");
	return 0;
}

/* The value for the only word, if it is so plain that it stands for itself. */
static size_t
plain_value(const struct roster_source *s, const char *principal,
    const char *account, const char **value)
{
	const char *word = only_word(s->subject);
	size_t len;

	*value = text_starts(word, "{account}") ? account : principal;
	len = text_starts(word, "{user}") ? strcspn(principal, "@")
					  : strlen(*value);
	if (len == 0 || len > PLAIN_MAX || principal[0] == '@')
		return 0;
	for (size_t i = 0; i < len; i++)
		if (!is_plain((*value)[i]) && (*value)[i] != '@')
			return 0;
	return len;
}

bool
roster_subject(const struct roster_source *s, const char *principal,
    const char *account, char text[ROSTER_NAME_SIZE])
{
	const char *value;
	struct fault f;
	size_t len, before, after;

	if (s->subject[0] == '\0')
		return false;
	if (s->subject_before == NULL ||
	    (len = plain_value(s, principal, account, &value)) == 0)
		return fill(s->subject, principal, account, text, &f);
	before = strlen(s->subject_before);
	after = strlen(s->subject_after);
	if (before + len + after >= ROSTER_NAME_SIZE)
		return false;
	memcpy(text, s->subject_before, before);
	memcpy(text + before, value, len);
	memcpy(text + before + len, s->subject_after, after + 1);
	return true;
}

bool
roster_subject_could(const struct roster_source *s, const char *name)
{
	size_t len = strlen(name), before, after;

	if (s->subject_before == NULL)
		return false;
	before = strlen(s->subject_before);
	after = strlen(s->subject_after);
	if (len <= before + after ||
	    strncasecmp(name, s->subject_before, before) != 0 ||
	    strcasecmp(name + len - after, s->subject_after) != 0)
		return false;
	/* A name with more parts is another one. */
	for (size_t i = before; i < len - after; i++)
		if (name[i] == '/' && name[i - 1] != '\\')
			return false;
	return true;
}
