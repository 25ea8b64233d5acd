#include "signetd/auth/principal.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

/* If ${item} is "FROM TO" and FROM is ${realm}: TO. */
static const char *
mapped_by(const char *item, const char *realm)
{
	size_t from = strcspn(item, " \t");
	const char *to = item + from + strspn(item + from, " \t");

	if (strlen(realm) == from && memcmp(item, realm, from) == 0)
		return to;
	return NULL;
}

/* The realm whose people those of ${realm} are; NULL if they are strangers. */
static const char *
home_of(const struct signetd_conf *conf, const char *realm)
{
	if (strcmp(realm, conf->realm) == 0)
		return conf->realm;
	for (size_t i = 0; i < conf->map_realm.count; i++) {
		const char *to = mapped_by(conf->map_realm.item[i], realm);

		if (to != NULL)
			return to;
	}
	return NULL;
}

/* Whether the ${len} bytes at ${name} are one that a person may have. */
static bool
is_name(const char *name, size_t len)
{
	return len > 0 && len < PRINCIPAL_SIZE && text_utf8(name, len) &&
	    memchr(name, '/', len) == NULL && memchr(name, '\\', len) == NULL &&
	    name[0] != ' ' && name[0] != '-' && name[len - 1] != ' ';
}

int
principal_of(const struct signetd_conf *conf, const char *who,
    char principal[PRINCIPAL_SIZE], struct fault *f)
{
	size_t len = strcspn(who, "@");
	const char *realm = who[len] == '@' ? who + len + 1 : conf->realm;
	const char *home = home_of(conf, realm);
	char made[PRINCIPAL_SIZE];

	if (!is_name(who, len))
		return fault_set(f, FAULT_LOGIN, "no name of a person");
	if (home == NULL || home[0] == '\0')
		return fault_set(f, FAULT_LOGIN, "foreign realm");
	if (text_fmt(made, sizeof(made), "%.*s@%s", (int)len, who, home) < 0)
		return fault_set(f, FAULT_LOGIN, "name too long");
	memcpy(principal, made, sizeof(made));
	return 0;
}

int
principal_local(const struct signetd_conf *conf, const char *who,
    char principal[PRINCIPAL_SIZE], char name[PRINCIPAL_SIZE], struct fault *f)
{
	size_t len;

	if (principal_of(conf, who, principal, f) < 0)
		return -1;
	len = strcspn(principal, "@");
	if (strcmp(principal + len + 1, conf->realm) != 0)
		return fault_set(f, FAULT_LOGIN,
		    "passwords are of the default realm");
	memcpy(name, principal, len);
	name[len] = '\0';
	return 0;
}

int
principal_check_conf(const struct signetd_conf *conf, struct fault *f)
{
	for (size_t i = 0; i < conf->map_realm.count; i++) {
		const char *item = conf->map_realm.item[i];
		size_t from = strcspn(item, " \t");
		const char *to = item + from + strspn(item + from, " \t");

		if (from == 0 || *to == '\0' || strpbrk(to, " \t@") != NULL)
			return fault_set(f, FAULT_CONFIG,
			    "map-realm %s: not FROM TO", item);
	}
	return 0;
}
