#include "signet-map/base/map_args.h"

#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule.h"
#include "signet-map/base/map_conf.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define CMD_ARGS struct map_args
#define CMD_OPTIONS "signet-map/base/map_options.def"
#define CMD_COMMANDS "signet-map/base/map_commands.def"
#include "command/cmd_rows.def"

static void
man_conf(FILE *out)
{
	conf_man(&map_conf_schema, out);
}

static const struct cmd_print prints[] = {
	{ "--man-conf", man_conf },
	{ "--man-rules", maprule_man },
};

static const struct cmd_exit exits[] = {
	{ FAULT_NONE, "All is as it should be." },
	{ FAULT_FAILED,
	    "It could not be done; check found an error; diff a difference." },
	{ FAULT_USAGE, "The command line is wrong." },
	{ FAULT_ABSENT, "There is no such name, account, service or file." },
	{ FAULT_DENIED, "It is not permitted." },
	{ FAULT_CONFIG, "The settings or the rules are wrong." },
};

const struct cmd_program map_program = {
	CMD_ROWS,
	.name = "signet-map",
	.manual = "signet-map(8)",
	.prints = prints,
	.prints_count = COUNT_OF(prints),
	.exits = exits,
	.exits_count = COUNT_OF(exits),
};

int
map_completion(const struct map_args *args, struct fault *f)
{
	return cmd_complete(&map_program, args->operand[0], stdout, f);
}

static const struct {
	const char *word;
	const char *program;
} programs[] = {
#define ELSEWHERE(function, word, program, operands, doc) { word, program },
#include "signet-map/base/map_elsewhere.def"
#undef ELSEWHERE
};

/* Beside us, as they are built; else where they are installed. */
static int
run_program(const char *name, char **argv, struct fault *f)
{
	char path[PATH_MAX], self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len < 0 ? 0 : len] = '\0';
	if ((slash = strrchr(self, '/')) != NULL) {
		*slash = '\0';
		argv[0] = path;
		if (text_fmt(path, sizeof(path), "%s/%s", self, name) == 0)
			(void)execv(path, argv);
	}
	if (text_fmt(path, sizeof(path), "%s/%s", SIGNET_LIBEXECDIR, name) ==
	    0) {
		argv[0] = path;
		(void)execv(path, argv);
	}
	if (errno == ENOENT)
		return fault_set(f, FAULT_ABSENT, "%s is not installed", path);
	return fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
}

int
map_become(int argc, char **argv, struct fault *f)
{
	for (size_t i = 0; argc > 1 && i < COUNT_OF(programs); i++)
		if (strcmp(argv[1], programs[i].word) == 0)
			return run_program(programs[i].program, argv, f);
	return 0;
}

/* Only for the list of commands: map_become() was before. */
#define ELSEWHERE(function, word, program, operands, doc)             \
	int function(const struct map_args *args, struct fault *f)    \
	{                                                             \
		(void)args;                                           \
		return fault_set(f, FAULT_INTERNAL, "%s is %s", word, \
		    program);                                         \
	}
#include "signet-map/base/map_elsewhere.def"
#undef ELSEWHERE
