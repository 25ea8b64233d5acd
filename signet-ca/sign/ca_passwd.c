/* passwd: the file of signetd's auth passwd. */
#include "authn/authn.h"
#include "authn/authn_passwd_line.h"
#include "base/fault.h"
#include "signet-ca/base/ca_args.h"
#include "sys/ask.h"

#include <unistd.h>

#define PROMPT "New password: "

int
ca_passwd(const struct ca_args *args, struct fault *f)
{
	const char *path = args->operand[0], *user = args->operand[1];
	OWN_STRUCT(secret) password = NULL;

	if (args->delete)
		return authn_passwd_delete(path, user, f);
	if (!authn_passwd_user_can_log_in(user))
		return fault_set(f, FAULT_USAGE,
		    "\"%s\" could never log in: a name has no realm (@), no "
		    "instance (/), no domain (\\), no colon, and does not "
		    "begin with a dash or a blank",
		    user);
	password = args->password_stdin ? ask_secret_fd(STDIN_FILENO, f)
					: ask_new_secret(PROMPT, 8, f);
	if (password == NULL)
		return -1;
	if (secret_len(password) == 0)
		return fault_set(f, FAULT_USAGE, "the password is empty");
	return authn_passwd_set(path, user, password, f);
}
