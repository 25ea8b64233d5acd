/* convert etoken-ca: the settings of another CA daemon become ours. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_sysconfig.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_file.h"
#include "token/token_uri.h"
#include "x509/authority.h"
#include "x509/dn.h"
#include "x509/profile.h"

#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILE "people"
#define TEXT_MOST 65536
#define VALUES_MOST 16
#define WHAT_MOST 1400

/* A setting that is carried over, or the reason why it is not. */
struct told {
	bool carried;
	char what[WHAT_MOST];
};

struct converting {
	const struct ca_args *args;
	char dir[PATH_MAX];
	const char *name;   /* of the CA */
	const char *module; /* "" : not known */
	struct buf ca;	    /* lines of ca.conf; owned, as are these */
	struct buf profile;
	json_t *report;
	unsigned lost;
	bool has_subject;
	bool has_key;
};

static void tell(struct told *t, bool carried, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
tell(struct told *t, bool carried, const char *fmt, ...)
{
	va_list args;

	t->carried = carried;
	va_start(args, fmt);
	(void)vsnprintf(t->what, sizeof(t->what), fmt, args);
	va_end(args);
}

/* "%s" becomes {user}, "%%" a per cent sign; -1 for any other. */
static int
template_of(const char *format, char *out, size_t size)
{
	OWN_BUF(text, (size_t)2 * SYSCONFIG_VALUE);
	unsigned users = 0;

	for (; *format != '\0'; format++) {
		if (*format != '%') {
			buf_put_u8(&text, (uint8_t)*format);
			continue;
		}
		format++;
		if (*format == 's')
			users++;
		else if (*format != '%')
			return -1;
		buf_text(&text, *format == 's' ? "{user}" : "%");
	}
	if (users != 1 || buf_cstr(&text) == NULL)
		return -1;
	return text_copy(out, size, buf_cstr(&text));
}

/* What stands before the part of the name that the user is in. */
static int
space_of(const char *subject, char *space, size_t size)
{
	const char *user = strstr(subject, "{user}");
	const char *slash = user;
	struct fault ignored = { 0 };
	struct dn dn;

	if (user == NULL || *subject != '/')
		return -1;
	while (slash > subject && *slash != '/')
		slash--;
	if (slash == subject ||
	    text_fmt(space, size, "%.*s", (int)(slash - subject), subject) < 0)
		return -1;
	return dn_read_slash(&dn, space, &ignored);
}

static void
carry_subject(struct converting *c, const char *value, struct told *t)
{
	char subject[CONF_STRING_SIZE], space[CONF_STRING_SIZE];

	if (strchr(value, '{') != NULL || strchr(value, '}') != NULL ||
	    template_of(value, subject, sizeof(subject)) < 0) {
		tell(t, false,
		    "it is no name with one %%s for the user; write the "
		    "profile's subject by hand");
		return;
	}
	if (space_of(subject, space, sizeof(space)) < 0) {
		tell(t, false,
		    "there is no name before the user's part that this CA "
		    "could be kept to; write the profile's subject and the "
		    "CA's may-sign-under by hand");
		return;
	}
	buf_fmt(&c->profile, "subject %s\n", subject);
	buf_fmt(&c->ca, "may-sign-under %s\n", space);
	c->has_subject = true;
	tell(t, true,
	    "profiles/" PROFILE ".profile: subject %s; ca/ca.conf: "
	    "may-sign-under %s",
	    subject, space);
}

/* The items of a list with commas between them, each without blanks around it;
 * ${room} holds them.  How many; -1 if there are too many. */
static int
split(char *room, char *items[VALUES_MOST])
{
	char *save = NULL;
	int count = 0;

	for (char *item = strtok_r(room, ",", &save); item != NULL;
	     item = strtok_r(NULL, ",", &save)) {
		item = text_trim(item);
		if (*item == '\0')
			continue;
		if (count == VALUES_MOST)
			return -1;
		items[count++] = item;
	}
	return count;
}

/* What the reader of ${schema} says of one line. */
static bool
reads(const char *line, bool ca, struct fault *f)
{
	struct profile *p = NULL;
	bool good;

	if (ca)
		return authority_conf_check(line, strlen(line), f) == 0;
	if ((p = malloc(sizeof(*p))) == NULL)
		return false;
	good = profile_read(p, PROFILE, line, strlen(line), f) == 0;
	free(p);
	return good;
}

static void
carry_policies(struct converting *c, const char *value, struct told *t)
{
	char room[SYSCONFIG_VALUE], line[SYSCONFIG_VALUE + 64];
	char *items[VALUES_MOST];
	struct fault f = { 0 };
	int count;

	if (text_copy(room, sizeof(room), value) < 0 ||
	    (count = split(room, items)) <= 0) {
		tell(t, false, "no list of object identifiers");
		return;
	}
	for (int i = 0; i < count; i++)
		if (text_fmt(line, sizeof(line),
			"subject /CN={user}\nusage digitalSignature\npolicy "
			"%s\n",
			items[i]) < 0 ||
		    !reads(line, false, &f)) {
			tell(t, false, "%s", f.text);
			return;
		}
	for (int i = 0; i < count; i++)
		buf_fmt(&c->profile, "policy %s\n", items[i]);
	tell(t, true, "profiles/" PROFILE ".profile: policy, %d", count);
}

static void
carry_lists(struct converting *c, const char *value, struct told *t)
{
	char room[SYSCONFIG_VALUE];
	char *items[VALUES_MOST];
	int count, carried = 0;

	if (text_copy(room, sizeof(room), value) < 0 ||
	    (count = split(room, items)) <= 0) {
		tell(t, false, "no list of URI:ADDRESS");
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *url = items[i];

		if (text_starts(url, "URI:"))
			url += strlen("URI:");
		if (!text_starts(url, "http://") || strlen(url) < 8 ||
		    strlen(url) >= CONF_STRING_SIZE ||
		    strpbrk(url, " #\"<>") != NULL)
			continue;
		buf_fmt(&c->ca, "crl-url %s\n", url);
		carried++;
	}
	if (carried == count)
		tell(t, true, "ca/ca.conf: crl-url, %d", carried);
	else
		tell(t, false,
		    "%d of %d addresses are in ca/ca.conf as crl-url; the "
		    "others are not plain http, which all software reads",
		    carried, count);
}

static bool
is_hex4(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF") >= 4;
}

static void
carry_usb(struct converting *c, const char *value, struct told *t)
{
	if (strlen(value) != 9 || !is_hex4(value) || value[4] != ':' ||
	    !is_hex4(value + 5)) {
		tell(t, false,
		    "no VENDOR:PRODUCT of four hexadecimal digits each");
		return;
	}
	buf_fmt(&c->ca, "usb-device %s\n", value);
	tell(t, true, "ca/ca.conf: usb-device %s", value);
}

static void
carry_key(struct converting *c, const char *value, struct told *t)
{
	const char *module = *c->module != '\0' ? c->module : "/MODULE";
	struct token_uri which;
	struct fault f = { 0 };
	size_t len = strlen(value);

	if (len == 0 || strpbrk(value, " #") != NULL ||
	    token_uri_read_named(&which, value, module, &f) < 0) {
		tell(t, false, "%s", *f.text == '\0' ? "no key" : f.text);
		return;
	}
	buf_fmt(&c->ca, "key %s\n", value);
	if (*c->module != '\0')
		buf_fmt(&c->ca, "key-module %s\n", c->module);
	c->has_key = true;
	tell(t, true, "ca/ca.conf: key %s%s%s", value,
	    *c->module == '\0'
		? " (with key-module, which is yours to write: it stood in "
		  "OpenSSL's configuration)"
		: "",
	    value[len - 1] == ':' ? "; without an id there must be one key in "
				    "the token"
				  : "");
}

static const struct {
	const char *name;
	void (*carry)(struct converting *c, const char *value, struct told *t);
} variables[] = {
#define VARIABLE(NAME, function, doc) { #NAME, function },
#include "ca_convert.def"
#undef VARIABLE
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int
report(struct converting *c, unsigned number, const char *name,
    const struct told *t)
{
	json_t *row = json_pack("{s:I, s:s, s:b, s:s}", "line",
	    (json_int_t)number, "variable", name, "carried", t->carried,
	    t->carried ? "to" : "why", t->what);

	c->lost += !t->carried;
	if (!c->args->json)
		printf("line %-3u %-12s %s %s\n", number, name,
		    t->carried ? "->" : "not carried:", t->what);
	return json_array_append_new(c->report, row);
}

/* The last assignment of a name is the one that counts. */
static bool
comes_again(struct wire_bytes rest, const char *name)
{
	struct sysconfig_line line;

	while (sysconfig_next(&rest, &line))
		if (line.kind == SYSCONFIG_SET && strcmp(line.name, name) == 0)
			return true;
	return false;
}

static void
carry(struct converting *c, const struct sysconfig_line *line, struct told *t)
{
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		if (strcmp(variables[i].name, line->name) == 0) {
			variables[i].carry(c, line->value, t);
			return;
		}
	tell(t, false,
	    "a setting that is not known here; see signetd.conf(5) for hooks, "
	    "times and accounts, ca.conf(5) and profile(5) for the rest");
}

static int
read_all(struct converting *c, const char *path, struct fault *f)
{
	OWN_BUF(file, SYSCONFIG_MAX);
	struct wire_bytes rest;
	struct sysconfig_line line;
	unsigned number = 0;

	if (file_read(path, &file, f) < 0)
		return -1;
	rest = (struct wire_bytes){ file.data, file.len };
	while (sysconfig_next(&rest, &line)) {
		struct told t = { .carried = false };

		number++;
		if (line.kind == SYSCONFIG_EMPTY)
			continue;
		if (line.kind == SYSCONFIG_OTHER)
			tell(&t, false, "%s", line.why);
		else if (comes_again(rest, line.name))
			tell(&t, true, "nothing: it is set again below");
		else
			carry(c, &line, &t);
		if (report(c, number, *line.name == '\0' ? "-" : line.name,
			&t) < 0)
			return fault_set(f, FAULT_MEMORY, "report");
	}
	return 0;
}

/* pcscd serves a card or a USB token; SoftHSM has files. */
static const char *
preset_of(const char *module)
{
	return strstr(module, "softhsm") != NULL ? "softhsm" : "pcsc";
}

static void
write_signetd(const struct converting *c, struct buf *out)
{
	const struct ca_args *a = c->args;

	buf_fmt(out,
	    "# Made of %s by signet-ca convert; yours to change. See "
	    "signetd.conf(5).\n"
	    "ca %s/ca\nprofile %s/profiles/" PROFILE ".profile\n"
	    "ledger %s/ledger/ledger.db\n",
	    a->operand[0], c->dir, c->dir,
	    a->state != NULL ? a->state : "/var/lib/signet");
	if (a->realm != NULL)
		buf_fmt(out, "realm %s\n", a->realm);
	buf_fmt(out,
	    "# The MyProxy server beside us asks, by signet-issue; nobody logs "
	    "in here.\n"
	    "logins no\nissue-socket /run/signet/issue.sock\n"
	    "issue-from myproxy\n"
	    "# As before: only who stands before the machine enters the PIN.\n"
	    "pin-from console\ntoken-preset %s\n",
	    preset_of(c->module));
}

static void
write_ca(const struct converting *c, struct buf *out)
{
	buf_fmt(out,
	    "# Made by signet-ca convert; see ca.conf(5). ca.pem and chain.pem "
	    "are yours to put here.\n"
	    "name %s\nkind end-entity\nonline yes\n",
	    c->name);
	buf_put(out, c->ca.data, c->ca.len);
	buf_text(out,
	    "max-lifetime 1000000\nusage digitalSignature\n"
	    "usage keyEncipherment\npurpose clientAuth\nserial random\n"
	    "crl-lifetime 30d\n");
	if (!c->has_key)
		buf_text(out, "# key and key-module: what is in the token\n");
	if (!c->has_subject)
		buf_text(out, "# may-sign-under: the name space of this CA\n");
}

static void
write_profile(const struct converting *c, struct buf *out)
{
	buf_text(out, "# Made by signet-ca convert; see profile(5).\n");
	buf_put(out, c->profile.data, c->profile.len);
	buf_text(out,
	    "lifetime 12h\nmax-lifetime 1000000\n"
	    "key rsa:2048 ec:P-256 ec:P-384\nusage digitalSignature\n"
	    "usage keyEncipherment\npurpose clientAuth\n");
}

static int
put_file(const struct converting *c, const char *dir, const char *name,
    void (*fill)(const struct converting *c, struct buf *out), struct fault *f)
{
	OWN_BUF(text, TEXT_MOST);
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", c->dir, dir) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (file_mkdir(path, 0755, f) < 0)
		return -1;
	if (text_fmt(path, sizeof(path), "%s/%s%s%s", c->dir, dir,
		*dir == '\0' ? "" : "/", name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	fill(c, &text);
	return ca_file_put(path, 0644, &text, f);
}

static int
write_all(const struct converting *c, struct fault *f)
{
	if (put_file(c, "ca", "ca.conf", write_ca, f) < 0 ||
	    put_file(c, "profiles", PROFILE ".profile", write_profile, f) < 0)
		return -1;
	return put_file(c, "", "signetd.conf", write_signetd, f);
}

static void
tell_rest(const struct converting *c)
{
	printf("\nYours to do, before signetd --check -c %s/signetd.conf:\n",
	    c->dir);
	printf("  the CA's certificate, as %s/ca/ca.pem, and those above it, "
	       "as chain.pem\n",
	    c->dir);
	if (!c->has_subject)
		printf("  the profile's subject, the CA's may-sign-under\n");
	if (!c->has_key)
		printf("  key in %s/ca/ca.conf: no KEY was carried over\n",
		    c->dir);
	if (*c->module == '\0')
		printf("  key-module in %s/ca/ca.conf\n", c->dir);
	if (c->args->realm == NULL)
		printf("  realm in %s/signetd.conf: a person is USER@REALM\n",
		    c->dir);
	printf("  certificate_issuer_program of the MyProxy server: "
	       "signet-issue\n"
	       "What was issued before is in no ledger of ours: to revoke it, "
	       "the last list of the old daemon must stay published until it "
	       "has ended. Numbers do not meet: ours are random.\n");
}

static int
prepare(struct converting *c, struct fault *f)
{
	const struct ca_args *a = c->args;
	char here[PATH_MAX];

	c->name = a->name != NULL ? a->name : "etoken-ca";
	c->module = a->key_module != NULL ? a->key_module : "";
	if (cmd_need(a->dir, "--dir", f) < 0)
		return -1;
	if (!text_printable(c->name) || *c->name == '\0' ||
	    strpbrk(c->name, " /\"'#") != NULL)
		return fault_set(f, FAULT_USAGE, "--name: no name of a CA");
	if (*c->module != '\0' &&
	    (*c->module != '/' || !text_printable(c->module)))
		return fault_set(f, FAULT_USAGE,
		    "--key-module is an absolute path");
	if ((a->realm != NULL && !text_printable(a->realm)) ||
	    (a->state != NULL &&
		(*a->state != '/' || !text_printable(a->state))))
		return fault_set(f, FAULT_USAGE,
		    "--realm is plain text, --state an absolute path");
	if (*a->dir != '/' && getcwd(here, sizeof(here)) == NULL)
		return fault_set(f, FAULT_SYSTEM, "no working directory");
	if (*a->dir == '/'
		? text_copy(c->dir, sizeof(c->dir), a->dir) < 0
		: text_fmt(c->dir, sizeof(c->dir), "%s/%s", here, a->dir) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

static int
convert(struct converting *c, struct fault *f)
{
	if (prepare(c, f) < 0 || read_all(c, c->args->operand[0], f) < 0)
		return -1;
	if (c->ca.failed || c->profile.failed)
		return fault_set(f, FAULT_MEMORY, "settings");
	if (write_all(c, f) < 0)
		return -1;
	if (!c->args->json) {
		tell_rest(c);
		return c->lost > 0 ? 1 : 0;
	}
	if (json_dumpf(c->report, stdout, JSON_INDENT(1)) < 0)
		return fault_set(f, FAULT_MEMORY, "JSON");
	putchar('\n');
	return c->lost > 0 ? 1 : 0;
}

int
ca_convert_etoken(const struct ca_args *args, struct fault *f)
{
	struct converting c = { .args = args,
		.ca = BUF(TEXT_MOST),
		.profile = BUF(TEXT_MOST),
		.report = json_array() };
	int result = c.report == NULL ? fault_set(f, FAULT_MEMORY, "JSON")
				      : convert(&c, f);

	json_decref(c.report);
	buf_free(&c.ca);
	buf_free(&c.profile);
	return result;
}
