#include "alarms.h"

#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void
say(struct alarms *a, const struct alarm *alarm, bool begins)
{
	if (begins)
		LOG(MAP_ALARM, LOG_TEXT("what", alarm->what),
		    LOG_TEXT("text", alarm->text));
	else
		LOG(MAP_ALARM_OVER, LOG_TEXT("what", alarm->what));
	if (a->fn != NULL)
		a->fn(a->arg, alarm, begins);
}

/* What others said may be cut within a letter, or be no text at all. */
static void
put_text(struct alarm *alarm, const char *text)
{
	(void)snprintf(alarm->text, sizeof(alarm->text), "%s", text);
	text_clean(alarm->text);
}

void
alarms_begin(struct alarms *a)
{
	for (size_t i = 0; i < a->count; i++)
		a->list[i].found = false;
}

void
alarms_find(struct alarms *a, const char *what, const char *text, time_t now)
{
	struct alarm *alarm;

	for (size_t i = 0; i < a->count; i++) {
		alarm = &a->list[i];
		if (strcmp(alarm->what, what) == 0) {
			alarm->found = true;
			put_text(alarm, text);
			return;
		}
	}
	if (a->count == ALARMS_MAX)
		return;
	alarm = &a->list[a->count++];
	*alarm = (struct alarm){ .since = now, .found = true };
	(void)snprintf(alarm->what, sizeof(alarm->what), "%s", what);
	put_text(alarm, text);
	say(a, alarm, true);
}

void
alarms_end(struct alarms *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (a->list[i].found)
			a->list[kept++] = a->list[i];
		else
			say(a, &a->list[i], false);
	}
	a->count = kept;
}
