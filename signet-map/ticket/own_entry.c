#include "own_entry.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "ldap/dial.h"
#include "map/map_name.h"

#include <ctype.h>
#include <string.h>

#define VALUES_MAX 1000
#define VALUE_MAX 4096
#define FILTER_MAX 8192

void
own_entry_escape(struct buf *filter, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (isalnum(c) || (c != 0 && strchr("@._-", c) != NULL))
			buf_put_u8(filter, c);
		else
			buf_fmt(filter, "\\%02x", (unsigned)c);
	}
}

/* Who the server says we are: a DN, of an entry or of SASL's own making. */
static int
who_am_i(LDAP *ld, char **dn, struct fault *f)
{
	struct berval *said = NULL;
	int result = ldap_whoami_s(ld, &said, NULL, NULL);

	if (result != LDAP_SUCCESS)
		return dial_fault(f, dial_code(result), ld, result, "who am I");
	if (said != NULL && said->bv_val != NULL && said->bv_len > 3 &&
	    strncmp(said->bv_val, "dn:", 3) == 0)
		*dn = ldap_strdup(said->bv_val + 3);
	ber_bvfree(said);
	return *dn == NULL ? fault_set(f, FAULT_ABSENT,
				 "the directory does not say whose the ticket "
				 "is")
			   : 0;
}

/* The uid in "uid=scott,cn=ligo.org,cn=gssapi,cn=auth". */
static int
put_user(const char *sasl, struct buf *filter, struct fault *f)
{
	LDAPDN dn = NULL;
	const LDAPAVA *ava;
	int result = -1;

	if (ldap_str2dn(sasl, &dn, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    dn != NULL && dn[0] != NULL && (ava = dn[0][0]) != NULL &&
	    ava->la_attr.bv_len == 3 &&
	    strncasecmp(ava->la_attr.bv_val, "uid", 3) == 0) {
		own_entry_escape(filter, ava->la_value.bv_val,
		    ava->la_value.bv_len);
		result = 0;
	}
	ldap_dnfree(dn);
	return result < 0 ? fault_set(f, FAULT_ABSENT,
				"the ticket names no user of the directory")
			  : 0;
}

static int
search_user(LDAP *ld, const struct own_entry_place *place, char **dn,
    struct fault *f)
{
	char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	OWN_BUF(filter, FILTER_MAX);
	OWN(LDAPMessage) found = NULL;
	LDAPMessage *entry;
	int result;

	buf_fmt(&filter, "(%s=", place->user);
	if (put_user(*dn, &filter, f) < 0)
		return -1;
	buf_text(&filter, ")");
	if (buf_cstr(&filter) == NULL)
		return fault_set(f, FAULT_MEMORY, "a filter");
	result = ldap_search_ext_s(ld, place->base, LDAP_SCOPE_SUBTREE,
	    buf_cstr(&filter), attributes, 0, NULL, NULL, NULL, 2, &found);
	if (result != LDAP_SUCCESS && result != LDAP_SIZELIMIT_EXCEEDED)
		return dial_fault(f, dial_code(result), ld, result,
		    "your entry");
	if (ldap_count_entries(ld, found) != 1 ||
	    (entry = ldap_first_entry(ld, found)) == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "%.100s below %.100s is not one entry", buf_cstr(&filter),
		    place->base);
	ldap_memfree(*dn);
	*dn = ldap_get_dn(ld, entry);
	return *dn == NULL ? fault_set(f, FAULT_MEMORY, "your entry") : 0;
}

int
own_entry_find(LDAP *ld, const struct own_entry_place *place, char **dn,
    struct fault *f)
{
	*dn = NULL;
	if (who_am_i(ld, dn, f) < 0)
		return -1;
	if (!text_ends(*dn, ",cn=auth"))
		return 0;
	if (*place->base == '\0')
		return fault_set(f, FAULT_ABSENT,
		    "the directory maps %.100s to no entry, and the settings "
		    "have no ldap-base",
		    *dn);
	return search_user(ld, place, dn, f);
}

/* Whether the value is ${name}, however it is spelt. */
static bool
is_name(const struct berval *value, const char *name)
{
	static const char word[] = "subject=";
	char text[VALUE_MAX];
	const char *at = text;

	if (value->bv_len >= sizeof(text) ||
	    memchr(value->bv_val, '\0', value->bv_len) != NULL)
		return false;
	memcpy(text, value->bv_val, value->bv_len);
	text[value->bv_len] = '\0';
	if (strncasecmp(at, word, sizeof(word) - 1) == 0)
		at += sizeof(word) - 1;
	while (*at == ' ')
		at++;
	return *at == '/' && map_name_equal(at, name);
}

static int
read_values(LDAP *ld, const char *dn, const char *attribute,
    struct berval ***values, struct fault *f)
{
	char wanted[256];
	char *attributes[] = { wanted, NULL };
	OWN(LDAPMessage) found = NULL;
	LDAPMessage *entry;
	int result;

	*values = NULL;
	if (text_copy(wanted, sizeof(wanted), attribute) < 0)
		return fault_set(f, FAULT_CONFIG, "the attribute is too long");
	result = ldap_search_ext_s(ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
	    attributes, 0, NULL, NULL, NULL, 1, &found);
	if (result != LDAP_SUCCESS)
		return dial_fault(f, dial_code(result), ld, result, dn);
	if ((entry = ldap_first_entry(ld, found)) == NULL)
		return fault_set(f, FAULT_ABSENT, "%s: no such entry", dn);
	*values = ldap_get_values_len(ld, entry, wanted);
	return 0;
}

static int
change(LDAP *ld, const char *dn, const char *attribute, int how,
    struct berval **values, struct fault *f)
{
	char type[256];
	LDAPMod mod = { .mod_op = how | LDAP_MOD_BVALUES,
		.mod_type = type,
		.mod_vals.modv_bvals = values };
	LDAPMod *mods[] = { &mod, NULL };
	int result;

	if (text_copy(type, sizeof(type), attribute) < 0)
		return fault_set(f, FAULT_CONFIG, "the attribute is too long");
	result = ldap_modify_ext_s(ld, dn, mods, NULL, NULL);
	if (result == LDAP_TYPE_OR_VALUE_EXISTS && how == LDAP_MOD_ADD)
		return 0;
	if (result == LDAP_INSUFFICIENT_ACCESS)
		return dial_fault(f, FAULT_DENIED, ld, result,
		    "the directory does not let you change your entry");
	if (result != LDAP_SUCCESS)
		return dial_fault(f, dial_code(result), ld, result, dn);
	return 1;
}

int
own_entry_add(LDAP *ld, const char *dn, const char *attribute,
    const char *prefix, const char *name, struct fault *f)
{
	OWN(ldap_values) values = NULL;
	char text[VALUE_MAX];
	struct berval value = { .bv_val = text };
	struct berval *add[] = { &value, NULL };

	if (read_values(ld, dn, attribute, &values, f) < 0)
		return -1;
	for (size_t i = 0; values != NULL && values[i] != NULL; i++)
		if (is_name(values[i], name))
			return 0;
	if (text_fmt(text, sizeof(text), "%s%s", prefix, name) < 0)
		return fault_set(f, FAULT_INPUT, "the name is too long");
	value.bv_len = strlen(text);
	return change(ld, dn, attribute, LDAP_MOD_ADD, add, f);
}

int
own_entry_remove(LDAP *ld, const char *dn, const char *attribute,
    const char *name, struct fault *f)
{
	OWN(ldap_values) values = NULL;
	struct berval *gone[VALUES_MAX + 1];
	size_t count = 0;

	if (read_values(ld, dn, attribute, &values, f) < 0)
		return -1;
	for (size_t i = 0;
	     values != NULL && values[i] != NULL && count < VALUES_MAX; i++)
		if (is_name(values[i], name))
			gone[count++] = values[i];
	gone[count] = NULL;
	if (count == 0)
		return fault_set(f, FAULT_ABSENT,
		    "your entry does not have that name in %s", attribute);
	return change(ld, dn, attribute, LDAP_MOD_DELETE, gone, f) < 0 ? -1 : 0;
}
