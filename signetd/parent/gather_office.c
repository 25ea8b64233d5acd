#include "base/fault.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "office/staff.h"
#include "signetd/parent/gather_part.h"
#include "x509/profile.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define PIECES_MAX 64
#define STAFF_LIMIT ((size_t)(PIECES_MAX - 1) * GATHER_FILE_LIMIT)
#define ENTRY_SIZE 16384

/*
 * A profile with a template makes names out of a login's identity: it is for
 * people, whom the office never certifies.
 */
static int
check_profile(const struct profile *p, const conf_list *cas, struct fault *f)
{
	if (*p->conf.subject != '\0')
		return fault_set(f, FAULT_CONFIG,
		    "it has a subject, so it is for people who log in");
	if (p->conf.ca)
		return fault_set(f, FAULT_CONFIG,
		    "certificates of CAs are not issued online");
	if (*p->conf.authority != '\0' &&
	    !conf_list_has(cas, p->conf.authority))
		return fault_set(f, FAULT_CONFIG, "no CA is called \"%s\"",
		    p->conf.authority);
	return 0;
}

static int
gather_office_profile(struct gather *g, size_t n, const conf_list *cas,
    struct profile *p, struct fault *f)
{
	char path[PATH_MAX], name[PROFILE_NAME_SIZE];
	struct gathered *item = gather_add(g,
	    GATHER_TO(ISSUER) | GATHER_TO(DESK), f, "office", n, "");

	if (item == NULL ||
	    gather_profile_path(g, g->conf.office_profile.item[n], path,
		sizeof(path), name, f) < 0)
		return -1;
	buf_fmt(&item->data, "# %s\n", name);
	if (file_read(path, &item->data, f) < 0)
		return -1;
	if (profile_read(p, name, (const char *)item->data.data, item->data.len,
		f) < 0 ||
	    check_profile(p, cas, f) < 0)
		return fault_wrap(f, "%s", path);
	return 0;
}

/* The desk may open no file, so it hears who has which uid. */
static int
note_account(void *arg, const char *account, uid_t *uid)
{
	struct buf *accounts = arg;
	struct passwd entry, *found = NULL;
	OWN(char) memory = malloc(ENTRY_SIZE);

	if (memory == NULL ||
	    getpwnam_r(account, &entry, memory, ENTRY_SIZE, &found) != 0 ||
	    found == NULL)
		return -1;
	*uid = found->pw_uid;
	buf_fmt(accounts, "%s %lu\n", account, (unsigned long)*uid);
	return 0;
}

/* More than one message carries; an empty piece ends it. */
static int
cut_up(struct gather *g, const struct buf *text, struct fault *f)
{
	for (size_t n = 0, at = 0;; n++) {
		struct gathered *piece =
		    gather_add(g, GATHER_TO(DESK), f, "staff", n, "");
		size_t left = text->len - at;
		size_t len =
		    left < GATHER_FILE_LIMIT ? left : GATHER_FILE_LIMIT;

		if (piece == NULL)
			return -1;
		if (len == 0)
			return 0;
		buf_put(&piece->data, text->data + at, len);
		at += len;
	}
}

static int
gather_staff(struct gather *g, struct fault *f)
{
	struct gathered *accounts =
	    gather_add(g, GATHER_TO(DESK), f, "accounts", 0, "");
	OWN_BUF(text, STAFF_LIMIT);
	OWN_STRUCT(staff) staff = NULL;
	const char *path = g->conf.office_staff;

	if (accounts == NULL || file_read(path, &text, f) < 0)
		return -1;
	staff = staff_read((const char *)text.data, text.len, note_account,
	    &accounts->data, f);
	if (staff == NULL)
		return fault_wrap(f, "%s", path);
	if (accounts->data.failed)
		return fault_set(f, FAULT_CONFIG, "%s: too many accounts",
		    path);
	return cut_up(g, &text, f);
}

int
gather_office(struct gather *g, const conf_list *cas, struct fault *f)
{
	struct profile *p;
	int result = 0;

	if (*g->conf.office_staff == '\0')
		return 0;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a profile");
	for (size_t i = 0; result == 0 && i < g->conf.office_profile.count; i++)
		result = gather_office_profile(g, i, cas, p, f);
	free(p);
	return result < 0 ? -1 : gather_staff(g, f);
}
