/* ledger export: the certificates themselves. */
#include "base/buf.h"
#include "base/fault.h"
#include "ca_book.h"
#include "signet-ca/base/ca_args.h"
#include "x509/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
put_pem(FILE *out, const struct ledger_line *line)
{
	OWN_BUF(pem, 1u << 20);

	pem_put(&pem, "CERTIFICATE", line->der);
	return pem.failed || fwrite(pem.data, 1, pem.len, out) != pem.len ? 1
									  : 0;
}

static int
put_der(FILE *out, const struct ledger_line *line)
{
	return fwrite(line->der.data, 1, line->der.len, out) != line->der.len
	    ? 1
	    : 0;
}

static int
put_json(FILE *out, const struct ledger_line *line)
{
	json_t *object = ca_book_json(line, true);
	int result;

	if (object == NULL)
		return 1;
	result =
	    json_dumpf(object, out, JSON_PRESERVE_ORDER | JSON_COMPACT) < 0 ||
		fputc('\n', out) == EOF
	    ? 1
	    : 0;
	json_decref(object);
	return result;
}

static const struct format {
	const char *name;
	bool all; /* also what never became a certificate */
	int (*put)(FILE *out, const struct ledger_line *line);
} formats[] = {
	{ "pem", false, put_pem },
	{ "der", false, put_der },
	{ "json", true, put_json },
};

struct exporting {
	const struct format *format;
	FILE *out;
};

static int
export_line(void *arg, const struct ledger_line *line)
{
	const struct exporting *e = arg;

	if (line->der.len == 0 && !e->format->all)
		return 0;
	return e->format->put(e->out, line);
}

static int
export_all(const struct ca_args *args, struct exporting *e, struct fault *f)
{
	struct ledger_filter filter;
	OWN_STRUCT(ledger) l = NULL;
	int result;

	if (ca_book_filter(args, NULL, &filter, f) < 0 ||
	    (l = ca_book_open(args, f)) == NULL)
		return -1;
	result = ledger_each(l, &filter, export_line, e, f);
	if (result == 0 && fflush(e->out) != 0)
		result = 1;
	return result > 0
	    ? fault_set(f, FAULT_SYSTEM, "export: %s", strerror(errno))
	    : result;
}

/* It may be larger than memory, so it is not made by file_write_new; but like
 * there nobody sees half of it, and nothing is overwritten. */
static int
export_to(const struct ca_args *args, struct exporting *e, struct fault *f)
{
	char temporary[PATH_MAX];
	int fd, result;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX",
		args->out) >= sizeof(temporary))
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", args->out,
		    strerror(errno));
	if ((e->out = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		(void)unlink(temporary);
		return fault_set(f, FAULT_MEMORY, "%s", args->out);
	}
	result = export_all(args, e, f);
	if (result == 0 && (fsync(fd) < 0 || link(temporary, args->out) < 0))
		result =
		    fault_set(f, errno == EEXIST ? FAULT_DENIED : FAULT_SYSTEM,
			"%s: %s", args->out, strerror(errno));
	(void)fclose(e->out);
	(void)unlink(temporary);
	return result;
}

int
ca_ledger_export(const struct ca_args *args, struct fault *f)
{
	struct exporting e = { NULL, stdout };
	const char *name = args->format != NULL ? args->format : "pem";

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			e.format = &formats[i];
	if (e.format == NULL)
		return fault_set(f, FAULT_USAGE,
		    "--format is pem, der or json, not \"%s\"", name);
	return args->out != NULL ? export_to(args, &e, f)
				 : export_all(args, &e, f);
}
