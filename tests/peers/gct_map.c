/*
 * What the Toolkit answers from a grid-mapfile: libglobus-gss-assist asked.
 *
 *   gct_map < QUESTIONS
 *
 * A question a line, its words divided by a tab: `file PATH` (of those that
 * follow), `pool DIRECTORY`, `map DN`, `ok DN ACCOUNT`, `user ACCOUNT`,
 * `all ACCOUNT`, and `time N DN` (N look-ups: seconds of CPU for one).  An
 * answer a line: "+" and what it is, or "-".
 */
#include <globus_common.h>
#include <globus_gss_assist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS 3

static void
tell(int status, char *text)
{
	if (status == 0)
		printf("+%s\n", text != NULL ? text : "");
	else
		puts("-");
	free(text);
}

static void
ask_file(char **words)
{
	(void)setenv("GRIDMAP", words[1], 1);
	puts("+");
}

static void
ask_pool(char **words)
{
	(void)setenv("GRIDMAPDIR", words[1], 1);
	puts("+");
}

static void
ask_map(char **words)
{
	char *account = NULL;
	int status = globus_gss_assist_gridmap(words[1], &account);

	tell(status, status == 0 ? account : NULL);
}

static void
ask_ok(char **words)
{
	tell(globus_gss_assist_userok(words[1], words[2]), NULL);
}

static void
ask_user(char **words)
{
	char *name = NULL;
	int status = globus_gss_assist_map_local_user(words[1], &name);

	tell(status, status == 0 ? name : NULL);
}

static void
ask_all(char **words)
{
	char **names = NULL;
	int count = 0;

	if (globus_gss_assist_lookup_all_globusid(words[1], &names, &count) !=
	    GLOBUS_SUCCESS) {
		puts("-");
		return;
	}
	putchar('+');
	for (int i = 0; i < count; i++)
		printf("%s%s", i > 0 ? "|" : "", names[i]);
	putchar('\n');
	if (names != NULL)
		GlobusGssAssistFreeDNArray(names);
}

static void
ask_time(char **words)
{
	long n = strtol(words[1], NULL, 10);
	clock_t began = clock();

	for (long i = 0; i < n; i++) {
		char *account = NULL;

		if (globus_gss_assist_gridmap(words[2], &account) == 0)
			free(account);
	}
	printf("+%.9f\n",
	    (double)(clock() - began) / CLOCKS_PER_SEC /
		(double)(n > 0 ? n : 1));
}

static const struct question {
	const char *name;
	int words;
	void (*ask)(char **words);
} questions[] = {
	{ "file", 2, ask_file },
	{ "pool", 2, ask_pool },
	{ "map", 2, ask_map },
	{ "ok", 3, ask_ok },
	{ "user", 2, ask_user },
	{ "all", 2, ask_all },
	{ "time", 3, ask_time },
};

static int
ask(char *line)
{
	char *words[WORDS];
	int count = 0;

	while (count < WORDS && line != NULL)
		words[count++] = strsep(&line, "\t");
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(words[0], questions[i].name) == 0 &&
		    count == questions[i].words) {
			questions[i].ask(words);
			return 0;
		}
	}
	fprintf(stderr, "gct_map: no question: %s\n", words[0]);
	return 2;
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int status = 0;

	(void)globus_module_activate(GLOBUS_GSI_GSS_ASSIST_MODULE);
	while (status == 0 && (n = getline(&line, &room, stdin)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		status = ask(line);
		(void)fflush(stdout);
	}
	free(line);
	(void)globus_module_deactivate(GLOBUS_GSI_GSS_ASSIST_MODULE);
	return status;
}
