/* signet-ca: the CA office.  See signet-ca(8). */
#include "base/fault.h"
#include "command/cmd.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/publish/ca_publish_conf.h"
#include "signet-ca/token/ca_token.h"
#include "x509/authority.h"
#include "x509/ossl.h"
#include "x509/profile.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <string.h>

/* For the manual pages, when they are built. */
static void
man_settings(FILE *out)
{
	conf_man(&authority_schema, out);
}

static void
man_profile(FILE *out)
{
	conf_man(&profile_schema, out);
}

static void
man_publish(FILE *out)
{
	conf_man(&publish_schema, out);
}

static const struct cmd_print prints[] = {
	{ "--man-ca-conf", man_settings },
	{ "--man-profile", man_profile },
	{ "--man-publish-conf", man_publish },
};

/* Pass phrases and keys go through this process. */
static void
hide(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

static int
run(const struct cmd_program *program, int argc, char **argv, struct fault *f)
{
	/* No module that the environment names comes near a key. */
	if (ossl_start_alone(f) < 0)
		return -1;
	if (strcmp(cmd_called(argc, argv), CA_TOKEN_SERVER) == 0)
		return ca_token_serve(CA_TOKEN_FD, f);
	return cmd_run(program, argc, argv, f);
}

int
main(int argc, char **argv)
{
	struct cmd_program program = ca_program;
	struct fault f = { 0 };

	program.prints = prints;
	program.prints_count = sizeof(prints) / sizeof(prints[0]);
	cmd_begin();
	hide();
	return cmd_end(&program, argc, argv, run(&program, argc, argv, &f), &f);
}
