#include "signetd/keeper/lists.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/revoked.h"
#include "x509/crl.h"
#include "x509/pem.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define CRL_MAX 61440
#define PEM_MAX ((size_t)2 * CRL_MAX)

/* thisUpdate lies before the moment at which the number is taken. */
#define BACKDATE_MAX 3600

static const char *
name_of(const struct lists *lists)
{
	return lists->book->authority.conf.name;
}

static int
path_of(const struct lists *lists, const char *suffix, char path[PATH_MAX],
    struct fault *f)
{
	if (text_fmt(path, PATH_MAX, "%s/%s.%s", lists->dir, name_of(lists),
		suffix) < 0)
		return fault_set(f, FAULT_CONFIG, "path too long");
	return 0;
}

int
lists_due(const struct lists *lists, time_t now, bool *due, struct fault *f)
{
	int64_t half = lists->book->authority.conf.crl_lifetime / 2;
	struct ledger_crl last;
	char path[PATH_MAX];

	if (ledger_crl_last(lists->ledger, name_of(lists), &last, f) < 0 ||
	    path_of(lists, "crl", path, f) < 0)
		return -1;
	*due = last.number == 0 || last.stale || last.taken > now ||
	    now - last.taken > half || access(path, F_OK) < 0;
	return 0;
}

struct gather {
	struct buf *entries;
	time_t since; /* of the last list */
	bool bad;
};

static int
gather_line(void *arg, const struct ledger_line *line)
{
	struct gather *g = arg;
	struct revoked r = { .reason = (uint8_t)line->reason,
		.when = line->revoked };
	int len = text_unhex(line->serial, r.serial, sizeof(r.serial));

	if (line->intent.not_after < g->since - BACKDATE_MAX)
		return 0;
	g->bad |= len <= 0;
	if (g->bad)
		return 1;
	r.serial_len = (uint8_t)len;
	revoked_put(g->entries, &r);
	return 0;
}

int
lists_make(const struct lists *lists, uint64_t *number, struct buf *entries,
    struct fault *f)
{
	const struct ledger_filter filter = { .ca = name_of(lists),
		.revoked_only = true };
	struct gather g = { .entries = entries };
	struct ledger_crl last;

	*entries = BUF(LISTS_ENTRIES_MAX);
	if (ledger_crl_last(lists->ledger, name_of(lists), &last, f) < 0)
		return -1;
	g.since = last.number > 0 ? last.taken : 0;
	if (ledger_each(lists->ledger, &filter, gather_line, &g, f) < 0)
		return -1;
	if (g.bad)
		return fault_set(f, FAULT_LEDGER,
		    "a serial in the ledger is none");
	if (entries->failed)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "more are revoked than one CRL can hold here");
	return ledger_crl_number(lists->ledger, name_of(lists), number, f);
}

static int
check_list(const struct lists *lists, uint64_t number, struct wire_bytes der,
    struct fault *f)
{
	const struct authority *a = &lists->book->authority;
	struct ledger_crl last;
	struct crl crl;

	if (crl_read(&crl, der, f) < 0)
		return -1;
	if (!dn_equal(&crl.issuer, &a->cert->subject) || crl.number != number)
		return fault_set(f, FAULT_DENIED,
		    "a CRL of another CA, or with another number");
	if (crl_check_signature(&crl, a->cert, f) < 0 ||
	    ledger_crl_last(lists->ledger, name_of(lists), &last, f) < 0)
		return -1;
	if (number <= last.number)
		return fault_set(f, FAULT_DENIED,
		    "a CRL that is older than the last");
	return 0;
}

int
lists_file(const struct lists *lists, uint64_t number, struct wire_bytes der,
    struct fault *f)
{
	OWN_BUF(pem, PEM_MAX);
	char der_path[PATH_MAX], pem_path[PATH_MAX];

	if (check_list(lists, number, der, f) < 0 ||
	    path_of(lists, "crl", der_path, f) < 0 ||
	    path_of(lists, "r0", pem_path, f) < 0)
		return -1;
	pem_put(&pem, "X509 CRL", der);
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "CRL");
	/* On disk before the book says so: the reverse would be a list that
	 * nobody can find. */
	if (file_write(der_path, 0644, der.data, der.len, f) < 0 ||
	    file_write(pem_path, 0644, pem.data, pem.len, f) < 0 ||
	    ledger_crl_filed(lists->ledger, name_of(lists), number, der, f) < 0)
		return -1;
	LOG(CRL_FILED, LOG_TEXT("ca", name_of(lists)),
	    LOG_NUMBER("number", number), LOG_TEXT("path", der_path));
	return 0;
}
