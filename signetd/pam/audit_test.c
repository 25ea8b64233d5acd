#include "signetd/pam/audit.h"

#include "authn/authn.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

/* How many sockets for audit records this process has made. */
static int made;

/* Stands in for the C library's. */
__attribute__((visibility("default"))) int
socket(int domain, int type, int protocol)
{
	made += domain == AF_NETLINK && protocol == NETLINK_AUDIT;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static void
log_in(void)
{
	static const char service[] = "auth required pam_permit.so\n"
				      "account required pam_permit.so\n";
	char here[PATH_MAX - 32], dir[PATH_MAX], path[PATH_MAX + 16], name[64];
	struct fault f = { 0 };
	OWN_STRUCT(secret) phrase = secret_copy("x", 1, &f);

	assert_non_null(phrase);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(text_fmt(dir, sizeof(dir), "%s/audit_test.d", here),
	    0);
	assert_int_equal(file_mkdir(dir, 0700, &f), 0);
	assert_int_equal(text_fmt(path, sizeof(path), "%s/signet", dir), 0);
	assert_int_equal(file_write(path, 0600, service, strlen(service), &f),
	    0);
	assert_int_equal(text_fmt(path, sizeof(path), "%s/other", dir), 0);
	assert_int_equal(file_write(path, 0600, service, strlen(service), &f),
	    0);
	assert_int_equal(authn_pam(dir, "signet", "ann", "192.0.2.1", phrase,
			     name, sizeof(name), &f),
	    0);
	assert_string_equal(name, "ann");
}

static void
pam_asks_for_records_until_it_is_told_not_to(void **state)
{
	(void)state;
	made = 0;
	log_in();
	/* One of the authentication, one of the account. */
	assert_int_equal(made, 2);
	audit_allow(false);
	log_in();
	assert_int_equal(made, 2);
	assert_int_equal(audit_open(), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
	audit_allow(true);
	log_in();
	assert_int_equal(made, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pam_asks_for_records_until_it_is_told_not_to),
	};

	return cmocka_run_group_tests_name("pam/audit", tests, NULL, NULL);
}
