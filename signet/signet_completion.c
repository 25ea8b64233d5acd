#include "signet_completion.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

/*
 * Each command becomes two things in the shell: a list of the words that may
 * follow it, and the set of its options that take a file.
 */

struct script {
	FILE *out;
	const char *separator;
	const char *command; /* fish: the condition that selects it */
};

static void
put_word(void *arg, const char *name, const struct option_row *row)
{
	const struct script *s = arg;

	(void)row;
	fprintf(s->out, "%s%s", s->separator, name);
}

static void
put_words(const struct command *c, bool old, FILE *out)
{
	struct script s = { out, " ", NULL };

	options_each(&c->options, old ? c->old_style : OPTIONS_GNU, put_word,
	    &s);
}

typedef void name_fn(const struct command *c, const char *name, FILE *out);

static void
each_old_name(const struct command *const *all, name_fn *fn, FILE *out)
{
	for (size_t i = 0; all[i] != NULL; i++)
		for (const char *at = all[i]->old_names;
		     at != NULL && *at != '\0';) {
			char name[48];
			size_t len = strcspn(at, " ");

			if (text_fmt(name, sizeof(name), "%.*s", (int)len,
				at) == 0)
				fn(all[i], name, out);
			at += len + (at[len] == ' ');
		}
}

/* The first words of all verbs, and for each the words that may follow. */
static void
put_verbs(const struct command *const *all, FILE *out)
{
	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->verb != NULL && !all[i]->hidden)
			fprintf(out, " %.*s", (int)strcspn(all[i]->verb, " "),
			    all[i]->verb);
}

static void
bash_verb(const struct command *c, FILE *out)
{
	fprintf(out, "\t\"%s \"*) words=\"", c->verb);
	put_words(c, false, out);
	fputs("\" ;;\n", out);
}

static void
bash_second(const struct command *const *all, FILE *out)
{
	for (size_t i = 0; all[i] != NULL; i++) {
		const char *space =
		    all[i]->verb == NULL ? NULL : strchr(all[i]->verb, ' ');

		if (space != NULL && !all[i]->hidden)
			fprintf(out,
			    "\t[ \"${COMP_WORDS[1]}\" = %.*s ] && "
			    "[ $COMP_CWORD -eq 2 ] && words=\"$words %s\"\n",
			    (int)(space - all[i]->verb), all[i]->verb,
			    space + 1);
	}
}

static void
bash_old(const struct command *c, const char *name, FILE *out)
{
	fprintf(out, "_%s() { _signet_words \"", name);
	put_words(c, true, out);
	fprintf(out, "\"; }\ncomplete -o default -F _%s %s\n", name, name);
}

static void
write_bash(const struct command *const *all, FILE *out)
{
	fputs("# bash completion for signet, made by "
	      "`signet completion bash`\n"
	      "_signet_words() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tCOMPREPLY=()\n"
	      "\tcase $cur in -*|\"\")\n"
	      "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$cur\")) ;; *)\n"
	      "\tCOMPREPLY=($(compgen -W \"$1\" -- \"$cur\")) ;; esac\n"
	      "}\n"
	      "_signet() {\n"
	      "\tlocal words=\"\"\n"
	      "\tif [ $COMP_CWORD -eq 1 ]; then\n"
	      "\t_signet_words \"--help --version",
	    out);
	put_verbs(all, out);
	fputs("\"\n\treturn\n\tfi\n"
	      "\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[2]} \" in\n",
	    out);
	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->verb != NULL && !all[i]->hidden)
			bash_verb(all[i], out);
	fputs("\tesac\n", out);
	bash_second(all, out);
	fputs("\t_signet_words \"$words\"\n}\n"
	      "complete -o default -F _signet signet\n",
	    out);
	each_old_name(all, bash_old, out);
}

/* zsh and fish show what a word means, so quotes must not end it. */
static void
put_quoted(const char *text, FILE *out)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else if (*text == '[' || *text == ']' || *text == ':')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
}

static void
zsh_option(void *arg, const char *name, const struct option_row *row)
{
	const struct script *s = arg;

	fprintf(s->out, " \\\n\t\t'%s[", name);
	put_quoted(row->doc, s->out);
	fputc(']', s->out);
	if (*row->argument != '\0') {
		fputc(':', s->out);
		put_quoted(row->argument, s->out);
		fputs(":_files", s->out);
	}
	fputc('\'', s->out);
}

static void
zsh_arguments(const struct command *c, bool old, FILE *out)
{
	struct script s = { out, "", NULL };

	fputs("_arguments", out);
	options_each(&c->options, old ? c->old_style : OPTIONS_GNU, zsh_option,
	    &s);
	fputs(" \\\n\t\t'*::operand:_files'\n", out);
}

static void
zsh_old_name(const struct command *c, const char *name, FILE *out)
{
	(void)c;
	fprintf(out, " %s", name);
}

static void
zsh_old(const struct command *c, const char *name, FILE *out)
{
	fprintf(out, "\t%s)\n\t\t", name);
	zsh_arguments(c, true, out);
	fputs("\t\t;;\n", out);
}

static void
zsh_verb(const struct command *c, FILE *out)
{
	const char *space = strchr(c->verb, ' ');

	fprintf(out, "\t'%s%s')\n\t\tshift %d words; (( CURRENT -= %d ))\n\t\t",
	    c->verb, space == NULL ? " '*'" : "", space == NULL ? 1 : 2,
	    space == NULL ? 1 : 2);
	zsh_arguments(c, false, out);
	fputs("\t\t;;\n", out);
}

static void
write_zsh(const struct command *const *all, FILE *out)
{
	fputs("#compdef signet", out);
	each_old_name(all, zsh_old_name, out);
	fputs("\n# made by `signet completion zsh`\n"
	      "_signet() {\n\tcase $service in\n",
	    out);
	each_old_name(all, zsh_old, out);
	fputs("\tsignet) _signet_verb ;;\n\tesac\n}\n_signet_verb() {\n"
	      "\tif (( CURRENT == 2 )); then\n\tcompadd -- --help --version",
	    out);
	put_verbs(all, out);
	fputs("\n\treturn\n\tfi\n\tcase \"$words[2] $words[3]\" in\n", out);
	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->verb != NULL && !all[i]->hidden)
			zsh_verb(all[i], out);
	fputs("\tesac\n}\n_signet \"$@\"\n", out);
}

static void
fish_option(void *arg, const char *name, const struct option_row *row)
{
	const struct script *s = arg;
	size_t dashes = strspn(name, "-");
	const char *flag = dashes == 2 ? "-l" : name[2] == '\0' ? "-s" : "-o";

	fprintf(s->out, "complete -c %s %s %s%s -d '", s->command, flag,
	    name + dashes, *row->argument == '\0' ? "" : " -r");
	for (const char *at = row->doc; *at != '\0'; at++)
		fprintf(s->out, *at == '\'' || *at == '\\' ? "\\%c" : "%c",
		    *at);
	fputs("'\n", s->out);
}

static void
fish_old(const struct command *c, const char *name, FILE *out)
{
	struct script s = { out, "", name };

	options_each(&c->options, c->old_style, fish_option, &s);
}

static void
fish_verb(const struct command *c, FILE *out)
{
	char condition[128];
	const char *space = strchr(c->verb, ' ');
	int first = (int)strcspn(c->verb, " ");
	struct script s = { out, "", condition };

	fprintf(out,
	    "complete -c signet -n __fish_use_subcommand -f -a %.*s -d '%s'\n",
	    first, c->verb, space == NULL ? c->summary : "");
	if (space != NULL)
		fprintf(out,
		    "complete -c signet -n '__fish_seen_subcommand_from %.*s' "
		    "-f -a %s -d '%s'\n",
		    first, c->verb, space + 1, c->summary);
	if (text_fmt(condition, sizeof(condition),
		"signet -n '__fish_seen_subcommand_from %s'",
		space == NULL ? c->verb : space + 1) == 0)
		options_each(&c->options, OPTIONS_GNU, fish_option, &s);
}

static void
write_fish(const struct command *const *all, FILE *out)
{
	fputs("# made by `signet completion fish`\n", out);
	for (size_t i = 0; all[i] != NULL; i++)
		if (all[i]->verb != NULL && !all[i]->hidden)
			fish_verb(all[i], out);
	each_old_name(all, fish_old, out);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	static const struct {
		const char *name;
		void (*write)(const struct command *const *all, FILE *out);
	} shells[] = { { "bash", write_bash }, { "zsh", write_zsh },
		{ "fish", write_fish } };

	(void)options;
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (call->operand_count == 1 &&
		    strcmp(call->operand[0], shells[i].name) == 0) {
			shells[i].write(call->all, stdout);
			return 0;
		}
	return fault_set(f, FAULT_USAGE, "which shell: bash, zsh or fish?");
}

const struct command signet_completion = {
	.verb = "completion",
	.summary = "Print the completion script for a shell",
	.operands = "bash|zsh|fish",
	.operands_max = 1,
	.run = run,
};
