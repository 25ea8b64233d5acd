/* staff check and staff ldap: the file that says who may do what. */
#include "ca_staff.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "office/staff.h"
#include "signet-ca/base/ca_args.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Accounts of the file that are nobody's here: worth a word, and no fault. */
struct missing {
	unsigned count;
	struct buf names;
};

static int
look_up(void *arg, const char *account, uid_t *uid)
{
	struct missing *missing = arg;
	const struct passwd *pw = getpwnam(account);

	if (pw == NULL) {
		missing->count++;
		buf_fmt(&missing->names, " %s", account);
		return -1;
	}
	*uid = pw->pw_uid;
	return 0;
}

/* The lines of ${text}, and the accounts that are ${missing}. */
static int
show_json(char *text, const struct missing *missing, struct fault *f)
{
	json_t *lines = json_array();
	json_t *body;
	char *save = NULL;
	int result;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		(void)json_array_append_new(lines, json_string(line));
	body = json_pack("{s:o, s:I}", "entries", lines, "accounts_missing",
	    (json_int_t)missing->count);
	result = body == NULL ? -1 : json_dumpf(body, stdout, JSON_COMPACT);
	json_decref(body);
	putchar('\n');
	return result < 0 ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

static int
show(bool json, char *text, struct missing *missing, struct fault *f)
{
	if (json)
		return show_json(text, missing, f);
	fputs(text, stdout);
	if (missing->count > 0 && buf_cstr(&missing->names) != NULL)
		fprintf(stderr,
		    "signet-ca: accounts that do not exist on this host:%s\n",
		    buf_cstr(&missing->names));
	return 0;
}

int
ca_staff_check(const struct ca_args *args, struct fault *f)
{
	OWN_BUF(text, STAFF_FILE_MAX);
	OWN_BUF(out, (size_t)2 * STAFF_FILE_MAX);
	struct missing missing = { .names = BUF(STAFF_FILE_MAX) };
	OWN_STRUCT(staff) staff = NULL;
	int result;

	if (file_read(args->operand[0], &text, f) < 0)
		return -1;
	staff =
	    staff_read((const char *)text.data, text.len, look_up, &missing, f);
	if (staff == NULL) {
		buf_free(&missing.names);
		return fault_wrap(f, "%s", args->operand[0]);
	}
	staff_write(staff, &out);
	result = buf_cstr(&out) == NULL
	    ? fault_set(f, FAULT_MEMORY, "staff")
	    : show(args->json, (char *)out.data, &missing, f);
	buf_free(&missing.names);
	return result;
}

/* ---- from a directory */

int
ca_staff_put(struct buf *out, const char *word, size_t len, struct fault *f)
{
	if (len == 0 || !text_utf8(word, len) || memchr(word, '"', len) != NULL)
		return fault_set(f, FAULT_INPUT,
		    "directory: a value that is no word: \"%.*s\"",
		    (int)(len < 60 ? len : 60), word);
	buf_fmt(out, " \"%.*s\"", (int)len, word);
	return 0;
}

static int
nobody(void *arg, const char *account, uid_t *uid)
{
	(void)arg;
	(void)account;
	(void)uid;
	return -1;
}

int
ca_staff_ldap(const struct ca_args *args, struct fault *f)
{
	OWN_BUF(text, STAFF_FILE_MAX);
	OWN_STRUCT(staff) staff = NULL;

	if (cmd_need(args->uri, "--uri", f) < 0 ||
	    cmd_need(args->base, "--base", f) < 0)
		return -1;
	buf_fmt(&text, "# From %s, %s.  Made by signet-ca staff ldap.\n",
	    args->uri, args->base);
	if (ca_staff_gather(args, &text, f) < 0)
		return -1;
	/* What signetd would refuse never takes the place of a good file. */
	staff = text.failed
	    ? NULL
	    : staff_read((const char *)text.data, text.len, nobody, NULL, f);
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "staff");
	if (staff == NULL)
		return fault_wrap(f, "what the directory says");
	if (args->out != NULL)
		return file_write(args->out, 0644, text.data, text.len, f);
	return fwrite(text.data, 1, text.len, stdout) == text.len
	    ? 0
	    : fault_set(f, FAULT_SYSTEM, "standard output");
}
