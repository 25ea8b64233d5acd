/*
 * map_look_bench: what a look-up in a large map costs, as one JSON object.
 *
 *   map_look_bench make PATH N    write the text of N names, and its index
 *   map_look_bench delta PATH N   a delta of N changes beside it
 *   map_look_bench warm PATH N    look-ups by one who keeps the index open
 *   map_look_bench cold PATH N    by one who opens it for each; N: names
 *   map_look_bench text PATH N    of the last line of the text, by our reader
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/file_part.h"
#include "base/text.h"
#include "map/map_index.h"
#include "map/map_name.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT ((size_t)1 << 32)
#define WARM 400000
#define COLD 2000
#define UNCACHED 200
#define PIECE ((size_t)1 << 20)

static void
die(const char *what)
{
	fprintf(stderr, "map_look_bench: %s\n", what);
	exit(1);
}

static double
seconds_of(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct watch {
	double wall;
	double cpu;
};

static struct watch
watch_start(void)
{
	return (struct watch){ seconds_of(CLOCK_MONOTONIC),
		seconds_of(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct watch
watch_stop(struct watch began)
{
	struct watch now = watch_start();

	return (struct watch){ now.wall - began.wall, now.cpu - began.cpu };
}

/* What the process had at most.  (getrusage would tell what its parent had.) */
static double
peak_mb(void)
{
	OWN_BUF(status, 1 << 16);
	struct fault f = { 0 };
	const char *at = NULL;

	if (file_read("/proc/self/status", &status, &f) < 0 ||
	    (at = strstr(buf_cstr(&status), "VmHWM:")) == NULL)
		die("memory");
	return strtod(at + strlen("VmHWM:"), NULL) / 1024;
}

static void
name_of(size_t n, char name[128], struct map_accounts *accounts)
{
	char account[64];

	if (text_fmt(name, 128,
		"/DC=org/DC=ligo/O=LIGO/OU=People/CN=albert.einstein%zu@"
		"LIGO.ORG",
		n) < 0 ||
	    text_fmt(account, sizeof(account), "albert.einstein%zu", n) < 0)
		die("a name");
	if (accounts == NULL)
		return;
	map_accounts_clear(accounts);
	map_accounts_put(accounts, account, strlen(account));
}

static void
put_piece(struct file_part *out, struct buf *text)
{
	struct fault f = { 0 };

	if (file_part_put(out, (struct wire_bytes){ text->data, text->len },
		&f) < 0)
		die(f.text);
	text->len = 0;
}

static void
make_text(const char *path, size_t count)
{
	OWN_MAP_ACCOUNTS(accounts);
	OWN_BUF(text, 2 * PIECE);
	struct file_part out;
	struct fault f = { 0 };
	char name[128];

	if (file_part_open(&out, path, 0644, &f) < 0)
		die(f.text);
	for (size_t i = 0; i < count; i++) {
		name_of(i, name, &accounts);
		if (mapfile_put(&text, name, &accounts, MAP_READER_ALL, &f) < 0)
			die(f.text);
		if (text.len > PIECE)
			put_piece(&out, &text);
	}
	put_piece(&out, &text);
	if (file_part_end(&out, true, NULL, &f) < 0)
		die(f.text);
}

static void
make_index(const char *path, size_t count)
{
	OWN_MAP_ACCOUNTS(accounts);
	const struct map_index_head head = { .seq = 1 };
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);
	char name[128];

	if (b == NULL)
		die(f.text);
	for (size_t i = 0; i < count; i++) {
		name_of(i, name, &accounts);
		if (map_build_add(b, name, &accounts, &f) != 1)
			die(f.text);
	}
	if (map_build_write(b, path, &head, &f) < 0)
		die(f.text);
}

static double
megabytes(const char *path, const char *suffix)
{
	char file[4096];
	struct stat st;

	if (text_fmt(file, sizeof(file), "%s%s", path, suffix) < 0 ||
	    stat(file, &st) < 0)
		die("a file that is not there");
	return (double)st.st_size / 1e6;
}

static void
do_make(const char *path, size_t count)
{
	struct watch text, index;

	text = watch_start();
	make_text(path, count);
	text = watch_stop(text);
	index = watch_start();
	make_index(path, count);
	index = watch_stop(index);
	printf("{\"text_s\": %.3f, \"text_cpu\": %.3f, \"text_mb\": %.1f, "
	       "\"index_s\": %.3f, \"index_cpu\": %.3f, \"index_mb\": %.1f, "
	       "\"peak_mb\": %.1f}\n",
	    text.wall, text.cpu, megabytes(path, ""), index.wall, index.cpu,
	    megabytes(path, MAP_INDEX_SUFFIX), peak_mb());
}

static void
do_delta(const char *path, size_t count)
{
	OWN_MAP_ACCOUNTS(accounts);
	const struct map_index_head head = { .seq = 1, .base = 1 };
	struct watch took = watch_start();
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);
	char name[128];

	for (size_t i = 0; b != NULL && i < count; i++) {
		name_of(i * 7, name, &accounts);
		if ((i % 2 == 0 ? map_build_add(b, name, &accounts, &f)
				: map_build_remove(b, name, &f)) != 1)
			die(f.text);
	}
	if (b == NULL || map_delta_write(b, path, &head, &f) < 0)
		die(f.text);
	took = watch_stop(took);
	printf("{\"s\": %.6f, \"cpu\": %.6f}\n", took.wall, took.cpu);
}

static int
by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* A look-up as a service does it that keeps the index open. */
static void
look(struct map_index *ix, const char *name, struct map_accounts *accounts)
{
	struct fault f = { 0 };

	if (map_index_fresh(ix, &f) < 0 ||
	    map_index_find(ix, name, strlen(name), accounts, &f) < 0)
		die(f.text);
}

#define NAMES 65536

static char *
some_names(size_t count)
{
	char *names = malloc((size_t)NAMES * 128);
	uint64_t n = 12345;

	if (names == NULL)
		die("memory");
	for (size_t i = 0; i < NAMES; i++) {
		n = n * 6364136223846793005 + 1442695040888963407;
		name_of((n >> 20) % count, names + i * 128, NULL);
	}
	return names;
}

static void
do_warm(const char *path, size_t count)
{
	OWN_MAP_ACCOUNTS(accounts);
	struct fault f = { 0 };
	OWN_STRUCT(map_index) ix = map_index_open(path, &f);
	double *each = calloc(WARM, sizeof(*each));
	OWN(char) names = some_names(count);
	struct watch took;

	if (ix == NULL || each == NULL)
		die(f.text);
	for (size_t i = 0; i < NAMES; i++)
		look(ix, names + i * 128, &accounts);
	took = watch_start();
	for (size_t i = 0; i < WARM; i++)
		look(ix, names + i % NAMES * 128, &accounts);
	took = watch_stop(took);
	for (size_t i = 0; i < WARM; i++) {
		double began = seconds_of(CLOCK_MONOTONIC);

		look(ix, names + i % NAMES * 128, &accounts);
		each[i] = seconds_of(CLOCK_MONOTONIC) - began;
	}
	qsort(each, WARM, sizeof(*each), by_size);
	printf("{\"us\": %.3f, \"cpu_us\": %.3f, \"p50_us\": %.3f, "
	       "\"p99_us\": %.3f}\n",
	    took.wall / WARM * 1e6, took.cpu / WARM * 1e6, each[WARM / 2] * 1e6,
	    each[WARM / 100 * 99] * 1e6);
	free(each);
}

/* Forget what is held of the index, as after a start of the machine. */
static void
forget(const char *path)
{
	char file[4096];
	int fd = -1;

	if (text_fmt(file, sizeof(file), "%s" MAP_INDEX_SUFFIX, path) < 0 ||
	    (fd = open(file, O_RDONLY)) < 0)
		die("the index");
	(void)fsync(fd);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)close(fd);
}

static double
first_look(const char *path, size_t n)
{
	OWN_MAP_ACCOUNTS(accounts);
	double began = seconds_of(CLOCK_MONOTONIC);
	struct fault f = { 0 };
	char name[128];

	name_of(n, name, NULL);
	OWN_STRUCT(map_index) ix = map_index_open(path, &f);
	if (ix == NULL)
		die(f.text);
	look(ix, name, &accounts);
	return seconds_of(CLOCK_MONOTONIC) - began;
}

static void
do_cold(const char *path, size_t count)
{
	double each[COLD], uncached[UNCACHED];

	for (size_t i = 0; i < COLD; i++)
		each[i] = first_look(path, i * 7919 % count);
	for (size_t i = 0; i < UNCACHED; i++) {
		forget(path);
		uncached[i] = first_look(path, i * 7919 % count);
	}
	qsort(each, COLD, sizeof(each[0]), by_size);
	qsort(uncached, UNCACHED, sizeof(uncached[0]), by_size);
	printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"disk_p50_us\": %.1f, "
	       "\"disk_p99_us\": %.1f, \"peak_mb\": %.1f}\n",
	    each[COLD / 2] * 1e6, each[COLD / 100 * 99] * 1e6,
	    uncached[UNCACHED / 2] * 1e6, uncached[UNCACHED / 100 * 99] * 1e6,
	    peak_mb());
}

static void
do_text(const char *path, size_t count)
{
	OWN_MAP_ACCOUNTS(accounts);
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) m = mapfile_open(path, &f);
	struct watch took = watch_start();
	char name[128];

	name_of(count - 1, name, NULL);
	if (m == NULL ||
	    mapfile_find(m, MAPFILE_OURS, name, &accounts, &f) != 1)
		die("the text");
	took = watch_stop(took);
	printf("{\"s\": %.4f, \"cpu\": %.4f, \"peak_mb\": %.1f}\n", took.wall,
	    took.cpu, peak_mb());
}

static const struct way {
	const char *name;
	void (*go)(const char *path, size_t count);
} ways[] = {
	{ "make", do_make },
	{ "delta", do_delta },
	{ "warm", do_warm },
	{ "cold", do_cold },
	{ "text", do_text },
};

int
main(int argc, char **argv)
{
	int64_t count;

	if (argc != 4 || text_number(argv[3], 1, 100000000, &count) < 0)
		die("make|delta|warm|cold|text PATH N");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) == 0) {
			ways[i].go(argv[2], (size_t)count);
			return 0;
		}
	}
	die("no such way");
}
