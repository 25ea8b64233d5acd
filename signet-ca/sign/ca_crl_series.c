/*
 * crl --series and crl-current: lists for the time an offline root sleeps.
 *
 * A series is a directory of lists, NAME.FROM.UNTIL.NUMBER.crl (DER), whose
 * times overlap, and the CA's certificate, NAME.pem.  At any moment the one to
 * publish is that with the highest number of those that hold: a series that is
 * made later, with higher numbers, supersedes what is left of an earlier one.
 */
#include "ca_crl_series.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_sign_crl.h"
#include "x509/pem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY INT64_C(86400)
#define SERIES_MOST 400
#define OVERLAP_LEAST (7 * DAY)
#define STAMP "%Y%m%dT%H%M%SZ"
#define STAMP_SIZE 17 /* with its NUL */
#define CERT_FILE_MOST (1u << 20)

static int
read_every(const char *text, int64_t *every, struct fault *f)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY },
		{ 'w', 7 * DAY } };
	size_t len = strlen(text);
	char digits[16];
	int64_t n;

	for (size_t i = 0; len > 1 && i < sizeof(units) / sizeof(units[0]); i++)
		if (text[len - 1] == units[i].letter &&
		    text_fmt(digits, sizeof(digits), "%.*s", (int)len - 1,
			text) == 0 &&
		    text_number(digits, 1, 3660 * DAY, &n) == 0) {
			*every = n * units[i].seconds;
			return 0;
		}
	return fault_set(f, FAULT_USAGE,
	    "--every is a time such as 30d or 12h, not \"%s\"", text);
}

/* Each list must still hold when the next one begins, and a while longer. */
static int
check_every(const struct authority *a, int64_t every, struct fault *f)
{
	int64_t lifetime = a->conf.crl_lifetime;
	int64_t overlap =
	    lifetime / 4 < OVERLAP_LEAST ? lifetime / 4 : OVERLAP_LEAST;

	if (every > lifetime - overlap)
		return fault_set(f, FAULT_USAGE,
		    "--every %lld s leaves gaps: lists of this CA hold %lld s "
		    "(crl-lifetime) and must overlap by %lld s",
		    (long long)every, (long long)lifetime, (long long)overlap);
	return 0;
}

static void
stamp(time_t when, char text[STAMP_SIZE])
{
	struct tm tm;

	(void)gmtime_r(&when, &tm);
	(void)strftime(text, STAMP_SIZE, STAMP, &tm);
}

static int
write_list(const struct ca_dir *d, const char *dir, const struct crl_span *span,
    const struct buf *der, struct fault *f)
{
	char from[STAMP_SIZE], until[STAMP_SIZE], path[PATH_MAX];

	stamp(span->this_update, from);
	stamp(span->next_update, until);
	if (text_fmt(path, sizeof(path), "%s/%s.%s.%s.%llu.crl", dir,
		d->authority.conf.name, from, until,
		(unsigned long long)span->number) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (file_write_new(path, 0644, der->data, der->len, f) < 0)
		return -1;
	printf("%s\n", path);
	return 0;
}

static int
write_cert(const struct ca_dir *d, const char *dir, struct fault *f)
{
	const struct cert *cert = d->authority.cert;
	OWN_BUF(pem, CERT_FILE_MOST);
	char path[PATH_MAX];

	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ cert->der, cert->len });
	if (pem.failed ||
	    text_fmt(path, sizeof(path), "%s/%s.pem", dir,
		d->authority.conf.name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return file_write(path, 0644, pem.data, pem.len, f);
}

static int
make_lists(const struct ca_dir *d, const char *ledger, const char *dir,
    int64_t count, int64_t every, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open(ledger, NULL, f);
	time_t now = clock_wall();
	bool told = isatty(STDERR_FILENO) == 1;

	if (l == NULL)
		return -1;
	for (int64_t i = 0; i < count; i++) {
		OWN_BUF(der, CRL_BYTES_MAX);
		struct crl_span span = { .number = 0 };

		if (told)
			fprintf(stderr, "\rlist %lld of %lld", (long long)i + 1,
			    (long long)count);
		if (ca_sign_crl_at(d, l, now + i * every, &der, &span, f) < 0 ||
		    write_list(d, dir, &span, &der, f) < 0)
			return -1;
	}
	if (told)
		fprintf(stderr, "\n");
	return 0;
}

int
ca_crl_series(struct ca_dir *d, const char *ledger, const struct ca_args *args,
    struct fault *f)
{
	const struct authority *a = &d->authority;
	int64_t count, every;

	if (cmd_need(args->every, "--every", f) < 0 ||
	    cmd_need(args->out_dir, "--out-dir", f) < 0 ||
	    cmd_number(args->series, "--series", 1, SERIES_MOST, 1, &count, f) <
		0 ||
	    read_every(args->every, &every, f) < 0 ||
	    check_every(a, every, f) < 0)
		return -1;
	if (args->out != NULL || args->out_der != NULL)
		return fault_set(f, FAULT_USAGE,
		    "a series goes to --out-dir, not to --out");
	if (clock_wall() + (count - 1) * every >= a->cert->not_after)
		return fault_set(f, FAULT_USAGE,
		    "the series would outlive the CA's certificate");
	if (ca_dir_unlock(d, args->passphrase_fd, f) < 0 ||
	    file_mkdir(args->out_dir, 0755, f) < 0 ||
	    write_cert(d, args->out_dir, f) < 0)
		return -1;
	return make_lists(d, ledger, args->out_dir, count, every, f);
}

/* A list as its file's name describes it. */
struct named {
	char file[NAME_MAX + 1];
	struct crl_span span; /* number 0: none */
};

static bool
read_stamp(const char *text, time_t *when)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, STAMP, &tm);

	*when = timegm(&tm);
	return end != NULL && *end == '\0';
}

/* NAME.FROM.UNTIL.NUMBER.crl, from its end: NAME may have dots. */
static bool
read_name(const char *file, struct crl_span *span)
{
	char text[NAME_MAX + 1];
	char *part[4];
	int64_t number;

	if (text_copy(text, sizeof(text), file) < 0)
		return false;
	for (int i = 3; i >= 0; i--) {
		if ((part[i] = strrchr(text, '.')) == NULL)
			return false;
		*part[i]++ = '\0';
	}
	if (strcmp(part[3], "crl") != 0 ||
	    !read_stamp(part[0], &span->this_update) ||
	    !read_stamp(part[1], &span->next_update) ||
	    text_number(part[2], 1, INT64_MAX, &number) < 0)
		return false;
	span->number = (uint64_t)number;
	return true;
}

struct choice {
	struct named best; /* of those that hold now */
	time_t end;	   /* when the last list of all ends */
	char cert[NAME_MAX + 1];
	unsigned certs;
};

static void
look_at(const char *file, time_t now, struct choice *c)
{
	const char *dot = strrchr(file, '.');
	struct crl_span span;

	if (dot != NULL && strcmp(dot, ".pem") == 0 &&
	    text_copy(c->cert, sizeof(c->cert), file) == 0)
		c->certs++;
	if (!read_name(file, &span))
		return;
	if (span.next_update > c->end)
		c->end = span.next_update;
	if (span.this_update > now || span.next_update <= now ||
	    span.number <= c->best.span.number ||
	    text_copy(c->best.file, sizeof(c->best.file), file) < 0)
		return;
	c->best.span = span;
}

static int
choose(const char *path, time_t now, struct choice *c, struct fault *f)
{
	const struct dirent *file;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return fault_set(f, FAULT_ABSENT, "%s: %m", path);
	while ((file = readdir(dir)) != NULL)
		look_at(file->d_name, now, c);
	(void)closedir(dir);
	if (c->certs != 1)
		return fault_set(f, FAULT_ABSENT,
		    "%s has %u certificates (*.pem), not one: is it a "
		    "directory of signet-ca crl --series?",
		    path, c->certs);
	if (c->best.span.number == 0)
		return fault_set(f, FAULT_EXPIRED,
		    "%s has no list that holds now: make a new series at the "
		    "CA (signet-ca crl --series)",
		    path);
	return 0;
}

/* The CA's certificate in the directory, the only one in its file. */
static int
read_cert(const char *dir, const char *file, struct cert_list *list,
    struct fault *f)
{
	OWN_BUF(pem, CERT_FILE_MOST);
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", dir, file) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (file_read(path, &pem, f) < 0 ||
	    cert_list_read_pem(list, pem.data, pem.len, f) < 0)
		return -1;
	return list->count > 0
	    ? 0
	    : fault_set(f, FAULT_INPUT, "%s: no certificate", path);
}

/* The name is a hint, the list decides. */
static int
check_list(const struct named *named, const struct buf *der,
    const struct cert *cert, struct fault *f)
{
	struct crl crl;

	if (crl_read(&crl, (struct wire_bytes){ der->data, der->len }, f) < 0 ||
	    crl_check_signature(&crl, cert, f) < 0)
		return -1;
	if (crl.number != named->span.number ||
	    crl.this_update != named->span.this_update ||
	    crl.next_update != named->span.next_update)
		return fault_set(f, FAULT_INPUT,
		    "the list is another one than its name says");
	return 0;
}

static int
read_chosen(const char *dir, const struct choice *c, struct buf *der,
    struct fault *f)
{
	struct cert_list list = { 0 };
	char path[PATH_MAX];
	int result;

	if (text_fmt(path, sizeof(path), "%s/%s", dir, c->best.file) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (file_read(path, der, f) < 0 ||
	    read_cert(dir, c->cert, &list, f) < 0)
		return -1;
	result = check_list(&c->best, der, list.cert[0], f);
	cert_list_free(&list);
	return result < 0 ? fault_wrap(f, "%s", path) : 0;
}

/* The number of the list at ${path}, PEM or DER; 0 if there is none. */
static uint64_t
number_at(const char *path, bool is_pem)
{
	OWN_BUF(der, CRL_BYTES_MAX);
	struct fault ignored = { 0 };
	struct crl crl;

	if (ca_crl_read_file(path, is_pem, &der, &ignored) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, &ignored) <
		0)
		return 0;
	return crl.number;
}

/* Replace ${path}, unless it holds this list; never by an older one, which
 * would undo revocations. */
static int
put(const char *path, bool is_pem, const struct choice *c,
    const struct buf *der, struct fault *f)
{
	uint64_t there = path == NULL ? 0 : number_at(path, is_pem);

	if (path == NULL || there == c->best.span.number)
		return 0;
	if (there > c->best.span.number)
		return fault_set(f, FAULT_DENIED,
		    "%s is a newer list than the newest that holds here", path);
	if (is_pem)
		return ca_crl_write_pem(path,
		    (struct wire_bytes){ der->data, der->len }, true, f);
	return file_write(path, 0644, der->data, der->len, f);
}

int
ca_crl_current(const struct ca_args *args, struct fault *f)
{
	const char *dir = args->operand[0];
	time_t now = clock_wall();
	struct choice c = { .end = 0 };
	OWN_BUF(der, CRL_BYTES_MAX);

	if (args->out == NULL && args->out_der == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--out or --out-der is needed");
	if (choose(dir, now, &c, f) < 0 || read_chosen(dir, &c, &der, f) < 0 ||
	    put(args->out, true, &c, &der, f) < 0 ||
	    put(args->out_der, false, &c, &der, f) < 0)
		return -1;
	if (c.end - now <= 14 * DAY)
		fprintf(stderr,
		    "signet-ca: the last list in %s ends in %lld days: make a "
		    "new series at the CA\n",
		    dir, (long long)(c.end - now) / DAY);
	return 0;
}
