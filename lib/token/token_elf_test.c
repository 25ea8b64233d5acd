#include "token/token_elf.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/own.h"
#include "base/unit.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#define ENTRY "C_GetFunctionList"

static enum token_elf
exports(const char *path, const char *name)
{
	OWN_BUF(file, 1 << 26);
	struct fault f = { 0 };

	if (file_read(path, &file, &f) < 0)
		fail_msg("%s", f.text);
	return token_elf_exports((struct wire_bytes){ file.data, file.len },
	    name);
}

static void
a_module_exports_the_entry_and_others_do_not(void **state)
{
	(void)state;
	assert_int_equal(exports(SOFTHSM, ENTRY), TOKEN_ELF_EXPORTS);
	assert_int_equal(exports(TOKEN_SHIM, ENTRY), TOKEN_ELF_EXPORTS);
	assert_int_equal(exports(SOFTHSM, ENTRY "s"), TOKEN_ELF_LACKS);
	assert_int_equal(exports(SOFTHSM, ""), TOKEN_ELF_LACKS);
	/* What it wants of others is not its own. */
	assert_int_equal(exports(TOKEN_SHIM, "dlopen"), TOKEN_ELF_LACKS);
	assert_int_equal(exports("/etc/passwd", ENTRY), TOKEN_ELF_NONE);
}

static void
what_is_cut_short_or_lies_is_not_followed(void **state)
{
	OWN_BUF(file, 1 << 26);
	struct fault f = { 0 };
	ElfW(Ehdr) head;
	struct wire_bytes cut;

	(void)state;
	assert_int_equal(file_read(TOKEN_SHIM, &file, &f), 0);
	memcpy(&head, file.data, sizeof(head));
	for (size_t len = 0; len <= head.e_shoff; len += len < 4096 ? 1 : 509) {
		cut = (struct wire_bytes){ file.data, len };
		assert_int_not_equal(token_elf_exports(cut, ENTRY),
		    TOKEN_ELF_EXPORTS);
	}
	cut.len = file.len;
	head.e_shoff = UINT64_MAX - 8;
	memcpy(file.data, &head, sizeof(head));
	assert_int_equal(token_elf_exports(cut, ENTRY), TOKEN_ELF_UNTOLD);
	head.e_shoff = 0;
	head.e_shnum = 0;
	memcpy(file.data, &head, sizeof(head));
	assert_int_equal(token_elf_exports(cut, ENTRY), TOKEN_ELF_UNTOLD);
	head.e_type = ET_EXEC;
	memcpy(file.data, &head, sizeof(head));
	assert_int_equal(token_elf_exports(cut, ENTRY), TOKEN_ELF_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_exports_the_entry_and_others_do_not),
		cmocka_unit_test(what_is_cut_short_or_lies_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
