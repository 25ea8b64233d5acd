#include "fetch/fetch_url.h"

#include "base/fault.h"
#include "base/own.h"
#include "base/text.h"
#include "fetch/fetch.h"
#include "fetch/own_curl.h"

#include <string.h>

static const char *const schemes[] = {
	[FETCH_HTTP] = "http",
	[FETCH_HTTPS] = "https",
	[FETCH_FTP] = "ftp",
	[FETCH_FILE] = "file",
};

/* One part of a URL into ${text}; what is not there is "". */
static int
part(CURLU *url, CURLUPart what, unsigned flags, char *text, size_t size)
{
	char *value = NULL;
	int answer;

	text[0] = '\0';
	if (curl_url_get(url, what, &value, flags) != CURLUE_OK)
		return 0;
	answer = text_copy(text, size, value);
	curl_free(value);
	return answer;
}

static int
read_scheme(struct fetch_url *u, CURLU *url, struct fault *f)
{
	char name[32];

	if (part(url, CURLUPART_SCHEME, 0, name, sizeof(name)) == 0)
		for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
			if (strcmp(name, schemes[i]) == 0) {
				u->scheme = (enum fetch_scheme)i;
				return 0;
			}
	return fault_set(f, FAULT_INPUT, "neither http, https, ftp nor file");
}

static int
read_parts(struct fetch_url *u, CURLU *url, struct fault *f)
{
	char host[256];
	char port[16];

	u->path[0] = '\0';
	if (read_scheme(u, url, f) < 0)
		return -1;
	if (u->scheme == FETCH_FILE) {
		u->host[0] = '\0';
		if (part(url, CURLUPART_PATH, CURLU_URLDECODE, u->path,
			sizeof(u->path)) < 0 ||
		    u->path[0] != '/')
			return fault_set(f, FAULT_INPUT, "no good path");
		return 0;
	}
	if (part(url, CURLUPART_HOST, 0, host, sizeof(host)) < 0 ||
	    part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) <
		0 ||
	    host[0] == '\0' ||
	    text_fmt(u->host, sizeof(u->host), "%s:%s", host, port) < 0)
		return fault_set(f, FAULT_INPUT, "no good host");
	return 0;
}

int
fetch_url_read(struct fetch_url *u, const char *url, struct fault *f)
{
	OWN(CURLU) parts = curl_url();

	if (parts == NULL)
		return fault_set(f, FAULT_MEMORY, "URL");
	if (strlen(url) >= FETCH_URL_SIZE || !text_printable(url) ||
	    curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) !=
		CURLUE_OK)
		return fault_set(f, FAULT_INPUT, "not a URL");
	return read_parts(u, parts, f);
}

int
fetch_url_follow(const struct fetch_url *from, const char *to, struct fault *f)
{
	char shown[FETCH_SHOWN_SIZE];
	struct fetch_url next;

	fetch_url_show(to, shown);
	if (fetch_url_read(&next, to, f) < 0)
		return fault_wrap(f, "sends us to %s", shown);
	if (next.scheme != FETCH_HTTP && next.scheme != FETCH_HTTPS)
		return fault_set(f, FAULT_UNTRUSTED,
		    "sends us to %s: only http and https are followed", shown);
	if (from->scheme == FETCH_HTTPS && next.scheme == FETCH_HTTP)
		return fault_set(f, FAULT_UNTRUSTED,
		    "sends us from https to %s", shown);
	return 0;
}

/* Where the authority of ${url} begins: past "scheme://". */
static const char *
authority(const char *url)
{
	const char *slashes = strstr(url, "://");

	return slashes == NULL ? url : slashes + 3;
}

void
fetch_url_show(const char *url, char text[FETCH_SHOWN_SIZE])
{
	const char *host = authority(url);
	int lead = (int)(host - url < 20 ? host - url : 0);
	size_t before = strcspn(host, "/?#");
	size_t all = strcspn(host, "?#");
	const char *at = memrchr(host, '@', before);

	if (at != NULL) {
		all -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	(void)snprintf(text, FETCH_SHOWN_SIZE, "%.*s%.*s%s", lead, url,
	    (int)(all < FETCH_SHOWN_SIZE ? all : FETCH_SHOWN_SIZE), host,
	    host[all] == '?' ? "?..." : "");
	text_clean(text);
}
