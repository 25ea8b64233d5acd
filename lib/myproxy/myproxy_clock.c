#include "myproxy/myproxy_clock.h"

#include "base/fault.h"
#include "base/text.h"
#include "myproxy/myproxy_link.h"

#include <string.h>

#define KEYWORD "SERVER_TIME="
/* The year 9999, past which no certificate goes. */
#define LATEST INT64_C(253402300799)

time_t
myproxy_clock_read(const char *lines, size_t len)
{
	const size_t word = strlen(KEYWORD);
	char number[16];
	int64_t when;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(lines + at, '\n', len - at);
		size_t size =
		    end == NULL ? len - at : (size_t)(end - lines) - at;

		if (size > word && size - word < sizeof(number) &&
		    memcmp(lines + at, KEYWORD, word) == 0) {
			memcpy(number, lines + at + word, size - word);
			number[size - word] = '\0';
			return text_number(number, 1, LATEST, &when) == 0
			    ? (time_t)when
			    : 0;
		}
		at += size + 1;
	}
	return 0;
}

/* The time is asked for because certificates cannot be judged without. */
static int
anyone(void *arg, const struct cert_list *chain, struct fault *f)
{
	(void)arg;
	(void)chain;
	(void)f;
	return 0;
}

static int
ask(struct myproxy_link *link, struct fault *f)
{
	const struct myproxy_request request = { .command = MYPROXY_INFO,
		.username = "signet" };
	OWN_BUF(out, MYPROXY_REQUEST_MAX);

	if (myproxy_link_flag(link, f) < 0 ||
	    myproxy_request_write(&request, &out, f) < 0)
		return -1;
	return myproxy_link_send(link, &out, f);
}

int
myproxy_clock_ask(const char *host, uint16_t port, int connect_ms, time_t *now,
    struct fault *f)
{
	struct myproxy_response response = { 0 };
	struct fault refusal = { 0 };
	struct myproxy_link link;
	int result;

	result = myproxy_link_open(&link, host, port, connect_ms, NULL, anyone,
	    NULL, f);
	if (result == 0)
		result = ask(&link, f);
	if (result == 0) {
		/* It has nothing stored for us, and says when it says so. */
		if (myproxy_link_answer(&link, &response, &refusal) < 0)
			result = 0;
		*now = myproxy_clock_read((const char *)response.rest.data,
		    response.rest.len);
	}
	myproxy_response_clear(&response);
	myproxy_link_close(&link);
	return result;
}
