#include "office/request.h"

#include "base/unit.h"
#include "office/office_probe.h"
#include "x509/pem.h"

/* request_read from memory of exactly the right size, which is then gone. */
static struct request *
read_exactly(const void *data, size_t len, struct fault *f)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct request *r;

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, data, len);
	r = request_read((struct wire_bytes){ copy, len }, f);
	free(copy);
	return r;
}

static void
write_to(struct request *r, const struct key *key, struct buf *out)
{
	struct fault f = { 0 };

	if (request_write(r, key, out, &f) < 0)
		fail_msg("%s", f.text);
}

static void
expect_fault(const void *data, size_t len, const char *says)
{
	struct fault f = { 0 };
	struct request *r = read_exactly(data, len, &f);

	assert_null(r);
	if (strstr(f.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", f.text, says);
}

static void
what_is_written_is_read(void **state)
{
	static const char *const kinds[] = { "rsa:2048", "ec:P-256",
		"ec:P-384" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(key) key = probe_key(kinds[i]);
		OWN_STRUCT(request) made = probe_request();
		OWN_STRUCT(request) r = NULL;
		OWN_BUF(file, REQUEST_FILE_MAX);
		struct fault f = { 0 };

		made->lifetime = 86400;
		write_to(made, key, &file);
		if ((r = read_exactly(file.data, file.len, &f)) == NULL)
			fail_msg("%s", f.text);
		assert_string_equal(r->id, made->id);
		assert_int_equal(strlen(r->id), REQUEST_ID_SIZE - 1);
		assert_int_equal(r->created, made->created);
		assert_string_equal(r->subject, made->subject);
		assert_int_equal(r->dns.count, 2);
		assert_string_equal(r->dns.item[1], "data.example.org");
		assert_null(r->dns.item[2]);
		assert_string_equal(r->purpose, "GridFTP server");
		assert_int_equal(r->lifetime, 86400);
		assert_true(r->proved);
		assert_string_equal(r->fingerprint, made->fingerprint);
		assert_memory_equal(r->hash, made->hash, sizeof(r->hash));
		assert_true(der_bytes_equal(r->csr.spki.der,
		    key_spki(key)->der));
	}
}

static void
each_altered_byte_is_refused(void **state)
{
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	OWN_STRUCT(request) made = probe_request();
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct fault f = { 0 };

	(void)state;
	write_to(made, key, &file);
	for (size_t i = 0; i < file.len; i++) {
		static const uint8_t flips[] = { 0x01, 0x20, 0x80 };

		for (size_t j = 0; j < sizeof(flips); j++) {
			file.data[i] ^= flips[j];
			assert_null(read_exactly(file.data, file.len, &f));
			assert_true(f.code == FAULT_INPUT ||
			    f.code == FAULT_KEY || f.code == FAULT_UNSUPPORTED);
			file.data[i] ^= flips[j];
		}
	}
}

static void
each_cut_and_each_excess_is_refused(void **state)
{
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	OWN_STRUCT(request) made = probe_request();
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct fault f = { 0 };

	(void)state;
	write_to(made, key, &file);
	for (size_t i = 0; i < file.len; i++)
		assert_null(read_exactly(file.data, i, &f));
	buf_text(&file, "\n");
	expect_fault(file.data, file.len, "line ");
}

/* A line changed by who has no key: the signature says so, or the form. */
static void
what_a_person_would_alter_is_seen(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		const char *says;
	} table[] = {
		{ "Ann Other", "Eve Other", "did not sign these lines" },
		{ "contact: ", "contact : ", "unknown keyword" },
		{ "dns: gw", "dns: gv", "did not sign these lines" },
		{ "profile: host\n", "profile: root\n",
		    "did not sign these lines" },
		{ "CN=gw.example.org\n", "CN=gv.example.org\n",
		    "for another subject" },
		{ "signed-by-key: yes", "signed-by-key: no ", "beginning" },
	};
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	OWN_STRUCT(request) made = probe_request();
	OWN_BUF(file, REQUEST_FILE_MAX);

	(void)state;
	write_to(made, key, &file);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		OWN(char) copy = strdup(buf_cstr(&file));
		char *at;

		assert_non_null(copy);
		assert_non_null(at = strstr(copy, table[i].from));
		memcpy(at, table[i].to, strlen(table[i].to));
		if (i + 1 < sizeof(table) / sizeof(table[0]))
			expect_fault(copy, file.len, table[i].says);
		else
			expect_fault(copy, file.len, "");
	}
}

/* Whoever strips the signature cannot keep the claim that it is there; the
 * file that remains says that it is not proved. */
static void
a_request_around_other_software_says_that_it_is_not_proved(void **state)
{
	OWN_STRUCT(key) key = probe_key("ec:P-256");
	OWN_STRUCT(request) made = probe_request();
	OWN_STRUCT(request) r = NULL;
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct fault f = { 0 };
	struct dn nobody = { .der = { 0x30, 0x00 }, .len = 2 };

	(void)state;
	assert_int_equal(csr_write(&nobody, key, (struct wire_bytes){ NULL, 0 },
			     &made->der, &f),
	    0);
	write_to(made, NULL, &file);
	if ((r = read_exactly(file.data, file.len, &f)) == NULL)
		fail_msg("%s", f.text);
	assert_false(r->proved);
	assert_non_null(strstr(buf_cstr(&file), "signed-by-key: no\n"));
	assert_null(strstr(buf_cstr(&file), "SIGNATURE"));
}

static void
what_cannot_stand_in_a_request_is_not_written(void **state)
{
	static const struct {
		size_t offset;
		const char *value;
		const char *says;
	} table[] = {
		{ offsetof(struct request, contact_name), "Ann\nid: 1",
		    "contact: a control character" },
		{ offsetof(struct request, contact_name), "",
		    "no \"contact\"" },
		{ offsetof(struct request, contact_mail), "ann",
		    "no mail address" },
		{ offsetof(struct request, purpose), "\xe2\x80\xaegpj",
		    "turns the direction" },
		{ offsetof(struct request, subject), "CN=a", "subject" },
		{ offsetof(struct request, profile), "../host", "no name" },
		{ offsetof(struct request, renews), "xyz", "hexadecimal" },
		{ offsetof(struct request, id), "12", "20 hexadecimal" },
	};
	OWN_STRUCT(key) key = probe_key("ec:P-256");

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		OWN_STRUCT(request) made = probe_request();
		OWN_BUF(file, REQUEST_FILE_MAX);
		struct fault f = { 0 };

		memcpy((char *)made + table[i].offset, table[i].value,
		    strlen(table[i].value) + 1);
		assert_int_equal(request_write(made, key, &file, &f), -1);
		assert_int_equal(file.len, 0);
		if (strstr(f.text, table[i].says) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", f.text,
			    table[i].says);
	}
}

static void
a_request_that_is_too_large_is_refused(void **state)
{
	OWN_BUF(file, REQUEST_FILE_MAX + 2);

	(void)state;
	buf_text(&file, "Signet certificate request 1\n");
	while (file.len <= REQUEST_FILE_MAX)
		buf_text(&file, "\n");
	expect_fault(file.data, file.len, "are the most");
}

static void
a_reply_is_read_as_it_was_written(void **state)
{
	OWN_STRUCT(reply) made = NULL;
	OWN_STRUCT(reply) r = NULL;
	OWN_BUF(file, REPLY_FILE_MAX);
	struct fault f = { 0 };

	(void)state;
	assert_non_null(made = reply_new(&f));
	memcpy(made->id, "0123456789abcdef0123", REQUEST_ID_SIZE);
	memset(made->request_hash, 0xa5, sizeof(made->request_hash));
	buf_text(&made->certificate, "leaf");
	buf_text(&made->chain, "text before\n");
	pem_put(&made->chain, "CERTIFICATE",
	    (struct wire_bytes){ (const uint8_t *)"above", 5 });
	pem_put(&made->chain, "CERTIFICATE",
	    (struct wire_bytes){ (const uint8_t *)"root", 4 });
	assert_int_equal(reply_write(made, &file, &f), 0);
	r = reply_read((struct wire_bytes){ file.data, file.len }, &f);
	if (r == NULL)
		fail_msg("%s", f.text);
	assert_string_equal(r->id, made->id);
	assert_memory_equal(r->request_hash, made->request_hash, 32);
	assert_int_equal(r->certificate.len, 4);
	assert_null(strstr(buf_cstr(&r->chain), "before"));
	for (size_t i = 0; i < file.len; i++)
		assert_null(reply_read((struct wire_bytes){ file.data, i },
		    &f));
	buf_text(&file, " ");
	assert_null(reply_read((struct wire_bytes){ file.data, file.len }, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(each_altered_byte_is_refused),
		cmocka_unit_test(each_cut_and_each_excess_is_refused),
		cmocka_unit_test(what_a_person_would_alter_is_seen),
		cmocka_unit_test(
		    a_request_around_other_software_says_that_it_is_not_proved),
		cmocka_unit_test(what_cannot_stand_in_a_request_is_not_written),
		cmocka_unit_test(a_request_that_is_too_large_is_refused),
		cmocka_unit_test(a_reply_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
