/*
 * What is taken for a name reads again as the same name, to the byte, and holds
 * nothing that a map file could take for something else; and so for accounts
 * and principals, of which the template makes one name under its own RDNs.
 */
#include "roster/roster_value.h"

#include "base/fault.h"
#include "base/text.h"
#include "roster/roster_part.h"
#include "x509/dn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const char *data, size_t size)
{
	char name[ROSTER_NAME_SIZE], again[ROSTER_NAME_SIZE];
	struct fault f = { 0 };

	if (roster_value_name(data, size, name, &f) != 1)
		return;
	if (name[0] != '/' || !text_printable(name) ||
	    strchr(name, '"') != NULL ||
	    roster_value_name(name, strlen(name), again, &f) != 1 ||
	    strcmp(name, again) != 0)
		abort();
}

static void
check_subject(const char *principal)
{
	struct roster_source s = { 0 };
	char template[] = "/DC=org/CN={principal}";
	char text[ROSTER_NAME_SIZE], after[] = "";
	char before[] = "/DC=org/CN=";
	struct fault f = { 0 };
	struct dn dn;

	/* With and without what is known beforehand it must be the same. */
	s.subject = template;
	if (!roster_subject(&s, principal, "a", text))
		return;
	if (dn_read_slash(&dn, text, &f) < 0 || dn_depth(&dn) != 2)
		abort();
	s.subject_before = before;
	s.subject_after = after;
	if (!roster_subject_could(&s, text))
		abort();
	{
		char quick[ROSTER_NAME_SIZE];

		if (!roster_subject(&s, principal, "a", quick) ||
		    strcmp(quick, text) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_name(text, size);
	if (roster_value_account(text, size, true) &&
	    (strpbrk(text, " ,\"#\\/\n") != NULL || strlen(text) != size))
		abort();
	if (roster_value_principal(text, size))
		check_subject(text);
	free(text);
	return 0;
}
