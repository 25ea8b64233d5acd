#include "maprule/maprule_host.h"

#include "base/fault.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_LEN 253 /* RFC 1035 2.3.4, without the root's dot */

/* IPv4 as the last 4 of 16 bytes, behind ::ffff:0:0/96 (RFC 4291 2.5.5.2). */
struct network {
	uint8_t address[16];
	unsigned bits;
};

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool
read_address(const char *text, struct network *n)
{
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) == 1) {
		memcpy(n->address, mapped, sizeof(mapped));
		memcpy(n->address + 12, &four, 4);
		n->bits = 32;
		return true;
	}
	n->bits = 128;
	return inet_pton(AF_INET6, text, n->address) == 1;
}

/* What looks like an address is one, or a mistake. */
static bool
is_address(const char *pattern)
{
	return strpbrk(pattern, ":/") != NULL ||
	    pattern[strspn(pattern, "0123456789.")] == '\0';
}

static bool
has_bits_behind(const struct network *n)
{
	for (unsigned i = n->bits; i < 128; i++)
		if ((n->address[i / 8] >> (7 - i % 8) & 1) != 0)
			return true;
	return false;
}

static int
read_network(const char *pattern, struct network *n, struct fault *f)
{
	char address[64];
	const char *slash = strchr(pattern, '/');
	size_t len =
	    slash == NULL ? strlen(pattern) : (size_t)(slash - pattern);
	int64_t bits;

	if (len >= sizeof(address))
		return fault_set(f, FAULT_CONFIG, "no address: \"%.64s\"",
		    pattern);
	memcpy(address, pattern, len);
	address[len] = '\0';
	if (!read_address(address, n))
		return fault_set(f, FAULT_CONFIG, "no address: \"%.64s\"",
		    pattern);
	bits = n->bits;
	if (slash != NULL && text_number(slash + 1, 0, n->bits, &bits) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "no network: \"%.64s\" (its prefix has 0 to %u bits)",
		    pattern, n->bits);
	n->bits = (n->bits == 32 ? 96 : 0) + (unsigned)bits;
	if (has_bits_behind(n))
		return fault_set(f, FAULT_CONFIG,
		    "\"%.64s\" has bits set behind its prefix of %d: which "
		    "network is meant?",
		    pattern, (int)bits);
	return 0;
}

static bool
good_name(const char *pattern)
{
	size_t len = strlen(pattern);

	if (len == 0 || len > NAME_MAX_LEN || strstr(pattern, "..") != NULL ||
	    strstr(pattern, "***") != NULL || pattern[0] == '.')
		return false;
	for (; *pattern != '\0'; pattern++)
		if (!isalnum((unsigned char)*pattern) &&
		    strchr("-_.*?", *pattern) == NULL)
			return false;
	return true;
}

int
maprule_host_check(const char *pattern, struct fault *f)
{
	struct network n;
	const char *bare = pattern + (*pattern == '!');

	if (is_address(bare))
		return read_network(bare, &n, f);
	if (!good_name(bare))
		return fault_set(f, FAULT_CONFIG,
		    "no host name, pattern or network: \"%.64s\"", pattern);
	return 0;
}

static char
lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/*
 * Names match letter by letter; the last star takes one more if what follows
 * does not fit.  One that dots end cannot be extended over a dot, and an
 * earlier `**` is then tried: so both are kept.
 */
struct star {
	const char *pattern; /* what follows it; NULL: none */
	const char *text;    /* where it ends at least */
};

static bool
extend(struct star *s, bool over_dots, const char **p, const char **t)
{
	if (s->pattern == NULL || *s->text == '\0' ||
	    (!over_dots && *s->text == '.'))
		return false;
	*t = ++s->text;
	*p = s->pattern;
	return true;
}

static bool
name_fits(const char *p, const char *t)
{
	struct star one = { 0 }, any = { 0 };

	for (;;) {
		if (p[0] == '*' && p[1] == '*') {
			p += 2;
			any = (struct star){ p, t };
			one = (struct star){ 0 };
			continue;
		}
		if (*p == '*') {
			one = (struct star){ ++p, t };
			continue;
		}
		if (*p == '\0' && *t == '\0')
			return true;
		if (*t != '\0' &&
		    (*p == '?' ? *t != '.' : lower(*p) == lower(*t))) {
			p++;
			t++;
			continue;
		}
		if (extend(&one, false, &p, &t))
			continue;
		one = (struct star){ 0 };
		if (!extend(&any, true, &p, &t))
			return false;
	}
}

/* A name without the dot that may end it (the root's). */
static bool
name_matches(const char *pattern, const char *name)
{
	char bare[NAME_MAX_LEN + 2];
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	memcpy(bare, name, len);
	bare[len] = '\0';
	return name_fits(pattern, bare);
}

static bool
in_network(const struct network *n, const char *text)
{
	struct network host;

	if (!read_address(text, &host))
		return false;
	for (unsigned i = 0; i < n->bits; i++)
		if (((n->address[i / 8] ^ host.address[i / 8]) >> (7 - i % 8) &
			1) != 0)
			return false;
	return true;
}

static bool
fits(const char *pattern, const struct maprule_host *host)
{
	const struct maprule_words *list;
	struct network n;
	struct fault f = { 0 };
	bool address = is_address(pattern);

	if (address && read_network(pattern, &n, &f) < 0)
		return false;
	list = address ? &host->addresses : &host->names;
	for (size_t i = 0; i < list->count; i++)
		if (address ? in_network(&n, list->word[i])
			    : name_matches(pattern, list->word[i]))
			return true;
	return false;
}

bool
maprule_host_fits(const struct maprule_words *patterns,
    const struct maprule_host *host)
{
	bool fit = false, positive = false;

	for (size_t i = 0; i < patterns->count; i++) {
		const char *p = patterns->word[i];

		if (*p == '!' && fits(p + 1, host))
			return false;
		if (*p == '!')
			continue;
		positive = true;
		fit = fit || fits(p, host);
	}
	return fit || !positive;
}

bool
maprule_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	pattern += strspn(pattern, "*");
	return *pattern == '\0';
}
