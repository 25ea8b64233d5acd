/*
 * Scripts of what hostile clients do in the request directory, two octets a
 * step, between what the intake does.  Whatever that is: no step waits, nothing
 * beside the directory is touched, and what was taken and seen is not taken
 * again.
 */
#include "base/buf.h"
#include "base/fault.h"
#include "base/unit.h"
#include "callout/drop.h"
#include "callout/drop_part.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 24
#define SCRIPTS 300
#define HELD_MAX 8
#define NAMES 16
#define NOW ((time_t)2000000000)

struct play {
	char beside[64]; /* its parent, with a file that is nobody's business */
	struct drop drop;
	struct drop_taken taken;
	int held[HELD_MAX];
	size_t holds;
	struct drop_file seen[STEPS_MAX];
	size_t count;
};

static const char *
name_of(unsigned n)
{
	static const char *const names[NAMES] = { "request",
		"q.000000000000000000000000", "q.000000000000000000000001",
		"t.000000000000000000000000", "t.000000000000000000000001",
		"a.000000000000000000000000", "a.000000000000000000000001",
		"n.000000000000000000000000", "x.000000000000000000000000",
		"x.000000000000000000000001", "intake", "q.short", "../outside",
		".", "odd", "q.00000000000000000000000g" };

	return names[n % NAMES];
}

/* A name that a client can make is none that leads out. */
static const char *
own_name(unsigned n)
{
	const char *name = name_of(n);

	return *name == '.' ? "odd" : name;
}

/* A file whose client lives, as long as there is room for that. */
static void
make_file(struct play *p, const char *name, unsigned len)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(p->drop.dir, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK, 0640);

	if (fd < 0)
		return;
	assert_true(write(fd, "octets of a request", len % 20) >= 0);
	if (p->holds < HELD_MAX && len % 3 > 0) {
		(void)fcntl(fd, F_OFD_SETLK, &lock);
		p->held[p->holds++] = fd;
	} else {
		(void)close(fd);
	}
}

static void
take(struct play *p)
{
	struct fault f = { 0 };

	if (drop_take(&p->drop, &p->taken, &f) != DROP_TAKEN)
		return;
	assert_true(p->taken.len < 20);
	for (size_t i = 0; i < p->count; i++)
		assert_true(p->seen[i].inode != p->taken.file.inode ||
		    p->seen[i].written.tv_sec != p->taken.file.written.tv_sec ||
		    p->seen[i].written.tv_nsec !=
			p->taken.file.written.tv_nsec);
	p->seen[p->count++] = p->taken.file;
	drop_seen(&p->drop, &p->taken);
}

static bool
is_busy(void *arg, const char id[DROP_ID_SIZE])
{
	(void)arg;
	return id[DROP_ID_SIZE - 2] == '1';
}

static void
is_lost(void *arg, const char id[DROP_ID_SIZE])
{
	(void)arg;
	assert_true(strlen(id) == DROP_ID_SIZE - 1);
}

static void
sweep(struct play *p, unsigned most)
{
	const struct drop_keeper keeper = { is_busy, is_lost, NULL };
	struct fault f = { 0 };

	(void)!drop_sweep(&p->drop, &keeper, NOW, most, &f);
}

static void
answer(struct play *p, unsigned which)
{
	OWN_BUF(text, 32);
	struct fault f = { 0 };

	buf_fmt(&text, "an answer");
	(void)!drop_answer(&p->drop,
	    which % 2 == 0 ? "000000000000000000000000"
			   : "000000000000000000000001",
	    &text, &f);
}

static void
act(struct play *p, unsigned what, unsigned a, unsigned b)
{
	const int dir = p->drop.dir;
	const char *one = own_name(a), *two = own_name(b);

	switch (what % 10) {
	case 0:
		make_file(p, one, b);
		break;
	case 1:
		(void)!symlinkat(name_of(b), dir, one);
		break;
	case 2:
		(void)!mkdirat(dir, one, 0770);
		break;
	case 3:
		(void)!mkfifoat(dir, one, 0660);
		break;
	case 4:
		(void)!renameat(dir, one, dir, two);
		break;
	case 5:
		(void)!linkat(dir, one, dir, two, 0);
		break;
	case 6:
		(void)!unlinkat(dir, one, 0);
		break;
	case 7:
		answer(p, a);
		break;
	case 8:
		sweep(p, b);
		break;
	default:
		take(p);
		break;
	}
}

/* All that is in ${dir}, and in what is in it. */
static void
clear(int dir)
{
	DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;

	assert_true(list != NULL);
	while ((entry = readdir(list)) != NULL) {
		int below;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    unlinkat(dir, entry->d_name, 0) == 0)
			continue;
		below = openat(dir, entry->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (below >= 0) {
			clear(below);
			(void)close(below);
		}
		(void)unlinkat(dir, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(list);
}

static void
begin(struct play *p)
{
	struct fault f = { 0 };
	char path[96];
	int fd;

	(void)snprintf(p->beside, sizeof(p->beside), "/tmp/drop-fuzz.XXXXXX");
	assert_true(mkdtemp(p->beside) != NULL);
	(void)snprintf(path, sizeof(path), "%s/outside", p->beside);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0 && write(fd, "as it was", 9) == 9);
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/in", p->beside);
	assert_true(mkdir(path, 0770) == 0 && chmod(path, 02770) == 0);
	/* As drop_open has it, but a watch: to end one takes long. */
	p->drop.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->drop.watch = p->drop.served = -1;
	assert_true(p->drop.dir >= 0 && drop_claim(&p->drop, &f) == 0);
}

static void
end(struct play *p)
{
	char path[96];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/outside", p->beside);
	assert_true(lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size == 9 && st.st_nlink == 1 &&
	    (st.st_mode & 07777) == 0600);
	assert_true(unlink(path) == 0);
	for (size_t i = 0; i < p->holds; i++)
		(void)close(p->held[i]);
	clear(p->drop.dir);
	drop_close(&p->drop);
	(void)snprintf(path, sizeof(path), "%s/in", p->beside);
	assert_true(rmdir(path) == 0 && rmdir(p->beside) == 0);
}

static void
run(const uint8_t *data, size_t size)
{
	struct play *p = calloc(1, sizeof(*p));

	assert_true(p != NULL);
	begin(p);
	for (size_t i = 0; i + 1 < size && i / 2 < STEPS_MAX; i += 2)
		act(p, data[i], data[i + 1] & 15u, data[i + 1] >> 4);
	end(p);
	free(p);
}

/* From what the intake serves to what it must not. */
static void
what_clients_may_do_by_design(void **state)
{
	static const uint8_t served[] = { 0, 0x41, 1, 0x10, 9, 0, 7, 0, 6, 5, 8,
		0xf0 };
	static const uint8_t again[] = { 0, 0x41, 1, 0x10, 9, 0, 4, 0x13, 1,
		0x10, 9, 0, 8, 0xf0 };
	static const uint8_t out[] = { 1, 0xc0, 9, 0, 1, 0xc1, 1, 0x10, 9, 0, 5,
		0x21, 8, 0xf0 };
	static const uint8_t waits[] = { 3, 1, 1, 0x10, 9, 0, 2, 5, 7, 0, 8,
		0xf0 };

	(void)state;
	run(served, sizeof(served));
	run(again, sizeof(again));
	run(out, sizeof(out));
	run(waits, sizeof(waits));
}

/* The same scripts each time (Knuth's MMIX). */
static void
what_clients_may_do_by_chance(void **state)
{
	uint64_t chance = 4;

	(void)state;
	for (int i = 0; i < SCRIPTS; i++) {
		uint8_t script[2 * STEPS_MAX];

		for (size_t k = 0; k < sizeof(script); k++) {
			chance = chance * 6364136223846793005u +
			    1442695040888963407u;
			script[k] = (uint8_t)(chance >> 40);
		}
		/* A request that is announced, for the rest to spoil. */
		memcpy(script, (const uint8_t[]){ 0, 0x41, 1, 0x10 }, 4);
		run(script, sizeof(script));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_may_do_by_design),
		cmocka_unit_test(what_clients_may_do_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
