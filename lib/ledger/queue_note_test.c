#include "ledger/queue_note.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

#define FIRST "signet revocations 1\n"

/* Read ${text} from memory of exactly its size. */
static int
read_text(struct queue_note *note, const char *text, struct fault *f)
{
	size_t len = strlen(text);
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result = queue_note_read(note, (struct wire_bytes){ copy, len }, f);
	free(copy);
	return result;
}

static void
refused(const char *text, const char *why)
{
	struct queue_note note;
	struct fault f = { 0 };

	assert_int_equal(read_text(&note, text, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	if (strstr(f.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f.text, why);
}

static void
what_is_written_is_read(void **state)
{
	struct queue_note note = { .ca = "grid-ca", .reason = 4, .count = 2 };
	struct queue_note again;
	OWN_BUF(file, QUEUE_NOTE_MAX);
	OWN_BUF(second, QUEUE_NOTE_MAX);
	struct fault f = { 0 };

	(void)state;
	note.serial[0][19] = 0x0a;
	note.serial[1][0] = 0xff;
	assert_int_equal(queue_note_write(&note, &file, &f), 0);
	assert_string_equal(buf_cstr(&file),
	    FIRST "ca grid-ca\nreason 4\nrevoke 0a\n"
		  "revoke ff00000000000000000000000000000000000000\nend\n");
	assert_int_equal(read_text(&again, buf_cstr(&file), &f), 0);
	assert_int_equal(again.count, 2);
	assert_int_equal(again.reason, 4);
	assert_string_equal(again.ca, "grid-ca");
	assert_memory_equal(again.serial, note.serial, sizeof(note.serial));
	assert_int_equal(queue_note_write(&again, &second, &f), 0);
	assert_int_equal(second.len, file.len);
}

static void
the_largest_file_fits(void **state)
{
	struct queue_note note = { .count = QUEUE_NOTE_SERIALS };
	struct queue_note again;
	OWN_BUF(file, QUEUE_NOTE_MAX);
	struct fault f = { 0 };

	(void)state;
	memset(note.ca, 'n', sizeof(note.ca) - 1);
	note.reason = 10;
	memset(note.serial, 0xaa, sizeof(note.serial));
	assert_int_equal(queue_note_write(&note, &file, &f), 0);
	assert_int_equal(queue_note_read(&again,
			     (struct wire_bytes){ file.data, file.len }, &f),
	    0);
	assert_int_equal(again.count, QUEUE_NOTE_SERIALS);
	note.count++;
	buf_clear(&file);
	assert_int_equal(queue_note_write(&note, &file, &f), -1);
}

static void
each_cut_of_a_file_is_refused(void **state)
{
	static const char whole[] =
	    FIRST "ca grid-ca\nreason 1\nrevoke 0a1b\nend\n";
	char cut[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		refused(cut, "line ");
	}
}

static void
what_is_not_of_the_form_is_refused(void **state)
{
	(void)state;
	refused("", "cut off");
	refused("signet revocations 2\nrevoke 0a\nend\n", "no file of");
	refused(FIRST "end\n", "no serial");
	refused(FIRST "revoke 0A\nend\n", "one form");
	refused(FIRST "revoke 00\nend\n", "one form");
	refused(FIRST "revoke 000a\nend\n", "one form");
	refused(FIRST "revoke a\nend\n", "no serial");
	refused(FIRST "revoke \nend\n", "no serial");
	refused(FIRST "revoke ../../etc\nend\n", "no serial");
	refused(FIRST "revoke 0a\r\nend\n", "no serial");
	refused(FIRST
	    "revoke ff0000000000000000000000000000000000000000\nend\n",
	    "no serial");
	refused(FIRST "ca a/b\nrevoke 0a\nend\n", "no name");
	refused(FIRST "ca \nrevoke 0a\nend\n", "no name");
	refused(FIRST "reason 0\nrevoke 0a\nend\n", "no reason");
	refused(FIRST "reason 7\nrevoke 0a\nend\n", "no reason");
	refused(FIRST "reason 8\nrevoke 0a\nend\n", "no reason");
	refused(FIRST "reason 11\nrevoke 0a\nend\n", "no reason");
	refused(FIRST "reason 01\nrevoke 0a\nend\n", "no reason");
	refused(FIRST "reason 1\nca x\nrevoke 0a\nend\n", "is wanted");
	refused(FIRST "revoke 0a\nend\nrevoke 0b\nend\n", "after the end");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_largest_file_fits),
		cmocka_unit_test(each_cut_of_a_file_is_refused),
		cmocka_unit_test(what_is_not_of_the_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
