/* gx-ca-update: the same by its old name and options (facts: FORMATS 1.3). */
#include "anchor/anchor_source.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh.h"
#include "signet-trust/base/trust_args.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#define ETC "/etc/gx-map"

/* Beside the program if it was installed as gx-map is: sbin and etc/gx-map. */
static int
find_etc(struct trust_conf *c, const struct trust_args *args, struct fault *f)
{
	const char *slash = strrchr(args->program, '/');
	char path[CONF_STRING_SIZE] = "";
	struct stat st;

	if (args->etc_dir != NULL &&
	    text_copy(path, sizeof(path), args->etc_dir) < 0)
		return fault_set(f, FAULT_USAGE, "-etc-dir is too long");
	if (*path == '\0' && slash != NULL &&
	    (text_fmt(path, sizeof(path), "%.*s/../etc/gx-map",
		 (int)(slash - args->program), args->program) < 0 ||
		stat(path, &st) < 0))
		path[0] = '\0';
	/* Then what trust.conf says, if it says anything. */
	if (*path == '\0' && c->gx_map.count > 0)
		return 0;
	c->gx_map.count = 1;
	return text_copy(c->gx_map.item[0], CONF_STRING_SIZE,
	    *path != '\0' ? path : ETC);
}

static int
check_target(const struct trust_args *args, struct fault *f)
{
	struct stat st;

	if (args->target_dir == NULL)
		return fault_set(f, FAULT_USAGE,
		    "No target directory specified");
	if (stat(args->target_dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return fault_set(f, FAULT_USAGE,
		    "Target directory %s does not exist", args->target_dir);
	if ((args->allow_missing_crl || args->ignore_disable) && !args->unsafe)
		return fault_set(f, FAULT_USAGE,
		    "-allow-missing-crl and -ignore-disable need -UNSAFE");
	return 0;
}

/* One that cannot be used stops all, unless that is to be ignored: its author
 * is to learn of it before its CA is missed. */
static int
check_descriptions(const struct trust_world *w, struct fault *f)
{
	size_t bad = 0;

	for (size_t i = 0; i < w->set.count; i++) {
		const struct anchor_want *want = w->set.item[i];
		bool whole = false;

		for (size_t k = 0; k < want->wrong.count; k++) {
			OWN(char) text = strdup(want->wrong.item[k]);

			if (text == NULL)
				return fault_set(f, FAULT_MEMORY, "cadesc");
			text_clean(text);
			whole = text_starts(text, "Syntax error at") ||
			    text_starts(text, "Missing value at") ||
			    text_starts(text, "Bad file name:");
			if (k == 0 && !whole)
				fprintf(stderr, "Error in %s:\n", want->file);
			fprintf(stderr, "%s%s\n", whole ? "" : "    ", text);
		}
		bad += want->wrong.count > 0;
	}
	if (bad == 0)
		return 0;
	return fault_set(f, FAULT_INPUT,
	    "%zu bad cadesc file%s. Fix or use \"-ignore-bad-cadesc\"", bad,
	    bad == 1 ? "" : "s");
}

static int
list_cas(const struct trust_world *w, bool all)
{
	for (size_t i = 0; i < w->set.count; i++) {
		const struct anchor_want *want = w->set.item[i];
		OWN(char) title = NULL;

		if (want->wrong.count > 0 || (want->disabled && !all))
			continue;
		if ((title = strdup(want->title != NULL ? want->title
							: want->alias)) == NULL)
			continue;
		text_clean(title);
		printf("%s # %s (%s)%s\n", want->hash, title, want->alias,
		    want->disabled ? " DISABLED" : "");
	}
	return 0;
}

/* The names of -ca and -ca-list, or of .ca-list in the directory. */
static int
choose(struct trust_world *w, const struct trust_args *args, struct fault *f)
{
	struct want_list names = { 0 };
	char path[PATH_MAX];
	struct stat st;
	int result = 0;

	for (size_t i = 0; result == 0 && i < args->ca.count; i++)
		result = trust_names(&names, args->ca.item[i], f);
	if (result == 0 && args->ca_list != NULL)
		result = trust_names_file(&names, args->ca_list, f);
	if (result == 0 && names.count == 0 && args->ca_list == NULL &&
	    text_fmt(path, sizeof(path), "%s/.ca-list", args->target_dir) ==
		0 &&
	    stat(path, &st) == 0)
		result = trust_names_file(&names, path, f);
	if (result == 0 && names.count == 0)
		result = fault_set(f, FAULT_USAGE,
		    "No CA specified. Use \"-ca\" or \"-ca-list\", or create a "
		    "\".ca-list\" file in the target directory");
	if (result == 0)
		result = trust_choose_names(w, &names, f);
	want_list_clear(&names);
	return result;
}

static int
prepare(struct trust_world *w, const struct trust_args *args, struct fault *f)
{
	if (trust_world_settings(w, args, f) < 0 ||
	    find_etc(&w->conf, args, f) < 0)
		return -1;
	w->old = true;
	w->conf.cadesc.count = w->conf.directory.count = 0;
	if (trust_world_read(w, f) < 0)
		return -1;
	for (size_t i = 0; i < w->set.count; i++)
		if (args->ignore_disable)
			w->set.item[i]->disabled = false;
	return w->conf.ignore_bad_cadesc ? 0 : check_descriptions(w, f);
}

static int
tell(struct refresh *r, const struct trust_args *args, struct fault *f)
{
	int result;

	if (!args->json)
		refresh_tell(r, args->verbose, false);
	result = refresh_after(r, false, f);
	if (!args->json)
		return result < 0 ? -1 : refresh_status(r);
	refresh_json(r, result < 0 ? f : NULL, stdout);
	return result < 0 ? refresh_complain(r, f) : refresh_status(r);
}

static int
run(struct trust_world *w, const struct trust_args *args, struct fault *f)
{
	struct refresh r = {
		.force = args->force, .offline = args->nodownload, .only = true
	};
	int result;

	if (choose(w, args, f) < 0)
		return -1;
	result = refresh_open(&r, w, false, f);
	if (result == 0)
		result = refresh_run(&r, f);
	if (result == 0)
		result = tell(&r, args, f);
	refresh_close(&r);
	return result;
}

int
trust_old(const struct trust_args *args, struct fault *f)
{
	bool list = args->list_cas || args->list_all_cas;
	struct trust_world world = { 0 };
	int result = list ? 0 : check_target(args, f);

	if (result == 0)
		result = prepare(&world, args, f);
	if (result == 0)
		result = list ? list_cas(&world, args->list_all_cas)
			      : run(&world, args, f);
	trust_world_close(&world);
	return result;
}
