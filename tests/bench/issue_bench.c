/*
 * What a certificate costs in issuer, signer and keeper, beside the floor that
 * the request's check, the signature and the ledger set in the same run.
 *
 *	issue_bench FOLDER-OF-THE-ROLES [seconds]
 */
#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "rig/issue_rig.h"
#include "x509/csr.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUBJECT "/DC=org/O=Ex/OU=People/CN=user@EXAMPLE.ORG"
#define WINDOW_MAX 64

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

struct spent {
	double role[RIG_ROLES];
};

static struct spent
spent(const struct rig *rig)
{
	struct spent s;

	for (int r = 0; r < RIG_ROLES; r++)
		s.role[r] = cpu_of(rig->pid[r]);
	return s;
}

static void
ask_one(struct rig *rig, uint32_t n, struct wire_bytes csr)
{
	uint8_t ticket[16];

	rig_vouch(rig, SUBJECT, ticket);
	rig_ask(rig, n, ticket, csr);
}

static int
hear_one(struct rig *rig)
{
	struct msg m;

	if (!rig_hear(rig, &m) || m.type != MSG_SIGN_DONE ||
	    m.sign_done.fault != FAULT_NONE) {
		fprintf(stderr, "no certificate\n");
		return -1;
	}
	return 0;
}

static int
run_window(struct rig *rig, uint32_t window, double seconds,
    struct wire_bytes csr, double floor)
{
	struct spent before = spent(rig), after;
	double began = seconds_of(CLOCK_MONOTONIC), took, sum = 0;
	uint32_t asked = 0, done = 0;

	while (asked < window)
		ask_one(rig, asked++, csr);
	while ((took = seconds_of(CLOCK_MONOTONIC) - began) < seconds) {
		if (hear_one(rig) < 0)
			return -1;
		done++;
		ask_one(rig, asked++, csr);
	}
	after = spent(rig);
	for (uint32_t i = 0; i < window; i++)
		if (hear_one(rig) < 0)
			return -1;
	printf("  %2u at once: %6.0f certificates/s; CPU us each:", window,
	    done / took);
	for (int r = 0; r < RIG_ROLES; r++) {
		static const char *const names[] = { "issuer", "signer",
			"keeper" };
		double us = 1e6 * (after.role[r] - before.role[r]) / done;

		printf(" %s %.0f", names[r], us);
		sum += us;
	}
	printf(", together %.0f; beyond the request's check and the signature "
	       "%.0f\n",
	    sum, sum - floor);
	return 0;
}

/* CPU of what cannot be avoided: the check of the request, the signature. */
static double
crypto_floor(const struct rig *rig, struct wire_bytes csr)
{
	struct fault f = { 0 };
	struct csr request;
	double began = seconds_of(CLOCK_PROCESS_CPUTIME_ID), check, sign;
	unsigned n;

	for (n = 0; n < 2000; n++)
		if (csr_read(&request, csr, &f) < 0)
			return 0;
	check = 1e6 * (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began) / n;
	began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	for (n = 0; n < 1000; n++) {
		OWN_BUF(signature, 1024);

		if (key_sign(rig->ca_key,
			(struct wire_bytes){
			    rig->ca->tbs.data, rig->ca->tbs.len },
			&signature, &f) < 0)
			return 0;
	}
	sign = 1e6 * (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began) / n;
	printf("  floor: request's check %.0f us, signature %.0f us\n", check,
	    sign);
	return check + sign;
}

static int
run_kinds(const char *programs, const char *ca_key, const char *user_key,
    double seconds)
{
	static const uint32_t windows[] = { 1, 8, 32, WINDOW_MAX };
	const struct rig_wish wish = { .programs = programs, .ca_key = ca_key };
	struct fault f = { 0 };
	OWN_STRUCT(key) key = key_make(user_key, &f);
	struct rig rig;
	struct buf csr;
	double floor;
	int result = 0;

	if (key == NULL)
		return -1;
	printf("CA %s, user %s:\n", ca_key, user_key);
	rig_open(&rig, &wish);
	csr = rig_request(key);
	floor = crypto_floor(&rig, (struct wire_bytes){ csr.data, csr.len });
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		if (result == 0)
			result = run_window(&rig, windows[i], seconds,
			    (struct wire_bytes){ csr.data, csr.len }, floor);
	buf_free(&csr);
	rig_close(&rig);
	return result;
}

int
main(int argc, char **argv)
{
	int64_t seconds = 2;

	if (argc < 2 || argc > 3 ||
	    (argc == 3 && text_number(argv[2], 1, 600, &seconds) < 0)) {
		fprintf(stderr, "issue_bench FOLDER-OF-THE-ROLES [seconds]\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (run_kinds(argv[1], "ec:P-256", "ec:P-256", (double)seconds) < 0 ||
	    run_kinds(argv[1], "ec:P-256", "rsa:2048", (double)seconds) < 0 ||
	    run_kinds(argv[1], "rsa:2048", "rsa:2048", (double)seconds) < 0)
		return 1;
	return 0;
}
