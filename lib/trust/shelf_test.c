#include "trust/shelf.h"

#include "trust/pki_probe.h"

#include <sys/stat.h>

#include <stdio.h>
#include <time.h>

/* A directory with one anchor "a", and it opened. */
struct place {
	struct pki pki;
	int dir;
};

static void
put_text(const struct place *place, const char *name, const char *text)
{
	int fd = openat(place->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
put_certs(const struct place *place, const char *name, X509 *one, X509 *more)
{
	int fd = openat(place->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, one), 1);
	if (more != NULL)
		assert_int_equal(PEM_write_X509(out, more), 1);
	assert_int_equal(fclose(out), 0);
}

/* Long settled, so that it need not be read again for its age. */
static void
settle(const struct place *place, const char *name, time_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(place->dir, name, times, 0), 0);
}

static void
place_open(struct place *place)
{
	pki_init(&place->pki);
	pki_make(&place->pki);
	pki_dir(&place->pki);
	place->dir = open(place->pki.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(place->dir >= 0);
	put_certs(place, "a", place->pki.cert[ROOT], NULL);
	settle(place, "a", 1000000000);
}

static void
place_close(struct place *place)
{
	assert_int_equal(close(place->dir), 0);
	pki_free(&place->pki);
}

static const struct shelf_file *
get(struct shelf *shelf, const struct shelf *old, const struct place *place,
    const char *name, enum shelf_kind kind)
{
	struct fault f = { 0 };
	const struct shelf_file *file;
	struct stat st;

	assert_int_equal(fstatat(place->dir, name, &st, 0), 0);
	file = shelf_get(shelf, old, place->dir, name, kind, &st, &f);
	assert_non_null(file);
	return file;
}

static struct shelf *
new_shelf(void)
{
	struct fault f = { 0 };
	struct shelf *shelf = shelf_new(&f);

	assert_non_null(shelf);
	return shelf;
}

static void
a_file_is_read_once_under_all_its_names(void **state)
{
	OWN_STRUCT(shelf) shelf = new_shelf();
	const struct shelf_file *file;
	struct place place;

	(void)state;
	place_open(&place);
	assert_int_equal(linkat(place.dir, "a", place.dir, "b", 0), 0);
	assert_int_equal(symlinkat("a", place.dir, "c"), 0);
	file = get(shelf, NULL, &place, "a", SHELF_ANCHOR);
	assert_int_equal(file->bad.code, FAULT_NONE);
	assert_non_null(file->cert);
	assert_int_equal(strlen(file->hash), 8);
	assert_false(file->more);
	assert_ptr_equal(get(shelf, NULL, &place, "b", SHELF_ANCHOR), file);
	assert_ptr_equal(get(shelf, NULL, &place, "c", SHELF_ANCHOR), file);
	assert_int_equal(shelf_fresh(shelf), 1);
	/* The same bytes as something else are something else. */
	assert_ptr_not_equal(get(shelf, NULL, &place, "a", SHELF_CRL), file);
	assert_int_equal(shelf_fresh(shelf), 2);
	place_close(&place);
}

static void
what_did_not_change_is_taken_over_and_outlives_the_old_shelf(void **state)
{
	struct shelf *old = new_shelf();
	OWN_STRUCT(shelf) shelf = new_shelf();
	const struct shelf_file *file;
	struct place place;

	(void)state;
	place_open(&place);
	file = get(old, NULL, &place, "a", SHELF_ANCHOR);
	assert_ptr_equal(get(shelf, old, &place, "a", SHELF_ANCHOR), file);
	assert_int_equal(shelf_fresh(shelf), 0);
	shelf_free(old);
	assert_int_equal(file->users, 1);
	assert_string_equal(file->hash,
	    get(shelf, NULL, &place, "a", SHELF_ANCHOR)->hash);
	place_close(&place);
}

static void
what_changed_or_may_have_is_read_again(void **state)
{
	OWN_STRUCT(shelf) first = new_shelf();
	OWN_STRUCT(shelf) second = new_shelf();
	OWN_STRUCT(shelf) third = new_shelf();
	const struct shelf_file *file, *next;
	struct place place;

	(void)state;
	place_open(&place);
	file = get(first, NULL, &place, "a", SHELF_ANCHOR);
	/* Another time: read. */
	settle(&place, "a", time(NULL));
	next = get(second, first, &place, "a", SHELF_ANCHOR);
	assert_ptr_not_equal(next, file);
	assert_int_equal(shelf_fresh(second), 1);
	/* The same, but it was read within the moment that it was written in:
	 * its time might hide another change. */
	assert_ptr_not_equal(get(third, second, &place, "a", SHELF_ANCHOR),
	    next);
	assert_int_equal(shelf_fresh(third), 1);
	place_close(&place);
}

static void
a_bad_file_is_a_file_that_says_why(void **state)
{
	static const struct {
		enum shelf_kind kind;
		const char *text;
	} bad[] = {
		{ SHELF_ANCHOR, "nothing\n" },
		{ SHELF_ANCHOR,
		    "-----BEGIN CERTIFICATE-----\nAAAA\n"
		    "-----END CERTIFICATE-----\n" },
		{ SHELF_POLICY, "frob\n" },
		{ SHELF_NAMESPACES, "frob\n" },
		{ SHELF_CRL, "nothing\n" },
	};
	OWN_STRUCT(shelf) shelf = new_shelf();
	struct place place;
	char name[16];

	(void)state;
	place_open(&place);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct shelf_file *file;

		(void)snprintf(name, sizeof(name), "bad%zu", i);
		put_text(&place, name, bad[i].text);
		file = get(shelf, NULL, &place, name, bad[i].kind);
		assert_int_not_equal(file->bad.code, FAULT_NONE);
	}
	/* A person's certificate trusts nobody. */
	put_certs(&place, "eec", place.pki.cert[EEC], NULL);
	assert_non_null(strstr(get(shelf, NULL, &place, "eec", SHELF_ANCHOR)
				   ->bad.text,
	    "not a CA"));
	/* Who puts a pipe or a directory there does not stop us. */
	assert_int_equal(mkfifoat(place.dir, "pipe", 0644), 0);
	assert_non_null(strstr(get(shelf, NULL, &place, "pipe", SHELF_CRL)
				   ->bad.text,
	    "not a file"));
	assert_int_equal(mkdirat(place.dir, "dir", 0755), 0);
	assert_non_null(strstr(get(shelf, NULL, &place, "dir", SHELF_POLICY)
				   ->bad.text,
	    "not a file"));
	assert_int_equal(unlinkat(place.dir, "dir", AT_REMOVEDIR), 0);
	place_close(&place);
}

static void
a_second_certificate_is_seen(void **state)
{
	OWN_STRUCT(shelf) shelf = new_shelf();
	const struct shelf_file *file;
	struct place place;

	(void)state;
	place_open(&place);
	put_certs(&place, "two", place.pki.cert[ROOT], place.pki.cert[SUB]);
	file = get(shelf, NULL, &place, "two", SHELF_ANCHOR);
	assert_int_equal(file->bad.code, FAULT_NONE);
	assert_true(file->more);
	place_close(&place);
}

static void
what_could_not_be_opened_is_tried_again(void **state)
{
	OWN_STRUCT(shelf) first = new_shelf();
	OWN_STRUCT(shelf) second = new_shelf();
	struct fault f = { 0 };
	const struct shelf_file *file;
	struct place place;
	struct stat st;

	(void)state;
	place_open(&place);
	assert_int_equal(fstatat(place.dir, "a", &st, 0), 0);
	/* It goes between the look and the reading, and comes again. */
	assert_int_equal(renameat(place.dir, "a", place.dir, "away"), 0);
	file = shelf_get(first, NULL, place.dir, "a", SHELF_ANCHOR, &st, &f);
	assert_non_null(file);
	assert_int_equal(file->bad.code, FAULT_SYSTEM);
	assert_int_equal(renameat(place.dir, "away", place.dir, "a"), 0);
	file = get(second, first, &place, "a", SHELF_ANCHOR);
	assert_int_equal(file->bad.code, FAULT_NONE);
	place_close(&place);
}

static void
more_files_than_there_was_room_for_at_first_are_all_found(void **state)
{
	enum {
		MANY = 200
	};
	OWN_STRUCT(shelf) shelf = new_shelf();
	const struct shelf_file *file[MANY];
	struct place place;
	char name[16];

	(void)state;
	place_open(&place);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		put_text(&place, name, "nothing\n");
		file[i] = get(shelf, NULL, &place, name, SHELF_CRL);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_ptr_equal(get(shelf, NULL, &place, name, SHELF_CRL),
		    file[i]);
	}
	assert_int_equal(shelf_fresh(shelf), MANY);
	place_close(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_once_under_all_its_names),
		cmocka_unit_test(
		    what_did_not_change_is_taken_over_and_outlives_the_old_shelf),
		cmocka_unit_test(what_changed_or_may_have_is_read_again),
		cmocka_unit_test(a_bad_file_is_a_file_that_says_why),
		cmocka_unit_test(a_second_certificate_is_seen),
		cmocka_unit_test(what_could_not_be_opened_is_tried_again),
		cmocka_unit_test(
		    more_files_than_there_was_room_for_at_first_are_all_found),
	};

	return cmocka_run_group_tests_name("trust/shelf", tests, NULL, NULL);
}
