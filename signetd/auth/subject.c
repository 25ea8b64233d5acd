#include "base/fault.h"
#include "base/text.h"
#include "signetd/auth/auth.h"
#include "x509/profile.h"

#include <stdlib.h>
#include <string.h>

static int
read_profile(struct auth_profile *out, struct wire_bytes text, struct fault *f)
{
	struct profile *p = calloc(1, sizeof(*p));
	int result;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a profile");
	result = profile_read_named(p, text, f);
	if (result == 0) {
		memcpy(out->name, p->name, sizeof(out->name));
		memcpy(out->subject, p->conf.subject, sizeof(out->subject));
	}
	free(p);
	return result;
}

int
subject_read_profiles(struct auth *a, struct fault *f)
{
	size_t count = a->role->conf.profile.count;
	struct auth_profile *fresh = calloc(AUTH_PROFILES_MAX, sizeof(*fresh));
	char name[32];
	int result = 0;

	if (fresh == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for profiles");
	for (size_t i = 0; i < count && result == 0; i++) {
		struct wire_bytes text = { 0 };

		if (text_fmt(name, sizeof(name), "profile.%zu", i) == 0)
			text = role_text(a->role, name);
		result = text.data == NULL
		    ? fault_set(f, FAULT_CONFIG, "%s did not come", name)
		    : read_profile(&fresh[i], text, f);
	}
	if (result == 0) {
		memcpy(a->profile, fresh, sizeof(a->profile));
		a->profiles = count;
	}
	free(fresh);
	return result;
}

const struct auth_profile *
subject_profile(const struct auth *a, const char *name)
{
	for (size_t i = 0; i < a->profiles; i++)
		if (name[0] == '\0' || strcmp(a->profile[i].name, name) == 0)
			return &a->profile[i];
	return NULL;
}

int
subject_fill(const struct talk *talk, struct dn *subject, struct fault *f)
{
	const struct auth_profile *p =
	    subject_profile(talk->auth, talk->profile);
	size_t user = strcspn(talk->principal, "@");
	char name[PRINCIPAL_SIZE];
	const struct dn_value values[] = {
		{ "principal", talk->principal },
		{ "user", name },
		{ "realm", talk->principal + user + 1 },
		{ NULL, NULL },
	};

	if (p == NULL || p->subject[0] == '\0')
		return fault_set(f, FAULT_DENIED, "profile %s gives no subject",
		    talk->profile);
	memcpy(name, talk->principal, user);
	name[user] = '\0';
	return dn_fill(subject, p->subject, values, f);
}

const char *
subject_work(const struct signetd_conf *conf)
{
	static const struct {
		const char *from, *work;
	} ways[] = { { "mapfile", "map-file" }, { "program", "map-program" },
		{ "ldap", "map-ldap" } };

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(conf->subject_from, ways[i].from) == 0)
			return ways[i].work;
	return NULL;
}
