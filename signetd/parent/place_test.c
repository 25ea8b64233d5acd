#include "signetd/parent/place.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE "ledger.db"

static int
make_directory(void **state)
{
	char *path = strdup("/tmp/signet-place.XXXXXX");

	if (path == NULL || mkdtemp(path) == NULL) {
		free(path);
		return -1;
	}
	*state = path;
	return 0;
}

static int
path_of(const char *dir, const char *name, char path[256])
{
	return text_fmt(path, 256, "%s/%s", dir, name);
}

static int
remove_directory(void **state)
{
	static const char *const names[] = { BASE, BASE "-wal", "slcs.crl",
		"slcs.r0.Ab12Cd", "shadow", "slcs.crlist", "log.head",
		"log.pub", PLACE_MARKER };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (path_of(*state, names[i], path) == 0)
			(void)unlink(path);
	if (path_of(*state, "queue", path) == 0)
		(void)rmdir(path);
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
put(const char *dir, const char *name)
{
	char path[256];
	int fd;

	assert_int_equal(path_of(dir, name, path), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void
a_directory_with_other_things_is_not_given_away(void **state)
{
	static const char *const others[] = { "shadow", "slcs.crlist" };
	const char *dir = *state;

	for (size_t i = 0; i < 2; i++) {
		struct fault f = { 0 };
		struct stat before, after;
		char path[256];

		put(dir, BASE);
		put(dir, others[i]);
		assert_int_equal(stat(dir, &before), 0);
		/* Nobody has this number, so the directory is not his. */
		assert_int_equal(place_own(dir, BASE, geteuid() + 61999,
				     getegid(), &f),
		    -1);
		assert_int_equal(f.code, FAULT_CONFIG);
		assert_non_null(strstr(f.text, others[i]));
		assert_int_equal(stat(dir, &after), 0);
		assert_int_equal(before.st_uid, after.st_uid);
		assert_int_equal(path_of(dir, others[i], path), 0);
		assert_int_equal(unlink(path), 0);
	}
}

static void
the_ledgers_own_files_are_no_reason_to_refuse(void **state)
{
	const uid_t uid = geteuid() == 0 ? 61306 : geteuid();
	const char *dir = *state;
	struct fault f = { 0 };
	struct stat st;
	char path[256];

	put(dir, BASE);
	put(dir, BASE "-wal");
	put(dir, "slcs.crl");
	put(dir, "slcs.r0.Ab12Cd");
	put(dir, "log.head");
	put(dir, "log.pub");
	assert_int_equal(path_of(dir, "queue", path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(place_own(dir, BASE, uid, getegid(), &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
}

static void
nobody_else_may_write_there(void **state)
{
	const char *dir = *state;
	struct fault f = { 0 };
	struct stat st;

	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(place_own(dir, BASE, geteuid(), getegid(), &f), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void
it_is_made_where_its_keeper_can_reach_it(void **state)
{
	static const char *const made[] = { "a/b/ledger", "a/b", "a" };
	const char *dir = *state;
	struct signetd_conf *conf = calloc(1, sizeof(*conf));
	struct fault f = { 0 };
	struct stat st;
	char path[256];

	assert_non_null(conf);
	assert_int_equal(path_of(dir, "a/b/ledger/" BASE, path), 0);
	assert_int_equal(text_copy(conf->ledger, sizeof(conf->ledger), path),
	    0);
	assert_int_equal(text_copy(conf->user_keeper, sizeof(conf->user_keeper),
			     "61306"),
	    0);
	assert_int_equal(place_ledger(conf, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(path_of(dir, made[i], path), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, i == 0 ? 0700 : 0755);
		assert_int_equal(rmdir(path), 0);
	}
	free(conf);
}

/* Settings of a CA in ${dir} whose ledger is there as well. */
static struct signetd_conf *
settings_of(const char *dir)
{
	struct signetd_conf *conf = calloc(1, sizeof(*conf));

	assert_non_null(conf);
	assert_int_equal(text_copy(conf->ca.item[0], sizeof(conf->ca.item[0]),
			     dir),
	    0);
	conf->ca.count = 1;
	assert_int_equal(text_fmt(conf->ledger, sizeof(conf->ledger),
			     "%s/" BASE, dir),
	    0);
	return conf;
}

static void
write_ledger(const char *path)
{
	struct fault f = { 0 };

	assert_int_equal(file_write(path, 0600, "x", 1, &f), 0);
}

static void
check_refused(const struct signetd_conf *conf, const char *was)
{
	struct fault f = { 0 };

	assert_int_equal(place_check(conf, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_non_null(strstr(f.text, conf->ledger));
	assert_non_null(strstr(f.text, conf->ca.item[0]));
	assert_non_null(strstr(f.text, was));
}

static void
a_ca_that_was_served_is_not_served_without_its_ledger(void **state)
{
	struct signetd_conf *conf = settings_of(*state);
	struct fault f = { 0 };
	char was[256], marker[256];

	assert_int_equal(text_copy(was, sizeof(was), conf->ledger), 0);
	assert_int_equal(path_of(*state, PLACE_MARKER, marker), 0);
	/* The first start: there is none yet. */
	assert_int_equal(place_check(conf, &f), 0);
	write_ledger(was);
	assert_int_equal(place_check(conf, &f), 0);
	place_mark(conf);
	assert_int_equal(access(marker, F_OK), 0);
	assert_int_equal(place_check(conf, &f), 0);
	/* Gone, emptied, and looked for where it is not. */
	assert_int_equal(unlink(was), 0);
	check_refused(conf, was);
	put(*state, BASE);
	check_refused(conf, was);
	write_ledger(was);
	assert_int_equal(text_copy(conf->ledger, sizeof(conf->ledger),
			     "/nowhere/ledger.db"),
	    0);
	check_refused(conf, was);
	/* Whoever removes the marker has said that it is lost. */
	assert_int_equal(unlink(marker), 0);
	assert_int_equal(place_check(conf, &f), 0);
	free(conf);
}

static void
a_ledger_that_was_moved_is_marked_anew(void **state)
{
	struct signetd_conf *conf = settings_of(*state);
	struct fault f = { 0 };
	char marker[256];

	assert_int_equal(path_of(*state, PLACE_MARKER, marker), 0);
	assert_int_equal(file_write(marker, 0644, "/old/one\033[2J\n", 14, &f),
	    0);
	check_refused(conf, "/old/one?[2J");
	write_ledger(conf->ledger);
	assert_int_equal(place_check(conf, &f), 0);
	place_mark(conf);
	assert_int_equal(unlink(conf->ledger), 0);
	check_refused(conf, conf->ledger);
	free(conf);
}

static void
a_directory_that_cannot_be_written_stops_nothing(void **state)
{
	struct signetd_conf *conf = settings_of(*state);
	struct fault f = { 0 };

	assert_int_equal(text_copy(conf->ca.item[0], sizeof(conf->ca.item[0]),
			     "/proc/nowhere"),
	    0);
	place_mark(conf);
	assert_int_equal(place_check(conf, &f), 0);
	free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_directory_with_other_things_is_not_given_away,
		    make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
		    the_ledgers_own_files_are_no_reason_to_refuse,
		    make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(nobody_else_may_write_there,
		    make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
		    it_is_made_where_its_keeper_can_reach_it, make_directory,
		    remove_directory),
		cmocka_unit_test_setup_teardown(
		    a_ca_that_was_served_is_not_served_without_its_ledger,
		    make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
		    a_ledger_that_was_moved_is_marked_anew, make_directory,
		    remove_directory),
		cmocka_unit_test_setup_teardown(
		    a_directory_that_cannot_be_written_stops_nothing,
		    make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
