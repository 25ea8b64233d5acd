#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger_book.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Copies of the book, and how it goes on from one. */

int
ledger_floor_find(struct ledger *l, const char *ca,
    uint8_t serial[LEDGER_SERIAL_SIZE], int64_t *number, struct fault *f)
{
	sqlite3_stmt *stmt = l->stmt[LEDGER_STMT_FLOOR];
	int found;

	memset(serial, 0, LEDGER_SERIAL_SIZE);
	*number = 0;
	(void)sqlite3_bind_text(stmt, 1, ca, -1, SQLITE_STATIC);
	found = ledger_one(l, LEDGER_STMT_FLOOR, f);
	if (found == 1 && sqlite3_column_bytes(stmt, 0) == LEDGER_SERIAL_SIZE)
		memcpy(serial, sqlite3_column_blob(stmt, 0),
		    LEDGER_SERIAL_SIZE);
	if (found == 1)
		*number = sqlite3_column_int64(stmt, 1);
	ledger_done(l, LEDGER_STMT_FLOOR);
	return found < 0 ? -1 : 0;
}

int
ledger_skip(struct ledger *l, const struct ledger_floor *floor, struct fault *f)
{
	uint8_t serial[LEDGER_SERIAL_SIZE] = { 0 };
	struct wire_out out = { .at = serial + LEDGER_SERIAL_SIZE - 8,
		.left = 8 };
	struct ledger_entry e = { 0 };

	/* The last number must have one after it. */
	if (floor->crl >= INT64_MAX)
		return fault_set(f, FAULT_INPUT,
		    "ledger: a CRL number of more than 63 bits");
	wire_put_u64(&out, floor->serial);
	ledger_entry_number(&e, LEDGER_COLUMN_KIND, LEDGER_KIND_RESTORE);
	ledger_entry_text(&e, LEDGER_COLUMN_CA, floor->ca);
	ledger_entry_text(&e, LEDGER_COLUMN_REF, floor->note);
	ledger_entry_text(&e, LEDGER_COLUMN_USERNAME, floor->who);
	if (floor->serial > 0)
		ledger_entry_bytes(&e, LEDGER_COLUMN_SERIAL,
		    (struct wire_bytes){ serial, sizeof(serial) });
	if (floor->crl > 0)
		ledger_entry_number(&e, LEDGER_COLUMN_NUMBER,
		    (int64_t)floor->crl);
	return ledger_put(l, &e, f) < 0 ? -1 : 0;
}

/* All pages at once: others may go on writing meanwhile, and the copy is of
 * one moment.  It leaves WAL mode, so that the copy is one file. */
static int
copy_pages(struct ledger *l, sqlite3 *to, struct fault *f)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", l->db, "main");
	int rc = SQLITE_ERROR, step;

	if (backup != NULL) {
		step = sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
		/* One that was only busy or locked is no fault to finish(),
		 * but no copy either. */
		if (rc == SQLITE_OK && step != SQLITE_DONE)
			rc = step == SQLITE_OK ? SQLITE_ERROR : step;
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL,
		    NULL, NULL);
	if (rc != SQLITE_OK)
		return fault_set(f, FAULT_LEDGER, "ledger: copy: %s",
		    sqlite3_errstr(rc));
	return 0;
}

static int
copy_to(struct ledger *l, const char *path, struct fault *f)
{
	sqlite3 *to = NULL;
	int result;

	if (sqlite3_open_v2(path, &to,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE |
		    SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK)
		result = fault_set(f, FAULT_LEDGER, "ledger: copy: %s: %s",
		    path, sqlite3_errmsg(to));
	else
		result = copy_pages(l, to, f);
	if (sqlite3_close(to) != SQLITE_OK && result == 0)
		result = fault_set(f, FAULT_LEDGER, "ledger: copy: %s", path);
	return result;
}

static int
sync_path(const char *path, int flags, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int result = fd < 0 ? -1 : fsync(fd);

	if (result < 0)
		(void)fault_set(f, FAULT_LEDGER, "ledger: copy: %s: %s", path,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return result;
}

static int
sync_directory(const char *path, struct fault *f)
{
	char dir[PATH_MAX];
	char *slash;

	if (text_copy(dir, sizeof(dir), path) < 0)
		return fault_set(f, FAULT_CONFIG, "ledger: path too long");
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return sync_path(".", O_DIRECTORY, f);
	slash[slash == dir ? 1 : 0] = '\0';
	return sync_path(dir, O_DIRECTORY, f);
}

int
ledger_copy(struct ledger *l, const char *path, struct fault *f)
{
	char part[PATH_MAX];

	if (text_fmt(part, sizeof(part), "%s.part", path) < 0)
		return fault_set(f, FAULT_CONFIG, "ledger: path too long");
	/* What a copy that was interrupted left. */
	if (unlink(part) < 0 && errno != ENOENT)
		return fault_set(f, FAULT_LEDGER, "ledger: copy: %s: %s", part,
		    strerror(errno));
	if (file_write_new(part, 0600, "", 0, f) < 0)
		return fault_wrap(f, "ledger: copy");
	if (copy_to(l, part, f) < 0 || sync_path(part, O_NOFOLLOW, f) < 0) {
		(void)unlink(part);
		return -1;
	}
	if (rename(part, path) < 0)
		return fault_set(f, FAULT_LEDGER, "ledger: copy: %s: %s", path,
		    strerror(errno));
	return sync_directory(path, f);
}
