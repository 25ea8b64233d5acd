/*
 * signetd: the parent.  It reads the configuration and what it names, starts
 * the roles and waits.  It takes no input from the network.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "signetd/parent/daemon.h"
#include "signetd/parent/doctor.h"
#include "signetd/parent/gather.h"
#include "signetd/parent/log_file.h"
#include "signetd/parent/place.h"
#include "signetd/parent/rehearse.h"
#include "x509/ossl.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/signet/signetd.conf"

enum action {
	SERVE,
	CHECK,
	DUMP,
	DOCTOR,
	MAN_SETTINGS,
	MAN_EVENTS
};

struct wish {
	enum action action;
	bool json;
	struct daemon_wish daemon;
};

static const char usage[] =
    "usage: signetd [-c FILE] [--check | --dump-config | --doctor [--json]]\n"
    "\n"
    "  -c, --config FILE   settings; " DEFAULT_CONF " if not given\n"
    "      --check         read everything, say what is wrong, and end\n"
    "      --dump-config   print every setting in force, and end\n"
    "      --doctor        look over this host as a CA's host, and end\n"
    "      --json          the doctor's answer as JSON\n"
    "      --pass-env NAME also give this environment variable to the roles\n"
    "  -h, --help          this text\n"
    "  -V, --version       the version\n"
    "\n"
    "Signals: HUP reads the configuration again, USR1 carries out the queue "
    "of\n"
    "revocations and makes every list anew, TERM and INT end in order.\n"
    "See signetd(8) and signetd.conf(5).\n";

/* 0, or -1 after a mistake, or 1 if all is said and done. */
static int
read_options(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'C' },
		{ "dump-config", no_argument, NULL, 'D' },
		{ "doctor", no_argument, NULL, 'O' },
		{ "json", no_argument, NULL, 'J' },
		/* For the manual pages, when they are built. */
		{ "man-settings", no_argument, NULL, 'M' },
		{ "man-events", no_argument, NULL, 'L' },
		{ "pass-env", required_argument, NULL, 'E' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const size_t most =
	    sizeof(wish->daemon.keep) / sizeof(wish->daemon.keep[0]);
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) !=
	    -1) {
		if (option == 'c')
			wish->daemon.conf_path = optarg;
		else if (option == 'C')
			wish->action = CHECK;
		else if (option == 'D')
			wish->action = DUMP;
		else if (option == 'O')
			wish->action = DOCTOR;
		else if (option == 'M')
			wish->action = MAN_SETTINGS;
		else if (option == 'L')
			wish->action = MAN_EVENTS;
		else if (option == 'J')
			wish->json = true;
		else if (option == 'E' && wish->daemon.kept < most)
			wish->daemon.keep[wish->daemon.kept++] = optarg;
		else if (option == 'h')
			return fputs(usage, stdout) < 0 ? -1 : 1;
		else if (option == 'V')
			return printf("signetd %s\n", SIGNET_VERSION) < 0 ? -1
									  : 1;
		else
			return -1;
	}
	return optind == argc ? 0 : -1;
}

static int
serve(const struct wish *wish, struct gather *g, struct fault *f)
{
	const struct rlimit none = { 0, 0 };

	/* The parent sees the CA's key go by. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	if (gather_phrases(g, f) < 0)
		return -1;
	if (log_file_open(g->conf.log_file, f) < 0)
		return -1;
	log_open("signetd", (int)g->conf.log_level);
	return daemon_run(&wish->daemon, g, f);
}

static void
show_events(void)
{
	printf(".Bl -tag -width Ds\n");
	for (int e = 0; e < EVENT_COUNT; e++)
		printf(".It Li %s\n%s\n", log_name((enum event)e),
		    log_meaning((enum event)e));
	printf(".El\n");
}

static int
act(const struct wish *wish, struct gather *g, struct fault *f)
{
	if (wish->action == MAN_SETTINGS) {
		conf_man(&signetd_schema, stdout);
		return 0;
	}
	if (wish->action == MAN_EVENTS) {
		show_events();
		return 0;
	}
	if (wish->action == DOCTOR)
		return doctor_run(wish->daemon.conf_path, wish->json, f);
	if (gather_read(g, wish->daemon.conf_path, f) < 0) {
		/* Whatever is wrong with a file that it names, it is the
		 * configuration that a service manager cannot mend. */
		if (f->code != FAULT_MEMORY)
			f->code = FAULT_CONFIG;
		return -1;
	}
	if (wish->action == DUMP) {
		conf_dump(&signetd_schema, &g->conf, stdout);
		return 0;
	}
	if (place_check(&g->conf, f) < 0)
		return -1;
	if (wish->action == CHECK) {
		if (rehearse_time(g, clock_wall(), f) < 0) {
			f->code = FAULT_CONFIG;
			return -1;
		}
		printf("%s: all is well\n", wish->daemon.conf_path);
		return 0;
	}
	return serve(wish, g, f);
}

int
main(int argc, char **argv)
{
	struct wish wish = { .action = SERVE,
		.daemon = { .conf_path = DEFAULT_CONF } };
	struct gather *g = calloc(1, sizeof(*g));
	struct fault f = { 0 };
	int result = read_options(argc, argv, &wish);

	if (result < 0)
		fputs("Try: signetd --help\n", stderr);
	if (result != 0 || g == NULL) {
		free(g);
		if (result > 0 && fflush(stdout) == 0)
			return 0;
		return fault_exit_status(result > 0 ? FAULT_SYSTEM
						    : FAULT_USAGE);
	}
	log_open("signetd", 6);
	/* No module that the environment names comes near a key. */
	result = ossl_start_alone(&f) < 0 ? -1 : act(&wish, g, &f);
	if (result < 0)
		fprintf(stderr, "signetd: %s\n", f.text);
	if (fflush(stdout) != 0 && result == 0) {
		perror("signetd: writing the answer");
		result = -1;
		f.code = FAULT_SYSTEM;
	}
	gather_clear(g);
	free(g);
	return result < 0 ? fault_exit_status(f.code) : 0;
}
