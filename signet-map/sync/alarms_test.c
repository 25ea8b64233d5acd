#include "alarms.h"

#include "base/log.h"
#include "base/unit.h"

#include <stdio.h>
#include <string.h>

struct heard {
	size_t begun;
	size_t ended;
	char last[96];
};

static void
hear(void *arg, const struct alarm *a, bool begins)
{
	struct heard *h = arg;

	h->begun += begins;
	h->ended += !begins;
	snprintf(h->last, sizeof(h->last), "%s", a->what);
}

static void
an_alarm_is_said_once_and_once_that_it_is_over(void **state)
{
	struct heard h = { 0 };
	struct alarms a = { .fn = hear, .arg = &h };

	(void)state;
	log_open("test", 0);
	for (time_t now = 10; now < 15; now++) {
		alarms_begin(&a);
		alarms_find(&a, "source x", now < 12 ? "down" : "still", now);
		if (now == 13)
			alarms_find(&a, "rules", "wrong", now);
		alarms_end(&a);
	}
	assert_int_equal(h.begun, 2);
	assert_int_equal(h.ended, 1);
	assert_string_equal(h.last, "rules");
	assert_int_equal(a.count, 1);
	assert_int_equal(a.list[0].since, 10);
	assert_string_equal(a.list[0].text, "still");
	alarms_begin(&a);
	alarms_end(&a);
	assert_int_equal(a.count, 0);
	assert_int_equal(h.ended, 2);
}

static void
more_than_there_is_room_for_are_not_lost_track_of(void **state)
{
	struct heard h = { 0 };
	struct alarms a = { .fn = hear, .arg = &h };
	char what[32];

	(void)state;
	alarms_begin(&a);
	for (int i = 0; i < ALARMS_MAX + 10; i++) {
		snprintf(what, sizeof(what), "source %d", i);
		alarms_find(&a, what, "down", 1);
	}
	alarms_end(&a);
	assert_int_equal(a.count, ALARMS_MAX);
	assert_int_equal(h.begun, ALARMS_MAX);
	alarms_begin(&a);
	alarms_end(&a);
	assert_int_equal(h.ended, ALARMS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_alarm_is_said_once_and_once_that_it_is_over),
		cmocka_unit_test(
		    more_than_there_is_room_for_are_not_lost_track_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
