/*
 * The file: MAGIC, numbers and texts in this machine's byte order, and the
 * SHA-256 of all before it.  A record is as it is in memory.
 */
#include "roster/roster_state.h"

#include "base/fault.h"
#include "base/file_part.h"
#include "base/text.h"
#include "roster/roster_part.h"
#include "roster/roster_value.h"

#include <openssl/evp.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "SIGNET ROSTER 1\n"
#define MAGIC_LEN 16
#define BYTE_ORDER_MARK 0x01020304u
#define DIGEST_LEN 32
#define PIECE (1u << 20)
#define TEXT_MAX 65536u
#define REC_MAX (1u << 28)

OWN_FREE(EVP_MD_CTX, EVP_MD_CTX_free)

struct writer {
	struct file_part part;
	EVP_MD_CTX *digest;
	uint8_t *piece;
	size_t len;
	struct fault *f;
	bool failed;
};

static void
flush_piece(struct writer *w)
{
	if (w->failed || w->len == 0)
		return;
	if (EVP_DigestUpdate(w->digest, w->piece, w->len) != 1) {
		(void)fault_set(w->f, FAULT_INTERNAL, "SHA-256");
		w->failed = true;
	} else if (file_part_put(&w->part,
		       (struct wire_bytes){ w->piece, w->len }, w->f) < 0) {
		w->failed = true;
	}
	w->len = 0;
}

static void
put(struct writer *w, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0) {
		size_t n = PIECE - w->len < len ? PIECE - w->len : len;

		memcpy(w->piece + w->len, at, n);
		w->len += n;
		at += n;
		len -= n;
		if (w->len == PIECE)
			flush_piece(w);
	}
}

static void
put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

static void
put_u64(struct writer *w, uint64_t value)
{
	put(w, &value, sizeof(value));
}

static void
put_bytes(struct writer *w, const void *data, size_t len)
{
	put_u32(w, (uint32_t)len);
	put(w, data, len);
}

static void
put_text(struct writer *w, const char *text)
{
	put_bytes(w, text, strlen(text));
}

enum {
	FLAG_SHADOW = 1,
	FLAG_NESTED = 2,
	FLAG_BY_MEMBER = 4,
	FLAG_COOKIE = 8
};

static void
put_source(struct writer *w, const struct roster_source *s)
{
	uint32_t flags = (s->shadow ? FLAG_SHADOW : 0) |
	    (s->nested ? FLAG_NESTED : 0) |
	    (s->by_member ? FLAG_BY_MEMBER : 0) |
	    (s->cookie_count > 0 ? FLAG_COOKIE : 0);

	put_u32(w, flags);
	put_text(w, s->name);
	put_text(w, s->subject);
	put_text(w, s->digest);
	put_u64(w, (uint64_t)s->fresh);
	if (s->cookie_count > 0) {
		put_text(w, s->cookies[0].server);
		put_bytes(w, s->cookies[0].data, s->cookies[0].len);
	}
}

static void
put_words(struct writer *w, const struct roster_intern *in)
{
	for (uint32_t i = 0; i < in->count; i++) {
		put_u32(w, in->words[i]->tag);
		put_bytes(w, in->words[i]->text, in->words[i]->len);
	}
}

static void
put_roster(struct writer *w, const struct roster *r)
{
	put(w, MAGIC, MAGIC_LEN);
	put_u32(w, BYTE_ORDER_MARK);
	put_u32(w, r->source_count);
	put_u32(w, r->groups.count);
	put_u32(w, r->dns.count);
	put_u32(w, r->table.count);
	for (uint32_t i = 0; i < r->source_count; i++)
		put_source(w, &r->sources[i]);
	put_words(w, &r->groups);
	put_words(w, &r->dns);
	for (uint32_t i = 0; i < r->table.used; i++)
		if (r->table.slots[i] != NULL)
			put_bytes(w, r->table.slots[i],
			    roster_rec_size(r->table.slots[i]));
}

static int
write_all(struct writer *w, const struct roster *r, struct fault *f)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL) != 1)
		return fault_set(f, FAULT_INTERNAL, "SHA-256");
	put_roster(w, r);
	flush_piece(w);
	if (w->failed)
		return -1;
	if (EVP_DigestFinal_ex(w->digest, digest, &size) != 1)
		return fault_set(f, FAULT_INTERNAL, "SHA-256");
	if (file_part_put(&w->part, (struct wire_bytes){ digest, DIGEST_LEN },
		f) < 0)
		return -1;
	return file_part_end(&w->part, true, NULL, f);
}

int
roster_save(const struct roster *r, const char *path, struct fault *f)
{
	OWN(EVP_MD_CTX) digest = EVP_MD_CTX_new();
	OWN(char) piece = malloc(PIECE);
	struct writer w = {
		.digest = digest, .piece = (uint8_t *)piece, .f = f
	};
	int result;

	if (digest == NULL || piece == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	if (file_part_open(&w.part, path, 0600, f) < 0)
		return -1;
	result = write_all(&w, r, f);
	file_part_drop(&w.part);
	return result;
}

static uint32_t
get_u32(struct wire_in *in)
{
	uint32_t value = 0;

	if (in->failed || in->left < sizeof(value)) {
		in->failed = true;
		return 0;
	}
	memcpy(&value, in->at, sizeof(value));
	in->at += sizeof(value);
	in->left -= sizeof(value);
	return value;
}

static uint64_t
get_u64(struct wire_in *in)
{
	uint64_t value = 0;

	if (in->failed || in->left < sizeof(value)) {
		in->failed = true;
		return 0;
	}
	memcpy(&value, in->at, sizeof(value));
	in->at += sizeof(value);
	in->left -= sizeof(value);
	return value;
}

static struct wire_bytes
get_bytes(struct wire_in *in, size_t max)
{
	struct wire_bytes value = { NULL, 0 };
	size_t len = get_u32(in);

	if (in->failed || len > in->left || len > max) {
		in->failed = true;
		return value;
	}
	value = (struct wire_bytes){ in->at, len };
	in->at += len;
	in->left -= len;
	return value;
}

/* A text of its own; NULL (and failed) if it is none. */
static char *
get_text(struct wire_in *in)
{
	struct wire_bytes bytes = get_bytes(in, TEXT_MAX);
	char *text;

	if (in->failed ||
	    (bytes.len > 0 && memchr(bytes.data, '\0', bytes.len) != NULL)) {
		in->failed = true;
		return NULL;
	}
	if ((text = calloc(1, bytes.len + 1)) == NULL)
		in->failed = true;
	else if (bytes.len > 0)
		memcpy(text, bytes.data, bytes.len);
	return text;
}

static int
get_cookie(struct wire_in *in, struct roster_source *s, struct fault *f)
{
	OWN(char) server = get_text(in);
	struct wire_bytes cookie = get_bytes(in, (size_t)TEXT_MAX * 2);

	if (in->failed || cookie.len == 0)
		return fault_set(f, FAULT_INPUT, "a malformed cookie");
	return roster_cookie_set(s, server, cookie.data, cookie.len, f);
}

static int
get_source(struct wire_in *in, struct roster *r, struct fault *f)
{
	struct roster_source *s = &r->sources[r->source_count];
	uint32_t flags = get_u32(in);

	*s = (struct roster_source){ .shadow = flags & FLAG_SHADOW,
		.nested = flags & FLAG_NESTED,
		.by_member = flags & FLAG_BY_MEMBER };
	r->source_count++;
	s->name = get_text(in);
	s->subject = get_text(in);
	s->digest = get_text(in);
	s->fresh = (time_t)get_u64(in);
	if (in->failed || flags > 15 || (s->shadow && s->nested))
		return fault_set(f, FAULT_INPUT, "a malformed source");
	/* A shadow follows its source, and only that. */
	if (s->shadow != (r->source_count > 1 && s[-1].nested))
		return fault_set(f, FAULT_INPUT, "sources out of order");
	if (flags & FLAG_COOKIE && get_cookie(in, s, f) < 0)
		return -1;
	return roster_subject_prepare(s, f);
}

static int
get_words(struct wire_in *in, struct roster_intern *to, uint32_t count,
    uint32_t tags, struct fault *f)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t tag = get_u32(in);
		struct wire_bytes text = get_bytes(in, TEXT_MAX);

		if (in->failed || tag >= tags ||
		    (text.len > 0 && memchr(text.data, '\0', text.len) != NULL))
			return fault_set(f, FAULT_INPUT, "a malformed name");
		if (roster_intern_add(to, tag,
			text.len > 0 ? (const char *)text.data : "", text.len,
			f) != i)
			return fault_set(f, FAULT_INPUT, "a name twice");
	}
	return 0;
}

static bool
are_ascending(const uint32_t *numbers, uint32_t count, uint32_t below)
{
	for (uint32_t i = 0; i < count; i++)
		if (numbers[i] >= below ||
		    (i > 0 && numbers[i - 1] >= numbers[i]))
			return false;
	return true;
}

/* As strict as those that made it: a map file is made of these. */
static bool
are_texts_good(const struct roster *r, const struct roster_rec *rec)
{
	bool shadow = r->sources[rec->source].shadow;
	struct roster_person p;
	const char *at;

	roster_rec_show(rec, 0, &p);
	at = p.texts;
	if (p.principal[0] != '\0' &&
	    !roster_value_principal(p.principal, strlen(p.principal)))
		return false;
	for (size_t i = 0; i < p.account_count; i++, at += strlen(at) + 1)
		if (!(shadow ? roster_value_group(at, strlen(at))
			     : roster_value_account(at, strlen(at), true)))
			return false;
	for (size_t i = 0; i < p.name_count; i++, at += strlen(at) + 1)
		if (at[0] != '/' || strlen(at) >= ROSTER_NAME_SIZE ||
		    !text_printable(at) || strchr(at, '"') != NULL)
			return false;
	return !shadow || (p.account_count == 1 && p.name_count == 0);
}

static bool
is_rec_good(const struct roster *r, const struct roster_rec *rec, size_t size)
{
	const struct roster_source *s;

	if (!roster_rec_check(rec, size) || rec->source >= r->source_count)
		return false;
	s = &r->sources[rec->source];
	if (rec->dn != ROSTER_NONE && rec->dn >= r->dns.count)
		return false;
	if (rec->direct > 0 && !s->nested && !s->shadow)
		return false;
	if (!are_ascending(rec->numbers, rec->groups, r->groups.count) ||
	    !are_ascending(rec->numbers + rec->groups, rec->direct,
		r->dns.count))
		return false;
	for (uint32_t i = 0; i < rec->groups; i++)
		if (r->groups.words[rec->numbers[i]]->tag != rec->source)
			return false;
	return are_texts_good(r, rec);
}

static int
get_rec(struct wire_in *in, struct roster *r, struct fault *f)
{
	struct wire_bytes bytes = get_bytes(in, REC_MAX);
	struct roster_rec *rec, *old = NULL;
	uint32_t slot;

	if (in->failed || bytes.len < sizeof(*rec))
		return fault_set(f, FAULT_INPUT, "a malformed person");
	if ((rec = malloc(bytes.len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a person");
	memcpy(rec, bytes.data, bytes.len);
	if (!is_rec_good(r, rec, bytes.len) ||
	    roster_table_find(&r->table, rec->source, rec->uuid) !=
		ROSTER_NONE) {
		free(rec);
		return fault_set(f, FAULT_INPUT, "a malformed person");
	}
	if (roster_table_put(&r->table, rec, &slot, &old, f) < 0) {
		free(rec);
		return -1;
	}
	r->sources[rec->source].count++;
	return 0;
}

static int
get_roster(struct wire_in *in, struct roster *r, struct fault *f)
{
	uint32_t sources, groups, dns, recs;

	if (in->left < MAGIC_LEN || memcmp(in->at, MAGIC, MAGIC_LEN) != 0)
		return fault_set(f, FAULT_INPUT, "not a roster");
	in->at += MAGIC_LEN;
	in->left -= MAGIC_LEN;
	if (get_u32(in) != BYTE_ORDER_MARK)
		return fault_set(f, FAULT_INPUT, "of another machine");
	sources = get_u32(in);
	groups = get_u32(in);
	dns = get_u32(in);
	recs = get_u32(in);
	if (in->failed || sources > ROSTER_SOURCES_MAX)
		return fault_set(f, FAULT_INPUT, "cut off");
	for (uint32_t i = 0; i < sources; i++)
		if (get_source(in, r, f) < 0)
			return -1;
	if (sources > 0 && r->sources[sources - 1].nested)
		return fault_set(f, FAULT_INPUT, "a source without its groups");
	if (get_words(in, &r->groups, groups, sources, f) < 0 ||
	    get_words(in, &r->dns, dns, 1, f) < 0)
		return -1;
	/* No more memory than the file could need. */
	if (recs > in->left / sizeof(struct roster_rec) ||
	    roster_table_reserve(&r->table, recs, f) < 0)
		return fault_set(f, FAULT_INPUT, "cut off");
	for (uint32_t i = 0; i < recs; i++)
		if (get_rec(in, r, f) < 0)
			return -1;
	if (!wire_ended(in))
		return fault_set(f, FAULT_INPUT, "something behind its end");
	return 0;
}

/* Groups are resolved in the file already, except what is found by DN. */
static int
nest(struct roster *r, struct fault *f)
{
	for (uint32_t i = 0; i < r->source_count; i++)
		if (r->sources[i].nested && roster_nest_all(r, i, f) < 0)
			return -1;
	return 0;
}

struct roster *
roster_state_read(struct wire_bytes state, bool unsealed, struct fault *f)
{
	OWN_STRUCT(roster) r = roster_new(f);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	struct wire_in in;

	if (r == NULL)
		return NULL;
	if (state.len < DIGEST_LEN) {
		(void)fault_set(f, FAULT_INPUT, "cut off");
		return NULL;
	}
	in = (struct wire_in){ state.data, state.len - DIGEST_LEN, false };
	if (!unsealed &&
	    (EVP_Digest(in.at, in.left, digest, &size, EVP_sha256(), NULL) !=
		    1 ||
		memcmp(digest, in.at + in.left, DIGEST_LEN) != 0)) {
		(void)fault_set(f, FAULT_INPUT, "its checksum is wrong");
		return NULL;
	}
	if (get_roster(&in, r, f) < 0 || nest(r, f) < 0)
		return NULL;
	return TAKE(r);
}

static struct roster *
load_fd(int fd, struct fault *f)
{
	struct stat st;
	struct roster *r;
	void *map;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		(void)fault_set(f, FAULT_INPUT, "not a roster");
		return NULL;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		(void)fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
		return NULL;
	}
	r = roster_state_read((struct wire_bytes){ map, (size_t)st.st_size },
	    false, f);
	(void)munmap(map, (size_t)st.st_size);
	return r;
}

struct roster *
roster_load(const char *path, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct roster *r;

	if (fd < 0) {
		(void)fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
		return NULL;
	}
	r = load_fd(fd, f);
	(void)close(fd);
	if (r == NULL)
		(void)fault_wrap(f, "%s", path);
	return r;
}
