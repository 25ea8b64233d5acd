#include "token/token_module.h"

#include "token/token_probe.h"

#include <dlfcn.h>

static int
start(void **state)
{
	*state = probe_start();
	return 0;
}

static int
end(void **state)
{
	probe_end(*state);
	return 0;
}

static void
refused(const char *path, enum fault_code code, const char *says)
{
	struct fault f = { 0 };

	assert_null(token_module_open(path, &f));
	if (f.code != code || strstr(f.text, says) == NULL)
		fail_msg("%s: %s", path, f.text);
}

static void
a_module_is_loaded_and_started_again(void **state)
{
	const struct probe *p = *state;
	struct fault f = { 0 };
	OWN_STRUCT(token_module) module = NULL;

	probe_play(p, "");
	module = token_module_open(p->shim, &f);
	probe_must(module == NULL ? -1 : 0, &f);
	assert_true(module->threads);
	probe_must(token_module_restart(module, &f), &f);
	probe_must(token_module_restart(module, &f), &f);
}

static void
a_module_that_cannot_lock_has_one_thread(void **state)
{
	const struct probe *p = *state;
	struct fault f = { 0 };
	OWN_STRUCT(token_module) module = NULL;

	probe_play(p, "locks=0\n");
	module = token_module_open(p->shim, &f);
	probe_must(module == NULL ? -1 : 0, &f);
	assert_false(module->threads);
}

static void
a_module_that_does_not_start_says_why(void **state)
{
	const struct probe *p = *state;

	probe_play(p, "break=Initialize\ncode=0x30\n");
	refused(p->shim, FAULT_FAILED, "C_Initialize: CKR_DEVICE_ERROR");
	probe_play(p, "");
}

/* A library that is no module. */
static const char *
file_of_cmocka(void)
{
	Dl_info info;
	void *in = dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests");

	assert_non_null(in);
	assert_int_not_equal(dladdr(in, &info), 0);
	return info.dli_fname;
}

static void
what_is_no_module_is_refused(void **state)
{
	const struct probe *p = *state;
	char path[128];
	struct fault f = { 0 };

	refused("libsofthsm2.so", FAULT_CONFIG, "begins with");
	refused("/nowhere/m.so", FAULT_ABSENT, "No such file");
	refused(p->dir, FAULT_DENIED, "not a regular file");
	(void)snprintf(path, sizeof(path), "%s/text.so", p->dir);
	probe_must(file_write(path, 0700, "text", 4, &f), &f);
	refused(path, FAULT_CONFIG, "text.so");
	(void)snprintf(path, sizeof(path), "%s/other.so", p->dir);
	probe_copy(file_of_cmocka(), path, 0700);
	refused(path, FAULT_CONFIG, "no C_GetFunctionList");
}

static void
a_module_that_others_can_change_is_refused(void **state)
{
	const struct probe *p = *state;

	assert_int_equal(chmod(p->shim, 0722), 0);
	refused(p->shim, FAULT_DENIED, "chmod go-w");
	assert_int_equal(chmod(p->shim, 0700), 0);
	assert_int_equal(chmod(p->dir, 0770), 0);
	refused(p->shim, FAULT_DENIED, "can be changed by others");
	assert_int_equal(chmod(p->dir, 0700), 0);
}

static void
modules_are_found_by_name(void **state)
{
	struct token_uri uri = { .module_name = "softhsm2" };
	struct fault f = { 0 };
	char path[256];

	(void)state;
	probe_must(token_module_find(&uri, path, &f), &f);
	assert_non_null(strstr(path, "libsofthsm2.so"));
	(void)snprintf(uri.module_name, sizeof(uri.module_name), "nonesuch");
	assert_int_equal(token_module_find(&uri, path, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	uri.module_name[0] = '\0';
	assert_int_equal(token_module_find(&uri, path, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_is_loaded_and_started_again),
		cmocka_unit_test(a_module_that_cannot_lock_has_one_thread),
		cmocka_unit_test(a_module_that_does_not_start_says_why),
		cmocka_unit_test(what_is_no_module_is_refused),
		cmocka_unit_test(a_module_that_others_can_change_is_refused),
		cmocka_unit_test(modules_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, start, end);
}
