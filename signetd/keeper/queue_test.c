#include "signetd/keeper/queue.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/queue_note.h"
#include "x509/der.h"
#include "x509/mint_probe.h"

#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define CONF(name)                                               \
	"name " name "\nmay-sign-under /DC=org/O=Ex/OU=People\n" \
	"usage digitalSignature\nserial range 1000 50\n"         \
	"crl-url http://ca.example.org/sub.crl\n"
#define FIRST "signet revocations 1\n"

/* A ledger of two CAs that number alike, and a queue beside it. */
struct desk {
	char dir[64];
	char path[PATH_MAX];
	struct made ca;
	struct loop *loop;
	struct ledger *ledger;
	struct books *books;
	struct queue *queue;
};

static void
must(int result, const struct fault *f)
{
	if (result < 0)
		fail_msg("%s", f->text);
}

static void
add_book(struct desk *d, const char *conf)
{
	OWN_BUF(pem, 65536);
	struct fault f = { 0 };

	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ d->ca.der.data, d->ca.der.len });
	must(books_add(d->books,
		 (struct wire_bytes){ (const uint8_t *)conf, strlen(conf) },
		 (struct wire_bytes){ pem.data, pem.len }, &f),
	    &f);
}

static int
open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct fault f = { 0 };

	assert_non_null(d);
	*state = d;
	memcpy(d->dir, "/tmp/queue_test.XXXXXX", 23);
	assert_non_null(mkdtemp(d->dir));
	must(text_fmt(d->path, sizeof(d->path), "%s/ledger.db", d->dir), &f);
	d->ca =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	assert_non_null(d->books = books_new(&f));
	add_book(d, CONF("sub"));
	add_book(d, CONF("other"));
	assert_non_null(d->loop = loop_new(&f));
	assert_non_null(d->ledger = ledger_open(d->path, NULL, &f));
	d->queue = queue_new(d->loop, d->ledger, d->books, d->dir, &f);
	must(d->queue == NULL ? -1 : 0, &f);
	return 0;
}

static void
remove_tree(const char *path)
{
	char inner[PATH_MAX];
	struct dirent *file;
	DIR *dir = opendir(path);

	while (dir != NULL && (file = readdir(dir)) != NULL) {
		if (strcmp(file->d_name, ".") == 0 ||
		    strcmp(file->d_name, "..") == 0)
			continue;
		assert_int_equal(text_fmt(inner, sizeof(inner), "%s/%s", path,
				     file->d_name),
		    0);
		if (unlink(inner) < 0)
			remove_tree(inner);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

static int
close_desk(void **state)
{
	struct desk *d = *state;

	queue_free(d->queue);
	loop_free(d->loop);
	ledger_free(d->ledger);
	books_free(d->books);
	made_free(&d->ca);
	remove_tree(d->dir);
	free(d);
	return 0;
}

/* A certificate of ${ca}; they number 03e8, 03e9, ... */
static void
issue(struct desk *d, const char *ca)
{
	const struct ledger_numbering numbering = { false, 1000, 50 };
	const struct ledger_intent intent = { .ca = ca,
		.ref = "0123456789ab",
		.peer = "local",
		.username = "a",
		.principal = "a",
		.method = "m",
		.subject = "/CN=a",
		.profile = "p",
		.not_before = 1,
		.not_after = 4000000000 };
	struct fault f = { 0 };
	uint8_t bytes[20];
	size_t len = 0;
	OWN_BUF(der, 256);
	size_t whole = der_open(&der, DER_SEQUENCE);
	size_t tbs = der_open(&der, DER_SEQUENCE);
	size_t version = der_open(&der, DER_CONTEXT_C(0));

	must(ledger_begin(d->ledger, &f), &f);
	must(ledger_reserve(d->ledger, &intent, &numbering, bytes, &len, NULL,
		 &f),
	    &f);
	der_put_u64(&der, 2);
	der_close(&der, version);
	der_put_positive(&der, bytes, len);
	der_close(&der, tbs);
	der_close(&der, whole);
	must(ledger_commit(d->ledger, ca, (struct wire_bytes){ bytes, len },
		 (struct wire_bytes){ der.data, der.len }, &f),
	    &f);
	must(ledger_end(d->ledger, &f), &f);
}

static void
place_of(const struct desk *d, const char *name, char path[PATH_MAX])
{
	assert_int_equal(text_fmt(path, PATH_MAX, "%s/queue/%s", d->dir, name),
	    0);
}

static void
put(const struct desk *d, const char *name, const char *text)
{
	struct fault f = { 0 };
	char path[PATH_MAX];

	place_of(d, name, path);
	must(file_write(path, 0644, text, strlen(text), &f), &f);
}

static bool
there(const struct desk *d, const char *name)
{
	struct stat st;
	char path[PATH_MAX];

	place_of(d, name, path);
	return lstat(path, &st) == 0;
}

static enum ledger_state
state_of(const struct desk *d, const char *ca, uint8_t last)
{
	const uint8_t serial[20] = { [18] = 0x03, [19] = last };
	enum ledger_state state = LEDGER_VOID;
	struct fault f = { 0 };

	assert_int_equal(ledger_state_find(d->ledger, ca,
			     (struct wire_bytes){ serial, sizeof(serial) },
			     &state, &f),
	    1);
	return state;
}

static int
note_line(void *arg, const struct ledger_line *line)
{
	*(int *)arg = line->reason;
	return 0;
}

static void
what_waits_is_revoked_and_goes(void **state)
{
	struct desk *d = *state;
	const struct ledger_filter filter = { .ca = "sub", .serial = "03e8" };
	struct fault f = { 0 };
	int reason = -1;

	issue(d, "sub");
	issue(d, "sub");
	put(d, "a.revoke", FIRST "reason 4\nrevoke 03e8\nend\n");
	put(d, "b.revoke", FIRST "ca sub\nrevoke 03e9\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
	assert_int_equal(state_of(d, "sub", 0xe9), LEDGER_REVOKED);
	assert_false(there(d, "a.revoke"));
	assert_false(there(d, "b.revoke"));
	assert_false(there(d, "refused-a.revoke"));
	assert_int_equal(ledger_each(d->ledger, &filter, note_line, &reason,
			     &f),
	    0);
	assert_int_equal(reason, 4);
}

static void
a_file_that_a_crash_left_does_no_harm(void **state)
{
	struct desk *d = *state;
	uint64_t before;

	issue(d, "sub");
	put(d, "a.revoke", FIRST "revoke 03e8\nend\n");
	queue_run(d->queue);
	before = ledger_entries(d->ledger);
	put(d, "a.revoke", FIRST "revoke 03e8\nend\n");
	queue_run(d->queue);
	assert_false(there(d, "a.revoke"));
	assert_false(there(d, "refused-a.revoke"));
	assert_int_equal(ledger_entries(d->ledger), before);
}

static void
what_cannot_be_done_is_put_aside_and_the_rest_is_done(void **state)
{
	struct desk *d = *state;

	issue(d, "sub");
	put(d, "a.revoke", FIRST "revoke 0999\nrevoke 03e8\nend\n");
	put(d, "b.revoke", FIRST "ca nobody\nrevoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
	assert_false(there(d, "a.revoke"));
	assert_true(there(d, "refused-a.revoke"));
	assert_true(there(d, "refused-b.revoke"));
	queue_run(d->queue);
	assert_true(there(d, "refused-a.revoke"));
}

static void
a_serial_of_two_cas_wants_its_ca(void **state)
{
	struct desk *d = *state;

	issue(d, "sub");
	issue(d, "other");
	put(d, "a.revoke", FIRST "revoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_ISSUED);
	assert_int_equal(state_of(d, "other", 0xe8), LEDGER_ISSUED);
	assert_true(there(d, "refused-a.revoke"));
	put(d, "b.revoke", FIRST "ca other\nrevoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_ISSUED);
	assert_int_equal(state_of(d, "other", 0xe8), LEDGER_REVOKED);
}

static void
a_hold_becomes_a_revocation_and_not_the_reverse(void **state)
{
	struct desk *d = *state;

	issue(d, "sub");
	put(d, "a.revoke", FIRST "reason 6\nrevoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_HELD);
	put(d, "b.revoke", FIRST "reason 1\nrevoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
	put(d, "c.revoke", FIRST "reason 6\nrevoke 03e8\nend\n");
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
	assert_false(there(d, "c.revoke"));
}

static void
what_is_no_file_of_ours_is_never_read(void **state)
{
	struct desk *d = *state;
	char link_path[PATH_MAX], pipe_path[PATH_MAX], folder[PATH_MAX],
	    twice[PATH_MAX], real[PATH_MAX];
	struct fault f = { 0 };
	static const char text[] = FIRST "revoke 03e8\nend\n";
	OWN_BUF(large, QUEUE_NOTE_MAX + 2);

	issue(d, "sub");
	must(text_fmt(real, sizeof(real), "%s/elsewhere", d->dir), &f);
	must(file_write(real, 0644, text, strlen(text), &f), &f);
	place_of(d, "link.revoke", link_path);
	place_of(d, "pipe.revoke", pipe_path);
	place_of(d, "folder.revoke", folder);
	place_of(d, "twice.revoke", twice);
	assert_int_equal(symlink(real, link_path), 0);
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(link(real, twice), 0);
	memset(buf_room(&large, QUEUE_NOTE_MAX + 1), 'a', QUEUE_NOTE_MAX + 1);
	large.len = QUEUE_NOTE_MAX + 1;
	put(d, "large.revoke", buf_cstr(&large));
	put(d, "rubbish", "rubbish");
	put(d, ".unfinished", text);
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_ISSUED);
	assert_true(there(d, "refused-link.revoke"));
	assert_true(there(d, "refused-pipe.revoke"));
	assert_true(there(d, "refused-folder.revoke"));
	assert_true(there(d, "refused-twice.revoke"));
	assert_true(there(d, "refused-large.revoke"));
	assert_true(there(d, "refused-rubbish"));
	assert_true(there(d, ".unfinished"));
}

static void
a_directory_where_all_may_write_is_not_obeyed(void **state)
{
	struct desk *d = *state;
	char path[PATH_MAX];

	issue(d, "sub");
	put(d, "a.revoke", FIRST "revoke 03e8\nend\n");
	place_of(d, ".", path);
	assert_int_equal(chmod(path, 0777), 0);
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_ISSUED);
	assert_int_equal(chmod(path, 0770), 0);
	queue_run(d->queue);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
it_is_looked_into_at_the_start(void **state)
{
	struct desk *d = *state;
	struct fault f = { 0 };
	struct loop_timer *end = loop_timer_new(d->loop, stop, d->loop, &f);

	assert_non_null(end);
	issue(d, "sub");
	put(d, "a.revoke", FIRST "revoke 03e8\nend\n");
	loop_timer_set(end, 50);
	assert_int_equal(loop_run(d->loop, &f), 0);
	loop_timer_free(end);
	assert_int_equal(state_of(d, "sub", 0xe8), LEDGER_REVOKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_waits_is_revoked_and_goes),
		TEST(a_file_that_a_crash_left_does_no_harm),
		TEST(what_cannot_be_done_is_put_aside_and_the_rest_is_done),
		TEST(a_serial_of_two_cas_wants_its_ca),
		TEST(a_hold_becomes_a_revocation_and_not_the_reverse),
		TEST(what_is_no_file_of_ours_is_never_read),
		TEST(a_directory_where_all_may_write_is_not_obeyed),
		TEST(it_is_looked_into_at_the_start),
	};

	log_open("test", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
