/* Words of a rules file that are times, answers, names of blocks. */
#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule_host.h"
#include "maprule/maprule_inner.h"

#include <ctype.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define DAY ((int64_t)86400)
#define YEAR_MOST 9999

/* The moment ${form} makes of ${text}; false also for 30 February, which
 * strptime reads and timegm moves to March. */
static bool
read_moment(const char *text, const char *form, time_t *when)
{
	struct tm tm = { 0 }, again;
	const char *end = strptime(text, form, &tm);
	int day = tm.tm_mday;

	if (end == NULL || *end != '\0' || tm.tm_year + 1900 > YEAR_MOST)
		return false;
	*when = timegm(&tm);
	return *when > 0 && gmtime_r(when, &again) != NULL &&
	    again.tm_mday == day;
}

int
maprule_time_read(const char *text, time_t *until, struct fault *f)
{
	time_t when;

	if (read_moment(text, "%Y-%m-%dT%H:%M:%SZ", &when)) {
		*until = when;
		return 0;
	}
	if (read_moment(text, "%Y-%m-%d", &when)) {
		*until = when + DAY;
		return 0;
	}
	return fault_set(f, FAULT_CONFIG,
	    "a time is a day like 2026-12-01 (its last), or "
	    "2026-12-01T12:00:00Z, not \"%.64s\"",
	    text);
}

int
maprule_seconds_read(const char *text, int64_t *seconds, struct fault *f)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY },
		{ 'y', 365 * DAY } };
	char digits[20];
	size_t len = strlen(text);
	int64_t unit = 1, number;

	for (size_t i = 0; i < COUNT_OF(units) && len > 1; i++) {
		if (text[len - 1] != units[i].letter)
			continue;
		unit = units[i].seconds;
		len--;
		break;
	}
	if (len < sizeof(digits)) {
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (text_number(digits, 0, INT64_MAX, &number) == 0 &&
		    !__builtin_mul_overflow(number, unit, &number) &&
		    number <= 100 * 365 * (int64_t)DAY) {
			*seconds = number;
			return 0;
		}
	}
	return fault_set(f, FAULT_CONFIG,
	    "a length of time is written 90s, 15m, 12h, 30d or 1y, not "
	    "\"%.64s\"",
	    text);
}

int
maprule_one_of(const char *what, const char *word, const char *const *known,
    size_t count, struct fault *f)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], word) == 0)
			return (int)i;
	return maprule_unknown(what, word, known, count, f);
}

int
maprule_yes_read(const char *keyword, const char *word, bool *yes,
    struct fault *f)
{
	static const char *const known[] = { "no", "yes" };
	int which;

	if ((which = maprule_one_of("answer", word, known, COUNT_OF(known),
		 f)) < 0)
		return fault_wrap(f, "%s is yes or no", keyword);
	*yes = which == 1;
	return 0;
}

/* Names of blocks are shown, and stand in logs and in the history. */
int
maprule_label_check(const char *name, struct fault *f)
{
	if (strlen(name) >= MAPRULE_LABEL_SIZE)
		return fault_set(f, FAULT_CONFIG,
		    "the name \"%.64s\" is longer than %d bytes", name,
		    MAPRULE_LABEL_SIZE - 1);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("._-", *c) == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "the name \"%.64s\" has other characters than "
			    "letters, digits, '.', '_' and '-'",
			    name);
	return 0;
}

int
maprule_path_check(const char *path, struct fault *f)
{
	if (path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "a path begins with /, not \"%.64s\"", path);
	return 0;
}

int
maprule_hosts_check(const struct maprule_words *hosts, struct fault *f)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (maprule_host_check(hosts->word[i], f) < 0)
			return fault_wrap(f, "hosts");
	return 0;
}
