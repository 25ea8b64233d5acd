#include "anchor/span_text.h"

#include "base/text.h"

#include <stdio.h>

static const struct {
	int64_t seconds;
	const char *name;
} units[] = {
	{ 365 * 86400, "year" },
	{ 86400, "day" },
	{ 3600, "hour" },
	{ 60, "minute" },
	{ 1, "second" },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

void
span_text(int64_t seconds, char text[SPAN_TEXT_SIZE])
{
	size_t first = 0;
	int64_t count, rest;

	if (seconds < 0)
		seconds = 0;
	while (first < UNITS - 1 && seconds < units[first].seconds)
		first++;
	count = seconds / units[first].seconds;
	rest = first + 1 < UNITS
	    ? seconds % units[first].seconds / units[first + 1].seconds
	    : 0;
	if (rest == 0)
		(void)snprintf(text, SPAN_TEXT_SIZE, "%lld %s%s",
		    (long long)count, units[first].name, count == 1 ? "" : "s");
	else
		(void)snprintf(text, SPAN_TEXT_SIZE, "%lld %s%s %lld %s%s",
		    (long long)count, units[first].name, count == 1 ? "" : "s",
		    (long long)rest, units[first + 1].name,
		    rest == 1 ? "" : "s");
}

void
moment_text(time_t when, time_t now, char text[MOMENT_TEXT_SIZE])
{
	char date[32] = "some time", span[SPAN_TEXT_SIZE];
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	span_text(when > now ? (int64_t)when - now : (int64_t)now - when, span);
	(void)snprintf(text, MOMENT_TEXT_SIZE, "%s UTC (%s %s)", date, span,
	    when > now ? "from now" : "ago");
}
