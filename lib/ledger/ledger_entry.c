#include "ledger/ledger_entry.h"

#include "base/fault.h"

#include <openssl/evp.h>

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

int
ledger_hasher_open(struct ledger_hasher *h, struct fault *f)
{
	h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->ctx = EVP_MD_CTX_new();
	if (h->md != NULL && h->ctx != NULL)
		return 0;
	ledger_hasher_close(h);
	return fault_set(f, FAULT_MEMORY, "SHA-256 is not to be had");
}

void
ledger_hasher_close(struct ledger_hasher *h)
{
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->md);
	h->ctx = NULL;
	h->md = NULL;
}

int
ledger_hasher_run(const struct ledger_hasher *h, const struct wire_bytes *parts,
    size_t count, uint8_t hash[LEDGER_HASH_SIZE], struct fault *f)
{
	int good = EVP_DigestInit_ex2(h->ctx, h->md, NULL);

	for (size_t i = 0; i < count && good; i++)
		good = EVP_DigestUpdate(h->ctx, parts[i].data, parts[i].len);
	if (!good || !EVP_DigestFinal_ex(h->ctx, hash, NULL))
		return fault_set(f, FAULT_INTERNAL, "SHA-256 failed");
	return 0;
}

void
ledger_entry_number(struct ledger_entry *e, enum ledger_column column,
    int64_t number)
{
	e->value[column].type = LEDGER_VALUE_NUMBER;
	e->value[column].number = number;
}

void
ledger_entry_text(struct ledger_entry *e, enum ledger_column column,
    const char *text)
{
	e->value[column].type = LEDGER_VALUE_TEXT;
	e->value[column].bytes =
	    (struct wire_bytes){ (const uint8_t *)text, strlen(text) };
}

void
ledger_entry_bytes(struct ledger_entry *e, enum ledger_column column,
    struct wire_bytes bytes)
{
	e->value[column].type = LEDGER_VALUE_BYTES;
	e->value[column].bytes = bytes;
}

static int
bind_value(const struct ledger_value *v, int at, sqlite3_stmt *stmt)
{
	switch (v->type) {
	case LEDGER_VALUE_NULL:
		return sqlite3_bind_null(stmt, at);
	case LEDGER_VALUE_NUMBER:
		return sqlite3_bind_int64(stmt, at, v->number);
	case LEDGER_VALUE_TEXT:
		return sqlite3_bind_text64(stmt, at,
		    (const char *)v->bytes.data, v->bytes.len, SQLITE_STATIC,
		    SQLITE_UTF8);
	case LEDGER_VALUE_BYTES:
		return sqlite3_bind_blob64(stmt, at, v->bytes.data,
		    v->bytes.len, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

int
ledger_entry_bind(const struct ledger_entry *e,
    const uint8_t hash[LEDGER_HASH_SIZE], sqlite3_stmt *stmt)
{
	for (int i = 0; i < LEDGER_COLUMN_COUNT; i++) {
		int rc = bind_value(&e->value[i], i + 1, stmt);

		if (rc != SQLITE_OK)
			return rc;
	}
	return sqlite3_bind_blob(stmt, LEDGER_COLUMN_COUNT + 1, hash,
	    LEDGER_HASH_SIZE, SQLITE_STATIC);
}

static void
load_value(struct ledger_value *v, int at, sqlite3_stmt *stmt)
{
	int type = sqlite3_column_type(stmt, at);

	memset(v, 0, sizeof(*v));
	if (type == SQLITE_NULL)
		return;
	if (type == SQLITE_INTEGER) {
		v->type = LEDGER_VALUE_NUMBER;
		v->number = sqlite3_column_int64(stmt, at);
		return;
	}
	v->type = type == SQLITE_BLOB ? LEDGER_VALUE_BYTES : LEDGER_VALUE_TEXT;
	v->bytes.data = type == SQLITE_BLOB ? sqlite3_column_blob(stmt, at)
					    : sqlite3_column_text(stmt, at);
	v->bytes.len = (size_t)sqlite3_column_bytes(stmt, at);
}

void
ledger_entry_load(struct ledger_entry *e, sqlite3_stmt *stmt)
{
	for (int i = 0; i < LEDGER_COLUMN_COUNT; i++)
		load_value(&e->value[i], i, stmt);
}

/* The header of a value: its type, and its number or its length. */
static struct wire_bytes
put_head(const struct ledger_value *v, uint8_t head[9])
{
	struct wire_out out = { .at = head, .left = 9 };

	wire_put_u8(&out, (uint8_t)v->type);
	if (v->type == LEDGER_VALUE_NUMBER)
		wire_put_u64(&out, (uint64_t)v->number);
	if (v->type == LEDGER_VALUE_TEXT || v->type == LEDGER_VALUE_BYTES)
		wire_put_u32(&out, (uint32_t)v->bytes.len);
	assert(!out.failed);
	return (struct wire_bytes){ head, 9 - out.left };
}

/* SHA-256 of ${first} and the bytes of ${e}. */
static int
hash_after(const struct ledger_hasher *h, struct wire_bytes first,
    const struct ledger_entry *e, uint8_t hash[LEDGER_HASH_SIZE],
    struct fault *f)
{
	int good = EVP_DigestInit_ex2(h->ctx, h->md, NULL) &&
	    EVP_DigestUpdate(h->ctx, first.data, first.len);

	for (int i = 0; i < LEDGER_COLUMN_COUNT && good; i++) {
		const struct ledger_value *v = &e->value[i];
		uint8_t head[9];
		struct wire_bytes put = put_head(v, head);

		good = EVP_DigestUpdate(h->ctx, put.data, put.len);
		if (good && v->bytes.len > 0)
			good = EVP_DigestUpdate(h->ctx, v->bytes.data,
			    v->bytes.len);
	}
	if (!good || !EVP_DigestFinal_ex(h->ctx, hash, NULL))
		return fault_set(f, FAULT_INTERNAL, "SHA-256 failed");
	return 0;
}

int
ledger_entry_hash(const struct ledger_hasher *h, const struct ledger_entry *e,
    const uint8_t previous[LEDGER_HASH_SIZE], uint8_t hash[LEDGER_HASH_SIZE],
    struct fault *f)
{
	return hash_after(h, (struct wire_bytes){ previous, LEDGER_HASH_SIZE },
	    e, hash, f);
}

int
ledger_entry_leaf(const struct ledger_hasher *h, const struct ledger_entry *e,
    uint8_t hash[LEDGER_HASH_SIZE], struct fault *f)
{
	static const uint8_t leaf = 0;

	return hash_after(h, (struct wire_bytes){ &leaf, 1 }, e, hash, f);
}

void
ledger_entry_put(const struct ledger_entry *e, struct buf *out)
{
	for (int i = 0; i < LEDGER_COLUMN_COUNT; i++) {
		const struct ledger_value *v = &e->value[i];
		uint8_t head[9];
		struct wire_bytes put = put_head(v, head);

		buf_put(out, put.data, put.len);
		if (v->bytes.len > 0)
			buf_put(out, v->bytes.data, v->bytes.len);
	}
}
