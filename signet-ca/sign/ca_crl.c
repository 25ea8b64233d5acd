/* crl: what is no longer to be believed. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_crl_series.h"
#include "ca_sign.h"
#include "ca_sign_crl.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_file.h"
#include "x509/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For so long a list that stands where it is to be written is taken for that of
 * a command which was interrupted; one that is older is in the way. */
#define AGAIN 3600

/* Where a list goes, and in which form. */
struct place {
	const char *path; /* NULL: nowhere */
	bool is_pem;
};
#define PLACES 2

static int
in_the_way(const char *path, struct fault *f)
{
	return fault_set(f, FAULT_DENIED,
	    "%s is there already; nothing is overwritten", path);
}

/* Whether ${crl} is the newest list of ${d}, just made, with all that is
 * revoked: a new one would say the same. */
static int
is_newest(const struct ca_dir *d, const char *ledger, const struct crl *crl,
    struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open_read(ledger, f);
	time_t now = clock_wall();
	struct ca_crl_state state;

	if (l == NULL || ca_crl_state(l, &d->authority, now, &state, f) < 0)
		return -1;
	return state.number != 0 && crl->number == state.number &&
	    crl->next_update == state.next_update && !state.stale &&
	    now < crl->this_update + CRL_BACKDATE + AGAIN;
}

/* The list that is at ${place}, if this command may have put it there; all
 * else is in the way.  No number is signed twice, so the signature tells. */
static int
read_place(const struct ca_dir *d, const char *ledger,
    const struct place *place, struct buf *der, struct fault *f)
{
	struct fault ignored = { 0 };
	struct crl crl;
	int newest;

	if (ca_crl_read_file(place->path, place->is_pem, der, &ignored) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der->data, der->len },
		&ignored) < 0 ||
	    crl_check_signature(&crl, d->authority.cert, &ignored) < 0)
		return in_the_way(place->path, f);
	if ((newest = is_newest(d, ledger, &crl, f)) < 0)
		return -1;
	return newest == 0 ? in_the_way(place->path, f) : 0;
}

/* What an interrupted command has left: one list, in some of the places, which
 * ${der} gets.  Nothing is signed for a place that cannot be written. */
static int
find_left(const struct ca_dir *d, const char *ledger,
    const struct place place[PLACES], struct buf *der, struct fault *f)
{
	for (size_t i = 0; i < PLACES; i++) {
		OWN_BUF(there, CRL_BYTES_MAX);

		if (place[i].path == NULL)
			continue;
		if (!ca_file_exists(place[i].path)) {
			if (ca_file_possible(place[i].path, f) < 0)
				return -1;
			continue;
		}
		if (read_place(d, ledger, &place[i], &there, f) < 0)
			return -1;
		if (der->len == 0)
			buf_put(der, there.data, there.len);
	}
	return der->failed ? fault_set(f, FAULT_MEMORY, "list") : 0;
}

static int
write_place(const struct place *place, const struct buf *der, struct fault *f)
{
	if (place->is_pem)
		return ca_crl_write_pem(place->path,
		    (struct wire_bytes){ der->data, der->len }, false, f);
	return file_write_new(place->path, 0644, der->data, der->len, f);
}

/* As find_left(), or a new list. */
static int
get_list(struct ca_dir *d, const char *ledger, const struct ca_args *args,
    const struct place place[PLACES], bool *left, struct buf *der,
    struct fault *f)
{
	if (find_left(d, ledger, place, der, f) < 0)
		return -1;
	*left = der->len > 0;
	if (*left) {
		printf("The newest list is there; the same is written.\n");
		return 0;
	}
	if (ca_dir_unlock(d, args->passphrase_fd, f) < 0)
		return -1;
	return ca_sign_crl(d, ledger, der, f);
}

static int
make_one(struct ca_dir *d, const char *ledger, const struct ca_args *args,
    struct fault *f)
{
	const struct place place[PLACES] = { { args->out_der, false },
		{ args->out, true } };
	OWN_BUF(der, CRL_BYTES_MAX);
	bool left;

	if (args->out == NULL && args->out_der == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--out, --out-der or --series is needed");
	if (args->every != NULL || args->out_dir != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--every and --out-dir are for --series");
	if (get_list(d, ledger, args, place, &left, &der, f) < 0)
		return -1;
	for (size_t i = 0; i < PLACES; i++) {
		if (place[i].path == NULL ||
		    (left && ca_file_exists(place[i].path)))
			continue;
		if (write_place(&place[i], &der, f) < 0)
			return -1;
	}
	return 0;
}

int
ca_crl(const struct ca_args *args, struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(args->operand[0], f);
	char ledger[PATH_MAX];

	if (d == NULL ||
	    ca_dir_ledger(d, args->ledger, ledger, sizeof(ledger), f) < 0)
		return -1;
	return args->series != NULL ? ca_crl_series(d, ledger, args, f)
				    : make_one(d, ledger, args, f);
}
