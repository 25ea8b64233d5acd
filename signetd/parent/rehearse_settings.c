#include "base/fault.h"
#include "base/text.h"
#include "signetd/parent/rehearse.h"
#include "sys/net.h"
#include "sys/sandbox.h"

#include <string.h>
#include <unistd.h>

#define HOST_SIZE 256

static int
wrong(struct fault *f, const char *keyword, const char *value, const char *why)
{
	return fault_set(f, FAULT_CONFIG, "%s %s: %s", keyword, value, why);
}

/* A host without a port would listen on any that is free. */
static int
check_listen(const char *keyword, const char *where, struct fault *f)
{
	char host[HOST_SIZE];
	uint16_t port = 0;
	int64_t number;

	if (text_number(where, 0, 65535, &number) == 0)
		return 0;
	if (net_split(where, 0, host, sizeof(host), &port, f) < 0)
		return wrong(f, keyword, where, "not host:port");
	if (port == 0 && !text_ends(where, ":0"))
		return wrong(f, keyword, where, "the port is missing");
	return 0;
}

/* What may stand behind the '@' of a principal. */
static bool
is_realm(const char *realm)
{
	return *realm != '\0' && strpbrk(realm, " \t@/\\") == NULL &&
	    text_printable(realm);
}

static int
check_map_realm(const char *item, struct fault *f)
{
	size_t from = strcspn(item, " \t");
	const char *to = item + from + strspn(item + from, " \t");

	if (from == 0 || !is_realm(to))
		return wrong(f, "map-realm", item, "not FROM TO");
	return 0;
}

static int
check_key_passphrase(const char *from, struct fault *f)
{
	int64_t fd;

	if (strcmp(from, "terminal") == 0)
		return 0;
	if (text_starts(from, "fd:") &&
	    text_number(from + strlen("fd:"), 0, 65535, &fd) == 0)
		return 0;
	if (text_starts(from, "credential:") &&
	    from[strlen("credential:")] != '\0' && strchr(from, '/') == NULL)
		return 0;
	return wrong(f, "key-passphrase", from,
	    "not terminal, fd:NUMBER or credential:NAME");
}

static int
check_ldap_uri(const char *uri, struct fault *f)
{
	static const char *const schemes[] = { "ldap://", "ldaps://",
		"ldapi://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (text_starts(uri, schemes[i]))
			return 0;
	return wrong(f, "ldap-uri", uri, "not ldap://, ldaps:// or ldapi://");
}

/* Parentheses that match, and a place for the name: a filter without one finds
 * somebody else. */
static int
check_ldap_filter(const char *filter, struct fault *f)
{
	int depth = 0;

	for (const char *p = filter; *p != '\0' && depth >= 0; p++)
		depth += (*p == '(') - (*p == ')');
	if (filter[0] != '(' || depth != 0)
		return wrong(f, "ldap-filter", filter,
		    "the parentheses do not match");
	if (strstr(filter, "{user}") == NULL &&
	    strstr(filter, "{principal}") == NULL)
		return wrong(f, "ldap-filter", filter,
		    "neither {user} nor {principal} is in it");
	return 0;
}

static int
check_ldap(const struct signetd_conf *c, struct fault *f)
{
	if (!conf_list_has(&c->auth, "ldap") &&
	    strcmp(c->subject_from, "ldap") != 0)
		return 0;
	for (size_t i = 0; i < c->ldap_uri.count; i++)
		if (check_ldap_uri(c->ldap_uri.item[i], f) < 0)
			return -1;
	return check_ldap_filter(c->ldap_filter, f);
}

/* The walls between these are worth nothing if they are one user, or root. */
static int
check_walls(const struct signetd_conf *c, struct fault *f)
{
	const struct {
		const char *keyword;
		const char *user;
	} apart[] = {
		{ "user-front", c->user_front },
		{ "user-auth", c->user_auth },
		{ "user-issuer", c->user_issuer },
		{ "user-signer", c->user_signer },
		{ "user-keeper", c->user_keeper },
		{ "user-desk", c->user_desk },
	};
	/* The last one is needed where there is an office. */
	const size_t count = sizeof(apart) / sizeof(apart[0]) -
	    (*c->office_staff == '\0' ? 1 : 0);
	uid_t uid[sizeof(apart) / sizeof(apart[0])];
	gid_t gid;

	for (size_t i = 0; i < count; i++) {
		if (sandbox_user(apart[i].user, &uid[i], &gid, f) < 0)
			return fault_wrap(f, "%s", apart[i].keyword);
		if (uid[i] == 0)
			return wrong(f, apart[i].keyword, apart[i].user,
			    "must not be root");
		for (size_t j = 0; j < i; j++)
			if (uid[i] == uid[j])
				return fault_set(f, FAULT_CONFIG,
				    "%s and %s are one user", apart[j].keyword,
				    apart[i].keyword);
	}
	return 0;
}

static int
check_office(const struct signetd_conf *c, struct fault *f)
{
	if (*c->office_staff == '\0') {
		if (!c->logins && *c->issue_socket == '\0' &&
		    *c->issue_directory == '\0')
			return fault_set(f, FAULT_CONFIG,
			    "neither logins nor an office (office-staff) nor "
			    "signet-issue (issue-socket): nothing would be "
			    "left to do");
		if (c->office_listen.count + c->office_profile.count > 0)
			return fault_set(f, FAULT_CONFIG,
			    "an office needs office-staff: who may do what");
		return 0;
	}
	for (size_t i = 0; i < c->office_listen.count; i++)
		if (check_listen("office-listen", c->office_listen.item[i], f) <
		    0)
			return -1;
	if (*c->office_staff != '/')
		return wrong(f, "office-staff", c->office_staff,
		    "not an absolute path");
	if (*c->office_socket != '/')
		return wrong(f, "office-socket", c->office_socket,
		    "not an absolute path");
	return 0;
}

int
rehearse_settings(const struct signetd_conf *c, struct fault *f)
{
	for (size_t i = 0; i < c->listen.count; i++)
		if (check_listen("listen", c->listen.item[i], f) < 0)
			return -1;
	if (gather_has_auth(c) && !is_realm(c->realm))
		return wrong(f, "realm", c->realm,
		    "blanks, slashes and '@' cannot be in it");
	for (size_t i = 0; i < c->map_realm.count; i++)
		if (check_map_realm(c->map_realm.item[i], f) < 0)
			return -1;
	if (check_office(c, f) < 0 ||
	    check_key_passphrase(c->key_passphrase, f) < 0 ||
	    check_ldap(c, f) < 0 || rehearse_token_settings(c, f) < 0)
		return -1;
	if (c->ledger[0] != '/' || strchr(c->ledger + 1, '/') == NULL ||
	    text_ends(c->ledger, "/"))
		return wrong(f, "ledger", c->ledger,
		    "not a path in a directory of its own");
	if (strchr(c->pam_service, '/') != NULL)
		return wrong(f, "pam-service", c->pam_service,
		    "a name, without slash");
	/* Users matter to root only: anyone else stays who he is. */
	return geteuid() == 0 ? check_walls(c, f) : 0;
}
