#include "ca_change.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "x509/der.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMES_MOST ((size_t)CERT_LIST_MAX * 2)

/* What the ledger says of a serial; copied, since it is borrowed. */
struct found {
	struct ca_change *c;
	bool revoked;
	bool failed;
	struct fault *f;
};

static int
take(void *arg, const struct ledger_line *line)
{
	struct found *found = arg;

	if (line->state == LEDGER_REVOKED || line->state == LEDGER_HELD)
		found->revoked = true;
	if (line->der.len == 0)
		return 0;
	found->c->cert = cert_read(line->der, found->f);
	found->failed = found->c->cert == NULL ||
	    text_copy(found->c->profile, sizeof(found->c->profile),
		line->intent.profile) < 0;
	return 1;
}

static int
take_names(struct ca_change *c, unsigned tag, const char **names, size_t *count,
    struct fault *f)
{
	struct wire_bytes name;
	size_t at = 0;
	int found;

	while ((found = cert_alt_name(c->cert, tag, &at, &name)) > 0) {
		if (*count == NAMES_MOST)
			return fault_set(f, FAULT_INPUT,
			    "the certificate has more than %zu names",
			    NAMES_MOST);
		names[(*count)++] = (const char *)c->text.data + c->text.len;
		buf_put(&c->text, name.data, name.len);
		buf_put_u8(&c->text, 0);
	}
	if (found < 0 || c->text.failed)
		return fault_set(f, FAULT_INPUT,
		    "the certificate's subjectAltName is malformed");
	return 0;
}

static int
take_all_names(struct ca_change *c, struct fault *f)
{
	/* Texts do not move while there is room. */
	if (buf_room(&c->text, c->cert->alt_names.len * 2 + 1) == NULL)
		return fault_set(f, FAULT_MEMORY, "names");
	if (take_names(c, 2, c->dns, &c->dns_count, f) < 0)
		return -1;
	return take_names(c, 1, c->mail, &c->mail_count, f);
}

static int
look(struct ca_change *c, const char *ledger, const char *ca,
    const char *serial, struct fault *f)
{
	const struct ledger_filter filter = { .ca = ca, .serial = serial };
	struct found found = { .c = c, .f = f };
	OWN_STRUCT(ledger) l = ledger_open_read(ledger, f);

	if (l == NULL || ledger_each(l, &filter, take, &found, f) < 0)
		return -1;
	if (found.failed)
		return fault_wrap(f, "serial %s", serial);
	if (c->cert == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "%s has issued no certificate with serial %s", ca, serial);
	if (found.revoked)
		return fault_set(f, FAULT_DENIED,
		    "the certificate %s is revoked: it is not renewed", serial);
	return take_all_names(c, f);
}

static struct ca_change *
change_new(struct fault *f)
{
	struct ca_change *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "renewal");
		return NULL;
	}
	c->text = BUF((size_t)2 * CERT_MAX);
	return c;
}

struct ca_change *
ca_change_find(const char *ledger, const char *ca, const char *serial,
    struct fault *f)
{
	OWN_STRUCT(ca_change) c = change_new(f);

	if (c == NULL || look(c, ledger, ca, serial, f) < 0)
		return NULL;
	return TAKE(c);
}

struct ca_change *
ca_change_read(const char *pem, const char *profile, struct fault *f)
{
	OWN_STRUCT(ca_change) c = change_new(f);
	struct cert_list list = { 0 };

	if (c == NULL || cert_list_read_pem(&list, pem, strlen(pem), f) < 0)
		return NULL;
	if (list.count == 1) {
		c->cert = list.cert[0];
		list.count = 0;
	}
	cert_list_free(&list);
	if (c->cert == NULL) {
		(void)fault_set(f, FAULT_INPUT, "not one certificate");
		return NULL;
	}
	if (text_copy(c->profile, sizeof(c->profile), profile) < 0) {
		(void)fault_set(f, FAULT_INPUT, "the profile's name");
		return NULL;
	}
	return take_all_names(c, f) < 0 ? NULL : TAKE(c);
}

void
ca_change_free(struct ca_change *c)
{
	if (c == NULL)
		return;
	cert_free(c->cert);
	buf_free(&c->text);
	free(c);
}

static bool
has(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcasecmp(*names, name) == 0)
			return true;
	return false;
}

/* Names of ${some} that are not in ${others}; whether there are any. */
static bool
show_missing(const char *const *some, const char *const *others,
    const char *what, const char *indent, FILE *out)
{
	bool any = false;

	for (; some != NULL && *some != NULL; some++) {
		if (has(others, *some))
			continue;
		fprintf(out, "%sname         %s: %s\n", indent, what, *some);
		any = true;
	}
	return any;
}

static void
show_names(const struct ca_change *c, const struct ca_next *next,
    const char *indent, FILE *out)
{
	bool any = show_missing(next->dns, c->dns, "NEW", indent, out);

	any |= show_missing(next->mail, c->mail, "NEW", indent, out);
	any |= show_missing(c->dns, next->dns, "no longer", indent, out);
	any |= show_missing(c->mail, next->mail, "no longer", indent, out);
	if (!any)
		fprintf(out, "%snames        the same\n", indent);
}

static void
show_days(const char *what, time_t from, time_t until, const char *indent,
    FILE *out)
{
	char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];

	clock_text(from, first);
	clock_text(until, last);
	fprintf(out, "%s%-12s %s until %s\n", indent, what, first, last);
}

void
ca_change_show(const struct ca_change *c, const struct ca_next *next,
    const char *indent, FILE *out)
{
	bool same = der_bytes_equal(c->cert->spki.der, next->spki->der);

	fprintf(out, "%ssubject      %s\n", indent,
	    dn_equal(&c->cert->subject, next->subject) ? "the same"
						       : "ANOTHER");
	fprintf(out, "%skey          %s\n", indent, same ? "the same" : "NEW");
	show_names(c, next, indent, out);
	if (strcmp(c->profile, next->profile) == 0)
		fprintf(out, "%sprofile      the same\n", indent);
	else
		fprintf(out, "%sprofile      %s, was %s\n", indent,
		    next->profile, c->profile);
	show_days("was valid", c->cert->not_before, c->cert->not_after, indent,
	    out);
	if (next->not_after != 0)
		show_days("will be", next->not_before, next->not_after, indent,
		    out);
}
