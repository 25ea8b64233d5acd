/* One line of a map file: read, and written. */
#include "base/fault.h"
#include "base/text.h"
#include "map/map_name.h"
#include "map/mapfile.h"

#include <string.h>

/* What is left of a line. */
struct rest {
	const char *at;
	const char *end;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct rest *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

/* One byte of a DN, as X509_NAME_oneline would print it. */
static void
put_byte(struct buf *dn, uint8_t byte)
{
	if (byte >= 0x20 && byte <= 0x7e)
		buf_put_u8(dn, byte);
	else
		buf_fmt(dn, "\\x%02X", (unsigned)byte);
}

/* The byte that two digits at ${at} stand for: whether they are that. */
static bool
two_digits(const struct rest *r, uint8_t *byte)
{
	char hex[3] = { 0 };

	if (r->end - r->at < 2)
		return false;
	memcpy(hex, r->at, 2);
	return text_unhex(hex, byte, 1) == 1;
}

/* What stands after a backslash: any character, or xHH.  A backslash at the end
 * of an unquoted DN stands for nothing. */
static void
put_escape(struct rest *r, struct buf *dn)
{
	uint8_t byte;

	if (r->at == r->end)
		return;
	byte = (uint8_t)*r->at++;
	if (byte == 'x' && two_digits(r, &byte))
		r->at += 2;
	put_byte(dn, byte);
}

static void
put_dn(struct rest r, struct buf *dn)
{
	while (r.at < r.end) {
		char c = *r.at++;

		if (c == '\\')
			put_escape(&r, dn);
		else
			put_byte(dn, (uint8_t)c);
	}
}

/* The quote that ends a DN: the first without a backslash before it, whatever
 * that backslash is there for. */
static const char *
closing_quote(struct rest r)
{
	const char *at = r.at;

	while ((at = memchr(at, '"', (size_t)(r.end - at))) != NULL &&
	    at > r.at && at[-1] == '\\')
		at++;
	return at;
}

static const char *
first_blank(struct rest r)
{
	while (r.at < r.end && !is_blank(*r.at))
		r.at++;
	return r.at;
}

static int
read_dn(struct rest *r, struct buf *dn, struct fault *f)
{
	bool quoted = *r->at == '"';
	const char *end;

	r->at += quoted;
	end = quoted ? closing_quote(*r) : first_blank(*r);
	if (end == NULL)
		return fault_set(f, FAULT_INPUT, "no closing quote");
	put_dn((struct rest){ r->at, end }, dn);
	r->at = end + quoted;
	if (dn->len == 0)
		return fault_set(f, FAULT_INPUT, "empty DN");
	return 0;
}

static bool
divides(char c)
{
	return is_blank(c) || c == ',';
}

static void
read_accounts(struct rest *r, struct map_accounts *accounts)
{
	if (r->at < r->end && *r->at == ',')
		map_accounts_put(accounts, "", 0);
	while (r->at < r->end) {
		const char *from = r->at;

		while (r->at < r->end && !divides(*r->at))
			r->at++;
		if (r->at > from)
			map_accounts_put(accounts, from,
			    (size_t)(r->at - from));
		else
			r->at++;
	}
}

int
mapfile_line_read(struct mapfile_line *line, const char *text, size_t len,
    struct fault *f)
{
	struct rest r = { text, text + len };

	line->dn.len = 0;
	map_accounts_clear(&line->accounts);
	skip_blanks(&r);
	if (r.at == r.end || *r.at == '#')
		return 0;
	if (memchr(r.at, '\0', (size_t)(r.end - r.at)) != NULL)
		return fault_set(f, FAULT_INPUT, "a NUL in the line");
	if (read_dn(&r, &line->dn, f) < 0)
		return -1;
	skip_blanks(&r);
	read_accounts(&r, &line->accounts);
	if (line->accounts.text.failed || buf_cstr(&line->dn) == NULL)
		return fault_set(f, FAULT_INPUT, "the line is too long");
	return 1;
}

bool
mapfile_has_account(const struct mapfile_line *line, const char *account)
{
	const char *at = (const char *)line->accounts.text.data;

	if (account[0] == '\0' || account[0] == '.')
		return false;
	for (size_t i = 0; i < line->accounts.count && at[0] != '#'; i++) {
		if (strcmp(at, account) == 0)
			return true;
		at += strlen(at) + 1;
	}
	return false;
}

int
mapfile_dn_of(const char *text, size_t len, const char *account, char *dn,
    size_t size, struct fault *f)
{
	OWN_STRUCT(mapfile) m = mapfile_of(text, len, f);
	OWN_MAPFILE_LINE(line);
	struct fault passed_over = { 0 };
	int got;

	if (m == NULL)
		return -1;
	while ((got = mapfile_next(m, &line, &passed_over)) != 0) {
		if (got < 0 || !mapfile_has_account(&line, account))
			continue;
		if (text_copy(dn, size, (const char *)line.dn.data) < 0)
			return fault_set(f, FAULT_INPUT,
			    "the DN of %s is too long", account);
		return 0;
	}
	return fault_set(f, FAULT_ABSENT, "%s is not in the map file", account);
}

/* What an account may not hold, since one of the readers would divide it. */
static bool
account_good(const char *account)
{
	return account[0] != '\0' && text_printable(account) &&
	    strpbrk(account, " ,#\"") == NULL;
}

static int
accounts_good(const struct map_accounts *accounts, struct fault *f)
{
	const char *account;

	if (accounts->count == 0)
		return fault_set(f, FAULT_INPUT, "no account");
	for (size_t i = 0; (account = map_accounts_at(accounts, i)) != NULL;
	     i++) {
		if (!account_good(account))
			return fault_set(f, FAULT_INPUT,
			    "account %zu cannot stand in a map file", i + 1);
	}
	return 0;
}

static void
put_line(struct buf *text, const struct buf *name,
    const struct map_accounts *accounts)
{
	buf_put(text, name->data, name->len);
	buf_put_u8(text, ' ');
	map_accounts_join(accounts, text);
	buf_put_u8(text, '\n');
}

/* A spelling for those who know escapes: "\/" is a slash to them, and to XRootD
 * the beginning of a name that nobody has. */
static void
put_escaped(struct buf *text, const struct buf *name,
    const struct map_accounts *accounts)
{
	OWN_BUF(escaped, 2 * MAP_TEXT_MAX);

	buf_text(&escaped, "\"\\");
	buf_put(&escaped, name->data + 1, name->len - 1);
	text->failed = text->failed || escaped.failed;
	put_line(text, &escaped, accounts);
}

/*
 * Several accounts, for XRootD too, which takes all that follows a name for one
 * account: what is for the others goes first, and then each spelling with the
 * default account, which is of no account to who has found the first.
 */
static void
put_twice(struct buf *text, const struct map_spellings *spellings,
    const struct map_accounts *accounts)
{
	const char *first = map_accounts_at(accounts, 0);
	size_t last = spellings->count - 1;
	OWN_MAP_ACCOUNTS(one);

	map_accounts_put(&one, first, strlen(first));
	put_escaped(text, &spellings->text[0], accounts);
	if (last > 0)
		put_escaped(text, &spellings->text[last], accounts);
	for (size_t i = 0; i <= last; i++)
		put_line(text, &spellings->text[i], &one);
}

static void
put_lines(struct buf *text, const struct map_spellings *spellings,
    const struct map_accounts *accounts, unsigned readers)
{
	if ((readers & MAP_READER_XROOTD) != 0 && accounts->count > 1) {
		put_twice(text, spellings, accounts);
		return;
	}
	for (size_t i = 0; i < spellings->count; i++)
		put_line(text, &spellings->text[i], accounts);
}

int
mapfile_put(struct buf *text, const char *name,
    const struct map_accounts *accounts, unsigned readers, struct fault *f)
{
	struct map_spellings spellings = { 0 };
	int result = accounts_good(accounts, f);

	if (result == 0)
		result = map_name_spell(&spellings, name, readers, f);
	if (result == 0)
		put_lines(text, &spellings, accounts, readers);
	map_spellings_free(&spellings);
	return result;
}
