#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "signetd/parent/rehearse.h"

#include <sys/stat.h>

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One more line in the settings of a small site. */
static int
judge(const char *line, struct fault *f)
{
	static const char *const site[] = { "realm LIGO.ORG\n",
		"ledger /var/l/ledger.db\n", "user-front 61301\n",
		"user-auth 61302\n", "user-issuer 61304\n",
		"user-signer 61305\n", "user-keeper 61306\n" };
	struct signetd_conf *conf = calloc(1, sizeof(*conf));
	OWN_BUF(text, 1024);
	int result;

	assert_non_null(conf);
	buf_text(&text, line);
	/* A keyword may stand once. */
	for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++)
		if (strncmp(site[i], line, strcspn(site[i], " ")) != 0)
			buf_text(&text, site[i]);
	assert_false(text.failed);
	if (conf_read(&signetd_schema, conf, (const char *)text.data, text.len,
		f) < 0)
		fail_msg("%s", f->text);
	result = rehearse_settings(conf, f);
	free(conf);
	return result;
}

static void
sound_settings_are_taken(void **state)
{
	static const char *const good[] = { "", "listen 7512\n",
		"listen 127.0.0.1:0\n", "listen [::1]:7512\n",
		"listen slcs.example.org:7512\n",
		"map-realm OLD.ORG LIGO.ORG\n", "key-passphrase fd:3\n",
		"key-passphrase credential:ca-phrase\n",
		"ledger /srv/ledger/l.db\n", "pin-from terminal\n",
		"pin-from credential:ca-pin\n", "token-preset pcsc\n",
		"token-path /opt/hsm\ntoken-path rw /run/hsm\n",
		"token-hook /usr/local/sbin/tell\n",
		"issue-socket /run/s/i.sock\nissue-from 61390\n",
		"issue-directory /run/s/i\nissue-from 61390\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fault f = { 0 };

		if (judge(good[i], &f) < 0)
			fail_msg("%s: %s", good[i], f.text);
	}
}

static void
settings_that_make_no_sense_are_named(void **state)
{
	static const char *const bad[] = { "listen 127.0.0.1\n",
		"listen [::1]\n", "listen host:99999\n", "listen :\n",
		"listen host:\n", "realm A@B\n", "realm A B\n", "realm A/B\n",
		"map-realm OLD.ORG\n", "map-realm OLD.ORG A B\n",
		"map-realm OLD.ORG A/B\n", "key-passphrase fd:-1\n",
		"key-passphrase fd:x\n", "key-passphrase credential:../x\n",
		"key-passphrase credential:\n", "key-passphrase secret\n",
		"ledger ledger.db\n", "ledger /ledger.db\n",
		"ledger /srv/ledger/\n", "pam-service ../login\n",
		"pin-from file:/etc/pin\n", "pin-from credential:\n",
		"pin-from credential:../pin\n", "pin-from 1234\n",
		"pin-from console:1\n", "token-preset usb\n",
		"token-path hsm\n", "token-path rw hsm\n",
		"token-path ro /opt\n", "token-hook tell me\n",
		"crl-hook ./publish\n", "issue-socket i.sock\n",
		"issue-directory i\n", "issue-socket /run/s/i.sock\n",
		"issue-directory /run/s/i\n",
		"issue-directory /\nissue-from 61390\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };
		size_t keyword = strcspn(bad[i], " ");

		if (judge(bad[i], &f) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(f.code, FAULT_CONFIG);
		assert_memory_equal(f.text, bad[i], keyword);
	}
}

static void
a_module_that_others_can_change_is_refused(void **state)
{
	char dir[] = "/tmp/module.XXXXXX", path[64];
	struct fault f = { 0 };
	Elf64_Ehdr head = { .e_ident = ELFMAG, .e_type = ET_DYN };
	int fd;

	(void)state;
	head.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	head.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	    ? ELFDATA2LSB
	    : ELFDATA2MSB;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(text_fmt(path, sizeof(path), "%s/m.so", dir), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	/* Nothing in it, as yet. */
	assert_int_equal(rehearse_module(path, &f), -1);
	assert_non_null(strstr(f.text, "shared object"));
	assert_int_equal(rehearse_module("/etc/passwd", &f), -1);
	/* One that could be loaded, and is something else. */
	assert_int_equal(rehearse_module("/proc/self/exe", &f), -1);
	assert_non_null(strstr(f.text, "does not export C_GetFunctionList"));
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	/* In /tmp, where others may make files and not rename ours. */
	assert_int_equal(rehearse_module(path, &f), 0);
	assert_int_equal(fchmod(fd, 0775), 0);
	assert_int_equal(rehearse_module(path, &f), -1);
	assert_non_null(strstr(f.text, "chmod go-w"));
	assert_int_equal(fchmod(fd, 0755), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(rehearse_module(path, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rehearse_module(path, &f), -1);
	assert_int_equal(rehearse_module(dir, &f), -1);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_settings_are_taken),
		cmocka_unit_test(settings_that_make_no_sense_are_named),
		cmocka_unit_test(a_module_that_others_can_change_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
