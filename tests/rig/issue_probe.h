#ifndef RIG_ISSUE_PROBE_H
#define RIG_ISSUE_PROBE_H

/*
 * What the tests of issuer, signer and keeper begin with, and how what they did
 * is held against the ledger.
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "ledger/ledger.h"
#include "rig/issue_rig.h"
#include "x509/crl.h"
#include "x509/csr.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUBJECT "/DC=org/O=Ex/OU=People/CN=user@EXAMPLE.ORG"
#define MANY 200

/* What every test begins with. */
struct stage {
	const char *programs;
	struct rig_wish wish;
	struct rig rig;
	struct key *key;
	struct buf csr;
};

static struct stage stage;

static inline void
open_stage(const char *serial, const char *usage)
{
	struct fault f = { 0 };

	stage.wish = (struct rig_wish){ .programs = stage.programs,
		.ca_key = "ec:P-256",
		.serial = serial,
		.usage = usage };
	rig_open(&stage.rig, &stage.wish);
	stage.key = key_make("ec:P-256", &f);
	assert_non_null(stage.key);
	stage.csr = rig_request(stage.key);
}

static inline void
close_stage(void)
{
	rig_close(&stage.rig);
	key_free(stage.key);
	buf_free(&stage.csr);
}

static inline struct wire_bytes
request(void)
{
	return (struct wire_bytes){ stage.csr.data, stage.csr.len };
}

static inline void
ask(uint32_t connection, const char *subject)
{
	uint8_t ticket[16];

	rig_vouch(&stage.rig, subject, ticket);
	rig_ask(&stage.rig, connection, ticket, request());
}

static inline struct msg_sign_done
answer(void)
{
	struct msg m;

	assert_true(rig_hear(&stage.rig, &m));
	assert_int_equal(m.type, MSG_SIGN_DONE);
	return m.sign_done;
}

/* What the ledger knows of ${serial}, or of all. */
struct found {
	unsigned count;
	unsigned states[LEDGER_HELD + 1];
	struct wire_bytes want;
	bool same;
};

static inline int
see(void *arg, const struct ledger_line *line)
{
	struct found *found = arg;

	found->count++;
	found->states[line->state]++;
	found->same = line->der.len == found->want.len &&
	    (found->want.len == 0 ||
		memcmp(line->der.data, found->want.data, found->want.len) == 0);
	return 0;
}

static inline struct found
look_up(const char *serial, struct wire_bytes want)
{
	const struct ledger_filter filter = { .serial = serial };
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(stage.rig.ledger, &f);
	struct found found = { .want = want };

	if (l == NULL || ledger_each(l, &filter, see, &found, &f) != 0)
		fail_msg("%s", f.text);
	return found;
}

static inline struct found
look_up_all(void)
{
	return look_up(NULL, (struct wire_bytes){ NULL, 0 });
}

static inline void
check_book(void)
{
	struct fault f = { 0 };
	OWN_STRUCT(ledger) l = ledger_open_read(stage.rig.ledger, &f);
	uint64_t entries;
	char head[65];

	if (l == NULL || ledger_check(l, head, &entries, &f) < 0)
		fail_msg("%s", f.text);
}

/* A certificate in hand is in the ledger, byte for byte. */
static inline void
expect_recorded(const struct msg_sign_done *done)
{
	struct fault f = { 0 };
	OWN_STRUCT(cert) cert = NULL;
	char serial[CERT_SERIAL_TEXT];
	struct found found;

	assert_int_equal(done->fault, FAULT_NONE);
	cert = cert_read(done->certificate, &f);
	assert_non_null(cert);
	cert_serial_text(cert, serial);
	found = look_up(serial, done->certificate);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.states[LEDGER_ISSUED], 1);
	assert_true(found.same);
}

#endif
