#include "roster/roster_source.h"

#include "base/fault.h"
#include "base/text.h"
#include "roster/roster_entry.h"
#include "roster/roster_lines.h"
#include "roster/roster_part.h"

#include <ldap.h>
#include <openssl/evp.h>

#include <string.h>

#define SETTINGS_MAX 65536

static bool
is_empty(const char *text)
{
	return text == NULL || text[0] == '\0';
}

static int
missing(struct fault *f, const char *source, const char *setting)
{
	return fault_set(f, FAULT_CONFIG, "source %s: %s is missing", source,
	    setting);
}

static int
check_servers(const struct roster_source_conf *conf, struct fault *f)
{
	const char *at = conf->servers;

	for (;;) {
		char uri[512];
		size_t len;

		at += strspn(at, " \t");
		if ((len = strcspn(at, " \t")) == 0)
			return 0;
		if (len >= sizeof(uri))
			return fault_set(f, FAULT_CONFIG,
			    "source %s: server: too long", conf->name);
		memcpy(uri, at, len);
		uri[len] = '\0';
		at += len;
		if (!text_starts(uri, "ldap://") &&
		    !text_starts(uri, "ldaps://") &&
		    !text_starts(uri, "ldapi://"))
			return fault_set(f, FAULT_CONFIG,
			    "source %s: server: %s does not begin with "
			    "ldap://, ldaps:// or ldapi://",
			    conf->name, uri);
		if (text_starts(uri, "ldap://") && !conf->start_tls &&
		    !conf->plain && conf->bind != ROSTER_BIND_GSSAPI)
			return fault_set(f, FAULT_CONFIG,
			    "source %s: server: %s has no TLS: say ldaps://, "
			    "or starttls yes, or plain yes",
			    conf->name, uri);
	}
}

/* What only the library and the plans can tell: attributes, base, filter. */
static int
check_questions(const struct roster_source_conf *conf, struct fault *f)
{
	OWN_STRUCT(roster_plan) people = roster_plan_new(conf, false, f);
	OWN_STRUCT(roster_plan) groups =
	    people == NULL ? NULL : roster_plan_new(conf, true, f);
	LDAPDN dn = NULL;

	if (groups == NULL)
		return fault_wrap(f, "source %s", conf->name);
	if (ldap_str2dn(conf->base, &dn, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return fault_set(f, FAULT_CONFIG,
		    "source %s: base: %s is not an LDAP DN", conf->name,
		    conf->base);
	ldap_dnfree(dn);
	return 0;
}

static int
check_ldap(const struct roster_source_conf *conf, struct fault *f)
{
	if (is_empty(conf->servers))
		return missing(f, conf->name, "server");
	if (is_empty(conf->base))
		return missing(f, conf->name, "base");
	if (conf->bind == ROSTER_BIND_SIMPLE &&
	    (is_empty(conf->bind_dn) || is_empty(conf->password_file)))
		return missing(f, conf->name,
		    "the name or password file of bind");
	if (conf->groups == ROSTER_GROUPS_MEMBER && is_empty(conf->group_base))
		return missing(f, conf->name, "group-base");
	if (check_servers(conf, f) < 0)
		return -1;
	return check_questions(conf, f);
}

int
roster_source_check(const struct roster_source_conf *conf, struct fault *f)
{
	if (is_empty(conf->name))
		return fault_set(f, FAULT_CONFIG, "a source without a name");
	if (conf->kind == ROSTER_LDAP)
		return check_ldap(conf, f);
	if (is_empty(conf->path))
		return missing(f, conf->name, "the path");
	return 0;
}

static void
put_setting(struct buf *b, const char *text)
{
	buf_text(b, text == NULL ? "" : text);
	buf_put_u8(b, 0);
}

int
roster_source_digest(const struct roster_source_conf *conf,
    char digest[ROSTER_DIGEST_SIZE], struct fault *f)
{
	OWN_BUF(b, SETTINGS_MAX);
	uint8_t made[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	buf_fmt(&b, "%d %d %d %u|", (int)conf->kind, (int)conf->groups,
	    (int)conf->bind, conf->values_max);
	/* What one who binds may see depends on who it is. */
	put_setting(&b, conf->bind_dn);
	put_setting(&b, conf->base);
	put_setting(&b, conf->filter);
	put_setting(&b, conf->account);
	put_setting(&b, conf->principal);
	put_setting(&b, conf->names);
	/* Names that the template could make are left out. */
	put_setting(&b, conf->subject);
	put_setting(&b, conf->group_attribute);
	put_setting(&b, conf->group_base);
	put_setting(&b, conf->group_filter);
	put_setting(&b, conf->group_name);
	put_setting(&b, conf->path);
	if (b.failed)
		return fault_set(f, FAULT_CONFIG, "source %s: too long",
		    conf->name);
	if (EVP_Digest(b.data, b.len, made, &size, EVP_sha256(), NULL) != 1)
		return fault_set(f, FAULT_INTERNAL, "SHA-256");
	text_hex(made, size, digest);
	return 0;
}

int
roster_source_read(const struct roster_source_conf *conf, struct roster *r,
    roster_skip_fn *skip, void *arg, struct fault *f)
{
	struct roster_skips skips = { skip, arg, conf->name, 0 };
	int result;

	if (roster_source_check(conf, f) < 0)
		return -1;
	result = conf->kind == ROSTER_LDAP
	    ? roster_ldap_once(conf, r, skip, arg, f)
	    : roster_lines_read(conf, r, &skips, f);
	return result < 0 ? fault_wrap(f, "source %s", conf->name) : 0;
}
