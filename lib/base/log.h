#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/fault.h"

#include <stdint.h>

/*
 * One line an event: `name key=value key="quoted value"`, to standard error,
 * where journald, a supervisor or a file takes it.  The line is written with
 * one write(2).  No field ever holds a secret.
 *
 * A process has one log, so its name and threshold are the one piece of
 * state in this suite that belongs to the process and not to a struct.
 */

enum event {
#define EVENT(NAME, name, priority, meaning) EVENT_##NAME,
#include "base/event.def"
#undef EVENT
	EVENT_COUNT
};

enum log_kind {
	LOG_KIND_END,
	LOG_KIND_TEXT,
	LOG_KIND_NUMBER
};

struct log_field {
	enum log_kind kind;
	const char *key;
	const char *text; /* NULL is left out */
	int64_t number;
};

#define LOG_TEXT(key, value)                     \
	{                                        \
		LOG_KIND_TEXT, (key), (value), 0 \
	}
#define LOG_NUMBER(key, value)                                 \
	{                                                      \
		LOG_KIND_NUMBER, (key), NULL, (int64_t)(value) \
	}

/**
 * LOG(NAME, fields...):
 * Log the event NAME of event.def with its fields, as in
 * LOG(LOGIN, LOG_TEXT("user", name), LOG_NUMBER("pid", pid)).
 */
#define LOG(NAME, ...)                  \
	log_event(EVENT_##NAME,         \
	    (const struct log_field[]){ \
		__VA_ARGS__, { LOG_KIND_END, NULL, NULL, 0 } })

void log_event(enum event event, const struct log_field *fields);

/* Log ${f} as an event `fault`, with a reference that a user can quote. */
void log_fault(const struct fault *f, const char *ref);

/**
 * log_open(role, threshold):
 * Name this process ${role} in every later line; drop events whose priority
 * is above ${threshold} (7 logs all).  With JOURNAL_STREAM set, lines begin
 * with "<priority>"; otherwise with the time in RFC 3339 UTC.
 */
void log_open(const char *role, int threshold);

/* The name of ${event}, its syslog priority, and its meaning for the manual. */
const char *log_name(enum event event);
int log_priority(enum event event);
const char *log_meaning(enum event event);

#endif
