#include "fetch/fetch_one.h"

#include "base/text.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEADER_MAX 65536
#define REFUSED_MAX 16384 /* of error pages, so that a connection can go on */
#define CHUNK 65536

static long
status_of(const struct fetch_one *one)
{
	long status = 0;

	(void)curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool
is_http(const struct fetch_one *one)
{
	return one->url.scheme == FETCH_HTTP || one->url.scheme == FETCH_HTTPS;
}

/* The value of header ${name} if ${line} is one, trimmed; "" if it is too long
 * or not printable, so that nothing of it is believed. */
static bool
header(const char *line, size_t len, const char *name, char *value, size_t size)
{
	char text[512];
	size_t lead = strlen(name);
	char *trimmed;

	if (len <= lead || strncasecmp(line, name, lead) != 0 ||
	    line[lead] != ':')
		return false;
	value[0] = '\0';
	len -= lead + 1;
	line += lead + 1;
	if (len >= sizeof(text) || memchr(line, '\0', len) != NULL)
		return true;
	memcpy(text, line, len);
	text[len] = '\0';
	trimmed = text_trim(text);
	if (!text_printable(trimmed) || text_copy(value, size, trimmed) < 0)
		value[0] = '\0';
	return true;
}

static size_t
on_header(char *line, size_t one_byte, size_t len, void *arg)
{
	struct fetch_one *one = arg;
	char coding[32];

	(void)one_byte;
	one->heard += len;
	if (one->heard > HEADER_MAX) {
		(void)fault_set(&one->fault, FAULT_INPUT,
		    "more than %d bytes of header", HEADER_MAX);
		return 0;
	}
	if (!is_http(one))
		return len;
	/* A proxy's answer, or "100 Continue", came before. */
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
		one->meta.etag[0] = one->meta.modified[0] = '\0';
		one->encoded = false;
		return len;
	}
	(void)header(line, len, "ETag", one->meta.etag, sizeof(one->meta.etag));
	(void)header(line, len, "Last-Modified", one->meta.modified,
	    sizeof(one->meta.modified));
	if (header(line, len, "Content-Encoding", coding, sizeof(coding)) &&
	    strcasecmp(coding, "identity") != 0)
		one->encoded = true;
	return len;
}

static size_t
on_body(char *data, size_t one_byte, size_t len, void *arg)
{
	struct fetch_one *one = arg;

	(void)one_byte;
	if (is_http(one) && status_of(one) != 200) {
		one->refused += len;
		return one->refused > REFUSED_MAX ? 0 : len;
	}
	if (one->encoded)
		return 0;
	if (fetch_sink_put(&one->sink, data, len, &one->fault) < 0)
		return 0;
	return len;
}

#define SET(option, value) \
	(failed |= curl_easy_setopt(one->easy, (option), (value)) != CURLE_OK)

static bool
set_limits(struct fetch_one *one, const struct fetch_options *o, int64_t left)
{
	bool failed = false;

	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)o->low_speed);
	SET(CURLOPT_LOW_SPEED_TIME, (long)o->low_speed_s);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)one->max);
	SET(CURLOPT_BUFFERSIZE, (long)CHUNK);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https,ftp");
	if (o->ip == 4)
		SET(CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	if (o->ip == 6)
		SET(CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V6);
	return !failed;
}

static bool
set_http(struct fetch_one *one, const struct fetch_ask *ask)
{
	const struct fetch_options *o = ask->options;
	bool failed = false;

	SET(CURLOPT_URL, ask->url);
	SET(CURLOPT_USERAGENT, o->user_agent);
	/* Hundreds of servers, a file or two from each: nothing to share. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, ask->job->unchecked ? 0L : 1L);
	SET(CURLOPT_SSL_VERIFYHOST, ask->job->unchecked ? 0L : 2L);
	if (o->proxy != NULL)
		SET(CURLOPT_PROXY, o->proxy);
	if (o->ca_file != NULL || o->ca_dir != NULL) {
		SET(CURLOPT_CAINFO, o->ca_file);
		SET(CURLOPT_CAPATH, o->ca_dir);
	}
	return !failed;
}

static bool
set_callbacks(struct fetch_one *one, void *private)
{
	bool failed = false;

	SET(CURLOPT_PRIVATE, private);
	SET(CURLOPT_ERRORBUFFER, one->said);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, one);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, one);
	return !failed;
}

static bool
add_header(struct fetch_one *one, const char *name, const char *value)
{
	char line[FETCH_ETAG_SIZE + 32];
	struct curl_slist *more;

	if (value[0] == '\0')
		return true;
	if (text_fmt(line, sizeof(line), "%s: %s", name, value) < 0 ||
	    (more = curl_slist_append(one->headers, line)) == NULL)
		return false;
	one->headers = more;
	one->conditional = true;
	return true;
}

/* RFC 9110 13.2.2: who knows If-None-Match leaves If-Modified-Since alone. */
static bool
set_condition(struct fetch_one *one, const struct fetch_meta *have)
{
	bool failed = false;

	if (have == NULL)
		return true;
	if (one->url.scheme == FETCH_FTP) {
		if (have->filetime == 0)
			return true;
		one->conditional = true;
		SET(CURLOPT_TIMECONDITION, (long)CURL_TIMECOND_IFMODSINCE);
		SET(CURLOPT_TIMEVALUE_LARGE, (curl_off_t)have->filetime);
		return !failed;
	}
	if (!add_header(one, "If-None-Match", have->etag) ||
	    !add_header(one, "If-Modified-Since", have->modified))
		return false;
	SET(CURLOPT_HTTPHEADER, one->headers);
	return !failed;
}

int
fetch_one_open(struct fetch_one *one, const struct fetch_ask *ask,
    void *private, struct fault *f)
{
	bool failed = false;

	*one = (struct fetch_one){ .max = ask->job->max_bytes > 0
		    ? ask->job->max_bytes
		    : FETCH_MAX_BYTES };
	one->sink.fd = -1;
	if (fetch_url_read(&one->url, ask->url, f) < 0)
		return -1;
	if (fetch_sink_open(&one->sink, ask->options->cache_dir, one->max, f) <
	    0)
		return -1;
	if ((one->easy = curl_easy_init()) == NULL ||
	    !set_limits(one, ask->options, ask->left_ms) ||
	    !set_http(one, ask) || !set_callbacks(one, private) ||
	    !set_condition(one, ask->have))
		return fault_set(f, FAULT_MEMORY, "transfer");
	if (one->url.scheme == FETCH_FTP)
		SET(CURLOPT_FILETIME, 1L);
	return failed ? fault_set(f, FAULT_MEMORY, "transfer") : 0;
}

void
fetch_one_close(struct fetch_one *one)
{
	if (one->easy != NULL)
		curl_easy_cleanup(one->easy);
	curl_slist_free_all(one->headers);
	fetch_sink_close(&one->sink);
	one->easy = NULL;
	one->headers = NULL;
}

static enum fault_code
code_of(CURLcode code)
{
	if (code == CURLE_OPERATION_TIMEDOUT)
		return FAULT_TIMEOUT;
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return FAULT_UNTRUSTED;
	if (code == CURLE_OUT_OF_MEMORY)
		return FAULT_MEMORY;
	return FAULT_UNREACHABLE;
}

/* What curl says of it, in its words, made fit for a terminal. */
static void
transport_fault(struct fetch_one *one, CURLcode code, struct fault *f)
{
	if (code == CURLE_FILESIZE_EXCEEDED) {
		(void)fault_set(f, FAULT_INPUT, "announces more than %zu bytes",
		    one->max);
		return;
	}
	/* It has no other word for it. */
	if (code == CURLE_OUT_OF_MEMORY && one->heard > 0) {
		(void)fault_set(f, FAULT_INPUT, "a line of header too long");
		return;
	}
	text_clean(one->said);
	(void)fault_set(f, code_of(code), "%s",
	    one->said[0] != '\0' ? one->said : curl_easy_strerror(code));
}

static enum fetch_outcome
moved(struct fetch_one *one, long status, struct fault *f)
{
	const char *to = NULL;

	(void)curl_easy_getinfo(one->easy, CURLINFO_REDIRECT_URL, &to);
	if (to == NULL ||
	    text_copy(one->location, sizeof(one->location), to) < 0) {
		(void)fault_set(f, FAULT_INPUT,
		    "answers %ld without a good Location", status);
		return FETCH_ONE_FAILED;
	}
	return FETCH_ONE_MOVED;
}

/* An answer that is no 200, whatever became of its body. */
static enum fetch_outcome
http_answer(struct fetch_one *one, long status, struct fault *f)
{
	curl_off_t wish = 0;

	if (status == 304 && one->conditional)
		return FETCH_ONE_SAME;
	if (status == 304) {
		(void)fault_set(f, FAULT_INPUT,
		    "answers 304 (not modified), which was not asked");
		return FETCH_ONE_FAILED;
	}
	if (status == 301 || status == 302 || status == 303 || status == 307 ||
	    status == 308)
		return moved(one, status, f);
	(void)curl_easy_getinfo(one->easy, CURLINFO_RETRY_AFTER, &wish);
	one->wish_s = wish;
	(void)fault_set(f, FAULT_UNREACHABLE, "answers %ld", status);
	return FETCH_ONE_FAILED;
}

static enum fetch_outcome
whole(struct fetch_one *one, struct fault *f)
{
	long unmet = 0;
	curl_off_t when = -1;

	if (one->url.scheme == FETCH_FTP) {
		(void)curl_easy_getinfo(one->easy, CURLINFO_CONDITION_UNMET,
		    &unmet);
		if (unmet != 0 && one->conditional)
			return FETCH_ONE_SAME;
		(void)curl_easy_getinfo(one->easy, CURLINFO_FILETIME_T, &when);
		one->meta.filetime = when > 0 ? (uint64_t)when : 0;
	}
	if (one->sink.len > 0)
		return FETCH_ONE_BODY;
	(void)fault_set(f, FAULT_INPUT, "an empty file");
	return FETCH_ONE_FAILED;
}

enum fetch_outcome
fetch_one_end(struct fetch_one *one, CURLcode code, struct fault *f)
{
	long status = is_http(one) ? status_of(one) : 0;

	if (one->fault.code != FAULT_NONE) {
		*f = one->fault;
		return f->code == FAULT_INPUT ? FETCH_ONE_FAILED
					      : FETCH_ONE_HERE;
	}
	if (one->encoded && status == 200) {
		(void)fault_set(f, FAULT_INPUT,
		    "sends it compressed, which was not asked");
		return FETCH_ONE_FAILED;
	}
	if (is_http(one) && status >= 300)
		return http_answer(one, status, f);
	if (code != CURLE_OK) {
		transport_fault(one, code, f);
		return f->code == FAULT_MEMORY ? FETCH_ONE_HERE
					       : FETCH_ONE_FAILED;
	}
	if (is_http(one) && status != 200)
		return http_answer(one, status, f);
	return whole(one, f);
}

static int
open_file(const char *path, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s",
		    strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return fault_set(f, FAULT_INPUT, "not a regular file");
}

static int
read_file(struct fetch_one *one, int fd, struct fault *f)
{
	uint8_t chunk[16384];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "%s",
			    strerror(errno));
		if (fetch_sink_put(&one->sink, chunk, (size_t)got, f) < 0)
			return -1;
	}
	return one->sink.len > 0 ? 0
				 : fault_set(f, FAULT_INPUT, "an empty file");
}

int
fetch_one_file(struct fetch_one *one, const char *dir, size_t max,
    struct fault *f)
{
	int answer;
	int fd;

	if (fetch_sink_open(&one->sink, dir, max, f) < 0 ||
	    (fd = open_file(one->url.path, f)) < 0)
		return -1;
	answer = read_file(one, fd, f);
	(void)close(fd);
	return answer;
}
