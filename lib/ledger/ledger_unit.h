#ifndef LEDGER_LEDGER_UNIT_H
#define LEDGER_LEDGER_UNIT_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "ledger/ledger.h"
#include "x509/der.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* For _test.c of this room only: a ledger in a directory of its own. */

static const struct ledger_numbering a_range = { false, 1000, 100 };
static const struct ledger_numbering at_random = { true, 0, 0 };

struct place {
	char dir[64];
	char path[PATH_MAX];
};

static inline int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_int_equal(text_copy(p->dir, sizeof(p->dir),
			     "/tmp/ledger_test.XXXXXX"),
	    0);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(text_fmt(p->path, sizeof(p->path), "%s/ledger.db",
			     p->dir),
	    0);
	*state = p;
	return 0;
}

static inline int
clear_place(void **state)
{
	struct place *p = *state;
	DIR *dir = opendir(p->dir);
	struct dirent *file;

	assert_non_null(dir);
	while ((file = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), file->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static inline struct ledger_intent
an_intent(const char *ca)
{
	return (struct ledger_intent){
		.ca = ca,
		.ref = "0123456789ab",
		.peer = "192.0.2.7:4711",
		.username = "scott.koranda",
		.principal = "scott.koranda@LIGO.ORG",
		.method = "kerberos",
		.subject = "/DC=org/DC=ligo/CN=scott.koranda@LIGO.ORG",
		.profile = "slcs-user",
		.not_before = 1790000000,
		.not_after = 1790043200,
	};
}

/* As much of a certificate as the ledger looks at, and ${more} octets. */
static inline void
put_der(struct buf *out, struct wire_bytes serial, size_t more)
{
	size_t certificate = der_open(out, DER_SEQUENCE);
	size_t tbs = der_open(out, DER_SEQUENCE);
	size_t version = der_open(out, DER_CONTEXT_C(0));

	der_put_u64(out, 2);
	der_close(out, version);
	der_put_positive(out, serial.data, serial.len);
	der_close(out, tbs);
	for (size_t i = 0; i < more; i++)
		buf_put_u8(out, 0);
	der_close(out, certificate);
	assert_false(out->failed);
}

struct serial {
	uint8_t data[20];
	size_t len;
};

static inline struct wire_bytes
bytes(const struct serial *serial)
{
	return (struct wire_bytes){ serial->data, serial->len };
}

static inline struct serial
reserve(struct ledger *l, const char *ca, const struct ledger_numbering *how)
{
	struct ledger_intent intent = an_intent(ca);
	struct fault f = { 0 };
	struct serial serial;

	if (ledger_reserve(l, &intent, how, serial.data, &serial.len, NULL,
		&f) < 0)
		fail_msg("%s", f.text);
	return serial;
}

static inline int
commit(struct ledger *l, const char *ca, const struct serial *serial,
    struct fault *f)
{
	OWN_BUF(der, 2000);

	put_der(&der, bytes(serial), 1200);
	return ledger_commit(l, ca, bytes(serial),
	    (struct wire_bytes){ der.data, der.len }, f);
}

static inline struct ledger *
opened(const struct place *p)
{
	struct fault f = { 0 };
	struct ledger *l = ledger_open(p->path, NULL, &f);

	if (l == NULL)
		fail_msg("%s", f.text);
	return l;
}

static inline void
begin(struct ledger *l)
{
	struct fault f = { 0 };

	if (ledger_begin(l, &f) < 0)
		fail_msg("%s", f.text);
}

static inline void
end(struct ledger *l)
{
	struct fault f = { 0 };

	if (ledger_end(l, &f) < 0)
		fail_msg("%s", f.text);
}

static inline struct serial
issue(struct ledger *l, const char *ca, const struct ledger_numbering *how)
{
	struct fault f = { 0 };
	struct serial serial;

	begin(l);
	serial = reserve(l, ca, how);
	end(l);
	begin(l);
	if (commit(l, ca, &serial, &f) < 0)
		fail_msg("%s", f.text);
	end(l);
	return serial;
}

static inline uint64_t
checked(struct ledger *l)
{
	struct fault f = { 0 };
	char head[65];
	uint64_t entries = 0;

	if (ledger_check(l, head, &entries, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(strlen(head), 64);
	return entries;
}

/* What a listing gathers. */
struct seen {
	unsigned count;
	unsigned states[LEDGER_HELD + 1];
	char serial[64];
	char subject[256];
	enum ledger_state state;
	int reason;
	time_t revoked;
	size_t der;
};

static inline int
see(void *arg, const struct ledger_line *line)
{
	struct seen *seen = arg;

	seen->count++;
	seen->states[line->state]++;
	seen->state = line->state;
	seen->reason = line->reason;
	seen->revoked = line->revoked;
	seen->der = line->der.len;
	assert_int_equal(text_copy(seen->serial, sizeof(seen->serial),
			     line->serial),
	    0);
	return text_copy(seen->subject, sizeof(seen->subject),
	    line->intent.subject);
}

static inline struct seen
list(struct ledger *l, struct ledger_filter filter)
{
	struct seen seen = { 0 };
	struct fault f = { 0 };

	if (ledger_each(l, &filter, see, &seen, &f) != 0)
		fail_msg("%s", f.text);
	return seen;
}

#define ON_A_PLACE(test) \
	cmocka_unit_test_setup_teardown(test, make_place, clear_place)

#endif
