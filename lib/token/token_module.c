#include "token/token_module.h"

#include "base/fault.h"
#include "base/text.h"
#include "token/token_rv.h"

#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

/* Where distributions put modules, and under which names. */
static const char *const places[] = {
	"/usr/lib/" SIGNET_MULTIARCH "/pkcs11/%s.so",
	"/usr/lib/" SIGNET_MULTIARCH "/pkcs11/lib%s.so",
	"/usr/lib64/pkcs11/%s.so",
	"/usr/lib64/pkcs11/lib%s.so",
	"/usr/lib/pkcs11/%s.so",
	"/usr/lib/pkcs11/lib%s.so",
	"/usr/lib/softhsm/lib%s.so",
	"/usr/local/lib/pkcs11/%s.so",
	"/usr/local/lib/pkcs11/lib%s.so",
};

/* ${pattern} with its one %s filled in; -1 if that is too long. */
static int
fill(char *path, size_t size, const char *pattern, const char *name)
{
	const char *at = strstr(pattern, "%s");

	return text_fmt(path, size, "%.*s%s%s", (int)(at - pattern), pattern,
	    name, at + 2);
}

int
token_module_find(const struct token_uri *uri, char path[256], struct fault *f)
{
	if (uri->module_path[0] != '\0') {
		if (text_copy(path, 256, uri->module_path) == 0)
			return 0;
		return fault_set(f, FAULT_CONFIG, "module-path is too long");
	}
	if (uri->module_name[0] == '\0')
		return fault_set(f, FAULT_CONFIG,
		    "nothing says which PKCS#11 module: add "
		    "?module-path=/...");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (fill(path, 256, places[i], uri->module_name) == 0 &&
		    access(path, F_OK) == 0)
			return 0;
	return fault_set(f, FAULT_ABSENT,
	    "there is no PKCS#11 module \"%s\" in the usual places; say "
	    "module-path=/...",
	    uri->module_name);
}

/* Whoever can change ${path} can be us. */
static int
check_owner(const char *path, bool directory, struct fault *f)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	if (directory ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_DENIED, "%s is not a regular file",
		    path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(f, FAULT_DENIED, "%s belongs to another user",
		    path);
	/* In a sticky directory nobody renames what is another's. */
	if ((st.st_mode & WRITABLE_BY_OTHERS) != 0 &&
	    !(directory && (st.st_mode & S_ISVTX) != 0))
		return fault_set(f, FAULT_DENIED,
		    "%s can be changed by others; run: chmod go-w %s", path,
		    path);
	return 0;
}

/* The file ${path}, which has no symbolic links in it, and all above it. */
static int
check_file(const char *path, struct fault *f)
{
	char above[PATH_MAX];
	char *slash;

	if (check_owner(path, false, f) < 0)
		return -1;
	if (text_copy(above, sizeof(above), path) < 0)
		return fault_set(f, FAULT_CONFIG, "a path that is too long");
	while ((slash = strrchr(above, '/')) != NULL && slash != above) {
		*slash = '\0';
		if (check_owner(above, true, f) < 0)
			return -1;
	}
	return check_owner("/", true, f);
}

static int
resolve(struct token_module *module, const char *path, struct fault *f)
{
	OWN(char) real = NULL;

	if (path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "%s: the path of a module begins with \"/\"", path);
	if ((real = realpath(path, NULL)) == NULL)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	if (text_copy(module->path, sizeof(module->path), real) < 0)
		return fault_set(f, FAULT_CONFIG, "%s is too long", path);
	return check_file(module->path, f);
}

/* dlsym() answers with a pointer to data (POSIX: it can hold a function's). */
static CK_C_GetFunctionList
entry_of(void *library)
{
	void *symbol = dlsym(library, "C_GetFunctionList");
	CK_C_GetFunctionList entry = NULL;

	_Static_assert(sizeof(symbol) == sizeof(entry), "POSIX dlsym");
	memcpy(&entry, &symbol, sizeof(entry));
	return entry;
}

CK_FUNCTION_LIST *
token_module_list(const char *path, struct fault *f)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CK_FUNCTION_LIST *list = NULL;
	CK_C_GetFunctionList entry;
	CK_RV rv;

	if (library == NULL) {
		(void)fault_set(f, FAULT_CONFIG, "%s", dlerror());
		return NULL;
	}
	if ((entry = entry_of(library)) == NULL) {
		(void)fault_set(f, FAULT_CONFIG,
		    "%s is not a PKCS#11 module: no C_GetFunctionList", path);
		return NULL;
	}
	if ((rv = entry(&list)) != CKR_OK) {
		(void)token_rv_fault(f, rv, "C_GetFunctionList");
		return NULL;
	}
	if (list == NULL || list->version.major != 2) {
		(void)fault_set(f, FAULT_UNSUPPORTED,
		    "%s does not speak PKCS#11 2", path);
		return NULL;
	}
	return list;
}

static int
start(struct token_module *module, struct fault *f)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = module->call->C_Initialize(&args);

	module->threads = rv != CKR_CANT_LOCK;
	if (!module->threads)
		rv = module->call->C_Initialize(NULL);
	if (rv != CKR_OK)
		return token_rv_fault(f, rv, "C_Initialize");
	module->started = true;
	return 0;
}

struct token_module *
token_module_open(const char *path, struct fault *f)
{
	OWN_STRUCT(token_module) module = calloc(1, sizeof(*module));

	if (module == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a PKCS#11 module");
		return NULL;
	}
	if (resolve(module, path, f) < 0 ||
	    (module->call = token_module_list(module->path, f)) == NULL)
		return NULL;
	if (start(module, f) < 0) {
		(void)fault_wrap(f, "%s", module->path);
		return NULL;
	}
	return TAKE(module);
}

int
token_module_restart(struct token_module *module, struct fault *f)
{
	CK_RV rv = CKR_OK;

	if (module->started)
		rv = module->call->C_Finalize(NULL);
	module->started = false;
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED)
		return token_rv_fault(f, rv, "C_Finalize");
	return start(module, f);
}

void
token_module_close(struct token_module *module)
{
	if (module == NULL)
		return;
	if (module->started)
		(void)module->call->C_Finalize(NULL);
	free(module);
}
