#include "myproxy/myproxy_reply.h"

#include "x509/csr.h"

#include <string.h>

/* 0x30, which begins a certificate, is not 'E': a count of 86 is no text. */
bool
myproxy_reply_is_text(const uint8_t *data, size_t len)
{
	return len >= 2 && data[0] == 'V' && data[1] == 'E';
}

/* Where the ${count} certificates end: 1, 0 if more is needed, -1 if never. */
static int
measure(const uint8_t *data, size_t len, size_t *used, struct fault *f)
{
	size_t count;
	size_t at = 1;

	if (len == 0)
		return 0;
	count = data[0];
	if (count == 0 || count > CERT_LIST_MAX)
		return fault_set(f, FAULT_INPUT,
		    "the server announces %zu certificates", count);
	for (size_t i = 0; i < count; i++) {
		long n = csr_length(data + at, len - at, CERT_MAX);

		if (n < 0)
			return fault_set(f, FAULT_INPUT,
			    "certificate %zu of the server's answer is none",
			    i + 1);
		if (n == 0 || (size_t)n > len - at)
			return 0;
		at += (size_t)n;
	}
	*used = at;
	return 1;
}

int
myproxy_reply_read(const uint8_t *data, size_t len, size_t *used,
    struct cert_list *chain, struct fault *f)
{
	struct cert_list list = { .count = 0 };
	size_t end = 0;
	size_t at = 1;
	int whole = measure(data, len, &end, f);

	if (whole <= 0)
		return whole;
	while (at < end) {
		long n = csr_length(data + at, end - at, CERT_MAX);
		struct wire_bytes der = { data + at, (size_t)n };

		list.cert[list.count] = cert_read(der, f);
		if (list.cert[list.count] == NULL) {
			(void)fault_wrap(f,
			    "certificate %zu of the server's answer",
			    list.count + 1);
			cert_list_free(&list);
			return -1;
		}
		list.count++;
		at += (size_t)n;
	}
	*chain = list;
	*used = end;
	return 1;
}

/* What stock servers say (facts: PROTOCOL 12); ours says the sentences of
 * fault.def. */
static const struct {
	const char *words;
	enum fault_code code;
} texts[] = {
	{ "invalid password", FAULT_LOGIN },
	{ "invalid username", FAULT_LOGIN },
	{ "Bad password", FAULT_LOGIN },
	{ "invalid credential passphrase", FAULT_LOGIN },
	{ "PAM authentication failed", FAULT_LOGIN },
	{ "unknown username", FAULT_LOGIN },
	{ "authentication failed", FAULT_LOGIN },
	{ "authentication failure", FAULT_LOGIN },
	{ "certificate verification failed", FAULT_LOGIN },
	{ "Invalid username received", FAULT_LOGIN },
	{ "not authorized", FAULT_DENIED },
	{ "credential locked", FAULT_DENIED },
	{ "No credentials exist", FAULT_ABSENT },
	{ "no credentials found", FAULT_ABSENT },
	{ "not supported", FAULT_UNSUPPORTED },
	{ "Certificate generation failure", FAULT_KEY },
};

enum fault_code
myproxy_error_code(const char *words)
{
	for (size_t i = 1; i < FAULT_COUNT; i++)
		if (strstr(words, fault_sentence((enum fault_code)i)) != NULL)
			return (enum fault_code)i;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strstr(words, texts[i].words) != NULL)
			return texts[i].code;
	return FAULT_FAILED;
}
