/*
 * One input, three readings.  As DER: what is read shows as OpenSSL shows it.
 * As one-line text: what is read shows and reads back the same.  As a value
 * put into a template: the name has the template's RDNs and no other.
 */
#include "x509/dn.h"

#include "base/fault.h"
#include "x509/own_ssl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_der(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	char ours[4 * DN_TEXT_MAX], theirs[4 * DN_TEXT_MAX];
	OWN(X509_NAME) oracle = NULL;
	struct fault f = { 0 };
	struct dn dn, parent;

	if (dn_read_der(&dn, (struct wire_bytes){ data, size }, &f) < 0)
		return;
	oracle = d2i_X509_NAME(NULL, &at, (long)size);
	if (oracle == NULL || dn_show_slash(&dn, ours, sizeof(ours)) < 0 ||
	    X509_NAME_oneline(oracle, theirs, sizeof(theirs)) == NULL ||
	    strcmp(ours, theirs) != 0)
		abort();
	if (dn_show_rfc2253(&dn, ours, sizeof(ours)) < 0)
		abort();
	if (dn_parent(&dn, &parent) &&
	    (!dn_under(&dn, &parent) || dn_depth(&dn) != dn_depth(&parent) + 1))
		abort();
}

static void
as_text(const char *text)
{
	char shown[4 * DN_TEXT_MAX];
	struct fault f = { 0 };
	struct dn dn, again;

	if (dn_read_slash(&dn, text, &f) < 0)
		return;
	if (dn_show_slash(&dn, shown, sizeof(shown)) < 0 ||
	    dn_read_der(&again, (struct wire_bytes){ dn.der, dn.len }, &f) < 0)
		abort();
	/* "\x2f" and its like are not undone by showing. */
	if (strchr(text, '\\') != NULL)
		return;
	if (dn_read_slash(&again, shown, &f) < 0 || !dn_equal(&dn, &again))
		abort();
}

static void
as_value(const char *text)
{
	const struct dn_value values[] = { { "v", text }, { NULL, NULL } };
	char cn[DN_TEXT_MAX];
	struct fault f = { 0 };
	struct dn dn, base;

	if (dn_fill(&dn, "/O=a/CN={v}", values, &f) < 0)
		return;
	if (dn_read_slash(&base, "/O=a", &f) < 0 || !dn_under(&dn, &base) ||
	    dn_depth(&dn) != 2 || dn_cn(&dn, cn, sizeof(cn)) < 0 ||
	    strcmp(cn, text) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	as_der(data, size);
	as_text(text);
	as_value(text);
	free(text);
	return 0;
}
