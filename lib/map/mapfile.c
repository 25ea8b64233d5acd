#include "map/mapfile.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdint.h>
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
static int
put_byte(char *dn, size_t *have, uint8_t byte, struct fault *f)
{
	bool plain = byte >= 0x20 && byte <= 0x7e;
	char text[5] = { (char)byte };

	if (!plain &&
	    text_fmt(text, sizeof(text), "\\x%02X", (unsigned)byte) < 0)
		return fault_set(f, FAULT_INTERNAL, "a byte of four digits");
	if (text_copy(dn + *have, MAPFILE_DN_SIZE - *have, text) < 0)
		return fault_set(f, FAULT_INPUT, "DN too long");
	*have += plain ? 1 : 4;
	return 0;
}

/* What stands after a backslash: any character, or xHH. */
static int
read_escape(struct rest *r, uint8_t *byte, struct fault *f)
{
	char hex[3] = { 0 };

	if (r->at == r->end)
		return fault_set(f, FAULT_INPUT, "nothing after a backslash");
	if (*r->at != 'x') {
		*byte = (uint8_t)*r->at++;
		return 0;
	}
	r->at++;
	if (r->end - r->at < 2)
		return fault_set(f, FAULT_INPUT, "\\x without two digits");
	memcpy(hex, r->at, 2);
	if (text_unhex(hex, byte, 1) != 1)
		return fault_set(f, FAULT_INPUT, "\\x without two digits");
	r->at += 2;
	return 0;
}

static int
read_dn(struct rest *r, char *dn, struct fault *f)
{
	bool quoted = *r->at == '"';
	size_t have = 0;

	r->at += quoted;
	dn[0] = '\0';
	while (r->at < r->end && (quoted ? *r->at != '"' : !is_blank(*r->at))) {
		uint8_t byte = (uint8_t)*r->at++;

		if (byte == '\\' && read_escape(r, &byte, f) < 0)
			return -1;
		if (put_byte(dn, &have, byte, f) < 0)
			return -1;
	}
	if (r->at == r->end)
		return fault_set(f, FAULT_INPUT, "%s",
		    quoted ? "no closing quote" : "nothing after the DN");
	r->at += quoted;
	if (have == 0)
		return fault_set(f, FAULT_INPUT, "empty DN");
	if (r->at < r->end && !is_blank(*r->at) && *r->at != ',')
		return fault_set(f, FAULT_INPUT, "no blank after the DN");
	return 0;
}

static bool
divides(char c)
{
	return is_blank(c) || c == ',';
}

static int
read_accounts(struct rest *r, char *accounts, struct fault *f)
{
	size_t have = 0;
	bool pending = r->at < r->end && *r->at == ',';

	while (r->at < r->end) {
		char c = *r->at++;

		if (divides(c)) {
			pending = pending || have > 0;
			continue;
		}
		if (c == '\0')
			return fault_set(f, FAULT_INPUT, "NUL in an account");
		if (have + pending + 2 > MAPFILE_ACCOUNTS_SIZE)
			return fault_set(f, FAULT_INPUT, "accounts too long");
		if (pending)
			accounts[have++] = ',';
		accounts[have++] = c;
		pending = false;
	}
	accounts[have] = '\0';
	return 0;
}

int
mapfile_line_read(struct mapfile_line *line, const char *text, size_t len,
    struct fault *f)
{
	struct rest r = { text, text + len };

	skip_blanks(&r);
	if (r.at == r.end || *r.at == '#')
		return 0;
	if (read_dn(&r, line->dn, f) < 0)
		return -1;
	skip_blanks(&r);
	if (read_accounts(&r, line->accounts, f) < 0)
		return -1;
	return 1;
}

bool
mapfile_has_account(const struct mapfile_line *line, const char *account)
{
	const char *at = line->accounts;
	size_t want = strlen(account);

	if (want == 0 || account[0] == '.')
		return false;
	while (*at != '\0' && *at != '#') {
		size_t len = strcspn(at, ",");

		if (len == want && memcmp(at, account, len) == 0)
			return true;
		at += len + (at[len] == ',');
	}
	return false;
}

int
mapfile_dn_of(const char *text, size_t len, const char *account, char *dn,
    size_t size, struct fault *f)
{
	struct mapfile_line line;
	struct fault passed_over;

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);

		if (mapfile_line_read(&line, text, n, &passed_over) == 1 &&
		    mapfile_has_account(&line, account)) {
			if (text_copy(dn, size, line.dn) < 0)
				return fault_set(f, FAULT_INPUT,
				    "the DN of %s is too long", account);
			return 0;
		}
		n += newline != NULL;
		text += n;
		len -= n;
	}
	return fault_set(f, FAULT_ABSENT, "%s is not in the map file", account);
}
