/*
 * Make a proxy with lib/x509, for stories that want one of every kind.
 *
 *   make_proxy -i CREDENTIAL -o FILE [-t TYPE] [-k KEY] [-l SECONDS]
 *       [-p PATHLENGTH]
 *
 * CREDENTIAL holds certificate, key and chain as PEM; TYPE is full, limited,
 * independent, draft, draft-limited, legacy or legacy-limited; KEY as in
 * "rsa:2048" (the default) or "ec:P-256".
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "x509/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *from;
	const char *to;
	const char *key;
	struct proxy_wish wish;
};

static const struct {
	const char *name;
	enum cert_kind kind;
} types[] = {
	{ "full", CERT_PROXY_IMPERSONATION },
	{ "limited", CERT_PROXY_LIMITED },
	{ "independent", CERT_PROXY_INDEPENDENT },
	{ "draft", CERT_PROXY_DRAFT },
	{ "draft-limited", CERT_PROXY_DRAFT_LIMITED },
	{ "legacy", CERT_PROXY_LEGACY },
	{ "legacy-limited", CERT_PROXY_LEGACY_LIMITED },
};

static int
read_type(const char *name, enum cert_kind *kind)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0) {
			*kind = types[i].kind;
			return 0;
		}
	}
	return -1;
}

static int
read_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt(argc, argv, "i:o:t:k:l:p:")) != -1) {
		if (c == 'i')
			o->from = optarg;
		else if (c == 'o')
			o->to = optarg;
		else if (c == 'k')
			o->key = optarg;
		else if (c == 'l')
			o->wish.lifetime = strtoll(optarg, NULL, 10);
		else if (c == 'p')
			o->wish.path_length = (int)strtol(optarg, NULL, 10);
		else if (c != 't' || read_type(optarg, &o->wish.kind) < 0)
			return -1;
	}
	return o->from != NULL && o->to != NULL && optind == argc ? 0 : -1;
}

static int
make(const struct options *o, struct fault *f)
{
	OWN_BUF(in, 1 << 20);
	OWN_BUF(out, 1 << 20);
	struct credential from = { 0 };
	struct credential made = { 0 };
	struct key *key;
	int answer = -1;

	if (file_read(o->from, &in, f) < 0 ||
	    credential_read(&from, in.data, in.len, NULL, f) < 0)
		return -1;
	if ((key = key_make(o->key, f)) != NULL &&
	    proxy_make(&from, key, &o->wish, clock_wall(), &made, f) == 0 &&
	    credential_write(&made, &out, f) == 0)
		answer = file_write(o->to, 0600, out.data, out.len, f);
	credential_clear(&made);
	credential_clear(&from);
	return answer;
}

int
main(int argc, char **argv)
{
	struct options o = { .key = "rsa:2048",
		.wish = {
		    .kind = CERT_PROXY_IMPERSONATION, .path_length = -1 } };
	struct fault f = { 0 };

	if (read_options(argc, argv, &o) < 0) {
		fprintf(stderr,
		    "usage: make_proxy -i CREDENTIAL -o FILE "
		    "[-t TYPE] [-k KEY] [-l SECONDS] [-p N]\n");
		return 2;
	}
	if (make(&o, &f) < 0) {
		fprintf(stderr, "make_proxy: %s\n", f.text);
		return fault_exit_status(f.code);
	}
	return 0;
}
