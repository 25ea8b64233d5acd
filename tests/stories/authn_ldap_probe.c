/*
 * lib/authn's directory, asked from the command line, for test_ldap.py.
 *
 *   authn_ldap_probe bind USER PHRASE KEY=VALUE...
 *   authn_ldap_probe subject PRINCIPAL "" KEY=VALUE...
 *
 * Prints the name or the subject and ends with 0, or prints the fault and ends
 * with its exit status.
 */
#include "authn/authn.h"
#include "base/fault.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "uris=", offsetof(struct authn_ldap, uris) },
	{ "bind_dn=", offsetof(struct authn_ldap, bind_dn) },
	{ "base=", offsetof(struct authn_ldap, base) },
	{ "filter=", offsetof(struct authn_ldap, filter) },
	{ "search_dn=", offsetof(struct authn_ldap, search_dn) },
	{ "search_password=", offsetof(struct authn_ldap, search_password) },
	{ "ca_file=", offsetof(struct authn_ldap, ca_file) },
	{ "user_attribute=", offsetof(struct authn_ldap, user_attribute) },
	{ "attribute=", offsetof(struct authn_ldap, subject_attribute) },
};

static void
set(struct authn_ldap *l, const char *word)
{
	if (strcmp(word, "start_tls") == 0)
		l->start_tls = true;
	if (strcmp(word, "impatient") == 0)
		l->timeout_s = 1;
	if (strcmp(word, "require_tls") == 0)
		l->require_tls = true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *value = word + strlen(texts[i].key);

		if (text_starts(word, texts[i].key))
			memcpy((char *)l + texts[i].offset, &value,
			    sizeof(value));
	}
}

int
main(int argc, char **argv)
{
	struct authn_ldap l = {
		.uris = "", .filter = "(uid={user})", .timeout_s = 5
	};
	struct fault f = { 0 };
	char subject[512] = "";
	int result;

	if (argc < 4)
		return 2;
	(void)setenv("LDAPNOINIT", "1", 1);
	for (int i = 4; i < argc; i++)
		set(&l, argv[i]);
	if (strcmp(argv[1], "bind") == 0) {
		OWN_STRUCT(secret) phrase =
		    secret_copy(argv[3], strlen(argv[3]), &f);

		result = phrase == NULL ? -1
					: authn_ldap_bind(&l, argv[2], phrase,
					      subject, sizeof(subject), &f);
	} else {
		result = authn_ldap_subject(&l, argv[2], subject,
		    sizeof(subject), &f);
	}
	if (result == 0)
		printf("%s\n", subject);
	else
		printf("%s: %s\n", fault_name(f.code), f.text);
	return result == 0 ? 0 : fault_exit_status(f.code);
}
