/*
 * path_bench: certificates a second out of a token, from the request to the
 * durable entry and the answer, through issuer, signer, the token's process and
 * keeper as they are; CPU of each for one, as one JSON object.
 *
 *   TOKEN_PIN=... path_bench ROLES URI KEY USER-KEY SECONDS WINDOW [LEDGER]
 *
 * ROLES is the folder of the roles' executables; KEY the PEM of the key that is
 * in the token too; USER-KEY "rsa:2048" or "ec:P-256"; WINDOW how many requests
 * are under way at once; LEDGER one to begin with a copy of.
 */
#include "base/fault.h"
#include "base/text.h"
#include "rig/issue_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SUBJECT "/DC=org/O=Ex/OU=People/CN=user@EXAMPLE.ORG"
#define READY_TRIES 500
#define READY_WAIT_US 10000

static double
seconds_of(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
cpu_of(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? seconds_of(clock) : 0;
}

static void
die(const char *what)
{
	fprintf(stderr, "path_bench: %s\n", what);
	exit(1);
}

static void
ask(struct rig *rig, uint32_t n, struct wire_bytes csr)
{
	uint8_t ticket[16];

	rig_vouch(rig, SUBJECT, ticket);
	rig_ask(rig, n, ticket, csr);
}

static enum fault_code
hear(struct rig *rig)
{
	struct msg m;

	if (!rig_hear(rig, &m) || m.type != MSG_SIGN_DONE)
		die("no answer");
	return (enum fault_code)m.sign_done.fault;
}

/* The issuer hears last that the token is ready. */
static void
wait_ready(struct rig *rig, struct wire_bytes csr)
{
	enum fault_code fault = FAULT_SUSPENDED;

	for (int i = 0; i < READY_TRIES && fault == FAULT_SUSPENDED; i++) {
		ask(rig, 0, csr);
		if ((fault = hear(rig)) == FAULT_SUSPENDED)
			(void)usleep(READY_WAIT_US);
	}
	if (fault != FAULT_NONE)
		die(fault_sentence(fault));
}

static void
run(struct rig *rig, struct wire_bytes csr, double seconds, uint32_t window)
{
	static const char *const names[] = { "issuer", "signer", "keeper",
		"token" };
	double before[RIG_ROLES_MAX], began, took, sum = 0;
	uint32_t asked = 0, done = 0;

	for (int r = 0; r < RIG_ROLES_MAX; r++)
		before[r] = cpu_of(rig->pid[r]);
	began = seconds_of(CLOCK_MONOTONIC);
	while (asked < window)
		ask(rig, asked++, csr);
	while (done < asked) {
		if (hear(rig) != FAULT_NONE)
			die("no certificate");
		done++;
		if (seconds_of(CLOCK_MONOTONIC) - began < seconds)
			ask(rig, asked++, csr);
	}
	took = seconds_of(CLOCK_MONOTONIC) - began;
	printf("{\"per_second\": %.1f", done / took);
	for (int r = 0; r < RIG_ROLES_MAX; r++) {
		double ms = 1e3 * (cpu_of(rig->pid[r]) - before[r]) / done;

		printf(", \"%s_ms\": %.4f", names[r], ms);
		sum += ms;
	}
	printf(", \"cpu_ms\": %.4f}\n", sum);
}

int
main(int argc, char **argv)
{
	struct rig_wish wish = { .token_pin = getenv("TOKEN_PIN") };
	int64_t seconds, window;
	struct fault f = { 0 };
	struct rig rig;
	struct buf csr;

	if (argc < 7 || argc > 8 || wish.token_pin == NULL ||
	    text_number(argv[5], 1, 600, &seconds) < 0 ||
	    text_number(argv[6], 1, 1024, &window) < 0) {
		fprintf(stderr,
		    "usage: TOKEN_PIN=... path_bench ROLES URI KEY USER-KEY "
		    "SECONDS WINDOW [LEDGER]\n");
		return 2;
	}
	wish.programs = argv[1];
	wish.token = argv[2];
	wish.token_key = argv[3];
	wish.book = argc > 7 ? argv[7] : NULL;
	OWN_STRUCT(key) key = key_make(argv[4], &f);
	if (key == NULL)
		die(f.text);
	rig_open(&rig, &wish);
	csr = rig_request(key);
	wait_ready(&rig, (struct wire_bytes){ csr.data, csr.len });
	run(&rig, (struct wire_bytes){ csr.data, csr.len }, (double)seconds,
	    (uint32_t)window);
	buf_free(&csr);
	rig_close(&rig);
	return 0;
}
