#include "trust/shelf.h"

#include "base/clock.h"
#include "base/file.h"
#include "x509/crl_reading.h"
#include "x509/crl_source.h"
#include "x509/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLED 2 /* seconds */
#define ANCHOR_FILE_MAX 262144
#define CRL_FILE_MAX (CRL_BYTES_MAX / 2 * 3) /* as PEM */

struct shelf {
	size_t count;
	size_t fresh;
	bool stale;
	size_t cleared;		  /* of the places below */
	size_t size;		  /* of file: a power of two, or none */
	struct shelf_file **file; /* owned; by inode, gaps between */
};

struct shelf *
shelf_new(struct fault *f)
{
	struct shelf *shelf = calloc(1, sizeof(*shelf));

	if (shelf == NULL)
		(void)fault_set(f, FAULT_MEMORY, "trust store");
	return shelf;
}

static void
file_free(struct shelf_file *file)
{
	if (file == NULL || --file->users > 0)
		return;
	cert_free(file->cert);
	sigpolicy_clear(&file->policy);
	namespaces_clear(&file->namespaces);
	crl_index_free(file->crl);
	free(file);
}

void
shelf_free(struct shelf *shelf)
{
	if (shelf == NULL)
		return;
	for (size_t i = 0; i < shelf->size; i++)
		file_free(shelf->file[i]);
	free(shelf->file);
	free(shelf);
}

/* What it costs to free it, in octets. */
static size_t
weight_of(const struct shelf_file *file)
{
	return file == NULL || file->users > 1 ? 1
	    : file->crl == NULL		       ? 4096
					       : crl_index_memory(file->crl);
}

bool
shelf_clear_out(struct shelf *shelf, size_t left)
{
	while (shelf->cleared < shelf->size && left > 0) {
		struct shelf_file *file = TAKE(shelf->file[shelf->cleared]);
		size_t weight = weight_of(file);

		shelf->cleared++;
		file_free(file);
		left -= weight < left ? weight : left;
	}
	return shelf->cleared == shelf->size;
}

bool
shelf_stale(const struct shelf *shelf)
{
	return shelf->stale;
}

size_t
shelf_fresh(const struct shelf *shelf)
{
	return shelf->fresh;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static size_t
place_of(const struct shelf *shelf, const struct stat *st)
{
	return (size_t)(st->st_ino * 11400714819323198485u >> 32) &
	    (shelf->size - 1);
}

static struct shelf_file *
find(const struct shelf *shelf, enum shelf_kind kind, const struct stat *st)
{
	if (shelf == NULL || shelf->size == 0)
		return NULL;
	for (size_t at = place_of(shelf, st); shelf->file[at] != NULL;
	     at = (at + 1) & (shelf->size - 1))
		if (shelf->file[at]->kind == kind &&
		    same(&shelf->file[at]->st, st))
			return shelf->file[at];
	return NULL;
}

static void
put(struct shelf *shelf, struct shelf_file *file)
{
	size_t at = place_of(shelf, &file->st);

	while (shelf->file[at] != NULL)
		at = (at + 1) & (shelf->size - 1);
	shelf->file[at] = file;
}

/* Room for one more, with as many gaps as files. */
static int
make_room(struct shelf *shelf, struct fault *f)
{
	struct shelf wider = { .size =
				   shelf->size == 0 ? 64 : 2 * shelf->size };

	if (2 * (shelf->count + 1) <= shelf->size)
		return 0;
	if ((wider.file = calloc(wider.size, sizeof(struct shelf_file *))) ==
	    NULL)
		return fault_set(f, FAULT_MEMORY, "trust store");
	for (size_t i = 0; i < shelf->size; i++)
		if (shelf->file[i] != NULL)
			put(&wider, shelf->file[i]);
	free(shelf->file);
	shelf->file = wider.file;
	shelf->size = wider.size;
	return 0;
}

/* The first certificate in ${pem}; whether there is another. */
static int
read_anchor(struct shelf_file *file, int fd, const char *name, struct fault *f)
{
	OWN_BUF(pem, ANCHOR_FILE_MAX);
	OWN_BUF(der, CERT_MAX);
	OWN_BUF(rest, CERT_MAX);
	struct fault ignored = { 0 };
	size_t at = 0;
	int found;

	if (file_read_fd(fd, name, &pem, f) < 0)
		return -1;
	found = pem_next(pem.data, pem.len, &at, "CERTIFICATE", &der, f);
	if (found <= 0)
		return found < 0 ? -1
				 : fault_set(f, FAULT_INPUT, "no certificate");
	file->more = pem_next(pem.data, pem.len, &at, "CERTIFICATE", &rest,
			 &ignored) != 0;
	file->cert = cert_read((struct wire_bytes){ der.data, der.len }, f);
	if (file->cert == NULL)
		return -1;
	if (file->cert->kind != CERT_CA)
		return fault_set(f, FAULT_INPUT, "not a CA certificate");
	if (dn_hash_old(&file->cert->subject, file->old_hash, &ignored) < 0)
		file->old_hash[0] = '\0';
	return dn_hash(&file->cert->subject, file->hash, f);
}

static int
read_policy(struct shelf_file *file, int fd, const char *name, struct fault *f)
{
	OWN_BUF(text, SIGPOLICY_MAX);

	if (file_read_fd(fd, name, &text, f) < 0)
		return -1;
	return sigpolicy_read(&file->policy, (const char *)text.data, text.len,
	    f);
}

static int
read_namespaces(struct shelf_file *file, int fd, const char *name,
    struct fault *f)
{
	OWN_BUF(text, NAMESPACES_MAX);

	if (file_read_fd(fd, name, &text, f) < 0)
		return -1;
	return namespaces_read(&file->namespaces, (const char *)text.data,
	    text.len, f);
}

/* Open ${name} as the file that ${file} is to be. */
static int
open_file(struct shelf *shelf, struct shelf_file *file, int dir,
    const char *name, struct fault *f)
{
	struct stat st;
	/* Who puts a pipe there must not stop us. */
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		file->gone = errno == ENOENT && file->st.st_ino != 0;
		/* If we cannot open anything now, that will change. */
		if (file->gone || errno == EMFILE || errno == ENFILE)
			shelf->stale = true;
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return fault_set(f, FAULT_INPUT, "not a file");
	}
	if (!same(&st, &file->st)) {
		/* It will be read again when the directory is. */
		file->read_at = 0;
		shelf->stale = true;
	}
	return fd;
}

/* Fill ${file} from what ${name} is. */
static int
read_file(struct shelf *shelf, struct shelf_file *file, int dir,
    const char *name, struct fault *f)
{
	static int (*const readers[])(struct shelf_file *, int, const char *,
	    struct fault *) = { [SHELF_ANCHOR] = read_anchor,
		[SHELF_POLICY] = read_policy,
		[SHELF_NAMESPACES] = read_namespaces };
	int fd = open_file(shelf, file, dir, name, f);
	int answer;

	if (fd < 0)
		return -1;
	answer = readers[file->kind](file, fd, name, f);
	(void)close(fd);
	return answer;
}

static struct shelf_file *
file_new(enum shelf_kind kind, const struct stat *st, struct fault *f)
{
	struct shelf_file *file = calloc(1, sizeof(*file));

	if (file == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	file->users = 1;
	file->kind = kind;
	file->st = *st;
	file->read_at = clock_wall();
	return file;
}

/* Give ${file}, which is the caller's no more, its place. */
static const struct shelf_file *
place(struct shelf *shelf, struct shelf_file *file, struct fault *f)
{
	if (make_room(shelf, f) < 0) {
		file_free(file);
		return NULL;
	}
	shelf->count++;
	put(shelf, file);
	return file;
}

const struct shelf_file *
shelf_find(struct shelf *shelf, const struct shelf *old, enum shelf_kind kind,
    const struct stat *st, struct fault *f)
{
	struct shelf_file *file = find(shelf, kind, st);

	if (file != NULL)
		return file;
	file = find(old, kind, st);
	/* What failed may have been the system's fault: it is tried again. */
	if (file == NULL || file->bad.code == FAULT_SYSTEM ||
	    file->bad.code == FAULT_MEMORY ||
	    file->read_at < st->st_mtim.tv_sec + SETTLED)
		return NULL;
	file->users++;
	return place(shelf, file, f);
}

struct shelf_reading {
	struct shelf *shelf;
	struct shelf_file *file; /* owned */
	int fd;			 /* -1: there is nothing to read */
	struct crl_reading *crl; /* owned */
	struct crl_source source;
};

static int
begin(struct shelf_reading *r, int dir, const char *name, struct fault *f)
{
	if ((r->fd = open_file(r->shelf, r->file, dir, name, f)) < 0)
		return -1;
	crl_source_file(&r->source, r->fd, CRL_FILE_MAX);
	r->crl = crl_reading_new(&r->source, f);
	return r->crl == NULL ? -1 : 0;
}

struct shelf_reading *
shelf_begin(struct shelf *shelf, int dir, const char *name,
    const struct stat *st, struct fault *f)
{
	struct shelf_reading *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust store");
		return NULL;
	}
	r->shelf = shelf;
	r->fd = -1;
	if ((r->file = file_new(SHELF_CRL, st, f)) == NULL) {
		free(r);
		return NULL;
	}
	if (begin(r, dir, name, &r->file->bad) < 0) {
		crl_reading_free(r->crl);
		r->crl = NULL;
	}
	return r;
}

bool
shelf_go_on(struct shelf_reading *r, size_t *left)
{
	int done =
	    r->crl == NULL ? -1 : crl_reading_step(r->crl, left, &r->file->bad);

	if (done == 0)
		return false;
	if (done > 0)
		r->file->crl = crl_reading_take(r->crl);
	crl_reading_free(r->crl);
	r->crl = NULL;
	return true;
}

void
shelf_stop(struct shelf_reading *r)
{
	if (r == NULL)
		return;
	crl_reading_free(r->crl);
	file_free(r->file);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

const struct shelf_file *
shelf_end(struct shelf_reading *r, struct fault *f)
{
	struct shelf *shelf = r->shelf;
	/* It may have been read by another of its names meanwhile. */
	const struct shelf_file *file = find(shelf, SHELF_CRL, &r->file->st);

	if (file == NULL) {
		shelf->fresh++;
		file = place(shelf, TAKE(r->file), f);
	}
	shelf_stop(r);
	return file;
}

static const struct shelf_file *
read_list(struct shelf *shelf, int dir, const char *name, const struct stat *st,
    struct fault *f)
{
	struct shelf_reading *r = shelf_begin(shelf, dir, name, st, f);
	size_t left = SIZE_MAX;

	if (r == NULL)
		return NULL;
	while (!shelf_go_on(r, &left))
		left = SIZE_MAX;
	return shelf_end(r, f);
}

const struct shelf_file *
shelf_get(struct shelf *shelf, const struct shelf *old, int dir,
    const char *name, enum shelf_kind kind, const struct stat *st,
    struct fault *f)
{
	struct fault trouble = { 0 };
	const struct shelf_file *known =
	    shelf_find(shelf, old, kind, st, &trouble);
	struct shelf_file *file;

	if (known != NULL)
		return known;
	if (trouble.code != FAULT_NONE) {
		*f = trouble;
		return NULL;
	}
	if (kind == SHELF_CRL)
		return read_list(shelf, dir, name, st, f);
	if ((file = file_new(kind, st, f)) == NULL)
		return NULL;
	if (read_file(shelf, file, dir, name, &file->bad) < 0 &&
	    file->bad.code == FAULT_NONE)
		file->bad.code = FAULT_INPUT;
	shelf->fresh++;
	return place(shelf, file, f);
}
