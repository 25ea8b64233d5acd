#include "base/clock.h"

time_t
clock_wall(void)
{
	return time(NULL);
}

int64_t
clock_mono(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
clock_text(time_t when, char text[CLOCK_TEXT_SIZE])
{
	struct tm tm;

	text[0] = '\0';
	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ",
		    &tm);
}
