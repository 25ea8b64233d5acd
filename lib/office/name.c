#include "office/name.h"

#include "base/fault.h"
#include "base/text.h"
#include "office/asked.h"
#include "office/request.h"
#include "x509/cert.h"

#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HOST_MAX 253
#define LABEL_MAX 63
#define LOCAL_MAX 64
#define CN_MAX 64 /* RFC 5280 A.1: ub-common-name */
#define SERVICE_MAX 32
#define BROKEN UINT32_MAX

static const char robot[] = "Robot: ";
static const uint8_t email_oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
	0x09, 0x01 };

/* What is wrong with a character, by ranges of Unicode; the rest beyond ASCII
 * is refused for its looks. */
static const struct {
	uint32_t first;
	uint32_t last;
	const char *what;
} strange[] = {
	{ 0x0000, 0x0000, "a NUL" },
	{ 0x0001, 0x001f, "a control character" },
	{ 0x007f, 0x009f, "a control character" },
	{ 0x00ad, 0x00ad, "an invisible character" },
	{ 0x034f, 0x034f, "an invisible character" },
	{ 0x061c, 0x061c, "a character that turns the direction of text" },
	{ 0x180e, 0x180e, "an invisible character" },
	{ 0x200b, 0x200d, "an invisible character" },
	{ 0x200e, 0x200f, "a character that turns the direction of text" },
	{ 0x2028, 0x2029, "a control character" },
	{ 0x202a, 0x202e, "a character that turns the direction of text" },
	{ 0x2060, 0x2064, "an invisible character" },
	{ 0x2066, 0x2069, "a character that turns the direction of text" },
	{ 0xfe00, 0xfe0f, "an invisible character" },
	{ 0xfeff, 0xfeff, "an invisible character" },
	{ 0xe0000, 0xe0fff, "an invisible character" },
	{ BROKEN, BROKEN, "bytes that are no UTF-8" },
};

/* The character at ${s}, of ${left} bytes (RFC 3629); *${used} of them. */
static uint32_t
decode(const uint8_t *s, size_t left, size_t *used)
{
	uint32_t c = s[0];
	size_t more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : 2;

	if (c >= 0xf0)
		more = c < 0xf5 ? 3 : 9;
	*used = 1;
	if (more == 0)
		return c;
	if (more > 3 || more >= left)
		return BROKEN;
	c &= 0x3fu >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return BROKEN;
		c = c << 6 | (s[i] & 0x3fu);
	}
	*used = more + 1;
	return c;
}

static int
refuse_character(const char *what, uint32_t c, size_t at, struct fault *f)
{
	const char *why = "a character that is not ASCII and may look like "
			  "another";

	for (size_t i = 0; i < COUNT_OF(strange); i++)
		if (c >= strange[i].first && c <= strange[i].last)
			why = strange[i].what;
	if (c == BROKEN)
		return fault_set(f, FAULT_INPUT, "%s: %s, at byte %zu", what,
		    why, at + 1);
	return fault_set(f, FAULT_INPUT, "%s: %s (U+%04X), at byte %zu", what,
	    why, c, at + 1);
}

int
name_bytes_check(const char *what, struct wire_bytes text, struct fault *f)
{
	const uint8_t *s = text.data;
	size_t used = 0;

	if (text.len == 0)
		return fault_set(f, FAULT_INPUT, "%s: empty", what);
	for (size_t i = 0; i < text.len; i += used) {
		uint32_t c = decode(s + i, text.len - i, &used);

		if (c < 0x20 || c > 0x7e)
			return refuse_character(what, c, i, f);
	}
	if (s[0] == ' ' || s[text.len - 1] == ' ')
		return fault_set(f, FAULT_INPUT, "%s: a blank at its %s", what,
		    s[0] == ' ' ? "beginning" : "end");
	return 0;
}

int
name_words_check(const char *what, const char *text, struct fault *f)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t left = strlen(text), used = 0;

	for (size_t at = 0; left > 0; at += used, left -= used) {
		uint32_t c = decode(s + at, left, &used);

		for (size_t i = 0; i < COUNT_OF(strange); i++)
			if (c >= strange[i].first && c <= strange[i].last)
				return refuse_character(what, c, at, f);
	}
	return 0;
}

int
name_text_check(const char *what, const char *text, struct fault *f)
{
	return name_bytes_check(what,
	    (struct wire_bytes){ (const uint8_t *)text, strlen(text) }, f);
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

/* One label: letters, digits and inner hyphens. */
static bool
label_good(const char *at, size_t len)
{
	if (len == 0 || len > LABEL_MAX || at[0] == '-' || at[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(at[i]) && at[i] != '-')
			return false;
	return true;
}

static int
check_labels(const char *host, struct fault *f)
{
	const char *last = host;
	size_t len;

	for (const char *at = host;; at += len + 1) {
		len = strcspn(at, ".");
		if (!label_good(at, len))
			return fault_set(f, FAULT_INPUT,
			    "\"%s\" is no host name (RFC 1123 2.1): labels of "
			    "1 to %d letters, digits and inner hyphens, with "
			    "dots between",
			    host, LABEL_MAX);
		last = at;
		if (at[len] == '\0')
			break;
	}
	/* RFC 1123 2.1: what ends in digits alone could be an address. */
	if (strspn(last, "0123456789") == strlen(last))
		return fault_set(f, FAULT_INPUT,
		    "\"%s\" is an address or ends in digits: no host name",
		    host);
	return 0;
}

int
name_host_check(const char *host, struct fault *f)
{
	if (name_text_check("host name", host, f) < 0)
		return -1;
	if (strlen(host) > HOST_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a host name of %zu characters; %d are the most",
		    strlen(host), HOST_MAX);
	if (strchr(host, '*') != NULL)
		return fault_set(f, FAULT_INPUT,
		    "\"%s\": wildcards are not certified; name each host",
		    host);
	return check_labels(host, f);
}

static bool
local_good(const char *at, size_t len)
{
	char before = '.';

	if (len == 0 || len > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < len; before = at[i++]) {
		if (at[i] == '.' ? before == '.'
				 : !is_alnum(at[i]) &&
			    strchr("!#$%&'*+-/=?^_`{|}~", at[i]) == NULL)
			return false;
	}
	return before != '.';
}

int
name_mail_check(const char *mail, struct fault *f)
{
	const char *at = strchr(mail, '@');

	if (name_text_check("mail address", mail, f) < 0)
		return -1;
	/* Mailers take what begins so for an option, a program or a file. */
	if (!is_alnum(*mail) && *mail != '_')
		return fault_set(f, FAULT_INPUT,
		    "\"%.100s\": a mail address begins with a letter or a "
		    "digit here",
		    mail);
	if (strlen(mail) > HOST_MAX || at == NULL ||
	    !local_good(mail, (size_t)(at - mail)))
		return fault_set(f, FAULT_INPUT,
		    "\"%.100s\" is no mail address (RFC 5321 4.1.2)", mail);
	if (name_host_check(at + 1, f) < 0)
		return fault_wrap(f, "mail address");
	return 0;
}

static bool
bytes_are(struct wire_bytes bytes, const char *text)
{
	return bytes.len == strlen(text) &&
	    memcmp(bytes.data, text, bytes.len) == 0;
}

static int
check_ava(const struct dn_ava *ava, struct fault *f)
{
	if (!ava->first)
		return fault_set(f, FAULT_INPUT,
		    "subject: two attributes in one RDN");
	if (ava->tag != DER_PRINTABLE && ava->tag != DER_UTF8 &&
	    ava->tag != DER_IA5)
		return fault_set(f, FAULT_INPUT,
		    "subject: a value that is no Printable-, UTF8- or "
		    "IA5String (tag %02x)",
		    ava->tag);
	if (ava->oid.len == sizeof(email_oid) &&
	    memcmp(ava->oid.data, email_oid, sizeof(email_oid)) == 0)
		return fault_set(f, FAULT_INPUT,
		    "subject: an emailAddress; mail addresses go into "
		    "subjectAltName");
	return name_bytes_check("subject", ava->value, f);
}

static bool
is_cn(const struct dn_ava *ava)
{
	static const uint8_t common_name[] = { 0x55, 0x04, 0x03 };

	return ava->oid.len == sizeof(common_name) &&
	    memcmp(ava->oid.data, common_name, ava->oid.len) == 0;
}

int
name_subject_check(const struct dn *subject, struct fault *f)
{
	struct dn_walk walk = dn_walk(subject);
	struct wire_bytes last = { NULL, 0 };
	struct dn_ava ava;
	bool cn = false;

	while (dn_walk_next(&walk, &ava)) {
		if (check_ava(&ava, f) < 0)
			return -1;
		cn = is_cn(&ava);
		last = ava.value;
		if (cn && ava.value.len > CN_MAX)
			return fault_set(f, FAULT_INPUT,
			    "subject: a CN of %zu characters; %d are the most "
			    "(RFC 5280 A.1)",
			    ava.value.len, CN_MAX);
	}
	if (!cn)
		return fault_set(f, FAULT_INPUT,
		    "subject: its last part is no CN");
	/* GSI takes these for proxies of the name above. */
	if (bytes_are(last, "proxy") || bytes_are(last, "limited proxy"))
		return fault_set(f, FAULT_INPUT,
		    "subject: this CN is for proxy certificates");
	return 0;
}

/* A second CN would be a name that nobody's right to it was looked at. */
static int
check_one_cn(const struct dn *subject, struct fault *f)
{
	struct dn_walk walk = dn_walk(subject);
	struct dn_ava ava;
	unsigned count = 0;

	while (dn_walk_next(&walk, &ava))
		count += is_cn(&ava);
	return count == 1 ? 0
			  : fault_set(f, FAULT_INPUT,
				"subject: %u CNs; a host, service or robot has "
				"one",
				count);
}

static size_t
count_of(const char *const *names)
{
	size_t n = 0;

	while (names != NULL && names[n] != NULL)
		n++;
	return n;
}

static int
check_names(const char *const *names, bool mail, struct fault *f)
{
	for (size_t i = 0; i < count_of(names); i++) {
		if ((mail ? name_mail_check(names[i], f)
			  : name_host_check(names[i], f)) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(names[i], names[j]) == 0)
				return fault_set(f, FAULT_INPUT,
				    "%s is given twice", names[i]);
	}
	return 0;
}

const char *
name_host_of(const char *cn)
{
	const char *slash = strchr(cn, '/');

	return slash == NULL ? cn : slash + 1;
}

static int
check_server(const char *cn, const char *const *dns, struct fault *f)
{
	const char *host = name_host_of(cn);
	size_t service = host == cn ? 0 : (size_t)(host - cn) - 1;

	if (host != cn &&
	    (service == 0 || service > SERVICE_MAX || !label_good(cn, service)))
		return fault_set(f, FAULT_INPUT,
		    "CN \"%s\": what is before the slash is no service of up "
		    "to %d letters, digits and inner hyphens",
		    cn, SERVICE_MAX);
	if (name_host_check(host, f) < 0)
		return fault_wrap(f, "CN \"%s\"", cn);
	for (size_t i = 0; dns != NULL && dns[i] != NULL; i++)
		if (strcasecmp(dns[i], host) == 0)
			return 0;
	return fault_set(f, FAULT_INPUT,
	    "the host of CN \"%s\" is not among the names asked for", cn);
}

static int
check_robot(const char *cn, const char *const *dns, const char *const *emails,
    struct fault *f)
{
	const char *purpose = cn + strlen(robot);
	const char *dash =
	    text_starts(cn, robot) ? strstr(purpose, " - ") : NULL;

	if (dash == NULL || dash == purpose || dash[3] == '\0')
		return fault_set(f, FAULT_INPUT,
		    "CN \"%s\" is no robot's: write \"Robot: purpose - "
		    "contact\"",
		    cn);
	if (count_of(emails) == 0)
		return fault_set(f, FAULT_INPUT,
		    "a robot needs the mail address of who answers for it");
	if (count_of(dns) > 0)
		return fault_set(f, FAULT_INPUT, "a robot has no host name");
	return 0;
}

int
name_profile_check(const struct profile *profile, const struct dn *subject,
    const char *const *dns, const char *const *emails, struct fault *f)
{
	char cn[DN_TEXT_MAX];

	if (*profile->conf.subject != '\0')
		return fault_set(f, FAULT_DENIED,
		    "profile %s is for persons, who log in to get theirs",
		    profile->name);
	if (name_subject_check(subject, f) < 0 ||
	    check_names(dns, false, f) < 0 || check_names(emails, true, f) < 0)
		return -1;
	if (dn_cn(subject, cn, sizeof(cn)) < 0)
		return fault_set(f, FAULT_INPUT, "the CN is too long");
	if (profile->conf.ca && count_of(dns) + count_of(emails) > 0)
		return fault_set(f, FAULT_INPUT,
		    "a CA has neither host names nor mail addresses");
	if (profile->conf.ca)
		return 0;
	if (check_one_cn(subject, f) < 0)
		return -1;
	if ((profile->purpose & CERT_EKU_SERVER_AUTH) != 0)
		return check_server(cn, dns, f);
	return check_robot(cn, dns, emails, f);
}

int
name_request_check(const struct request *r, const struct profile *profile,
    struct fault *f)
{
	struct asked asked;
	struct dn subject;

	if (dn_read_slash(&subject, r->subject, f) < 0)
		return fault_wrap(f, "subject");
	/* What its sender sees there is what we see. */
	if (dn_depth(&r->csr.subject) > 0 &&
	    name_subject_check(&r->csr.subject, f) < 0)
		return fault_wrap(f, "PKCS#10 request");
	if (name_profile_check(profile, &subject, r->dns.item, r->emails.item,
		f) < 0 ||
	    spki_check(&r->csr.spki, &profile->keys, f) < 0 ||
	    asked_read(&asked, &r->csr, f) < 0)
		return -1;
	return asked_check(&asked, profile, r->dns.item, r->emails.item, f);
}
