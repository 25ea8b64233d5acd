/* queue, and revoke-cert: revocations that signetd carries out. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "ca_book.h"
#include "ledger/queue_note.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_reason.h"
#include "signet-ca/base/ca_serials.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

OWN_FREE_STRUCT(queue_note, free)

/* The queue is beside the ledger, whose directory signetd made. */
static int
queue_path(const struct ca_args *args, char path[PATH_MAX], struct fault *f)
{
	const char *ledger = ca_book_path(args);
	const char *slash = strrchr(ledger, '/');
	int result;

	if (slash == NULL)
		result = text_copy(path, PATH_MAX, QUEUE_NOTE_DIR);
	else
		result = text_fmt(path, PATH_MAX, "%.*s/" QUEUE_NOTE_DIR,
		    (int)(slash - ledger), ledger);
	return result < 0 ? fault_set(f, FAULT_USAGE, "path too long") : 0;
}

static int
check_queue(const char *path, struct fault *f)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (errno == EACCES)
		return fault_set(f, FAULT_DENIED,
		    "%s: only signetd's keeper, root, and whom they let in may "
		    "queue",
		    path);
	return fault_set(f, FAULT_ABSENT,
	    "%s: there is no queue; signetd makes it beside its ledger "
	    "(--ledger)",
	    path);
}

/* What the keeper would not look into: whoever may write there may revoke. */
static int
check_may_put(const char *path, struct fault *f)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (S_ISLNK(st.st_mode))
		return fault_set(f, FAULT_DENIED,
		    "%s is a symbolic link: signetd's keeper takes nothing "
		    "from it",
		    path);
	if ((st.st_mode & S_IWOTH) != 0)
		return fault_set(f, FAULT_DENIED,
		    "everybody may write into %s, so signetd's keeper takes "
		    "nothing from it; run: chmod o-w %s",
		    path, path);
	return 0;
}

static int
fill_note(const struct ca_args *args, struct queue_note *note, struct fault *f)
{
	OWN_SERIALS(serials);

	if (ca_reason_read(args->reason, &note->reason, f) < 0)
		return -1;
	if (args->ca != NULL &&
	    text_copy(note->ca, sizeof(note->ca), args->ca) < 0)
		return fault_set(f, FAULT_USAGE, "--ca: no name of a CA");
	for (size_t i = 0; i < args->count; i++)
		if (ca_serials_add(&serials, args->operand[i], f) < 0)
			return -1;
	ca_serials_sort(&serials);
	if (serials.count > QUEUE_NOTE_SERIALS)
		return fault_set(f, FAULT_USAGE, "at most %d serials at once",
		    QUEUE_NOTE_SERIALS);
	for (size_t i = 0; i < serials.count; i++)
		memcpy(note->serial[i], serials.item[i].data,
		    QUEUE_NOTE_SERIAL);
	note->count = serials.count;
	return 0;
}

static int
place(char path[PATH_MAX], const char *queue, const char *dot, time_t now,
    const char *ref, const char *suffix, struct fault *f)
{
	if (text_fmt(path, PATH_MAX, "%s/%s%012lld.%s%s", queue, dot,
		(long long)now, ref, suffix) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* Under a name with a dot, which signetd leaves alone, until all of it is on
 * the disk.  The directory guards it; in it, signetd's keeper must read it. */
static int
put_note(const char *queue, const struct buf *file, char path[PATH_MAX],
    struct fault *f)
{
	char hidden[PATH_MAX], ref[RAND_REF_SIZE];
	time_t now = clock_wall();

	rand_ref(ref);
	if (place(hidden, queue, ".", now, ref, "", f) < 0 ||
	    place(path, queue, "", now, ref, QUEUE_NOTE_SUFFIX, f) < 0 ||
	    file_write_new(hidden, 0644, file->data, file->len, f) < 0)
		return -1;
	if (renameat2(AT_FDCWD, hidden, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
		(void)unlink(hidden);
		return -1;
	}
	return file_sync_directory(path, f);
}

static int
print_put(const struct ca_args *args, const struct queue_note *note,
    const char *path, struct fault *f)
{
	json_t *out;
	int result;

	if (!args->json) {
		printf("queued %zu; signetd revokes within a minute, or at a "
		       "SIGUSR1\n",
		    note->count);
		return 0;
	}
	out = json_pack("{s:I, s:s}", "queued", (json_int_t)note->count, "file",
	    path);
	result = out == NULL ? -1 : json_dumpf(out, stdout, JSON_COMPACT);
	json_decref(out);
	putchar('\n');
	return result < 0 ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

static int
put(const struct ca_args *args, const char *queue, struct fault *f)
{
	OWN_STRUCT(queue_note) note = calloc(1, sizeof(*note));
	OWN_BUF(file, QUEUE_NOTE_MAX);
	char path[PATH_MAX];

	if (note == NULL)
		return fault_set(f, FAULT_MEMORY, "queue");
	if (fill_note(args, note, f) < 0 ||
	    queue_note_write(note, &file, f) < 0 ||
	    put_note(queue, &file, path, f) < 0)
		return -1;
	return print_put(args, note, path, f);
}

/* One that waits, or was refused. */
static int
show(const char *dir, const char *name, json_t *out)
{
	OWN_STRUCT(queue_note) note = calloc(1, sizeof(*note));
	OWN_BUF(text, QUEUE_NOTE_MAX);
	OWN_BUF(room, 4 * NAME_MAX + 1);
	struct fault f = { 0 };
	char path[PATH_MAX], hex[2 * QUEUE_NOTE_SERIAL + 1];
	struct stat st;
	const struct passwd *pw;
	json_t *serials = json_array(), *item;

	if (note == NULL || serials == NULL ||
	    text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0 ||
	    lstat(path, &st) < 0) {
		json_decref(serials);
		return -1;
	}
	pw = getpwuid(st.st_uid);
	/* It may be a pipe, or lead anywhere. */
	if (!S_ISREG(st.st_mode))
		(void)fault_set(&f, FAULT_INPUT, "not a regular file");
	else if (file_read(path, &text, &f) == 0 &&
	    queue_note_read(note, (struct wire_bytes){ text.data, text.len },
		&f) == 0)
		for (size_t i = 0; i < note->count; i++) {
			queue_note_hex(note->serial[i], hex);
			(void)json_array_append_new(serials, json_string(hex));
		}
	text_clean(f.text);
	item = json_pack("{s:s, s:s, s:b, s:s, s:s, s:o, s:s}", "file",
	    ca_book_safe(name, &room), "who",
	    pw == NULL ? "unknown" : pw->pw_name, "refused",
	    text_starts(name, QUEUE_NOTE_REFUSED), "ca", note->ca, "reason",
	    ca_book_reason(note->reason), "serials", serials, "fault", f.text);
	return json_array_append_new(out, item);
}

static int
gather(const char *dir, json_t *out, struct fault *f)
{
	struct dirent **names = NULL;
	int count = scandir(dir, &names, NULL, alphasort);

	if (count < 0)
		return fault_set(f,
		    errno == EACCES ? FAULT_DENIED : FAULT_SYSTEM, "%s: %s",
		    dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		/* One with a dot is being written. */
		if (names[i]->d_name[0] != '.')
			(void)show(dir, names[i]->d_name, out);
		free(names[i]);
	}
	free(names);
	return 0;
}

static void
print_item(const json_t *item)
{
	const json_t *serials = json_object_get(item, "serials"), *serial;
	const char *fault = json_string_value(json_object_get(item, "fault"));
	const char *ca = json_string_value(json_object_get(item, "ca"));
	size_t i;

	printf("%-8s %s  %s  %s%s%s",
	    json_is_true(json_object_get(item, "refused")) ? "refused"
							   : "waits",
	    json_string_value(json_object_get(item, "file")),
	    json_string_value(json_object_get(item, "who")),
	    json_string_value(json_object_get(item, "reason")),
	    *ca == '\0' ? "" : " ", ca);
	if (*fault != '\0')
		printf("  %s", fault);
	json_array_foreach(serials, i, serial)
	{
		printf(" %s", json_string_value(serial));
	}
	putchar('\n');
}

static int
list(const struct ca_args *args, const char *queue, struct fault *f)
{
	json_t *out = json_array();
	const json_t *item;
	size_t i;
	int result;

	if (out == NULL)
		return fault_set(f, FAULT_MEMORY, "queue");
	result = gather(queue, out, f);
	if (result == 0 && args->json) {
		(void)json_dumpf(out, stdout, JSON_INDENT(1));
		putchar('\n');
	} else if (result == 0) {
		json_array_foreach(out, i, item) print_item(item);
	}
	json_decref(out);
	return result;
}

int
ca_queue(const struct ca_args *args, struct fault *f)
{
	char queue[PATH_MAX];

	if (args->list ? args->count > 0 : args->count == 0)
		return fault_set(f, FAULT_USAGE,
		    "which? Name serials in hexadecimal, or --list alone");
	if (queue_path(args, queue, f) < 0 || check_queue(queue, f) < 0)
		return -1;
	if (args->list)
		return list(args, queue, f);
	return check_may_put(queue, f) < 0 ? -1 : put(args, queue, f);
}
