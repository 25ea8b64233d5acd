#include "place.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
place_proxy(const char *option, char path[PLACE_SIZE], struct fault *f)
{
	const char *named = option != NULL ? option : getenv("X509_USER_PROXY");
	int fits;

	if (named != NULL && *named != '\0')
		fits = text_copy(path, PLACE_SIZE, named);
	else
		fits = text_fmt(path, PLACE_SIZE, "/tmp/x509up_u%u",
		    (unsigned)geteuid());
	return fits < 0
	    ? fault_set(f, FAULT_USAGE, "the path of the proxy is too long")
	    : 0;
}

/* HOME as it is set, else as the account says. */
static const char *
home(void)
{
	const char *set = getenv("HOME");
	const struct passwd *account;

	if (set != NULL && *set == '/')
		return set;
	account = getpwuid(geteuid());
	return account == NULL ? NULL : account->pw_dir;
}

static int
cache_dir(char path[PLACE_SIZE], struct fault *f)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *own = home();
	int fits = -1;

	if (cache != NULL && *cache == '/')
		fits = text_fmt(path, PLACE_SIZE, "%s/signet", cache);
	else if (own != NULL)
		fits = text_fmt(path, PLACE_SIZE, "%s/.cache/signet", own);
	return fits < 0
	    ? fault_set(f, FAULT_ABSENT, "there is no place for a cache")
	    : 0;
}

int
place_name_read(char name[PLACE_NAME_SIZE], struct fault *f)
{
	OWN_BUF(text, PLACE_NAME_SIZE);
	char dir[PLACE_SIZE];
	char path[PLACE_SIZE + 16];
	const char *found;
	char line[PLACE_NAME_SIZE];

	if (cache_dir(dir, f) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/username", dir);
	if (file_read_private(path, &text, f) < 0)
		return -1;
	if ((found = buf_cstr(&text)) == NULL ||
	    text_copy(line, sizeof(line), found) < 0)
		return fault_set(f, FAULT_INPUT, "%s: too long", path);
	found = text_trim(line);
	if (*found == '\0' || !text_utf8(found, strlen(found)))
		return fault_set(f, FAULT_INPUT, "%s: no user name", path);
	return text_copy(name, PLACE_NAME_SIZE, found);
}

int
place_name_write(const char *name, struct fault *f)
{
	char dir[PLACE_SIZE];
	char path[PLACE_SIZE + 16];
	char line[PLACE_NAME_SIZE + 1];

	if (cache_dir(dir, f) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/username", dir);
	if (text_fmt(line, sizeof(line), "%s\n", name) < 0)
		return fault_set(f, FAULT_USAGE, "the user name is too long");
	if (file_mkdir(dir, 0700, f) < 0)
		return -1;
	return file_write(path, 0600, line, strlen(line), f);
}
