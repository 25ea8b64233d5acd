/* signet-map status: what the sync that ran last says of itself. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "signet-map/base/map_conf.h"
#include "sync_args.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATUS_MAX ((size_t)1 << 20)
#define SILENT_S 600 /* twice the five minutes of a timer */
#define NAGIOS_CRITICAL 2

static json_t *
read_status(const struct map_conf *conf, struct fault *f)
{
	OWN_BUF(text, STATUS_MAX);
	char path[MAP_PATH_SIZE];
	json_t *status;

	if (map_conf_state(conf, MAP_STATE_STATUS, path, f) < 0 ||
	    file_read(path, &text, f) < 0)
		return NULL;
	status = json_loadb((const char *)text.data, text.len, 0, NULL);
	if (status == NULL)
		(void)fault_set(f, FAULT_INPUT, "%s is no status", path);
	return status;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "never" : text;
}

/* Seconds since the status was written; so long nobody looked. */
static long long
age_of(const json_t *status)
{
	struct tm tm = { 0 };
	const char *text = text_of(status, "time");

	if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return SILENT_S + 1;
	return (long long)(clock_wall() - timegm(&tm));
}

/* What was said at a time that is still to come says nothing of now. */
static bool
is_silent(long long age)
{
	return age > SILENT_S || age < -SILENT_S;
}

static void
show_people(const json_t *status)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(status, "sources"), i, one)
	{
		printf("source  %-16s %8lld people, right as of %s\n",
		    text_of(one, "name"),
		    (long long)json_integer_value(json_object_get(one,
			"people")),
		    text_of(one, "fresh"));
		if (json_object_get(one, "fault") != NULL)
			printf("        %s\n", text_of(one, "fault"));
	}
	json_array_foreach(json_object_get(status, "services"), i, one)
	    printf("service %-16s %8lld names, right as of %s: %s%s\n",
		text_of(one, "name"),
		(long long)json_integer_value(json_object_get(one, "names")),
		text_of(one, "fresh"), text_of(one, "file"),
		json_is_true(json_object_get(one, "held")) ? " (held)" : "");
}

static void
show(const json_t *status, long long age)
{
	json_t *one;
	size_t i;

	printf("signet-map sync said this %lld s ago\n", age);
	show_people(status);
	json_array_foreach(json_object_get(status, "alarms"), i, one)
	    printf("ALARM   %s since %s: %s\n", text_of(one, "what"),
		text_of(one, "since"), text_of(one, "text"));
}

/* One line, as plug-ins do it; what it ends with. */
static int
show_nagios(const json_t *status, long long age)
{
	const json_t *alarms = json_object_get(status, "alarms");
	const json_t *first = json_array_get(alarms, 0);
	bool silent = is_silent(age);
	size_t count = json_array_size(alarms);

	printf("SIGNET-MAP %s - ", count > 0 || silent ? "CRITICAL" : "OK");
	if (silent)
		printf("sync has said nothing for %lld s", age);
	else if (count > 0)
		printf("%s: %s", text_of(first, "what"),
		    text_of(first, "text"));
	else
		printf("%zu maps",
		    json_array_size(json_object_get(status, "services")));
	printf(" | alarms=%zu age=%llds\n", count, age);
	return count > 0 || silent ? NAGIOS_CRITICAL : 0;
}

int
sync_status(const struct sync_args *args, struct fault *f)
{
	struct map_conf conf;
	json_t *status;
	long long age;
	int result = 0;

	if (map_conf_open(args->config, &conf, f) < 0 ||
	    (status = read_status(&conf, f)) == NULL)
		return -1;
	age = age_of(status);
	if (args->json) {
		(void)json_dumpf(status, stdout, JSON_INDENT(1));
		fputc('\n', stdout);
	} else if (args->nagios) {
		result = show_nagios(status, age);
	} else {
		show(status, age);
	}
	if (!args->nagios &&
	    (is_silent(age) ||
		json_array_size(json_object_get(status, "alarms")) > 0))
		result = fault_exit_status(FAULT_PARTLY);
	json_decref(status);
	return result;
}
