#include "trust/host.h"

#include "base/buf.h"
#include "base/text.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "x509/der.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define TAG_DNS 2u
#define TAG_IP 7u

static bool
has_dns_name(const struct cert *cert)
{
	struct wire_bytes name;
	size_t at = 0;

	/* A malformed list counts as one: no way back to the CN. */
	return cert_alt_name(cert, TAG_DNS, &at, &name) != 0;
}

static bool
looks_like_host(const char *name)
{
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) &&
		    strchr("-._*", *name) == NULL)
			return false;
	return true;
}

bool
host_from_cn(const struct cert *cert, char host[HOST_NAME_SIZE])
{
	char cn[HOST_NAME_SIZE];
	const char *name = cn;

	if (has_dns_name(cert) || dn_cn(&cert->subject, cn, sizeof(cn)) < 0)
		return false;
	if (text_starts(cn, "host/"))
		name += strlen("host/");
	else if (text_starts(cn, "myproxy/"))
		name += strlen("myproxy/");
	return *name != '\0' && looks_like_host(name) &&
	    text_copy(host, HOST_NAME_SIZE, name) == 0;
}

/* Whether ${name} of the certificate stands for ${host}: equal but for case,
 * or "*." and the rest equal, with more than a top-level domain left. */
static bool
covers(const char *name, size_t len, const char *host)
{
	const char *rest = strchr(host, '.');

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || memchr(name, '\0', len) != NULL)
		return false;
	if (strlen(host) == len && strncasecmp(name, host, len) == 0)
		return memchr(name, '*', len) == NULL;
	if (len < 3 || name[0] != '*' || name[1] != '.' || rest == NULL ||
	    rest == host || memchr(name + 1, '*', len - 1) != NULL ||
	    memchr(name + 2, '.', len - 2) == NULL)
		return false;
	return strlen(rest) == len - 1 &&
	    strncasecmp(name + 1, rest, len - 1) == 0;
}

/* Whether a dNSName covers ${host}; all of them are written to ${said}. */
static bool
dns_covers(const struct cert *cert, const char *host, struct buf *said)
{
	struct wire_bytes name;
	size_t at = 0;

	while (cert_alt_name(cert, TAG_DNS, &at, &name) == 1) {
		if (covers((const char *)name.data, name.len, host))
			return true;
		buf_fmt(said, " %.*s", (int)(name.len < 64 ? name.len : 64),
		    (const char *)name.data);
	}
	return false;
}

static bool
ip_covers(const struct cert *cert, const void *address, size_t len)
{
	struct wire_bytes name;
	size_t at = 0;

	while (cert_alt_name(cert, TAG_IP, &at, &name) == 1)
		if (name.len == len && memcmp(name.data, address, len) == 0)
			return true;
	return false;
}

/* Certificates are strangers' words: what is shown is plain text. */
static const char *
shown(struct buf *said)
{
	for (size_t i = 0; i < said->len; i++)
		if (said->data[i] < 0x20 || said->data[i] > 0x7e)
			said->data[i] = '?';
	return said->len > 0 ? buf_cstr(said) : " none";
}

int
trust_check_host(const struct cert *cert, const char *host, struct fault *f)
{
	OWN_BUF(said, 4096);
	char name[HOST_NAME_SIZE];
	char cn[HOST_NAME_SIZE];
	struct in6_addr v6;
	struct in_addr v4;

	if (text_copy(name, sizeof(name), host) < 0 || name[0] == '\0')
		return fault_set(f, FAULT_UNTRUSTED, "not a host name");
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ip_covers(cert, &v4, sizeof(v4))
		    ? 0
		    : rule_broken(f, FAULT_UNTRUSTED, cert,
			  "it does not name the address %s", name);
	if (inet_pton(AF_INET6, name, &v6) == 1)
		return ip_covers(cert, &v6, sizeof(v6))
		    ? 0
		    : rule_broken(f, FAULT_UNTRUSTED, cert,
			  "it does not name the address %s", name);
	if (name[1] != '\0' && text_ends(name, "."))
		name[strlen(name) - 1] = '\0';
	if (dns_covers(cert, name, &said))
		return 0;
	if (host_from_cn(cert, cn)) {
		if (covers(cn, strlen(cn), name))
			return 0;
		buf_fmt(&said, " %s (by its CN)", cn);
	}
	return rule_broken(f, FAULT_UNTRUSTED, cert,
	    "it is not for %.60s; its names:%s", name, shown(&said));
}
