#include "token/token_elf.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

/* (elf(5)) What is read may lie anywhere: it is copied, and asked whether it
 * lies within. */
static bool
copy(void *to, size_t size, struct wire_bytes from, uint64_t at)
{
	if (at > from.len || from.len - at < size)
		return false;
	memcpy(to, from.data + at, size);
	return true;
}

/* What section ${s} holds; nothing if it is said to lie outside. */
static struct wire_bytes
content(struct wire_bytes file, const ElfW(Shdr) * s)
{
	if (s->sh_type == SHT_NOBITS || s->sh_offset > file.len ||
	    s->sh_size > file.len - s->sh_offset)
		return (struct wire_bytes){ NULL, 0 };
	return (struct wire_bytes){ file.data + s->sh_offset, s->sh_size };
}

static bool
is_loadable(const ElfW(Ehdr) * head)
{
	const unsigned char class =
	    sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	const unsigned char order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	    ? ELFDATA2LSB
	    : ELFDATA2MSB;

	return memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
	    head->e_ident[EI_CLASS] == class &&
	    head->e_ident[EI_DATA] == order && head->e_type == ET_DYN;
}

static bool
section(struct wire_bytes file, const ElfW(Ehdr) * head, uint64_t n,
    ElfW(Shdr) * s)
{
	return n < head->e_shnum && head->e_shentsize == sizeof(*s) &&
	    head->e_shoff <= file.len &&
	    copy(s, sizeof(*s), file, head->e_shoff + n * sizeof(*s));
}

static bool
is_named(struct wire_bytes names, uint64_t at, const char *name)
{
	const size_t size = strlen(name) + 1;

	return at <= names.len && names.len - at >= size &&
	    memcmp(names.data + at, name, size) == 0;
}

/* Undefined symbols are those that it wants of others. */
static bool
defines(struct wire_bytes symbols, struct wire_bytes names, const char *name)
{
	ElfW(Sym) s;

	for (uint64_t at = 0; copy(&s, sizeof(s), symbols, at); at += sizeof(s))
		if (s.st_shndx != SHN_UNDEF &&
		    ELF64_ST_BIND(s.st_info) != STB_LOCAL &&
		    is_named(names, s.st_name, name))
			return true;
	return false;
}

enum token_elf
token_elf_exports(struct wire_bytes file, const char *name)
{
	ElfW(Ehdr) head;
	ElfW(Shdr) s, names;

	if (!copy(&head, sizeof(head), file, 0) || !is_loadable(&head))
		return TOKEN_ELF_NONE;
	for (uint64_t n = 0; section(file, &head, n, &s); n++) {
		if (s.sh_type != SHT_DYNSYM)
			continue;
		return section(file, &head, s.sh_link, &names) &&
			defines(content(file, &s), content(file, &names), name)
		    ? TOKEN_ELF_EXPORTS
		    : TOKEN_ELF_LACKS;
	}
	return TOKEN_ELF_UNTOLD;
}
