#include "anchor/crl_points.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/der.h"

#include <string.h>

#define URL_SIZE 1024
#define URI 6 /* of GeneralName */

static const struct wire_bytes oid_points = { (const uint8_t *)"\x55\x1d\x1f",
	3 };

/* The value of the extension, if there is one. */
static struct der_in
find(const struct cert *cert)
{
	struct der_in in = DER_IN(cert->extensions.data, cert->extensions.len);
	struct der_in none = DER_IN(NULL, 0);

	while (der_peek(&in) != 0) {
		struct der_in extension = der_enter(&in, DER_SEQUENCE);
		struct wire_bytes oid = der_get(&extension, DER_OID);

		if (der_peek(&extension) == DER_BOOLEAN)
			(void)der_get_bool(&extension);
		if (der_bytes_equal(oid, oid_points))
			return der_enter(&extension, DER_OCTET_STRING);
	}
	return none;
}

/* One name of a point, if it is an address that can be fetched. */
static int
take(struct wire_bytes name, struct want_list *urls, struct fault *f)
{
	char url[URL_SIZE];

	if (name.len >= sizeof(url) || name.len == 0 ||
	    memchr(name.data, '\0', name.len) != NULL)
		return 0;
	memcpy(url, name.data, name.len);
	url[name.len] = '\0';
	if (!text_printable(url) || strchr(url, ' ') != NULL ||
	    (!text_starts(url, "http://") && !text_starts(url, "https://") &&
		!text_starts(url, "ftp://")) ||
	    want_list_has(urls, url))
		return 0;
	return want_list_add(urls, url, f);
}

static int
read_point(struct der_in *point, struct want_list *urls, struct fault *f)
{
	struct der_in name, full;

	if (!der_maybe(point, DER_CONTEXT_C(0), &name))
		return 0;
	/* What follows says: for some reasons only, or another's list. */
	if (!der_ended(point) || !der_maybe(&name, DER_CONTEXT_C(0), &full))
		return 0;
	while (der_peek(&full) != 0) {
		bool uri = der_peek(&full) == DER_CONTEXT(URI);
		struct wire_bytes whole;

		if (!uri) {
			(void)der_get_whole(&full, 0);
			continue;
		}
		whole = der_get(&full, DER_CONTEXT(URI));
		if (take(whole, urls, f) < 0)
			return -1;
	}
	return 0;
}

int
crl_points(const struct cert *cert, struct want_list *urls, struct fault *f)
{
	struct der_in value = find(cert);
	struct der_in points = der_enter(&value, DER_SEQUENCE);

	while (der_peek(&points) == DER_SEQUENCE) {
		struct der_in point = der_enter(&points, DER_SEQUENCE);

		if (read_point(&point, urls, f) < 0)
			return -1;
	}
	return 0;
}
