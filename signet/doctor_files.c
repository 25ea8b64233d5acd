#include "base/buf.h"
#include "base/file.h"
#include "doctor.h"
#include "own_cert.h"
#include "x509/key.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_LIMIT 1048576

/* A file or directory, and what others must not be able to do with it. */
struct guarded {
	const char *what;
	const char *path;
	mode_t forbidden;
	const char *mode; /* for chmod */
	const char *danger;
};

/* False if it is not there. */
static bool
check(struct doctor *d, const struct guarded *g)
{
	char hint[PLACE_SIZE + 40];
	struct stat st;

	if (stat(g->path, &st) < 0)
		return false;
	(void)snprintf(hint, sizeof(hint), "run: chmod %s %s", g->mode,
	    g->path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		doctor_say(d, DOCTOR_FAIL, "files",
		    "remove it, and make it anew",
		    "%s %s belongs to someone else (uid %u)", g->what, g->path,
		    (unsigned)st.st_uid);
	else if ((st.st_mode & g->forbidden) != 0)
		doctor_say(d, DOCTOR_FAIL, "files", hint,
		    "%s %s (mode %04o) can be %s by others", g->what, g->path,
		    (unsigned)(st.st_mode & 07777), g->danger);
	else
		doctor_say(d, DOCTOR_OK, "files", NULL, "%s %s (mode %04o)",
		    g->what, g->path, (unsigned)(st.st_mode & 07777));
	return true;
}

/* A key that lies around for a year should at least be under a phrase. */
static void
check_phrase(struct doctor *d, const char *path)
{
	char hint[2 * PLACE_SIZE + 64];
	struct fault ignored;
	OWN_BUF(text, KEY_LIMIT);

	if (file_read(path, &text, &ignored) < 0 ||
	    key_is_encrypted(text.data, text.len))
		return;
	(void)snprintf(hint, sizeof(hint),
	    "run: openssl pkey -aes256 -in %s -out %s.new, and rename it", path,
	    path);
	doctor_say(d, DOCTOR_WARN, "files", hint,
	    "the key %s is under no pass phrase", path);
}

void
doctor_files(struct doctor *d)
{
	struct own_cert own = { .key = "" };
	char dir[PLACE_SIZE];
	struct fault ignored;
	const bool bundle = own_cert_find(NULL, NULL, &own, &ignored) == 0 &&
	    own.key[0] == '\0';

	if (own_cert_place("", dir, &ignored) == 0)
		(void)check(d,
		    &(struct guarded){
			"the directory", dir, 022, "go-w", "written" });
	(void)check(d,
	    &(struct guarded){
		"the proxy", d->proxy.path, 077, "600", "read or written" });
	(void)check(d,
	    &(struct guarded){ bundle ? "the bundle" : "the certificate",
		own.cert, bundle ? 077 : 022, bundle ? "600" : "644",
		bundle ? "read" : "written" });
	if (own.key[0] != '\0' &&
	    check(d,
		&(struct guarded){
		    "the key", own.key, 077, "600", "read or written" }))
		check_phrase(d, own.key);
}
