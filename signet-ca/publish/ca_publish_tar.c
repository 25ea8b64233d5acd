#include "ca_publish_tar.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define BLOCK 512
#define NAME_MOST 100

/* The header of POSIX.1-1988, all of it text. */
struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char unused[12];
};

/* ${digits} octal digits and a NUL. */
static void
put_octal(char *to, int digits, uint64_t value)
{
	to[digits] = '\0';
	while (digits-- > 0) {
		to[digits] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

static void
put_sum(struct header *h)
{
	const uint8_t *at = (const uint8_t *)h;
	uint64_t sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += at[i];
	put_octal(h->sum, 6, sum);
}

struct entry {
	char type; /* '0' file, '2' link, '5' directory */
	unsigned mode;
	const char *link;
	const struct buf *data;
};

static int
put_entry(struct buf *out, const char *name, time_t when, const struct entry *e,
    struct fault *f)
{
	static const uint8_t zeroes[BLOCK];
	size_t len = e->data == NULL ? 0 : e->data->len;
	struct header h = { .type = e->type,
		.magic = "ustar",
		.version = { '0', '0' },
		.uname = "root",
		.gname = "root" };

	_Static_assert(sizeof(h) == BLOCK, "a header is a block");
	if (strlen(name) >= NAME_MOST ||
	    (e->link != NULL &&
		text_copy(h.link, sizeof(h.link), e->link) < 0) ||
	    text_copy(h.name, sizeof(h.name), name) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long for tar: %s",
		    name);
	put_octal(h.mode, 7, e->mode);
	put_octal(h.uid, 7, 0);
	put_octal(h.gid, 7, 0);
	put_octal(h.size, 11, len);
	put_octal(h.mtime, 11, when > 0 ? (uint64_t)when : 0);
	put_octal(h.major, 7, 0);
	put_octal(h.minor, 7, 0);
	put_sum(&h);
	buf_put(out, &h, sizeof(h));
	if (len > 0)
		buf_put(out, e->data->data, len);
	buf_put(out, zeroes, (BLOCK - len % BLOCK) % BLOCK);
	return 0;
}

int
publish_tar(const struct publish_tree *t, const char *top, time_t when,
    struct buf *out, struct fault *f)
{
	const struct entry dir = { .type = '5', .mode = 0755 };
	char name[2 * PUBLISH_NAME_MAX];

	if (text_fmt(name, sizeof(name), "%s/", top) < 0)
		return fault_set(f, FAULT_CONFIG, "name too long: %s", top);
	if (put_entry(out, name, when, &dir, f) < 0)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		const struct publish_file *file = &t->file[i];
		bool link = *file->link != '\0';
		const struct entry e = { .type = link ? '2' : '0',
			.mode = link ? 0777 : 0644,
			.link = link ? file->link : NULL,
			.data = link ? NULL : &file->data };

		if (!file->anchor)
			continue;
		if (text_fmt(name, sizeof(name), "%s/%s", top, file->name) <
			0 ||
		    put_entry(out, name, when, &e, f) < 0)
			return fault_set(f, FAULT_CONFIG,
			    "name too long for tar: %s", file->name);
	}
	for (int i = 0; i < 2 * BLOCK; i++)
		buf_put_u8(out, 0);
	return out->failed ? fault_set(f, FAULT_MEMORY, "tar") : 0;
}

int
publish_gzip(const struct buf *in, struct buf *out, struct fault *f)
{
	z_stream z = { 0 };
	uint8_t *room;
	size_t most;
	int result;

	if (in->len > (1u << 30) ||
	    deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return fault_set(f, FAULT_MEMORY, "gzip");
	most = deflateBound(&z, in->len);
	if ((room = buf_room(out, most)) == NULL) {
		(void)deflateEnd(&z);
		return fault_set(f, FAULT_MEMORY, "gzip");
	}
	z.next_in = in->data;
	z.avail_in = (uInt)in->len;
	z.next_out = room;
	z.avail_out = (uInt)most;
	result = deflate(&z, Z_FINISH);
	if (result == Z_STREAM_END)
		out->len += z.total_out;
	(void)deflateEnd(&z);
	return result == Z_STREAM_END ? 0
				      : fault_set(f, FAULT_INTERNAL, "gzip");
}
