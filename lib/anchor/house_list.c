#include "anchor/house_list.h"

#include "base/fault.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define FIRST "signet-house 1\n"
#define LINE 640

bool
house_name_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < HOUSE_NAME_SIZE && name[0] != '.' &&
	    text_printable(name) && strpbrk(name, " /") == NULL;
}

bool
house_by_good(const char *by)
{
	return *by == '\0' ||
	    (strlen(by) < HOUSE_BY_SIZE && house_name_good(by));
}

/* Where ${name} is, or would be. */
static size_t
place_of(const struct house_list *list, const char *name)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list->item[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct house_item *
house_list_find(const struct house_list *list, const char *name)
{
	size_t at = place_of(list, name);

	if (at == list->count || strcmp(list->item[at]->name, name) != 0)
		return NULL;
	return list->item[at];
}

bool
house_item_same(const struct house_item *a, const struct house_item *b)
{
	if (a->link || b->link)
		return a->link == b->link && strcmp(a->target, b->target) == 0;
	return a->mode == b->mode && a->size == b->size &&
	    memcmp(a->digest, b->digest, HOUSE_DIGEST) == 0;
}

/* Memory doubles at each power of two. */
static int
grow(struct house_list *list, struct fault *f)
{
	struct house_item **more;
	size_t count = list->count;

	if (count == HOUSE_ITEMS_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d files",
		    HOUSE_ITEMS_MAX);
	if ((count & (count - 1)) != 0)
		return 0;
	more = reallocarray(list->item, count > 0 ? 2 * count : 1,
	    sizeof(struct house_item *));
	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "list of files");
	list->item = more;
	return 0;
}

int
house_list_add(struct house_list *list, const struct house_item *item,
    struct fault *f)
{
	size_t at = place_of(list, item->name);
	struct house_item *copy;

	if (at < list->count && strcmp(list->item[at]->name, item->name) == 0)
		return house_item_same(list->item[at], item)
		    ? 0
		    : fault_set(f, FAULT_DENIED, "%s is wanted twice",
			  item->name);
	if (grow(list, f) < 0)
		return -1;
	if ((copy = malloc(sizeof(*copy))) == NULL)
		return fault_set(f, FAULT_MEMORY, "list of files");
	*copy = *item;
	memmove(list->item + at + 1, list->item + at,
	    (list->count - at) * sizeof(*list->item));
	list->item[at] = copy;
	list->count++;
	return 0;
}

void
house_list_clear(struct house_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct house_list){ .item = NULL };
}

static void
write_item(const struct house_item *item, struct buf *out)
{
	char hex[2 * HOUSE_DIGEST + 1];

	const char *blank = item->by[0] != '\0' ? " " : "";

	if (item->link) {
		buf_fmt(out, "link %s %s%s%s\n", item->name, item->target,
		    blank, item->by);
		return;
	}
	text_hex(item->digest, HOUSE_DIGEST, hex);
	buf_fmt(out, "file %04o %llu %s %s%s%s\n", item->mode,
	    (unsigned long long)item->size, hex, item->name, blank, item->by);
}

static int
write_end(struct buf *out, size_t from, struct fault *f)
{
	uint8_t digest[HOUSE_DIGEST];
	char hex[2 * HOUSE_DIGEST + 1];

	if (out->failed ||
	    EVP_Digest(out->data + from, out->len - from, digest, NULL,
		EVP_sha256(), NULL) != 1)
		return fault_set(f, FAULT_MEMORY, "list of files");
	text_hex(digest, sizeof(digest), hex);
	buf_fmt(out, "end %s\n", hex);
	return out->failed ? fault_set(f, FAULT_MEMORY, "list of files") : 0;
}

int
house_list_write(const struct house_list *list, struct buf *out,
    struct fault *f)
{
	size_t from = out->len;

	buf_fmt(out, FIRST "generation %u\nmade %lld\n", list->number,
	    (long long)list->made);
	for (size_t i = 0; i < list->count; i++)
		write_item(list->item[i], out);
	return write_end(out, from, f);
}

/* A list being read: the line at hand, and where the next begins. */
struct lines {
	const char *at;
	const char *end;
	char line[LINE];
};

/* The next line without its newline; NULL at the end, or if it is none. */
static char *
next_line(struct lines *l)
{
	size_t left = (size_t)(l->end - l->at);
	const char *stop = left > 0 ? memchr(l->at, '\n', left) : NULL;
	size_t len;

	if (stop == NULL || (len = (size_t)(stop - l->at)) >= LINE ||
	    memchr(l->at, '\0', len) != NULL)
		return NULL;
	memcpy(l->line, l->at, len);
	l->line[len] = '\0';
	l->at = stop + 1;
	return l->line;
}

/* The word that ends at the next blank, or at the end. */
static char *
next_word(char **rest)
{
	char *word = *rest;
	char *blank = word != NULL ? strchr(word, ' ') : NULL;

	if (blank != NULL)
		*blank++ = '\0';
	*rest = blank;
	return word;
}

static int
read_number(struct lines *l, const char *name, int64_t max, int64_t *value)
{
	char *line = next_line(l);
	size_t len = strlen(name);

	if (line == NULL || strncmp(line, name, len) != 0 || line[len] != ' ')
		return -1;
	return text_number(line + len + 1, 0, max, value);
}

static int
read_mode(const char *text, unsigned *mode)
{
	if (strlen(text) != 4 || strspn(text, "01234567") != 4 ||
	    text[0] != '0')
		return -1;
	*mode = 0;
	for (; *text != '\0'; text++)
		*mode = *mode * 8 + (unsigned)(*text - '0');
	return 0;
}

/* The end of a line: who installed it, if that is said. */
static int
read_by(struct house_item *item, const char *rest)
{
	if (rest == NULL)
		return 0;
	if (*rest == '\0' || !house_by_good(rest))
		return -1;
	return text_copy(item->by, sizeof(item->by), rest);
}

static int
read_file(struct house_item *item, char *rest)
{
	const char *mode = next_word(&rest);
	const char *size = next_word(&rest);
	const char *hex = next_word(&rest);
	const char *name = next_word(&rest);
	int64_t bytes;

	if (name == NULL || read_mode(mode, &item->mode) < 0 ||
	    text_number(size, 0, INT64_MAX, &bytes) < 0 ||
	    text_unhex(hex, item->digest, HOUSE_DIGEST) != HOUSE_DIGEST ||
	    !house_name_good(name) || read_by(item, rest) < 0)
		return -1;
	item->size = (uint64_t)bytes;
	return text_copy(item->name, sizeof(item->name), name);
}

static int
read_link(struct house_item *item, char *rest)
{
	const char *name = next_word(&rest);
	const char *target = next_word(&rest);

	item->link = true;
	if (target == NULL || !house_name_good(name) ||
	    !house_name_good(target) || read_by(item, rest) < 0 ||
	    text_copy(item->name, sizeof(item->name), name) < 0)
		return -1;
	return text_copy(item->target, sizeof(item->target), target);
}

/* The items, up to the line that begins with "end". */
static int
read_items(struct house_list *list, struct lines *l, struct fault *f)
{
	char *rest;

	while ((rest = next_line(l)) != NULL) {
		const char *kind = next_word(&rest);
		struct house_item item = { .from = -1 };

		if (strcmp(kind, "end") == 0)
			return 0;
		if ((strcmp(kind, "file") != 0 || read_file(&item, rest) < 0) &&
		    (strcmp(kind, "link") != 0 || read_link(&item, rest) < 0))
			break;
		if (house_list_add(list, &item, f) < 0)
			return -1;
	}
	return fault_set(f, FAULT_INPUT, "not a list of ours");
}

/* It is good if writing it again gives the very same bytes: so its order, its
 * numbers and its digest are right, and nothing is in it that was not seen. */
static int
check_same(const struct house_list *list, const char *text, size_t len,
    struct fault *f)
{
	OWN_BUF(again, HOUSE_LIST_BYTES);

	if (house_list_write(list, &again, f) < 0)
		return -1;
	if (again.len != len || memcmp(again.data, text, len) != 0)
		return fault_set(f, FAULT_INPUT,
		    "not as it was written: its digest is another");
	return 0;
}

static int
read_list(struct house_list *list, const char *text, size_t len,
    struct fault *f)
{
	struct lines l = { .at = text, .end = text + len };
	const char *first = next_line(&l);
	int64_t number, made;

	if (first == NULL || strncmp(first, FIRST, sizeof(FIRST) - 2) != 0 ||
	    read_number(&l, "generation", INT32_MAX, &number) < 0 ||
	    read_number(&l, "made", INT64_MAX, &made) < 0 || number == 0)
		return fault_set(f, FAULT_INPUT, "not a list of ours");
	list->number = (unsigned)number;
	list->made = made;
	if (read_items(list, &l, f) < 0)
		return -1;
	return check_same(list, text, len, f);
}

int
house_list_read(struct house_list *list, const char *text, size_t len,
    struct fault *f)
{
	int answer;

	*list = (struct house_list){ .item = NULL };
	if (len > HOUSE_LIST_BYTES)
		return fault_set(f, FAULT_INPUT, "too long");
	if ((answer = read_list(list, text, len, f)) < 0)
		house_list_clear(list);
	return answer;
}
