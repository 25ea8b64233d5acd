#ifndef SIGNETD_PARENT_CREW_H
#define SIGNETD_PARENT_CREW_H

#include "base/checked.h"
#include "ipc/channel.h"
#include "signetd/parent/daemon.h"
#include "signetd/parent/fate.h"
#include "signetd/parent/gather.h"

#include <sys/types.h>

#include <stdbool.h>

/*
 * The processes of the daemon: started, given what they may hold, and joined
 * to one another.  What becomes of them is daemon.c's to decide.
 */
struct daemon;
struct fault;
struct loop;
struct loop_signal;
struct loop_timer;

#define CREW_MAX 256
#define CREW_SIGNALS 5

struct process {
	struct daemon *daemon;
	enum msg_role role;
	size_t index;
	char name[32]; /* as the roles it speaks to call it */
	pid_t pid;     /* 0: not running */
	struct channel *control;
	uint32_t ready; /* generation it has said READY to */
	bool drained;
	bool balked;  /* started anew, it said that it cannot begin */
	bool excused; /* nobody waits for its READY any more */
	struct loop_timer *again; /* to start it anew */
	unsigned deaths;	  /* in a row, of one that may die often */
	int64_t began_ms;
	/* Of a token: as it was last heard of. */
	bool token_known;
	uint32_t token_state;
	uint32_t token_fault;
	char token_label[40];
	char token_serial[20];
};

struct daemon {
	/* Hears every process; ${arg} is its struct process. */
	channel_heard_fn *heard;
	channel_gone_fn *gone;
	const struct daemon_wish *wish;
	struct gather *gather;
	struct loop *loop;
	struct loop_signal *signals[CREW_SIGNALS];
	struct loop_timer *deadline; /* of start, drain or end */
	struct loop_timer *watchdog;
	struct loop_timer *blame; /* a role left in order, unasked */
	struct process process[CREW_MAX];
	size_t count;
	int listen[CONF_LIST_MAX];
	size_t listens;
	int office; /* its Unix socket; -1 without an office */
	int office_listen[CONF_LIST_MAX];
	size_t office_listens;
	int issue; /* the Unix socket of signet-issue; -1: none */
	uint32_t generation;
	bool started;
	bool draining;
	bool ending;
	bool failed;
	struct fate_count deaths;
	struct pins *pins;
	struct hooks *hooks;
};

/* Start all roles, give each its texts and channels, and say GO. */
CHECKED int crew_start(struct daemon *d, struct fault *f);

/* Start ${p} anew: only what crew_is_replaceable. */
CHECKED int crew_restart(struct daemon *d, struct process *p, struct fault *f);
bool crew_is_replaceable(enum msg_role role);

/* Give all that run the texts as they are now, and say GO. */
void crew_reload(struct daemon *d);

#endif
