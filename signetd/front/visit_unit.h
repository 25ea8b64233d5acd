#ifndef FRONT_VISIT_UNIT_H
#define FRONT_VISIT_UNIT_H

/* For _test.c: what a client, auth and the issuer say to a visit, and what they
 * are to hear. */

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/front/visit_probe.h"

#define REQUEST(command, more)                \
	"VERSION=MYPROXYv2\nCOMMAND=" command \
	"\nUSERNAME=alice\nPASSPHRASE=secret123\nLIFETIME=43200\n" more
#define OK "VERSION=MYPROXYv2\nRESPONSE=0\n"

static const uint8_t ticket[16] = { 1, 2, 3, 4 };
/* DER as far as a stream reader looks. */
static const uint8_t csr[] = { 0x30, 0x03, 0x02, 0x01, 0x2a };

/* Two certificates as far as issued.c looks: a leaf, and its issuer. */
static const uint8_t leaf[] = { 0x30, 0x12, 0x30, 0x10, 0x02, 0x01, 0x01, 0x30,
	0x00, 0x30, 0x03, 0x02, 0x01, 0x01, 0x30, 0x00, 0x30, 0x02, 0x05,
	0x00 };
static const uint8_t issuer[] = { 0x30, 0x12, 0x30, 0x10, 0x02, 0x01, 0x02,
	0x30, 0x00, 0x30, 0x03, 0x02, 0x01, 0x03, 0x30, 0x00, 0x30, 0x02, 0x05,
	0x00 };

static inline int
setup(void **state)
{
	struct probe *p = calloc(1, sizeof(*p));

	probe_begin(p);
	*state = p;
	return 0;
}

static inline int
teardown(void **state)
{
	probe_end(*state);
	free(*state);
	return 0;
}

/* One record, in memory that ends where it does. */
static inline void
send_bytes(struct probe *p, const void *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	visit_bytes(&p->visit, exact, len);
	free(exact);
}

/* With its NUL. */
static inline void
send_text(struct probe *p, const char *text)
{
	send_bytes(p, text, strlen(text) + 1);
}

static inline void
expect_record(struct probe *p, const void *data, size_t len)
{
	struct wire_bytes record;

	assert_true(visit_out(&p->visit, &record));
	assert_int_equal(record.len, len);
	assert_memory_equal(record.data, data, len);
	visit_sent(&p->visit);
}

static inline void
expect_ok(struct probe *p)
{
	expect_record(p, OK, sizeof(OK));
}

/* An error whose text is ${text} and a reference, and then ${lines}. */
static inline void
expect_error_with(struct probe *p, const char *text, const char *lines)
{
	struct wire_bytes record;
	char expected[512];

	assert_int_equal(text_fmt(expected, sizeof(expected),
			     "VERSION=MYPROXYv2\nRESPONSE=1\n"
			     "ERROR=%s (reference %s)\n%s",
			     text, p->visit.ref, lines),
	    0);
	assert_true(visit_out(&p->visit, &record));
	assert_string_equal((const char *)record.data, expected);
	assert_int_equal(record.len, strlen(expected) + 1);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_false(visit_reads(&p->visit));
	visit_sent(&p->visit);
	assert_false(visit_out(&p->visit, &record));
}

static inline void
expect_error(struct probe *p, const char *text)
{
	expect_error_with(p, text, "");
}

static inline void
expect_nothing(const struct probe *p)
{
	struct wire_bytes record;

	assert_false(visit_out(&p->visit, &record));
}

static inline void
auth_says_yes(struct probe *p)
{
	struct msg m = { .type = MSG_AUTH_YES };

	m.auth_yes.connection = 7;
	m.auth_yes.ticket = (struct wire_bytes){ ticket, sizeof(ticket) };
	visit_heard(&p->visit, &m);
}

static inline void
auth_says_no(struct probe *p, uint32_t fault)
{
	struct msg m = { .type = MSG_AUTH_NO };

	m.auth_no.connection = 7;
	m.auth_no.fault = fault;
	visit_heard(&p->visit, &m);
}

static inline void
issuer_says(struct probe *p, uint32_t fault)
{
	uint8_t chain[2 * sizeof(issuer) + sizeof(leaf)];
	struct msg m = { .type = MSG_SIGN_DONE };

	/* With what must not be sent twice. */
	memcpy(chain, issuer, sizeof(issuer));
	memcpy(chain + sizeof(issuer), leaf, sizeof(leaf));
	memcpy(chain + sizeof(issuer) + sizeof(leaf), issuer, sizeof(issuer));
	m.sign_done.connection = 7;
	m.sign_done.fault = fault;
	m.sign_done.certificate = (struct wire_bytes){ leaf, sizeof(leaf) };
	m.sign_done.chain = (struct wire_bytes){ chain, sizeof(chain) };
	visit_heard(&p->visit, &m);
}

static inline void
expect_certificates(struct probe *p)
{
	uint8_t expected[1 + sizeof(leaf) + sizeof(issuer)] = { 2 };

	memcpy(expected + 1, leaf, sizeof(leaf));
	memcpy(expected + 1 + sizeof(leaf), issuer, sizeof(issuer));
	expect_record(p, expected, sizeof(expected));
	expect_ok(p);
	assert_int_equal(p->visit.state, VISIT_OVER);
	assert_false(p->visit.refused);
	assert_int_equal(p->served, 1);
}

static inline void
expect_ask(struct probe *p, const char *username, const char *passphrase)
{
	struct msg m;

	assert_int_equal(probe_heard(p, &m), MSG_AUTH_ASK);
	assert_int_equal(m.auth_ask.connection, 7);
	assert_string_equal(m.auth_ask.ref, p->visit.ref);
	assert_string_equal(m.auth_ask.peer, "192.0.2.1:4711");
	assert_string_equal(m.auth_ask.username, username);
	assert_int_equal(m.auth_ask.passphrase.len, strlen(passphrase));
	assert_memory_equal(m.auth_ask.passphrase.data, passphrase,
	    strlen(passphrase));
}

static inline void
expect_sign_ask(struct probe *p, uint32_t lifetime)
{
	struct msg m;

	assert_int_equal(probe_heard(p, &m), MSG_SIGN_ASK);
	assert_int_equal(m.sign_ask.connection, 7);
	assert_int_equal(m.sign_ask.ticket.len, sizeof(ticket));
	assert_memory_equal(m.sign_ask.ticket.data, ticket, sizeof(ticket));
	assert_int_equal(m.sign_ask.lifetime, lifetime);
	assert_int_equal(m.sign_ask.csr.len, sizeof(csr));
	assert_memory_equal(m.sign_ask.csr.data, csr, sizeof(csr));
}

#define VISIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
