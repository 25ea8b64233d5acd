#include "rig/issue_rig.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ipc/frame.h"
#include "token/token.h"
#include "x509/csr.h"
#include "x509/mint.h"
#include "x509/pem.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CA_SUBJECT "/DC=org/O=Ex/OU=CA/CN=Rig 1"
#define TEXT_MAX 65536

static const char *const names[RIG_ROLES_MAX] = { "issuer", "signer", "keeper",
	"token" };
static const enum msg_role roles[RIG_ROLES_MAX] = { MSG_ROLE_ISSUER,
	MSG_ROLE_SIGNER, MSG_ROLE_KEEPER, MSG_ROLE_TOKEN };

static void
need(bool good, const struct fault *f, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "rig: %s: %s\n", what, f->text);
	exit(1);
}

/* The key that is in the token too. */
static void
read_ca_key(struct rig *rig, const char *path)
{
	OWN_BUF(pem, TEXT_MAX);
	struct fault f = { 0 };

	need(file_read(path, &pem, &f) == 0 &&
		(rig->ca_key = key_read_pem(pem.data, pem.len, NULL, &f)) !=
		    NULL,
	    &f, path);
}

/* A CA of one level: what the online roles do does not depend on more. */
void
rig_make_ca(struct rig *rig, const char *kind)
{
	static const char text[] = "lifetime 10y\nmax-lifetime 10y\n"
				   "key rsa:2048 ec:P-256 ec:P-384\n"
				   "usage keyCertSign\nusage cRLSign\nca yes\n"
				   "path-length 0\n";
	static const uint8_t serial[] = { 1 };
	struct profile *profile = calloc(1, sizeof(*profile));
	struct mint *m = calloc(1, sizeof(*m));
	OWN_BUF(tbs, TEXT_MAX);
	OWN_BUF(signature, TEXT_MAX);
	OWN_BUF(der, TEXT_MAX);
	struct fault f = { 0 };
	bool good = profile != NULL && m != NULL &&
	    (rig->ca_key != NULL ||
		(rig->ca_key = key_make(kind, &f)) != NULL) &&
	    profile_read(profile, "rig", text, sizeof(text) - 1, &f) == 0 &&
	    dn_read_slash(&m->subject, CA_SUBJECT, &f) == 0;

	need(good, &f, "CA");
	m->profile = profile;
	m->serial = serial;
	m->serial_len = sizeof(serial);
	m->spki = *key_spki(rig->ca_key);
	m->signer_kind = key_kind_of(rig->ca_key);
	m->not_before = time(NULL) - 3600;
	m->not_after = m->not_before + 5 * 365 * 86400;
	good = mint_tbs(m, &tbs, &f) == 0 &&
	    key_sign(rig->ca_key, (struct wire_bytes){ tbs.data, tbs.len },
		&signature, &f) == 0 &&
	    mint_finish((struct wire_bytes){ tbs.data, tbs.len },
		m->signer_kind,
		(struct wire_bytes){ signature.data, signature.len }, &der,
		&f) == 0 &&
	    (rig->ca = cert_read((struct wire_bytes){ der.data, der.len },
		 &f)) != NULL;
	need(good, &f, "CA certificate");
	free(m);
	free(profile);
}

static void
send_message(int fd, const struct msg *m, int passed)
{
	uint8_t *frame = malloc(MSG_MAX_FRAME);
	struct fault f = { 0 };
	int len =
	    frame == NULL ? -1 : frame_encode(m, frame, MSG_MAX_FRAME, &f);
	struct iovec all = { frame, len > 0 ? (size_t)len : 0 };

	need(len > 0 && frame_send(fd, &all, 1, passed, true, &f) == FRAME_DONE,
	    &f, msg_name(m->type));
	free(frame);
}

static void
send_text(struct rig *rig, enum rig_role role, const char *name,
    const struct buf *text)
{
	struct msg m = { .type = MSG_BOOT_TEXT };
	struct fault f = { .text = "text" };

	need(!text->failed &&
		text_copy(m.boot_text.name, sizeof(m.boot_text.name), name) ==
		    0,
	    &f, name);
	m.boot_text.data = (struct wire_bytes){ text->data, text->len };
	send_message(rig->control[role], &m, -1);
}

static void
send_fd(int control, const char *name, int fd)
{
	struct msg m = { .type = MSG_BOOT_FD };
	struct fault f = { .text = "name" };

	need(text_copy(m.boot_fd.name, sizeof(m.boot_fd.name), name) == 0, &f,
	    name);
	send_message(control, &m, fd);
	(void)close(fd);
}

static void
send_conf(struct rig *rig, enum rig_role role)
{
	/* Whoever runs this as root sees the roles become somebody else. */
	OWN_BUF(conf, TEXT_MAX);

	buf_fmt(&conf,
	    "ca /nowhere\nledger %s\nprofile rig\nlog-level 4\n"
	    "user-issuer 65534:65534\nuser-signer 65534:65534\n"
	    "user-keeper 65534:65534\nuser-token 65534:65534\n"
	    "token-preset softhsm\n",
	    rig->ledger);
	send_text(rig, role, "conf", &conf);
}

static void
send_ca(struct rig *rig, const struct rig_wish *wish, enum rig_role role)
{
	OWN_BUF(conf, TEXT_MAX);
	OWN_BUF(cert, TEXT_MAX);

	buf_fmt(&conf,
	    "name rig\nmay-sign-under /DC=org/O=Ex/OU=People\n"
	    "max-lifetime 1000000\nusage digitalSignature\n"
	    "usage keyEncipherment\npurpose clientAuth\nserial %s\n"
	    "crl-url http://ca.example.org/rig.crl\n",
	    wish->serial != NULL ? wish->serial : "random");
	if (wish->token != NULL)
		buf_fmt(&conf, "key %s\n", wish->token);
	pem_put(&cert, "CERTIFICATE",
	    (struct wire_bytes){ rig->ca->der, rig->ca->len });
	send_text(rig, role, "ca.0.conf", &conf);
	send_text(rig, role, "ca.0.cert", &cert);
}

static void
send_key(struct rig *rig, const struct rig_wish *wish)
{
	OWN_BUF(key, TEXT_MAX);
	struct fault f = { 0 };

	if (wish->token != NULL)
		; /* it has none */
	else if (wish->signer_key != NULL)
		buf_text(&key, wish->signer_key);
	else
		need(key_write_pem(rig->ca_key, NULL, &key, &f) == 0, &f,
		    "key");
	send_text(rig, RIG_SIGNER, "ca.0.key", &key);
}

static void
send_profile(struct rig *rig, const struct rig_wish *wish)
{
	OWN_BUF(profile, TEXT_MAX);

	buf_fmt(&profile,
	    "# rig\nsubject /DC=org/O=Ex/OU=People/CN={principal}\n"
	    "lifetime %s\nmax-lifetime 1000000\n"
	    "key rsa:2048 ec:P-256 ec:P-384\nusage digitalSignature\n"
	    "usage keyEncipherment\npurpose clientAuth\n"
	    "policy 1.2.840.113612.5.2.2.3\n"
	    "crl-url http://ca.example.org/rig.crl\n%s",
	    wish->lifetime != NULL ? wish->lifetime : "12h",
	    wish->usage != NULL ? wish->usage : "");
	send_text(rig, RIG_ISSUER, "profile.0", &profile);
}

static void
start_role(struct rig *rig, const char *programs, enum rig_role role)
{
	char path[PATH_MAX];
	struct fault f = { .text = "path too long" };
	int fds[2];

	need(text_fmt(path, sizeof(path), "%s/signetd-%s", programs,
		 names[role]) == 0,
	    &f, "start");
	need(channel_pair(fds, &f) == 0, &f, "start");
	rig->pid[role] = fork();
	need(rig->pid[role] >= 0, &f, "fork");
	if (rig->pid[role] == 0) {
		/* dup2() clears close-on-exec, unless it has nothing to do. */
		if (fds[1] == 3 ? fcntl(3, F_SETFD, 0) < 0
				: dup2(fds[1], 3) < 0)
			_exit(127);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	rig->control[role] = fds[0];
}

static void
join(struct rig *rig, enum rig_role a, enum rig_role b)
{
	struct fault f = { 0 };
	int fds[2];

	need(channel_pair(fds, &f) == 0, &f, "join");
	send_fd(rig->control[a], b == RIG_TOKEN ? "token.0" : names[b], fds[0]);
	send_fd(rig->control[b], names[a], fds[1]);
}

static int
join_me(struct rig *rig, const char *as)
{
	struct fault f = { 0 };
	int fds[2];

	need(channel_pair(fds, &f) == 0, &f, "join");
	send_fd(rig->control[RIG_ISSUER], as, fds[0]);
	return fds[1];
}

static void
start_all(struct rig *rig, const struct rig_wish *wish)
{
	struct msg go = { .type = MSG_BOOT_GO };

	for (int r = 0; r < rig->roles; r++)
		start_role(rig, wish->programs, (enum rig_role)r);
	for (int r = 0; r < rig->roles; r++) {
		send_conf(rig, (enum rig_role)r);
		send_ca(rig, wish, (enum rig_role)r);
	}
	send_key(rig, wish);
	send_profile(rig, wish);
	join(rig, RIG_ISSUER, RIG_KEEPER);
	join(rig, RIG_ISSUER, RIG_SIGNER);
	if (rig->roles > RIG_TOKEN)
		join(rig, RIG_SIGNER, RIG_TOKEN);
	rig->auth = join_me(rig, "auth");
	rig->front = join_me(rig, "front.0");
	go.boot_go.generation = 1;
	for (int r = 0; r < rig->roles; r++)
		send_message(rig->control[r], &go, -1);
}

/* What ${role} answers to GO. */
static bool
is_ready(struct rig *rig, enum rig_role role)
{
	struct fault f = { .text = "it has ended" };
	struct msg m;
	int passed;

	need(channel_hear(rig->control[role], MSG_ROLE_PARENT, roles[role],
		 rig->frame, &m, &passed, &f) == 1,
	    &f, names[role]);
	if (m.type == MSG_BOOT_FAILED)
		fprintf(stderr, "rig: %s: %s\n", names[role],
		    m.boot_failed.text);
	return m.type == MSG_BOOT_READY;
}

/* Give it its PIN and wait until it signs. */
static void
log_in(struct rig *rig, const char *pin)
{
	struct msg m = { .type = MSG_TOKEN_PIN };
	struct fault f = { .text = "it has ended" };
	bool asked = false;
	int passed;

	m.token_pin.pin =
	    (struct wire_bytes){ (const uint8_t *)pin, strlen(pin) };
	do {
		struct msg news;

		need(channel_hear(rig->control[RIG_TOKEN], MSG_ROLE_PARENT,
			 MSG_ROLE_TOKEN, rig->frame, &news, &passed, &f) == 1,
		    &f, "token");
		if (news.type != MSG_TOKEN_NEWS)
			continue;
		if (news.token_news.state == TOKEN_READY)
			return;
		need(news.token_news.state == TOKEN_NEEDS_PIN || !asked, &f,
		    news.token_news.text);
		if (news.token_news.state == TOKEN_NEEDS_PIN && !asked) {
			send_message(rig->control[RIG_TOKEN], &m, -1);
			asked = true;
		}
	} while (true);
}

void
rig_restart(struct rig *rig, const struct rig_wish *wish)
{
	struct fault f = { .text = "not ready" };

	rig->heard.left = 0;
	start_all(rig, wish);
	for (int r = 0; r < rig->roles; r++)
		need(is_ready(rig, (enum rig_role)r), &f, names[r]);
	if (wish->token != NULL)
		log_in(rig, wish->token_pin);
}

static void
copy_book(struct rig *rig, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to =
	    open(rig->ledger, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct fault f = { .text = "it cannot be copied" };
	struct stat st = { 0 };
	ssize_t n = 1;

	need(from >= 0 && to >= 0 && fstat(from, &st) == 0, &f, path);
	for (off_t left = st.st_size; left > 0 && n > 0; left -= n)
		n = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
	/* What is written back later would slow down the syncs of others. */
	need(n > 0 && fsync(to) == 0 &&
		(geteuid() != 0 || fchown(to, 65534, 65534) == 0),
	    &f, path);
	(void)close(from);
	(void)close(to);
}

static void
prepare(struct rig *rig, const struct rig_wish *wish)
{
	struct fault f = { .text = "no directory" };

	memset(rig, 0, sizeof(*rig));
	(void)signal(SIGPIPE, SIG_IGN);
	rig->frame = malloc(MSG_MAX_FRAME);
	rig->answers = malloc(MSG_MAX_FRAME);
	need(rig->frame != NULL && rig->answers != NULL, &f, "memory");
	need(text_copy(rig->dir, sizeof(rig->dir), "/var/tmp/rig.XXXXXX") ==
		    0 &&
		mkdtemp(rig->dir) != NULL &&
		text_fmt(rig->ledger, sizeof(rig->ledger), "%s/ledger.db",
		    rig->dir) == 0,
	    &f, "directory");
	need(geteuid() != 0 || chown(rig->dir, 65534, 65534) == 0, &f, "chown");
	rig->roles = wish->token != NULL ? RIG_ROLES_MAX : RIG_ROLES;
	if (wish->book != NULL)
		copy_book(rig, wish->book);
	if (wish->token != NULL)
		read_ca_key(rig, wish->token_key);
	rig_make_ca(rig, wish->ca_key);
}

bool
rig_reload(struct rig *rig, const struct rig_wish *wish, enum rig_role role)
{
	struct msg go = { .type = MSG_BOOT_GO };

	send_conf(rig, role);
	send_ca(rig, wish, role);
	if (role == RIG_ISSUER)
		send_profile(rig, wish);
	go.boot_go.generation = 2;
	send_message(rig->control[role], &go, -1);
	return is_ready(rig, role);
}

void
rig_open(struct rig *rig, const struct rig_wish *wish)
{
	prepare(rig, wish);
	rig_restart(rig, wish);
}

bool
rig_refuses(struct rig *rig, const struct rig_wish *wish, enum rig_role role)
{
	prepare(rig, wish);
	start_all(rig, wish);
	return !is_ready(rig, role);
}

void
rig_stop(struct rig *rig)
{
	(void)close(rig->auth);
	(void)close(rig->front);
	for (int r = 0; r < rig->roles; r++)
		(void)close(rig->control[r]);
	for (int r = 0; r < rig->roles; r++)
		(void)waitpid(rig->pid[r], NULL, 0);
}

void
rig_close(struct rig *rig)
{
	struct dirent *file;
	DIR *dir;

	rig_stop(rig);
	if ((dir = opendir(rig->dir)) != NULL) {
		while ((file = readdir(dir)) != NULL)
			(void)unlinkat(dirfd(dir), file->d_name, 0);
		(void)closedir(dir);
	}
	(void)rmdir(rig->dir);
	key_free(rig->ca_key);
	cert_free(rig->ca);
	free(rig->frame);
	free(rig->answers);
}

void
rig_vouch(struct rig *rig, const char *subject, uint8_t ticket[16])
{
	struct msg m = { .type = MSG_VOUCH,
		.vouch = { .ref = "0123456789ab",
		    .peer = "192.0.2.7:4711",
		    .username = "user",
		    .principal = "user@EXAMPLE.ORG",
		    .method = "rig",
		    .valid_ms = 30000 } };
	struct fault f = { .text = "subject" };

	memset(ticket, 0, 16);
	rig->next_ticket++;
	memcpy(ticket, &rig->next_ticket, sizeof(rig->next_ticket));
	m.vouch.ticket = (struct wire_bytes){ ticket, 16 };
	need(text_copy(m.vouch.subject, sizeof(m.vouch.subject), subject) == 0,
	    &f, "vouch");
	need(channel_tell(rig->auth, &m, &f) == 0, &f, "vouch");
}

void
rig_ask(struct rig *rig, uint32_t connection, const uint8_t ticket[16],
    struct wire_bytes csr)
{
	struct msg m = { .type = MSG_SIGN_ASK };
	struct fault f = { 0 };

	m.sign_ask.connection = connection;
	m.sign_ask.ticket = (struct wire_bytes){ ticket, 16 };
	m.sign_ask.csr = csr;
	need(channel_tell(rig->front, &m, &f) == 0, &f, "ask");
}

bool
rig_hear(struct rig *rig, struct msg *m)
{
	struct fault f = { 0 };
	int passed = -1;

	/* The issuer answers several at once. */
	if (rig->heard.left == 0) {
		enum frame_result result = frame_receive(rig->front,
		    rig->answers, &rig->heard.left, &passed, true, &f);

		need(result == FRAME_DONE || result == FRAME_GONE, &f, "hear");
		rig->heard.at = rig->answers;
		if (result == FRAME_GONE)
			return false;
	}
	need(frame_decode(m, &rig->heard, passed, MSG_ROLE_ISSUER,
		 MSG_ROLE_FRONT, &f) == 0,
	    &f, "hear");
	return true;
}

struct buf
rig_request(const struct key *key)
{
	struct buf csr = BUF(CSR_MAX);
	struct dn *subject = calloc(1, sizeof(*subject));
	struct fault f = { 0 };

	need(subject != NULL && dn_read_slash(subject, "/CN=x", &f) == 0 &&
		csr_write(subject, key, (struct wire_bytes){ NULL, 0 }, &csr,
		    &f) == 0,
	    &f, "request");
	free(subject);
	return csr;
}
