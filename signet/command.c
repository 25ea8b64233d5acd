#include "command.h"

#include "base/fault.h"
#include "base/text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

/* What a person can do about each kind of failure. */
static const char *const advice[FAULT_COUNT] = {
	[FAULT_ABSENT] = "Run: signet login",
	[FAULT_EXPIRED] = "Run: signet login",
	[FAULT_LOGIN] = "Check the user name and the password.",
	[FAULT_SLOWED] = "Wait a few minutes before the next try.",
	[FAULT_UNREACHABLE] =
	    "Check the server's name and port, and the network.",
	[FAULT_UNTRUSTED] = "Run: signet doctor",
	[FAULT_BUSY] = "Try again in a moment.",
};

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
in_words(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

/* How many words of ${argv} spell ${verb}; 0 if they do not. */
static int
verb_words(const char *verb, int argc, char **argv)
{
	int words = 0;

	for (const char *at = verb; at != NULL && *at != '\0'; words++) {
		size_t n = strcspn(at, " ");

		if (words == argc || strlen(argv[words]) != n ||
		    memcmp(at, argv[words], n) != 0)
			return 0;
		at += n + (at[n] == ' ');
	}
	return words;
}

static int
no_such_verb(const struct command *const *commands, const char *word,
    struct fault *f)
{
	const char *near = NULL;
	int best = 4;

	for (size_t i = 0; commands[i] != NULL; i++) {
		char first[32];
		const char *verb = commands[i]->verb;
		int distance;

		if (verb == NULL || commands[i]->hidden ||
		    text_fmt(first, sizeof(first), "%.*s",
			(int)strcspn(verb, " "), verb) < 0)
			continue;
		/* "proxy" alone is a beginning, not a mistake. */
		if ((distance = text_distance(word, first)) == 0)
			return fault_set(f, FAULT_USAGE,
			    "\"%s\" wants another word, as in \"signet %s\"",
			    word, verb);
		if (distance < best) {
			best = distance;
			near = verb;
		}
	}
	if (near != NULL)
		return fault_set(f, FAULT_USAGE,
		    "there is no \"signet %s\"; did you mean \"signet %s\"?",
		    word, near);
	return fault_set(f, FAULT_USAGE, "there is no \"signet %s\"", word);
}

int
command_find(struct call *call, const struct command *const *commands, int argc,
    char **argv, int *used, struct fault *f)
{
	const char *name = argc > 0 ? base_name(argv[0]) : "signet";
	int best = 0;

	memset(call, 0, sizeof(*call));
	call->all = commands;
	call->name = name;
	call->exit_status = -1;
	*used = 0;
	for (size_t i = 0; commands[i] != NULL; i++)
		if (in_words(commands[i]->old_names, name)) {
			call->command = commands[i];
			call->old = true;
			return 0;
		}
	call->name = "signet";
	if (argc < 2)
		return fault_set(f, FAULT_USAGE, "no command was given");
	for (size_t i = 0; commands[i] != NULL; i++) {
		int words = verb_words(commands[i]->verb, argc - 1, argv + 1);

		if (words > best) {
			best = words;
			call->command = commands[i];
		}
	}
	if (best == 0)
		return no_such_verb(commands, argv[1], f);
	*used = best;
	return 0;
}

enum options_style
command_style(const struct call *call)
{
	return call->old ? call->command->old_style : OPTIONS_GNU;
}

void
command_help(const struct call *call, FILE *out)
{
	const struct command *c = call->command;

	if (call->old)
		fprintf(out, "usage: %s [OPTIONS]", call->name);
	else
		fprintf(out, "usage: signet %s [OPTIONS]", c->verb);
	fprintf(out, "%s%s\n\n%s.\n\n", *c->operands == '\0' ? "" : " ",
	    c->operands, c->summary);
	options_help(&c->options, command_style(call), out);
}

void
command_list(const struct command *const *commands, FILE *out)
{
	fputs("usage: signet COMMAND [OPTIONS]\n\n", out);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (commands[i]->verb != NULL && !commands[i]->hidden)
			fprintf(out, "  %-16s %s\n", commands[i]->verb,
			    commands[i]->summary);
	fputs("\n\"signet COMMAND --help\" tells more.\n", out);
}

static int
exit_status(const struct call *call, const struct fault *f)
{
	int status = fault_exit_status(f->code);

	if (call->exit_status >= 0)
		return call->exit_status;
	if (call->old && call->command != NULL && call->command->compatible)
		return status == 0 ? 0 : 1;
	return status;
}

/* The object of `--json`: stable keys, and the code as a word. */
static void
complain_json(const struct fault *f, int status, const char *hint)
{
	json_t *error;
	char code[32] = "";

	for (size_t i = 0; i < sizeof(code) - 1 && fault_name(f->code)[i]; i++)
		code[i] = (char)tolower((unsigned char)fault_name(f->code)[i]);
	error = json_pack("{s:{s:s,s:i,s:s,s:s?}}", "error", "code", code,
	    "exit", status, "message", f->text, "hint", hint);
	if (error == NULL)
		return;
	(void)json_dumpf(error, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(error);
}

int
command_complain(const struct call *call, const struct fault *f)
{
	const struct command *c = call->command;
	const char *hint = *call->hint != '\0' ? call->hint : advice[f->code];
	char usage[64];
	size_t len;
	int status = exit_status(call, f);

	if (hint == NULL && f->code == FAULT_USAGE) {
		(void)snprintf(usage, sizeof(usage), "Run: %s%s%s --help",
		    call->name, c == NULL || call->old ? "" : " ",
		    c == NULL || call->old ? "" : c->verb);
		hint = usage;
	}
	if (call->common.json)
		complain_json(f, status, hint);
	if (call->old && c != NULL && c->complain != NULL) {
		c->complain(call, f);
		return status;
	}
	len = strlen(f->text);
	fprintf(stderr, "%s: %s%s%s\n", call->name, f->text,
	    hint == NULL				     ? ""
		: len > 0 && strchr("?.!", f->text[len - 1]) ? " "
							     : ". ",
	    hint == NULL ? "" : hint);
	return status;
}

void
call_note(const struct call *call, const char *fmt, ...)
{
	va_list ap;

	if (call->common.quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
call_verbose(const struct call *call, const char *fmt, ...)
{
	va_list ap;

	if (!call->common.verbose)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
call_hint(struct call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(call->hint, sizeof(call->hint), fmt, ap);
	va_end(ap);
}
