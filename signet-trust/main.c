/* signet-trust: the directory of trust, kept right.  See signet-trust(8). */
#include "anchor/cadesc.h"
#include "base/fault.h"
#include "base/text.h"
#include "signet-trust/base/trust_args.h"
#include "signet-trust/base/trust_conf.h"

#include <sys/stat.h>

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OLD_NAME "gx-ca-update"

/* For the manual pages, when they are built. */
static void
man_conf(FILE *out)
{
	conf_man(&trust_conf_schema, out);
}

static void
man_exit(FILE *out)
{
	static const struct {
		enum fault_code code;
		const char *text;
	} statuses[] = {
		{ FAULT_NONE, "All is as it should be." },
		{ FAULT_FAILED,
		    "It could not be done, or every CA has failed." },
		{ FAULT_USAGE, "The command line is wrong." },
		{ FAULT_ABSENT, "There is no such CA or file." },
		{ FAULT_DENIED, "It is not permitted." },
		{ FAULT_PARTLY,
		    "Some CAs have failed; the others are as they should be." },
		{ FAULT_CONFIG, "The settings are wrong." },
	};

	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		fprintf(out, ".It %d\n%s\n",
		    fault_exit_status(statuses[i].code), statuses[i].text);
	fprintf(out, ".El\n");
}

static void
version(FILE *out)
{
	fprintf(out, "signet-trust %s\n", SIGNET_VERSION);
}

static const struct {
	const char *name;
	void (*print)(FILE *out);
} prints[] = {
	{ "--help", trust_help },
	{ "-h", trust_help },
	{ "help", trust_help },
	{ "--version", version },
	{ "-V", version },
	{ "--man-commands", trust_man },
	{ "--man-conf", man_conf },
	{ "--man-cadesc", cadesc_man },
	{ "--man-exit", man_exit },
};

/* Of standard input, output and error one that was closed would be the number
 * of the next file that is opened, and hear what we say. */
static void
keep_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
	/* Files and directories say their own modes. */
	(void)umask(022);
	/* A file that may grow no more is a fault to be told. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

static int
run_command(const struct trust_command *command, bool old, int argc,
    char **argv, const char *program, struct fault *f)
{
	struct trust_args args;
	int result = trust_args_read(command, old, argc, argv, &args, f);

	if (result < 0)
		return -1;
	args.program = program;
	if (result == 0)
		return command->run(&args, f);
	trust_help_command(command, stdout);
	return 0;
}

static int
run(int argc, char **argv, bool old, struct fault *f)
{
	const struct trust_command *command;

	for (size_t i = 0; argc == 2 && i < sizeof(prints) / sizeof(prints[0]);
	     i++) {
		if (!old && strcmp(argv[1], prints[i].name) == 0) {
			prints[i].print(stdout);
			return 0;
		}
	}
	command = trust_command_find(old ? OLD_NAME
		: argc > 1		 ? argv[1]
					 : "",
	    f);
	if (command == NULL)
		return -1;
	return old
	    ? run_command(command, true, argc, argv, argv[0], f)
	    : run_command(command, false, argc - 1, argv + 1, argv[0], f);
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
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
	bool old = strcmp(name, OLD_NAME) == 0;
	struct fault f = { 0 };
	int result;

	keep_standard();
	result = run(argc, argv, old, &f);
	if (result < 0) {
		/* It may quote what others wrote. */
		text_clean(f.text);
		if (asks_for_json(argc, argv))
			complain_json(&f);
		(void)fflush(stdout);
		fprintf(stderr, "%s: %s\n", old ? OLD_NAME : "signet-trust",
		    f.text);
		if (f.code == FAULT_USAGE)
			fprintf(stderr, "%s\n",
			    old ? "Run \"gx-ca-update -help\" for more "
				  "information"
				: "try: signet-trust --help");
		return fault_exit_status(f.code);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "signet-trust: standard output is full\n");
		return fault_exit_status(FAULT_SYSTEM);
	}
	/* A command's own status: what it found, not that it failed. */
	return result;
}
