#include "anchor/house.h"

#include "anchor/house_probe.h"

#include <sys/resource.h>

#include <signal.h>

static void
a_directory_is_made_with_files_and_links(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	assert_true(settle(&p, "a.0=one a.r0=two b.0>a.0"));
	assert_string_equal(p.notes, "added a.0, added a.r0, added b.0");
	reads(&p, "a.0", "one");
	reads(&p, "b.0", "one");
	assert_int_equal(look_at(&p, "a.0").st_mode & 07777, 0644);
	assert_int_equal(look_at(&p, ".").st_mode & 07777, 0755);
	assert_true(S_ISLNK(look_at(&p, "b.0").st_mode));
	assert_false(S_ISLNK(look_at(&p, "").st_mode));
	place_drop(&p);
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
	    memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	    memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

/* What lib/trust looks at to learn whether it must load anew. */
static void
an_unchanged_run_touches_nothing(void **state)
{
	struct stat dir, file, now;
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one b.0>a.0");
	dir = look_at(&p, ".");
	file = look_at(&p, "a.0");
	assert_false(settle(&p, "a.0=one b.0>a.0"));
	assert_string_equal(p.notes, "");
	assert_false(settle(&p, "a.0 b.0"));
	now = look_at(&p, ".");
	assert_true(same(&dir, &now));
	now = look_at(&p, "a.0");
	assert_true(same(&file, &now));
	place_drop(&p);
}

static void
only_what_changed_is_written_and_readers_see_one_state(void **state)
{
	struct stat file, now;
	struct place p;
	char found[8];
	int dir, fd;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one a.r0=old z.0=gone");
	file = look_at(&p, "a.0");
	dir = open(p.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(settle(&p, "a.0=one a.r0=new b.0=two"));
	assert_string_equal(p.notes, "changed a.r0, added b.0, removed z.0");
	now = look_at(&p, "a.0");
	assert_int_equal(now.st_ino, file.st_ino);
	assert_memory_equal(&now.st_mtim, &file.st_mtim, sizeof(now.st_mtim));
	reads(&p, "a.r0", "new");
	assert_false(is_there(&p, "z.0"));
	/* Who was in the old one still is. */
	fd = openat(dir, "a.r0", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, found, 3), 3);
	assert_memory_equal(found, "old", 3);
	assert_int_equal(faccessat(dir, "z.0", F_OK, 0), 0);
	(void)close(fd);
	(void)close(dir);
	place_drop(&p);
}

static void
what_is_not_ours_is_carried_over(void **state)
{
	char path[PATH_MAX];
	struct place p;

	(void)state;
	place_init(&p);
	assert_int_equal(mkdir(p.dir, 0750), 0);
	scribble(&p, "theirs", "kept");
	assert_int_equal(chmod(path_in(&p, "theirs", path), 0600), 0);
	assert_int_equal(mkdir(path_in(&p, "sub", path), 0711), 0);
	scribble(&p, "sub/deep", "kept too");
	assert_int_equal(symlink("nowhere", path_in(&p, "link", path)), 0);
	assert_true(settle(&p, "a.0=one"));
	assert_string_equal(p.notes,
	    "added a.0, foreign link, foreign sub, foreign theirs");
	assert_true(settle(&p, "a.0=two"));
	reads(&p, "theirs", "kept");
	assert_int_equal(look_at(&p, "theirs").st_mode & 07777, 0600);
	assert_int_equal(look_at(&p, "sub").st_mode & 07777, 0711);
	reads(&p, "sub/deep", "kept too");
	assert_true(S_ISLNK(look_at(&p, "link").st_mode));
	assert_int_equal(look_at(&p, ".").st_mode & 07777, 0750);
	/* More of theirs is no change of ours. */
	scribble(&p, "theirs-too", "x");
	assert_false(settle(&p, "a.0=two"));
	assert_true(is_there(&p, "theirs-too"));
	place_drop(&p);
}

static void
what_somebody_changed_is_repaired(void **state)
{
	char path[PATH_MAX];
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one b.0=two c.0=three d.0>a.0");
	scratch(&p, "a.0");
	scribble(&p, "a.0", "ONE");
	scratch(&p, "b.0");
	assert_int_equal(chmod(path_in(&p, "c.0", path), 0666), 0);
	scratch(&p, "d.0");
	scribble(&p, "d.0", "no link");
	assert_true(settle(&p, "a.0=one b.0=two c.0=three d.0>a.0"));
	assert_string_equal(p.notes,
	    "repaired a.0, repaired b.0, mode-repaired c.0, repaired d.0");
	reads(&p, "a.0", "one");
	reads(&p, "b.0", "two");
	assert_int_equal(look_at(&p, "c.0").st_mode & 07777, 0644);
	assert_true(S_ISLNK(look_at(&p, "d.0").st_mode));
	assert_false(settle(&p, "a.0=one b.0=two c.0=three d.0>a.0"));
	place_drop(&p);
}

static void
what_was_in_the_way_is_taken_over_and_can_be_had_back(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	assert_int_equal(mkdir(p.dir, 0755), 0);
	scribble(&p, "a.0", "one");
	scribble(&p, "b.0", "theirs");
	assert_true(settle(&p, "a.0=one b.0=ours"));
	assert_string_equal(p.notes, "adopted a.0, replaced b.0");
	reads(&p, "b.0", "ours");
	assert_false(settle(&p, "a.0=one b.0=ours"));
	assert_true(go_back(&p, 0));
	reads(&p, "a.0", "one");
	reads(&p, "b.0", "theirs");
	place_drop(&p);
}

static void
what_is_kept_comes_from_where_it_still_is(void **state)
{
	OWN_BUF(text, 100);
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one b.0=1");
	(void)settle(&p, "a.0=one b.0=2");
	assert_false(settle(&p, "a.0 b.0"));
	/* Not written in place, which would alter both: replaced. */
	scratch(&p, "a.0");
	scribble(&p, "a.0", "ONE");
	h = enter(&p);
	assert_int_equal(house_read(h, "a.0", &text, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(house_read(h, "b.0", &text, &f), 0);
	assert_string_equal(buf_cstr(&text), "2");
	house_close(h);
	assert_true(settle(&p, "a.0 b.0"));
	assert_string_equal(p.notes, "repaired a.0");
	reads(&p, "a.0", "one");
	h = enter(&p);
	assert_int_equal(house_keep(h, "c.0", &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	house_close(h);
	place_drop(&p);
}

static void
rollback_is_a_step_of_its_own(void **state)
{
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	h = enter(&p);
	assert_int_equal(house_rollback(h, -1, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	house_close(h);
	(void)settle(&p, "a.0=one z.0=last");
	(void)settle(&p, "a.0=two");
	scribble(&p, "theirs", "since");
	assert_true(go_back(&p, -1));
	assert_string_equal(p.notes, "changed a.0, foreign theirs, added z.0");
	reads(&p, "a.0", "one");
	reads(&p, "z.0", "last");
	reads(&p, "theirs", "since");
	assert_true(go_back(&p, 2));
	reads(&p, "a.0", "two");
	assert_false(is_there(&p, "z.0"));
	h = enter(&p);
	assert_int_equal(house_rollback(h, 77, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	house_close(h);
	place_drop(&p);
}

static void
a_generation_that_was_changed_is_not_gone_back_to(void **state)
{
	struct place p, old;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one");
	(void)settle(&p, "a.0=two");
	old = p;
	(void)snprintf(old.dir, sizeof(old.dir), "%s/.certs.gen/1", p.top);
	scribble(&old, "a.0", "bad");
	h = enter(&p);
	assert_int_equal(house_rollback(h, -1, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	house_close(h);
	reads(&p, "a.0", "two");
	place_drop(&p);
}

struct seen {
	unsigned count;
	unsigned number[16];
};

static void
note_generation(void *arg, const struct house_generation *g)
{
	struct seen *s = arg;

	assert_int_equal(g->current, s->count == 0);
	s->number[s->count++] = g->number;
}

static void
old_generations_are_pruned(void **state)
{
	struct seen seen = { 0 };
	char words[16];
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	p.options.keep = 2;
	assert_int_equal(mkdir(p.dir, 0755), 0);
	for (int i = 0; i < 6; i++) {
		(void)snprintf(words, sizeof(words), "a.0=%d", i);
		assert_true(settle(&p, words));
	}
	h = enter(&p);
	assert_int_equal(house_generations(h, note_generation, &seen, &f), 0);
	house_close(h);
	/* What was there before us stays for ever. */
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.number[0], 6);
	assert_int_equal(seen.number[1], 5);
	assert_int_equal(seen.number[2], 4);
	assert_int_equal(seen.number[3], 0);
	place_drop(&p);
}

static void
a_link_may_be_the_directory(void **state)
{
	char path[PATH_MAX], target[64] = "";
	struct place p;

	(void)state;
	place_init(&p);
	p.options.as_link = true;
	p.options.keep = 1;
	assert_true(settle(&p, "a.0=one"));
	assert_true(settle(&p, "a.0=two"));
	assert_false(settle(&p, "a.0=two"));
	reads(&p, "a.0", "two");
	assert_true(readlink(p.dir, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, ".certs.gen/2");
	assert_true(go_back(&p, -1));
	reads(&p, "a.0", "one");
	assert_int_equal(access(path_in(&p, "../1", path), F_OK), -1);
	place_drop(&p);
	/* Another's link is followed, and stays. */
	place_init(&p);
	(void)snprintf(path, sizeof(path), "%s/real", p.top);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(symlink("real", p.dir), 0);
	assert_true(settle(&p, "a.0=one"));
	reads(&p, "a.0", "one");
	assert_true(readlink(p.dir, target, sizeof(target) - 1) == 4);
	place_drop(&p);
}

static void
one_at_a_time(void **state)
{
	char pid[32];
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	h = enter(&p);
	assert_null(house_open(p.dir, &p.options, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	(void)snprintf(pid, sizeof(pid), "process %d;", (int)getpid());
	assert_non_null(strstr(f.text, pid));
	p.options.wait_ms = 30;
	assert_null(house_open(p.dir, &p.options, &f));
	assert_int_equal(f.code, FAULT_BUSY);
	house_close(h);
	house_close(enter(&p));
	place_drop(&p);
}

static void
to_look_changes_nothing(void **state)
{
	struct house *h, *other;
	struct stat before, now;
	struct place p;
	struct fault f;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one");
	before = look_at(&p, "..");
	h = enter(&p);
	p.options.look = true;
	other = enter(&p);
	furnish(other, "a.0=two b.0=x");
	p.notes[0] = '\0';
	assert_int_equal(house_compare(other, take_note, &p, &f), 0);
	assert_string_equal(p.notes, "changed a.0, added b.0");
	house_close(other);
	house_close(h);
	now = look_at(&p, "..");
	assert_true(same(&before, &now));
	reads(&p, "a.0", "one");
	place_drop(&p);
}

static void
names_are_names_and_wanted_once(void **state)
{
	static const char *const bad[] = { "", ".x", "../x", "a/b", "a b",
		"a\n", "\xc3\xa4" };
	struct wire_bytes one = { (const uint8_t *)"1", 1 };
	struct wire_bytes two = { (const uint8_t *)"2", 1 };
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	place_init(&p);
	h = enter(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(house_put(h, bad[i], one, &f), -1);
		assert_int_equal(house_link(h, bad[i], "a", &f), -1);
		assert_int_equal(house_link(h, "a", bad[i], &f), -1);
	}
	assert_int_equal(house_put(h, "a.0", one, &f), 0);
	assert_int_equal(house_put(h, "a.0", one, &f), 0);
	assert_int_equal(house_put(h, "a.0", two, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(house_link(h, "a.0", "b", &f), -1);
	assert_true(commit(&p, h));
	reads(&p, "a.0", "1");
	place_drop(&p);
}

static void
several_keep_one_directory(void **state)
{
	struct house *h;
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one b.0=two");
	p.options.by = "other";
	p.options.file_mode = 0600;
	assert_true(settle(&p, "c.0=three d.0=four l>c.0"));
	assert_string_equal(p.notes, "added c.0, added d.0, added l");
	reads(&p, "a.0", "one");
	assert_int_equal(look_at(&p, "a.0").st_mode & 07777, 0644);
	/* Each removes and repairs its own. */
	assert_true(settle(&p, "c.0=three"));
	assert_string_equal(p.notes, "removed d.0, removed l");
	scribble(&p, "b.0", "altered");
	assert_false(settle(&p, "c.0=three"));
	assert_string_equal(p.notes, "foreign b.0");
	p.options.by = NULL;
	p.options.file_mode = 0;
	assert_true(settle(&p, "a.0=one b.0=two"));
	assert_string_equal(p.notes, "repaired b.0");
	assert_false(settle(&p, "a.0=one b.0=two"));
	/* Who wants a name of another's has it. */
	assert_true(settle(&p, "a.0=one c.0=new"));
	assert_string_equal(p.notes, "removed b.0, changed c.0");
	p.options.by = "other";
	h = enter(&p);
	house_adopt(h, "a.0", "nobody");
	house_adopt(h, "c.0", "");
	furnish(h, "e.0=five");
	assert_true(commit(&p, h));
	assert_string_equal(p.notes, "removed c.0, added e.0");
	assert_true(is_there(&p, "a.0"));
	p.options.by = "not a name";
	{
		struct fault f = { 0 };

		assert_null(house_open(p.dir, &p.options, &f));
		assert_int_equal(f.code, FAULT_INPUT);
	}
	place_drop(&p);
}

static void
a_damaged_list_is_written_anew_and_nothing_lost(void **state)
{
	struct place p;

	(void)state;
	place_init(&p);
	(void)settle(&p, "a.0=one b.0=two");
	scribble(&p, HOUSE_LIST, "signet-house 1\ngeneration 9\n");
	assert_true(settle(&p, "a.0=one"));
	assert_string_equal(p.notes,
	    "list-damaged .signet-house, adopted a.0, foreign b.0");
	reads(&p, "b.0", "two");
	assert_false(settle(&p, "a.0=one"));
	place_drop(&p);
}

/* A disk without room for the second file, and then with. */
static void
a_full_disk_leaves_what_was(void **state)
{
	struct wire_bytes big = { calloc(1, 5000), 5000 };
	struct rlimit old, small;
	struct stat before, now;
	struct place p;
	struct fault f;
	struct house *h;

	(void)state;
	assert_non_null(big.data);
	place_init(&p);
	(void)settle(&p, "a.0=one");
	before = look_at(&p, ".");
	h = enter(&p);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 4000, old.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	furnish(h, "a.0=two");
	assert_int_equal(house_put(h, "b.0", big, &f), -1);
	assert_int_equal(f.code, FAULT_SYSTEM);
	house_close(h);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	now = look_at(&p, ".");
	assert_true(same(&before, &now));
	reads(&p, "a.0", "one");
	assert_true(settle(&p, "a.0=two"));
	free((void *)(uintptr_t)big.data);
	place_drop(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_made_with_files_and_links),
		cmocka_unit_test(an_unchanged_run_touches_nothing),
		cmocka_unit_test(
		    only_what_changed_is_written_and_readers_see_one_state),
		cmocka_unit_test(what_is_not_ours_is_carried_over),
		cmocka_unit_test(what_somebody_changed_is_repaired),
		cmocka_unit_test(
		    what_was_in_the_way_is_taken_over_and_can_be_had_back),
		cmocka_unit_test(what_is_kept_comes_from_where_it_still_is),
		cmocka_unit_test(rollback_is_a_step_of_its_own),
		cmocka_unit_test(
		    a_generation_that_was_changed_is_not_gone_back_to),
		cmocka_unit_test(old_generations_are_pruned),
		cmocka_unit_test(a_link_may_be_the_directory),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(to_look_changes_nothing),
		cmocka_unit_test(names_are_names_and_wanted_once),
		cmocka_unit_test(
		    a_damaged_list_is_written_anew_and_nothing_lost),
		cmocka_unit_test(several_keep_one_directory),
		cmocka_unit_test(a_full_disk_leaves_what_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
