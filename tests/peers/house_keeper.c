/*
 * house_keeper DIR FROM [link] [keep=N] [wait=MS]: DIR shall hold the files of
 * FROM, and nothing else of ours.  Says what was changed, one line a file.
 */
#include "anchor/house.h"
#include "anchor/house_list.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
put(struct house *h, const char *from, const char *name, struct fault *f)
{
	char path[PATH_MAX];
	OWN_BUF(text, 1u << 20);
	struct wire_bytes body;

	if (text_fmt(path, sizeof(path), "%s/%s", from, name) < 0 ||
	    file_read(path, &text, f) < 0)
		return -1;
	body = (struct wire_bytes){ text.data, text.len };
	return house_put(h, name, body, f);
}

static int
put_all(struct house *h, const char *from, struct fault *f)
{
	DIR *dir = opendir(from);
	const struct dirent *e;
	int answer = 0;

	if (dir == NULL)
		return fault_set(f, FAULT_ABSENT, "%s", from);
	while (answer == 0 && (e = readdir(dir)) != NULL)
		if (house_name_good(e->d_name))
			answer = put(h, from, e->d_name, f);
	(void)closedir(dir);
	return answer;
}

static void
show(void *arg, const struct house_note *note)
{
	(void)arg;
	(void)printf("%s %s\n", house_what_word(note->what), note->name);
}

static int
keep(const char *dir, const char *from, const struct house_options *o,
    struct fault *f)
{
	OWN_STRUCT(house) h = house_open(dir, o, f);
	bool changed;

	if (h == NULL || put_all(h, from, f) < 0 ||
	    house_compare(h, show, NULL, f) < 0)
		return -1;
	return house_commit(h, &changed, f);
}

static void
option(struct house_options *o, const char *word)
{
	int64_t value;

	if (strcmp(word, "link") == 0)
		o->as_link = true;
	else if (text_starts(word, "keep=") &&
	    text_number(word + 5, 1, 100, &value) == 0)
		o->keep = (unsigned)value;
	else if (text_starts(word, "wait=") &&
	    text_number(word + 5, 0, 60000, &value) == 0)
		o->wait_ms = (int)value;
	else
		abort();
}

int
main(int argc, char **argv)
{
	struct house_options o = { 0 };
	struct fault f = { 0 };

	if (argc < 3)
		return 2;
	for (int i = 3; i < argc; i++)
		option(&o, argv[i]);
	if (keep(argv[1], argv[2], &o, &f) == 0)
		return 0;
	(void)fprintf(stderr, "%s\n", f.text);
	return fault_exit_status(f.code);
}
