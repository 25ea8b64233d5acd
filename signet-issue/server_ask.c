#include "server_ask.h"

#include "base/fault.h"
#include "base/secret.h"
#include "base/text.h"
#include "x509/pem.h"

#include <stdbool.h>
#include <string.h>

#define UNSET "NULL"

/* The lines that say something to us; the pass phrase is none of them. */
enum field {
	FIELD_USERNAME,
	FIELD_PROXY_LIFETIME,
	FIELD_CREDNAME,
	FIELD_MAX_CERT_LIFETIME,
	FIELDS
};

static const char *const keys[FIELDS] = {
	[FIELD_USERNAME] = "username",
	[FIELD_PROXY_LIFETIME] = "proxy_lifetime",
	[FIELD_CREDNAME] = "credname",
	[FIELD_MAX_CERT_LIFETIME] = "max_cert_lifetime",
};

/* A value as it stands; data NULL if it is not set. */
struct head {
	struct wire_bytes value[FIELDS];
	bool seen[FIELDS];
};

static bool
is(struct wire_bytes bytes, const char *text)
{
	return bytes.len == strlen(text) &&
	    memcmp(bytes.data, text, bytes.len) == 0;
}

static int
note(struct head *head, struct wire_bytes key, struct wire_bytes value,
    struct fault *f)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (!is(key, keys[i]))
			continue;
		if (head->seen[i])
			return fault_set(f, FAULT_INPUT, "%s is given twice",
			    keys[i]);
		head->seen[i] = true;
		if (!is(value, UNSET))
			head->value[i] = value;
	}
	return 0;
}

static int
read_line(struct head *head, struct wire_bytes all, unsigned line,
    struct fault *f)
{
	const uint8_t *equals = memchr(all.data, '=', all.len);
	struct wire_bytes key = all, value = all;

	if (equals == NULL)
		return fault_set(f, FAULT_INPUT, "line %u is no key=value",
		    line);
	if (memchr(all.data, '\0', all.len) != NULL)
		return fault_set(f, FAULT_INPUT, "line %u has a NUL in it",
		    line);
	key.len = (size_t)(equals - all.data);
	value.data = equals + 1;
	value.len -= key.len + 1;
	return note(head, key, value, f);
}

/* The lines up to the empty one; ${at} is then behind it. */
static int
read_head(struct head *head, const uint8_t *data, size_t len, size_t *at,
    struct fault *f)
{
	for (unsigned line = 1;; line++) {
		const uint8_t *start = data + *at;
		const uint8_t *end = memchr(start, '\n', len - *at);
		struct wire_bytes all = { start, 0 };

		if (end == NULL)
			return fault_set(f, FAULT_INPUT,
			    "no empty line before the certificate request");
		all.len = (size_t)(end - data) - *at;
		*at += all.len + 1;
		if (all.len > 0 && start[all.len - 1] == '\r')
			all.len--;
		if (all.len == 0)
			return 0;
		if (read_line(head, all, line, f) < 0)
			return -1;
	}
}

static int
take_text(const struct head *head, enum field field, char *to, size_t size,
    struct fault *f)
{
	const struct wire_bytes value = head->value[field];

	if (value.len >= size)
		return fault_set(f, FAULT_INPUT, "%s is longer than %zu bytes",
		    keys[field], size - 1);
	if (value.len > 0 && !text_utf8(value.data, value.len))
		return fault_set(f, FAULT_INPUT,
		    "%s has a character that is none", keys[field]);
	if (value.len > 0)
		memcpy(to, value.data, value.len);
	to[value.len] = '\0';
	return 0;
}

/* Make ${least} no more than what the field says, where it says something. */
static int
take_lifetime(const struct head *head, enum field field, uint32_t *least,
    struct fault *f)
{
	char digits[16];
	int64_t seconds = 0;

	if (head->value[field].data == NULL)
		return 0;
	if (take_text(head, field, digits, sizeof(digits), f) < 0)
		return -1;
	if (text_number(digits, 0, INT64_MAX, &seconds) < 0)
		return fault_set(f, FAULT_INPUT, "%s is no number of seconds",
		    keys[field]);
	/* The server has 32 bits of it, and may send all that it was sent: the
	 * profile says how long the certificate is at most. */
	if (seconds > UINT32_MAX)
		return fault_set(f, FAULT_INPUT, "%s is more than %u seconds",
		    keys[field], UINT32_MAX);
	if (seconds > 0 && (*least == 0 || seconds < *least))
		*least = (uint32_t)seconds;
	return 0;
}

static int
take_head(struct server_ask *ask, const struct head *head, struct fault *f)
{
	if (take_text(head, FIELD_USERNAME, ask->username,
		sizeof(ask->username), f) < 0 ||
	    take_text(head, FIELD_CREDNAME, ask->profile, sizeof(ask->profile),
		f) < 0 ||
	    take_lifetime(head, FIELD_PROXY_LIFETIME, &ask->lifetime, f) < 0 ||
	    take_lifetime(head, FIELD_MAX_CERT_LIFETIME, &ask->lifetime, f) < 0)
		return -1;
	if (*ask->username == '\0')
		return fault_set(f, FAULT_INPUT, "there is no username");
	return 0;
}

static int
take_csr(struct server_ask *ask, const uint8_t *text, size_t len,
    struct fault *f)
{
	static const char *const labels[] = { "CERTIFICATE REQUEST",
		"NEW CERTIFICATE REQUEST" };
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t at = 0;
		int found;

		while ((found = pem_next(text, len, &at, labels[i], &ask->csr,
			    f)) > 0)
			count++;
		if (found < 0)
			return fault_set(f, FAULT_INPUT,
			    "the certificate request is malformed");
	}
	if (count != 1 || ask->csr.len == 0)
		return fault_set(f, FAULT_INPUT,
		    "there %s certificate request%s",
		    count > 1 ? "is more than one" : "is no",
		    count > 1 ? "" : " in PEM");
	return 0;
}

int
server_ask_read(struct server_ask *ask, uint8_t *data, size_t len,
    struct fault *f)
{
	struct head head = { 0 };
	size_t at = 0;
	int result;

	*ask = (struct server_ask){ .csr = BUF(CALLOUT_CSR_MAX) };
	result = read_head(&head, data, len, &at, f);
	if (result == 0)
		result = take_head(ask, &head, f);
	if (result == 0)
		result = take_csr(ask, data + at, len - at, f);
	secret_wipe(data, len);
	return result;
}
