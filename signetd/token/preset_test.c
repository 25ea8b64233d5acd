#include "signetd/token/preset.h"

#include "token/token_probe.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>

struct walls {
	struct preset preset;
	struct signetd_conf conf;
	struct sandbox box;
};

static struct walls *
walls(const char *preset)
{
	struct walls *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(text_copy(w->conf.token_preset,
			     sizeof(w->conf.token_preset), preset),
	    0);
	return w;
}

static void
add_path(struct walls *w, const char *path)
{
	assert_int_equal(text_copy(w->conf.token_path
				       .item[w->conf.token_path.count],
			     CONF_STRING_SIZE, path),
	    0);
	w->conf.token_path.count++;
}

static const struct sandbox_path *
find(const struct walls *w, const char *path)
{
	for (size_t i = 0;
	     i < SANDBOX_PATHS_MAX && w->box.paths[i].path != NULL; i++)
		if (strcmp(w->box.paths[i].path, path) == 0)
			return &w->box.paths[i];
	return NULL;
}

static bool
may(const struct walls *w, enum sandbox_promise promise)
{
	return (w->box.promises & (uint64_t)1 << promise) != 0;
}

static int
set_up(struct walls *w, struct fault *f)
{
	return preset_box(&w->preset, &w->conf, "/opt/acme/libacme.so", &w->box,
	    f);
}

static void
only_a_network_preset_opens_the_network(void **state)
{
	static const char *const names[] = { "pcsc", "network", "custom" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct walls *w = walls(names[i]);
		struct fault f = { 0 };

		assert_int_equal(set_up(w, &f), 0);
		assert_int_equal(may(w, SANDBOX_CONNECT),
		    strcmp(names[i], "network") == 0);
		assert_true(may(w, SANDBOX_THREADS));
		assert_false(may(w, SANDBOX_PROCESS));
		assert_false(may(w, SANDBOX_ACCEPT));
		assert_non_null(find(w, "/opt/acme"));
		assert_false(find(w, "/opt/acme")->write);
		assert_int_equal(find(w, "/run/pcscd") != NULL,
		    strcmp(names[i], "pcsc") == 0);
		free(w);
	}
}

static void
softhsm_has_its_tokens_by_its_configuration(void **state)
{
	struct walls *w = walls("softhsm");
	char path[] = "/tmp/preset_test.XXXXXX";
	static const char text[] = "# directories.tokendir = /not/this\n"
				   "directories.tokendir = /var/tokens a\n";
	struct fault f = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
	assert_int_equal(set_up(w, &f), 0);
	assert_non_null(find(w, "/var/tokens a"));
	assert_true(find(w, "/var/tokens a")->write);
	assert_non_null(find(w, path));
	assert_false(find(w, path)->write);
	assert_null(find(w, "/not/this"));
	assert_int_equal(unlink(path), 0);
	memset(&w->box, 0, sizeof(w->box));
	assert_int_equal(set_up(w, &f), -1);
	assert_non_null(strstr(f.text, path));
	free(w);
}

static void
paths_are_given_to_read_or_to_write(void **state)
{
	struct walls *w = walls("custom");
	struct fault f = { 0 };

	(void)state;
	add_path(w, "/etc/acme");
	add_path(w, "rw /var/lib/acme");
	assert_int_equal(set_up(w, &f), 0);
	assert_false(find(w, "/etc/acme")->write);
	assert_true(find(w, "/var/lib/acme")->write);
	free(w);
}

static void
what_is_no_setting_is_refused(void **state)
{
	struct walls *w = walls("smartcard");
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(set_up(w, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	free(w);
	w = walls("custom");
	add_path(w, "wr /etc");
	assert_int_equal(set_up(w, &f), -1);
	assert_non_null(strstr(f.text, "wr /etc"));
	assert_int_equal(preset_box(&w->preset, &w->conf, "/acme.so", &w->box,
			     &f),
	    -1);
	free(w);
}

static void
a_directory_of_tokens_is_absolute(void **state)
{
	static const char *const bad[] = { "directories.tokendir = x",
		"directories.tokendir =", "directories.tokendir = \n" };
	char *tokens = malloc(PATH_MAX);
	struct fault f = { 0 };

	(void)state;
	assert_non_null(tokens);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(preset_read_softhsm(bad[i], strlen(bad[i]),
				     tokens, &f),
		    -1);
	assert_int_equal(preset_read_softhsm("", 0, tokens, &f), 0);
	assert_string_equal(tokens, "");
	free(tokens);
}

/* ---- within the walls: a child raises them and does what it may, or not */

static void
enter(const struct probe *p)
{
	struct walls *w = walls("softhsm");
	char path[128];
	struct fault f = { 0 };

	/* Where the shim reads what it plays, and writes what it was asked. */
	(void)snprintf(path, sizeof(path), "rw %s", p->play);
	add_path(w, path);
	(void)snprintf(path, sizeof(path), "rw %s", p->log);
	add_path(w, path);
	if (preset_box(&w->preset, &w->conf, p->shim, &w->box, &f) < 0 ||
	    sandbox_enter(&w->box, &f) < 0) {
		fprintf(stderr, "%s\n", f.text);
		_exit(99);
	}
}

typedef void act_fn(struct probe *p);

static int
status_of(struct probe *p, act_fn *act)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		enter(p);
		act(p);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
logs_in_and_signs(struct probe *p)
{
	struct token_uri uri = probe_uri(p, "ca");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, &p->ca, &f);
	struct token_signature signature;

	if (token == NULL || token_login(token, pin, &f) < 0 ||
	    probe_sign(token, &signature, &f) < 0) {
		fprintf(stderr, "%s\n", f.text);
		_exit(98);
	}
}

static void
reads_and_writes_elsewhere(struct probe *p)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/elsewhere", p->dir);
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ||
	    open("/tmp", O_RDONLY | O_CLOEXEC | O_DIRECTORY) >= 0 ||
	    open("/proc/1/environ", O_RDONLY | O_CLOEXEC) >= 0 ||
	    open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ||
	    open(p->shim, O_WRONLY | O_CLOEXEC) >= 0)
		_exit(97);
}

static void
makes_a_process(struct probe *p)
{
	(void)p;
	(void)!fork();
}

static void
runs_a_program(struct probe *p)
{
	(void)p;
	execl("/bin/true", "true", (char *)NULL);
}

static void
opens_the_network(struct probe *p)
{
	(void)p;
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void
listens(struct probe *p)
{
	(void)p;
	(void)listen(0, 1);
}

static void
within_the_walls_of_softhsm_it_signs_and_does_no_more(void **state)
{
	static act_fn *const crimes[] = { makes_a_process, runs_a_program,
		opens_the_network, listens };
	struct probe *p = probe_start();

	(void)state;
	probe_forget_calls(p);
	probe_copy(p->play, p->log, 0600);
	assert_int_equal(status_of(p, logs_in_and_signs), 0);
	assert_int_equal(status_of(p, reads_and_writes_elsewhere), 0);
#ifndef SIGNET_SANITIZED
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		int status = status_of(p, crimes[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("crime %zu: status %#x", i, (unsigned)status);
	}
#else
	(void)crimes;
#endif
	probe_end(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_network_preset_opens_the_network),
		cmocka_unit_test(softhsm_has_its_tokens_by_its_configuration),
		cmocka_unit_test(paths_are_given_to_read_or_to_write),
		cmocka_unit_test(what_is_no_setting_is_refused),
		cmocka_unit_test(a_directory_of_tokens_is_absolute),
		cmocka_unit_test(
		    within_the_walls_of_softhsm_it_signs_and_does_no_more),
	};

	return cmocka_run_group_tests_name("token/preset", tests, NULL, NULL);
}
