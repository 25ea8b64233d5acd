#ifndef ANCHOR_SPAN_TEXT_H
#define ANCHOR_SPAN_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Lengths of time and moments, for people. */

#define SPAN_TEXT_SIZE 64

/* ${seconds} in its two largest units, "3 days 4 hours", "45 seconds". */
void span_text(int64_t seconds, char text[SPAN_TEXT_SIZE]);

/* "2026-11-22 04:28:00 UTC (3 days from now)", or "... ago". */
#define MOMENT_TEXT_SIZE (SPAN_TEXT_SIZE + 48)
void moment_text(time_t when, time_t now, char text[MOMENT_TEXT_SIZE]);

#endif
