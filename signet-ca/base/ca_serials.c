#include "ca_serials.h"

#include "base/fault.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MOST 256

void
ca_serials_free(struct ca_serials *s)
{
	free(s->item);
	*s = (struct ca_serials){ 0 };
}

/* The digits of ${hex}, even in number, without zeroes before them. */
static int
plain_digits(const char *hex, char *out, size_t size)
{
	size_t len = 0;
	const char *at;

	if (hex[0] == '0' && (hex[1] == 'x' || hex[1] == 'X'))
		hex += 2;
	for (at = hex; *at == '0' || *at == ':'; at++)
		;
	for (const char *c = at; *c != '\0'; c++)
		len += *c != ':';
	if (len == 0 || len + 2 > size)
		return -1;
	if (len % 2 == 1)
		*out++ = '0';
	for (; *at != '\0'; at++)
		if (*at != ':')
			*out++ = *at;
	*out = '\0';
	return 0;
}

static int
serial_read(const char *hex, struct ca_serial *serial)
{
	char digits[2 * CA_SERIAL_SIZE + 2];
	uint8_t bytes[CA_SERIAL_SIZE];
	int len;

	if (plain_digits(hex, digits, sizeof(digits)) < 0 ||
	    (len = text_unhex(digits, bytes, sizeof(bytes))) <= 0)
		return -1;
	memset(serial->data, 0, sizeof(serial->data));
	memcpy(serial->data + sizeof(serial->data) - len, bytes, (size_t)len);
	return 0;
}

static int
add(struct ca_serials *s, const struct ca_serial *serial, struct fault *f)
{
	size_t room = s->room == 0 ? 64 : 2 * s->room;
	struct ca_serial *more;

	if (s->count == CA_SERIALS_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d serials",
		    CA_SERIALS_MAX);
	if (s->count == s->room) {
		more = reallocarray(s->item, room, sizeof(*more));
		if (more == NULL)
			return fault_set(f, FAULT_MEMORY, "serials");
		s->item = more;
		s->room = room;
	}
	s->item[s->count++] = *serial;
	return 0;
}

int
ca_serials_add(struct ca_serials *s, const char *hex, struct fault *f)
{
	struct ca_serial serial;

	if (serial_read(hex, &serial) < 0)
		return fault_set(f, FAULT_USAGE,
		    "\"%.64s\" is no serial: a hexadecimal number of at most "
		    "20 "
		    "octets, not 0",
		    hex);
	return add(s, &serial, f);
}

static int
read_line(struct ca_serials *s, char *line, struct fault *f)
{
	struct ca_serial serial;
	char *text;

	line[strcspn(line, "#\n")] = '\0';
	text = text_trim(line);
	if (*text == '\0')
		return 0;
	if (serial_read(text, &serial) < 0)
		return fault_set(f, FAULT_INPUT, "no serial");
	return add(s, &serial, f);
}

int
ca_serials_read(struct ca_serials *s, const char *path, struct fault *f)
{
	OWN(FILE) in = fopen(path, "re");
	char line[LINE_MOST];

	if (in == NULL)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	for (unsigned n = 1; fgets(line, sizeof(line), in) != NULL; n++) {
		bool whole = strchr(line, '\n') != NULL || feof(in);

		if (!whole)
			return fault_set(f, FAULT_INPUT, "%s:%u: too long",
			    path, n);
		if (read_line(s, line, f) < 0)
			return fault_wrap(f, "%s:%u", path, n);
	}
	if (ferror(in))
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ca_serial));
}

void
ca_serials_sort(struct ca_serials *s)
{
	size_t kept = 0;

	if (s->count == 0)
		return;
	qsort(s->item, s->count, sizeof(s->item[0]), compare);
	for (size_t i = 1; i < s->count; i++)
		if (compare(&s->item[kept], &s->item[i]) != 0)
			s->item[++kept] = s->item[i];
	s->count = kept + 1;
}

void
ca_serial_text(const struct ca_serial *serial,
    char text[2 * CA_SERIAL_SIZE + 1])
{
	size_t at = 0;

	while (at < CA_SERIAL_SIZE - 1 && serial->data[at] == 0)
		at++;
	text_hex(serial->data + at, CA_SERIAL_SIZE - at, text);
}
