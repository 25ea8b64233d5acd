/* `service` blocks. */
#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule_inner.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define UID_LEAST 1000
#define UID_MOST 4294967293 /* above: nobody of NFS, and no uid at all */
#define SHRINK_LIMIT 20

static int
read_uids(const char *text, struct maprule_service *s, struct fault *f)
{
	char digits[16];
	const char *dash = strchr(text, '-');
	size_t len = dash == NULL ? 0 : (size_t)(dash - text);
	int64_t least, most;

	if (dash == NULL || len >= sizeof(digits))
		return fault_set(f, FAULT_CONFIG,
		    "uids are written 1000-60000, not \"%.32s\"", text);
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_number(digits, 0, UID_MOST, &least) < 0 ||
	    text_number(dash + 1, 0, UID_MOST, &most) < 0 || least > most)
		return fault_set(f, FAULT_CONFIG,
		    "uids are written 1000-60000, not \"%.32s\"", text);
	if (least == 0)
		return fault_set(f, FAULT_CONFIG,
		    "nobody is mapped to uid 0: uids begin at 1");
	s->uid_least = (uint32_t)least;
	s->uid_most = (uint32_t)most;
	return 0;
}

static int
read_mode(const char *text, struct maprule_service *s, struct fault *f)
{
	unsigned mode = 0;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '7' || c - text == 4)
			return fault_set(f, FAULT_CONFIG,
			    "a mode is written 0644, not \"%.16s\"", text);
		mode = mode * 8 + (unsigned)(*c - '0');
	}
	if ((mode & 07133) != 0 || (mode & 0600) != 0600)
		return fault_set(f, FAULT_CONFIG,
		    "mode %s: a map is read and written by its owner, and "
		    "written or run by nobody else",
		    text);
	s->mode = mode;
	return 0;
}

static int
read_limit(const char *text, struct maprule_service *s, struct fault *f)
{
	char digits[8];
	size_t len = strlen(text);
	int64_t limit;

	if (len > 1 && len < sizeof(digits) && text[len - 1] == '%') {
		memcpy(digits, text, len - 1);
		digits[len - 1] = '\0';
		if (text_number(digits, 0, 100, &limit) == 0) {
			s->shrink_limit = (int)limit;
			return 0;
		}
	}
	return fault_set(f, FAULT_CONFIG,
	    "a part of a hundred is written 20%%, not \"%.16s\"", text);
}

static int
read_format(const struct maprule_words *words, struct maprule_service *s,
    struct fault *f)
{
	static const char *const known[] = { "gct", "lcmaps", "xrootd" };

	for (size_t i = 0; i < words->count; i++)
		if (maprule_one_of("reader", words->word[i], known,
			COUNT_OF(known), f) < 0)
			return -1;
	s->format = *words;
	return 0;
}

static int
read_which(const char *text, struct maprule_service *s, struct fault *f)
{
	static const char *const known[] = { "first", "all" };
	int which;

	if ((which = maprule_one_of("word for accounts", text, known,
		 COUNT_OF(known), f)) < 0)
		return -1;
	s->accounts =
	    which == 0 ? MAPRULE_ACCOUNTS_FIRST : MAPRULE_ACCOUNTS_ALL;
	return 0;
}

static int
service_setting(struct maprule_service *s, const struct maprule_setting *set,
    struct fault *f)
{
	const char *k = set->keyword, *word = set->words.word[0];

	if (strcmp(k, "file") == 0) {
		s->file = word;
		return maprule_path_check(word, f);
	}
	if (strcmp(k, "format") == 0)
		return read_format(&set->words, s, f);
	if (strcmp(k, "accounts") == 0)
		return read_which(word, s, f);
	if (strcmp(k, "uid") == 0)
		return read_uids(word, s, f);
	if (strcmp(k, "exist") == 0)
		return maprule_yes_read(k, word, &s->exist, f);
	if (strcmp(k, "index") == 0)
		return maprule_yes_read(k, word, &s->index, f);
	if (strcmp(k, "mode") == 0)
		return read_mode(word, s, f);
	if (strcmp(k, "shrink-limit") == 0)
		return read_limit(word, s, f);
	if (strcmp(k, "owner") == 0)
		s->owner = word;
	return 0;
}

int
maprule_service_read(struct maprule *r, const struct maprule_block *b,
    struct fault *f)
{
	static const char *const all[] = { "gct", "lcmaps", "xrootd" };
	struct maprule_service_block *s = &r->services[r->service_count];

	*s = (struct maprule_service_block){
		.said = { .name = b->head.word[0],
		    .line = b->line,
		    .format = { COUNT_OF(all), all },
		    .uid_least = UID_LEAST,
		    .uid_most = UID_MOST,
		    .exist = true,
		    .mode = 0644,
		    .index = true,
		    .shrink_limit = SHRINK_LIMIT }
	};
	if (maprule_label_check(s->said.name, f) < 0)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		if (service_setting(&s->said, &b->setting[i], f) < 0)
			return fault_wrap(f, "line %d", b->setting[i].line);
	if (s->said.file == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "service %s does not say which file", s->said.name);
	if (maprule_text_words(&r->text, b, "hosts", &s->hosts, f) < 0 ||
	    maprule_hosts_check(&s->hosts, f) < 0)
		return -1;
	r->service_count++;
	return 0;
}
