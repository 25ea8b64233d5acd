/* Files that were found good go into a trust directory. */
#include "anchor/house.h"
#include "anchor/root_part.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 10000
#define KEEP 1
#define FILE_MODE 0644
#define DIR_MODE 0755
#define BY_SIZE 81

struct installing {
	struct root_files *r;
	const char *dir;
	const struct root_install *how;
	size_t good;
};

static int
path_of(const struct installing *w, const struct root_file *file,
    char path[PATH_MAX], struct fault *f)
{
	if (text_fmt(path, PATH_MAX, "%s/%s", w->dir, file->name) < 0)
		return fault_set(f, FAULT_INPUT, "%s: path too long", w->dir);
	return 0;
}

/* What is there already decides: nothing may be, or nothing newer. */
static int
look_at(struct installing *w, struct root_file *file, struct fault *f)
{
	OWN_BUF(there, ROOT_FILE_MAX);
	struct fault why = { 0 };
	char path[PATH_MAX];
	struct stat st;

	if (path_of(w, file, path, f) < 0)
		return -1;
	if (lstat(path, &st) < 0)
		return 0;
	if (w->how->only_new)
		return fault_set(f, FAULT_DENIED, "%s is there already", path);
	if (file_read(path, &there, &why) < 0 ||
	    root_files_follows(w->r, file, &there, &why) == 0 ||
	    why.code != FAULT_DENIED)
		return 0;
	if (w->how->only_newer)
		return fault_set(f, FAULT_DENIED,
		    "%s is newer than the CRL to be installed", path);
	file->good = false;
	w->good--;
	if (w->how->note != NULL)
		w->how->note(w->how->arg, file->name, &why);
	return 0;
}

static int
look_at_all(struct installing *w, struct fault *f)
{
	for (size_t i = 0; i < w->r->count; i++)
		if (w->r->file[i].good && look_at(w, &w->r->file[i], f) < 0)
			return -1;
	return 0;
}

/* A CA whose CRL is here needs no word that it may have none. */
static void
end_stopgap(struct house *h, const struct root_file *file, const char *by)
{
	char name[ROOT_NAME_SIZE];

	if (by == NULL || !root_file_is_crl(file))
		return;
	(void)snprintf(name, sizeof(name), "%.8s.crl_optional", file->name);
	house_adopt(h, name, by);
}

/* What is left out leaves what was there of that name. */
static int
furnish(struct house *h, const struct root_files *r, const char *stopgap,
    struct fault *f)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct root_file *file = &r->file[i];
		struct wire_bytes body = { file->body.data, file->body.len };

		if (file->good) {
			end_stopgap(h, file, stopgap);
			if (house_put(h, file->name, body, f) < 0)
				return -1;
			continue;
		}
		if (house_keep(h, file->name, f) < 0 && f->code != FAULT_ABSENT)
			return -1;
	}
	return 0;
}

static int
install_house(struct installing *w, const char *by, struct fault *f)
{
	const struct house_options options = { .by = by,
		.file_mode = FILE_MODE,
		.keep = KEEP,
		.wait_ms = WAIT_MS };
	OWN_STRUCT(house) h = house_open(w->dir, &options, f);
	bool changed;

	if (h == NULL || look_at_all(w, f) < 0 ||
	    furnish(h, w->r, w->how->stopgap, f) < 0)
		return -1;
	return house_commit(h, &changed, f);
}

static int
install_each(struct installing *w, struct fault *f)
{
	char path[PATH_MAX];

	if (file_mkdir(w->dir, DIR_MODE, f) < 0 || look_at_all(w, f) < 0)
		return -1;
	for (size_t i = 0; i < w->r->count; i++) {
		const struct root_file *file = &w->r->file[i];

		if (file->good &&
		    (path_of(w, file, path, f) < 0 ||
			file_write(path, FILE_MODE, file->body.data,
			    file->body.len, f) < 0))
			return -1;
	}
	return 0;
}

/* Whether a house can stand there: what is above ${dir} is ours to write. */
static bool
can_be_exchanged(const char *dir)
{
	OWN(char) real = realpath(dir, NULL);
	struct stat here, above;
	char *slash;

	if (real == NULL)
		return true;
	if (stat(real, &here) < 0 || (slash = strrchr(real, '/')) == NULL)
		return false;
	slash[slash == real ? 1 : 0] = '\0';
	return stat(real, &above) == 0 && here.st_dev == above.st_dev &&
	    access(real, W_OK | X_OK) == 0;
}

int
root_files_install(struct root_files *r, const char *dir,
    const struct root_install *how, size_t *installed, struct fault *f)
{
	struct installing w = { r, dir, how, 0 };
	char by[BY_SIZE];
	int result;

	for (size_t i = 0; i < r->count; i++)
		w.good += r->file[i].good;
	*installed = 0;
	if (w.good == 0)
		return 0;
	(void)snprintf(by, sizeof(by), "%s", how->by);
	if (can_be_exchanged(dir)) {
		result = install_house(&w, by, f);
		if (result < 0 && f->code == FAULT_UNSUPPORTED)
			result = install_each(&w, f);
	} else {
		result = install_each(&w, f);
	}
	if (result < 0)
		return -1;
	*installed = w.good;
	return 0;
}
