#ifndef SIGNETD_ROLE_H
#define SIGNETD_ROLE_H

#include "base/checked.h"
#include "base/wire.h"
#include "ipc/channel.h"
#include "signetd/signetd_conf.h"
#include "sys/loop.h"
#include "sys/sandbox.h"

/*
 * What every role of signetd does alike: hear from the parent, on descriptor
 * 3, what it may hold (configuration, files and descriptors, each by name);
 * raise its walls; start; say that it is ready; run its loop until told to
 * drain or until the parent is gone.
 *
 * A role's main() is `return role_main(argc, argv, &spec);`.
 *
 * Texts, by name, sent at the start and again at each reload:
 *   every role  "conf"            the configuration, whole
 *   front       "tls.N.cert" "tls.N.key"
 *   signer      "ca.N.conf" "ca.N.cert" "ca.N.key" (PEM), and "ca.N.phrase" if
 *               that key is encrypted; keys are sent at the start only
 *   issuer      "ca.N.conf" "ca.N.cert" "ca.N.chain", "profile.N" (its first
 *               line is "# NAME", put there by the parent)
 *   keeper      "ca.N.conf" "ca.N.cert", and "log.0.key" (PEM) if there is a
 *               log key, at the start only
 *   auth        "profile.N"
 *   issuer      also "office.N", profiles of the office
 *   desk        "ca.N.conf" "ca.N.cert" "ca.N.chain", "office.N", "staff.N"
 *               (pieces of the staff file, the last of them empty), "accounts"
 *               (a line each: an account of that file, and its uid)
 *   token       "ca.N.conf" "ca.N.cert" of its own CA, and of no other
 *   intake      "callers.0" (a line each: an account of issue-from, and its
 *               uid)
 * A CA whose key is in a token has an empty "ca.N.key".
 * Descriptors: "listen.N" (front), "local" and "krb.N" (desk), "issue" (intake,
 * with issue-socket), and channels, named after the role at the other end:
 * "auth", "issuer", "signer", "keeper", "front.N", "worker.N", "pam.N",
 * "desk.N", "token.N" (the signer has one for each CA N with a token; its end
 * is called "signer"), "intake.0" (auth and issuer).  A process that was
 * started anew gets a new channel: the same name arrives again.
 */
struct fault;
struct role;

/* The log was opened anew: standard error from now on.  For role.c alone. */
#define ROLE_LOG_FD "log"
struct role_link;

struct role_spec {
	enum msg_role self;
	/* Say what walls this role lives in; uid, gid and log_only are
	 * filled in already.  Files may still be opened here. */
	int (*box)(struct role *role, struct sandbox *box, struct fault *f);
	/* Inside the walls: make what is needed from the texts. */
	int (*start)(struct role *role, struct fault *f);
	/* A descriptor has arrived, now ours: at the start (after start()), or
	 * later.  Most call role_channel(). */
	int (*attach)(struct role *role, const char *name, int fd,
	    struct fault *f);
	/* The texts are new: take over what can be.  On a fault all stays as it
	 * was.  NULL: nothing can be reloaded. */
	int (*reload)(struct role *role, struct fault *f);
	/* Take no new work; call role_drained() when the old is done.  NULL:
	 * drained at once. */
	void (*drain)(struct role *role);
	/* The parent says what it says to this role alone.  NULL: nothing. */
	void (*heard)(struct role *role, const struct msg *m);
};

struct role {
	const struct role_spec *spec;
	struct signetd_conf conf;
	struct loop *loop;
	bool gathers;	 /* what role_channel() makes does: channel_gather() */
	void *state;	 /* the role's own */
	uint32_t served; /* for DRAINED */
	struct role_boot *boot;
	struct role_link *links; /* of its channels, those that have gone too */
};

int role_main(int argc, char **argv, const struct role_spec *spec);

/* The text called ${name}; data NULL if there is none. */
struct wire_bytes role_text(const struct role *role, const char *name);

/* Wipe the text called ${name}: a key that has been loaded. */
void role_forget(struct role *role, const char *name);

/**
 * role_channel(role, name, fd, heard, arg, f):
 * A channel over ${fd} to the role that ${name} begins with.  If the other end
 * says what it may not, this is logged and the channel is closed; if it was a
 * role that is never started anew (auth, issuer, signer, keeper), this process
 * ends.  ${gone} (may be NULL) is told when the other end has gone.
 */
CHECKED struct channel *role_channel(struct role *role, const char *name,
    int fd, channel_heard_fn *heard, channel_gone_fn *gone, void *arg,
    struct fault *f);

/* What role_channel() has kept; the channels have been freed.  The end of the
 * process does it too: for tests. */
void role_links_free(struct role *role);

void role_drained(struct role *role);

/* Say ${m} to the parent; without one this process ends. */
void role_tell(struct role *role, const struct msg *m);

#endif
