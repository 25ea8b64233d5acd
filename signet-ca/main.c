/* signet-ca: the CA office.  See signet-ca(8). */
#include "base/fault.h"
#include "base/text.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/publish/ca_publish_conf.h"
#include "signet-ca/token/ca_token.h"
#include "x509/authority.h"
#include "x509/ossl.h"
#include "x509/profile.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef char *char_list;
OWN_FREE(char_list, free)

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

static void
man_exit(FILE *out)
{
	static const struct {
		enum fault_code code;
		const char *text;
	} statuses[] = {
#define FAULT(name, exit_status, http_status, sentence) \
	{ FAULT_##name, sentence },
#include "base/fault.def"
#undef FAULT
	};
	const size_t count = sizeof(statuses) / sizeof(statuses[0]);

	fprintf(out, ".Bl -tag -width Ds\n");
	for (int status = 0; status < 128; status++) {
		bool open = false;

		for (size_t i = 0; i < count; i++) {
			if (fault_exit_status(statuses[i].code) != status)
				continue;
			if (open)
				fprintf(out, ";\n");
			else
				fprintf(out, ".It %d\n", status);
			fprintf(out, "%s", statuses[i].text);
			open = true;
		}
		if (open)
			fprintf(out, ".\n");
	}
	fprintf(out, ".El\n");
}

static void
version(FILE *out)
{
	fprintf(out, "signet-ca %s\n", SIGNET_VERSION);
}

static const struct {
	const char *name;
	void (*print)(FILE *out);
} prints[] = {
	{ "--help", ca_help },
	{ "-h", ca_help },
	{ "help", ca_help },
	{ "--version", version },
	{ "-V", version },
	{ "--man-commands", ca_man },
	{ "--man-ca-conf", man_settings },
	{ "--man-profile", man_profile },
	{ "--man-publish-conf", man_publish },
	{ "--man-exit", man_exit },
};

/* Of standard input, output and error one that was closed would be the number
 * of the next file that is opened, and hear what we say.  To write to it stays
 * an error. */
static void
keep_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* Pass phrases and keys go through this process. */
static void
hide(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* Files say their own modes; directories to be published are open. */
	(void)umask(022);
	/* A file that may grow no more is a fault to be told. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

static int
run(int argc, char **argv, struct fault *f)
{
	const struct ca_command *command;
	struct ca_args args;
	int words = 0, result;

	for (size_t i = 0; argc == 2 && i < sizeof(prints) / sizeof(prints[0]);
	     i++) {
		if (strcmp(argv[1], prints[i].name) == 0) {
			prints[i].print(stdout);
			return 0;
		}
	}
	if ((command = ca_command_find(argc, argv, &words, f)) == NULL) {
		if (argc != 3 || strcmp(argv[2], "--help") != 0)
			return -1;
		ca_help(stdout);
		return 0;
	}
	result = ca_args_read(command, argc - words, argv + words, &args, f);
	if (result < 0)
		return -1;
	if (result == 0)
		return command->run(&args, f);
	ca_help_command(command, stdout);
	return 0;
}

/* Other names by which this program is started. */
static const struct {
	const char *name;
	const char *command;
} names[] = {
	{ "revoke-cert", "queue" },
};

/* What a link of that name stands for is put before what was typed. */
static int
run_named(int argc, char **argv, struct fault *f)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
	char command[16] = "";
	OWN(char_list) longer = NULL;

	if (strcmp(name, CA_TOKEN_SERVER) == 0)
		return ca_token_serve(CA_TOKEN_FD, f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0 &&
		    text_copy(command, sizeof(command), names[i].command) < 0)
			return fault_set(f, FAULT_INTERNAL, "name too long");
	if (*command == '\0')
		return run(argc, argv, f);
	longer = calloc((size_t)argc + 2, sizeof(*longer));
	if (longer == NULL)
		return fault_set(f, FAULT_MEMORY, "arguments");
	longer[0] = argv[0];
	longer[1] = command;
	memcpy(longer + 2, argv + 1, (size_t)(argc - 1) * sizeof(*longer));
	return run(argc + 1, longer, f);
}

static bool
asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

/* The object that signet gives too: stable keys, and the code as a word. */
static void
complain_json(const struct fault *f)
{
	char code[32] = "";
	json_t *error;

	for (size_t i = 0; i < sizeof(code) - 1 && fault_name(f->code)[i]; i++)
		code[i] = (char)tolower((unsigned char)fault_name(f->code)[i]);
	error = json_pack("{s:{s:s,s:i,s:s}}", "error", "code", code, "exit",
	    fault_exit_status(f->code), "message", f->text);
	if (error == NULL)
		return;
	(void)json_dumpf(error, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(error);
}

int
main(int argc, char **argv)
{
	struct fault f = { 0 };
	int result;

	keep_standard();
	hide();
	/* No module that the environment names comes near a key. */
	result = ossl_start_alone(&f) < 0 ? -1 : run_named(argc, argv, &f);
	if (result < 0) {
		/* It may quote what others wrote. */
		text_clean(f.text);
		if (asks_for_json(argc, argv))
			complain_json(&f);
		(void)fflush(stdout);
		fprintf(stderr, "signet-ca: %s\n", f.text);
		if (f.code == FAULT_USAGE)
			fprintf(stderr, "try: signet-ca --help\n");
		return fault_exit_status(f.code);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "signet-ca: standard output is full\n");
		return fault_exit_status(FAULT_SYSTEM);
	}
	/* A command's own status: what it found, not that it failed. */
	return result;
}
