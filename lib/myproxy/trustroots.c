#include "myproxy/trustroots.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (8u << 20) /* 8 MiB: the largest CRLs come near */

/* Append the file's contents if they are for everybody: 1, else 0.  Empty
 * ones are left out: the stock client gives up at a write of nothing. */
static int
file_take(int dir, const char *name, struct buf *data)
{
	struct fault ignored;
	struct stat st;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int taken = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH) != 0 && st.st_size <= (off_t)FILE_MAX &&
	    file_read_fd(fd, name, data, &ignored) == 0 && !data->failed &&
	    data->len > 0 &&
	    memmem(data->data, data->len, "PRIVATE KEY", 11) == NULL)
		taken = 1;
	(void)close(fd);
	return taken;
}

static void
file_put(const char *name, const struct buf *data, struct buf *list,
    struct buf *lines)
{
	size_t size = TEXT_BASE64_SIZE(data->len);
	uint8_t *room;

	buf_fmt(list, "%s%s", list->len > 0 ? "," : "", name);
	buf_fmt(lines, "FILEDATA_%s=", name);
	if ((room = buf_room(lines, size)) == NULL)
		return;
	text_base64(data->data, data->len, (char *)room);
	lines->len += size - 1; /* without its NUL */
	buf_text(lines, "\n");
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* All that may be handed out, from one and the same directory ${fd}. */
static int
take_all(int fd, struct root_files *roots, struct fault *f)
{
	struct dirent **names = NULL;
	int count = scandirat(fd, ".", &names, NULL, by_name);
	size_t bytes = 0;
	int result = 0;

	if (count < 0)
		return fault_set(f, FAULT_CONFIG, "%s", strerror(errno));
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		struct buf data = BUF(FILE_MAX);

		if (result == 0 && root_name_good(name, strlen(name)) &&
		    file_take(fd, name, &data) == 1) {
			bytes += data.len;
			result = bytes > TRUSTROOTS_MAX
			    ? fault_set(f, FAULT_CONFIG,
				  "more than can be handed out")
			    : root_files_add(roots, name, &data, f);
		}
		buf_free(&data);
		free(names[i]);
	}
	free(names);
	return result;
}

/* A directory holds other files too, of which nobody need hear. */
struct telling {
	root_note_fn *note;
	void *arg;
};

static void
tell(void *arg, const char *name, const struct fault *why)
{
	const struct telling *t = arg;

	if (t->note != NULL && root_name_known(name))
		t->note(t->arg, name, why);
}

static int
put_all(const struct root_files *roots, struct buf *out, size_t *files,
    struct fault *f)
{
	OWN_BUF(list, TRUSTROOTS_MAX);
	OWN_BUF(lines, TRUSTROOTS_MAX);

	*files = 0;
	for (size_t i = 0; i < roots->count; i++) {
		if (!roots->file[i].good)
			continue;
		file_put(roots->file[i].name, &roots->file[i].body, &list,
		    &lines);
		++*files;
	}
	if (*files > 0) {
		buf_text(out, "TRUSTED_CERTS=");
		buf_put(out, list.data, list.len);
		buf_text(out, "\n");
		buf_put(out, lines.data, lines.len);
	}
	if (list.failed || lines.failed || out->failed)
		return fault_set(f, FAULT_CONFIG,
		    "more than can be handed out");
	return 0;
}

int
trustroots_write(const char *dir, struct buf *out, size_t *files,
    root_note_fn *note, void *arg, struct fault *f)
{
	struct telling telling = { note, arg };
	struct root_files roots = { 0, NULL };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s", dir,
		    strerror(errno));
	result = take_all(fd, &roots, f);
	(void)close(fd);
	if (result == 0)
		result = root_files_judge(&roots, tell, &telling, f);
	if (result == 0)
		result = put_all(&roots, out, files, f);
	root_files_clear(&roots);
	return result < 0 ? fault_wrap(f, "%s", dir) : 0;
}

int
trustroots_next(const char *lines, size_t len, size_t *at,
    char name[TRUSTROOTS_NAME_SIZE], struct wire_bytes *base64, struct fault *f)
{
	static const char prefix[] = "FILEDATA_";
	const size_t prefix_len = sizeof(prefix) - 1;

	while (*at < len) {
		const char *line = lines + *at;
		const char *end = memchr(line, '\n', len - *at);
		size_t line_len =
		    end != NULL ? (size_t)(end - line) : len - *at;
		const char *equals;

		*at += line_len + (end != NULL);
		if (line_len < prefix_len ||
		    memcmp(line, prefix, prefix_len) != 0)
			continue;
		line += prefix_len;
		line_len -= prefix_len;
		equals = memchr(line, '=', line_len);
		if (equals == NULL ||
		    !root_name_good(line, (size_t)(equals - line)))
			return fault_set(f, FAULT_INPUT,
			    "a trust root has an unsafe file name");
		memcpy(name, line, (size_t)(equals - line));
		name[equals - line] = '\0';
		base64->data = (const uint8_t *)equals + 1;
		base64->len = line_len - (size_t)(equals - line) - 1;
		return 1;
	}
	return 0;
}

static int
decode(const char *name, struct wire_bytes base64, struct buf *data,
    struct fault *f)
{
	size_t size = base64.len / 4 * 3;
	uint8_t *room = size <= FILE_MAX ? buf_room(data, size) : NULL;
	int got;

	if (room == NULL)
		return fault_set(f, FAULT_INPUT, "%s: too long", name);
	got = text_unbase64((const char *)base64.data, base64.len, room, size);
	if (got < 0)
		return fault_set(f, FAULT_INPUT, "%s: broken base64", name);
	data->len += (size_t)got;
	return 0;
}

/* All of the reply, or nothing of it. */
static int
read_all(const char *lines, size_t len, struct root_files *roots,
    struct fault *f)
{
	char name[TRUSTROOTS_NAME_SIZE];
	struct wire_bytes base64;
	size_t at = 0;
	int found;

	while ((found = trustroots_next(lines, len, &at, name, &base64, f)) >
	    0) {
		OWN_BUF(data, FILE_MAX);

		if (decode(name, base64, &data, f) < 0 ||
		    root_files_add(roots, name, &data, f) < 0)
			return -1;
	}
	return found;
}

int
trustroots_install(const char *lines, size_t len, const char *dir,
    const struct root_install *how, size_t *files, struct fault *f)
{
	struct root_files roots = { 0, NULL };
	int result = read_all(lines, len, &roots, f);

	if (result == 0)
		result = root_files_judge(&roots, how->note, how->arg, f);
	if (result == 0)
		result = root_files_install(&roots, dir, how, files, f);
	root_files_clear(&roots);
	return result;
}
