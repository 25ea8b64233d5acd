#include "signetd/keeper/books.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

struct books {
	size_t count;
	struct book book[BOOKS_MAX];
};

struct books *
books_new(struct fault *f)
{
	struct books *books = calloc(1, sizeof(*books));

	if (books == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for the CAs");
	return books;
}

void
books_free(struct books *books)
{
	if (books == NULL)
		return;
	for (size_t i = 0; i < books->count; i++)
		authority_clear(&books->book[i].authority);
	free(books);
}

static bool
is_file_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	return *name != '\0' && *name != '.' &&
	    strspn(name, allowed) == strlen(name);
}

int
books_add(struct books *books, struct wire_bytes conf, struct wire_bytes cert,
    struct fault *f)
{
	struct book *book = &books->book[books->count];
	struct authority *a = &book->authority;

	if (books->count == BOOKS_MAX)
		return fault_set(f, FAULT_CONFIG, "more than %d CAs",
		    BOOKS_MAX);
	if (authority_read(a, (const char *)conf.data, conf.len, cert.data,
		cert.len, f) < 0)
		return -1;
	if (!is_file_name(a->conf.name) ||
	    books_find(books, a->conf.name) != NULL) {
		(void)fault_set(f, FAULT_CONFIG,
		    "no file can be called as the CA is: %s", a->conf.name);
		authority_clear(a);
		return -1;
	}
	book->numbering.random = a->serial_random;
	book->numbering.start = a->serial_start;
	book->numbering.span = a->serial_span;
	book->warned = UINT64_MAX;
	books->count++;
	return 0;
}

size_t
books_count(const struct books *books)
{
	return books->count;
}

struct book *
books_find(struct books *books, const char *ca)
{
	for (size_t i = 0; i < books->count; i++)
		if (strcmp(books->book[i].authority.conf.name, ca) == 0)
			return &books->book[i];
	return NULL;
}

struct book *
books_issuer(struct books *books, const char *subject)
{
	char name[DN_TEXT_MAX];

	for (size_t i = 0; i < books->count; i++)
		if (dn_show_slash(&books->book[i].authority.cert->subject, name,
			sizeof(name)) == 0 &&
		    strcmp(name, subject) == 0)
			return &books->book[i];
	return NULL;
}

struct book *
books_at(struct books *books, size_t index)
{
	return &books->book[index];
}

bool
books_low(struct book *book, uint64_t left)
{
	uint64_t span = book->numbering.span;

	if (book->numbering.random || left > span / 10)
		return false;
	if (book->warned != UINT64_MAX && left > 0 &&
	    (left >= book->warned || book->warned - left < span / 100))
		return false;
	book->warned = left;
	return true;
}
