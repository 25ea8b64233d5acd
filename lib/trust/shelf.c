#include "trust/shelf.h"

#include "base/clock.h"
#include "base/file.h"
#include "x509/crl_source.h"
#include "x509/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLED 2 /* seconds */
#define ANCHOR_FILE_MAX 262144
#define CRL_FILE_MAX (CRL_BYTES_MAX / 2 * 3) /* as PEM */

struct shelf {
	size_t count;
	size_t fresh;
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

size_t
shelf_fresh(const struct shelf *shelf)
{
	return shelf->fresh;
}

static bool
same(const struct shelf_file *file, enum shelf_kind kind, const struct stat *st)
{
	return file->kind == kind && file->st.st_dev == st->st_dev &&
	    file->st.st_ino == st->st_ino && file->st.st_size == st->st_size &&
	    file->st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
	    file->st.st_mtim.tv_nsec == st->st_mtim.tv_nsec;
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
		if (same(shelf->file[at], kind, st))
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

static int
read_crl(struct shelf_file *file, int fd, const char *name, struct fault *f)
{
	OWN(char) room = malloc(sizeof(struct crl_source));
	struct crl_source *source = (struct crl_source *)(void *)room;

	(void)name;
	if (source == NULL)
		return fault_set(f, FAULT_MEMORY, "a CRL");
	crl_source_file(source, fd, CRL_FILE_MAX);
	file->crl = crl_index_read(source, f);
	return file->crl != NULL ? 0 : -1;
}

/* Fill ${file} from what ${name} is. */
static int
read_file(struct shelf_file *file, int dir, const char *name, struct fault *f)
{
	static int (*const readers[])(struct shelf_file *, int, const char *,
	    struct fault *) = { [SHELF_ANCHOR] = read_anchor,
		[SHELF_POLICY] = read_policy,
		[SHELF_NAMESPACES] = read_namespaces,
		[SHELF_CRL] = read_crl };
	struct stat st;
	int answer, fd;

	/* Who puts a pipe there must not stop us. */
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		answer = readers[file->kind](file, fd, name, f);
	else
		answer = fault_set(f, FAULT_INPUT, "not a file");
	(void)close(fd);
	return answer;
}

static struct shelf_file *
file_new(int dir, const char *name, enum shelf_kind kind, const struct stat *st)
{
	struct shelf_file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->kind = kind;
	file->st = *st;
	file->read_at = clock_wall();
	if (read_file(file, dir, name, &file->bad) < 0 &&
	    file->bad.code == FAULT_NONE)
		file->bad.code = FAULT_INPUT;
	return file;
}

const struct shelf_file *
shelf_get(struct shelf *shelf, const struct shelf *old, int dir,
    const char *name, enum shelf_kind kind, const struct stat *st,
    struct fault *f)
{
	struct shelf_file *file = find(shelf, kind, st);

	if (file != NULL)
		return file;
	if (make_room(shelf, f) < 0)
		return NULL;
	file = find(old, kind, st);
	/* What failed may have been the system's fault: it is tried again. */
	if (file != NULL &&
	    (file->bad.code == FAULT_SYSTEM || file->bad.code == FAULT_MEMORY ||
		file->read_at < st->st_mtim.tv_sec + SETTLED))
		file = NULL;
	if (file == NULL) {
		if ((file = file_new(dir, name, kind, st)) == NULL) {
			(void)fault_set(f, FAULT_MEMORY, "trust store");
			return NULL;
		}
		shelf->fresh++;
	}
	file->users++;
	shelf->count++;
	put(shelf, file);
	return file;
}
