/*
 * What lib/trust says about a credential, to be set beside what the Toolkit
 * says.
 *
 *   trust_says CERTDIR CREDENTIAL
 *
 * Prints `peer=/DC=...` and `limited=yes|no`, or the reason for the refusal.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "trust/verify.h"

#include <stdio.h>

static int
judge(const char *dir, const char *path, struct trust_verdict *verdict,
    struct fault *f)
{
	OWN_BUF(pem, 1 << 20);
	OWN_STRUCT(trust_store) store = trust_load(dir, true, NULL, NULL, f);
	struct cert_list chain = { 0 };
	int answer;

	if (store == NULL || file_read(path, &pem, f) < 0 ||
	    cert_list_read_pem(&chain, pem.data, pem.len, f) < 0)
		return -1;
	answer =
	    trust_verify(store, &chain, clock_wall(), TRUST_CLIENT, verdict, f);
	cert_list_free(&chain);
	return answer;
}

int
main(int argc, char **argv)
{
	struct trust_verdict verdict = { 0 };
	struct fault f = { 0 };
	char name[DN_TEXT_MAX];

	if (argc != 3) {
		fprintf(stderr, "usage: trust_says CERTDIR CREDENTIAL\n");
		return 2;
	}
	if (judge(argv[1], argv[2], &verdict, &f) < 0 ||
	    dn_show_slash(&verdict.identity, name, sizeof(name)) < 0) {
		fprintf(stderr, "%s\n", f.text);
		return fault_exit_status(f.code);
	}
	printf("peer=%s\nlimited=%s\n", name, verdict.limited ? "yes" : "no");
	return 0;
}
