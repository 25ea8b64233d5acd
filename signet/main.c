#include "base/fault.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "command.h"
#include "signet_cert.h"
#include "signet_completion.h"
#include "signet_doctor.h"
#include "signet_login.h"
#include "signet_logon.h"
#include "signet_manual.h"
#include "signet_proxy.h"
#include "signet_status.h"
#include "signet_trustroots.h"
#include "signet_verify.h"

#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything signet can do; an entry a command. */
static const struct command *const commands[] = {
	&signet_login,
	&signet_status,
	&signet_doctor,
	&signet_verify,
	&signet_trustroots,
	&signet_logon,
	&signet_proxy_init,
	&grid_proxy_init,
	&signet_proxy_info,
	&grid_proxy_info,
	&signet_proxy_destroy,
	&signet_cert_info,
	&grid_cert_info,
	&signet_cert_convert,
	&signet_completion,
	&signet_manual,
	NULL,
};

static void
show_version(const struct call *call)
{
	if (call->old && call->command->old_version != NULL)
		call->command->old_version(call, stdout);
	else
		printf("%s (Signet) %s\n", call->name, SIGNET_VERSION);
}

static void
show_help(const struct call *call)
{
	if (call->old && call->command->old_help != NULL)
		call->command->old_help(call, stdout);
	else
		command_help(call, stdout);
}

/* The options, then the command. */
static int
obey(struct call *call, int argc, char **argv, void *own, struct fault *f)
{
	const struct command *c = call->command;
	int first = argc;

	if (options_read(&c->options, command_style(call), argc, argv, own,
		&call->common, &first, f) < 0)
		return -1;
	if (call->common.version || call->common.help) {
		(call->common.version ? show_version : show_help)(call);
		return 0;
	}
	call->operand = argv + first;
	call->operand_count = argc - first;
	if (call->operand_count > c->operands_max)
		return fault_set(f, FAULT_USAGE, "\"%s\" is one word too many",
		    call->operand[c->operands_max]);
	return c->run(call, own, f);
}

/* Whether the answer reached whoever reads it: a full disk is a failure. */
static int
flush_answer(struct fault *f)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	/* Whoever has read enough knows it. */
	if (file_is_unread(STDOUT_FILENO))
		return 0;
	return fault_set(f, FAULT_SYSTEM, "writing the answer: %s",
	    strerror(errno));
}

/* "signet", "signet --help", "signet --version". */
static bool
asks_about_all(int argc, char **argv, const struct call *call)
{
	static const char *const words[] = { "--help", "-h", "help" };

	if (call->old || argc < 2)
		return false;
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		show_version(call);
		return true;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(argv[1], words[i]) == 0) {
			command_list(commands, stdout);
			return true;
		}
	return false;
}

/* A reader that went away is an error of write(2), not our death; and no core
 * file shall hold a key. */
static void
guard(void)
{
	const struct rlimit none = { 0, 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
}

static int
run(struct call *call, int argc, char **argv, struct fault *f)
{
	/* One byte for a command that has no options. */
	OWN(char) own = calloc(1, call->command->options.size + 1);

	if (own == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	if (obey(call, argc, argv, own, f) < 0)
		return -1;
	return flush_answer(f);
}

/* A mistake on the command line is an object too for who asked for them, also
 * where it hid that he did; "--js" is enough. */
static bool
asks_for_json(const struct call *call, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (text_starts(argv[i], "--") &&
		    text_starts("--json", argv[i]))
			return !call->old;
	return false;
}

int
main(int argc, char **argv)
{
	struct fault f = { .code = FAULT_NONE };
	struct call call;
	int used = 0;
	int result;

	guard();
	result = command_find(&call, commands, argc, argv, &used, &f);
	if (result == 0)
		result = run(&call, argc - used, argv + used, &f);
	else if (asks_about_all(argc, argv, &call))
		result = flush_answer(&f);
	if (result < 0) {
		if (f.code == FAULT_USAGE && asks_for_json(&call, argc, argv))
			call.common.json = true;
		return command_complain(&call, &f);
	}
	return call.exit_status > 0 ? call.exit_status : 0;
}
