/*
 * The least that a program can do with libldap: ask for everyone, look at each
 * value, forget it.
 *   map_ldap_dump URI BASE FILTER ATTRIBUTE...
 * -m GROUP-DN MAPPED: as edg-mkgridmap does it: the group's members, and one
 * search for each.
 */
#include <ldap.h>

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct counts {
	long entries;
	long values;
	size_t bytes;
};

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
take(LDAP *ld, LDAPMessage *m, struct counts *c)
{
	BerElement *ber = NULL;
	struct berval dn, name, *values = NULL;

	c->entries++;
	if (ldap_get_dn_ber(ld, m, &ber, &dn) != LDAP_SUCCESS)
		return;
	c->bytes += dn.bv_len;
	while (ldap_get_attribute_ber(ld, m, ber, &name, &values) ==
		LDAP_SUCCESS &&
	    name.bv_val != NULL) {
		for (int i = 0; values != NULL && values[i].bv_val != NULL;
		     i++) {
			c->values++;
			c->bytes += values[i].bv_len;
		}
		ber_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
}

static int
dump(LDAP *ld, char **words, struct counts *c)
{
	LDAPMessage *m = NULL;
	int id, type;

	if (ldap_search_ext(ld, words[0], LDAP_SCOPE_SUBTREE, words[1],
		words + 2, 0, NULL, NULL, NULL, 0, &id) != LDAP_SUCCESS)
		return -1;
	while ((type = ldap_result(ld, id, LDAP_MSG_ONE, NULL, &m)) > 0) {
		if (type == LDAP_RES_SEARCH_ENTRY)
			take(ld, m, c);
		(void)ldap_msgfree(m);
		if (type == LDAP_RES_SEARCH_RESULT)
			return 0;
	}
	return -1;
}

/* One search for one member. */
static int
ask_member(LDAP *ld, struct berval *dn, char **attributes, struct counts *c)
{
	LDAPMessage *all = NULL, *m;
	char *text = strndup(dn->bv_val, dn->bv_len);
	int result;

	if (text == NULL)
		return -1;
	result = ldap_search_ext_s(ld, text, LDAP_SCOPE_BASE, NULL, attributes,
	    0, NULL, NULL, NULL, 0, &all);
	free(text);
	if (result != LDAP_SUCCESS)
		return -1;
	for (m = ldap_first_entry(ld, all); m != NULL;
	     m = ldap_next_entry(ld, m))
		take(ld, m, c);
	(void)ldap_msgfree(all);
	return 0;
}

static int
by_member(LDAP *ld, char **words, struct counts *c)
{
	char member[] = "member";
	char *attributes[] = { member, NULL };
	struct berval **members;
	LDAPMessage *all = NULL;
	int result = 0;

	if (ldap_search_ext_s(ld, words[0], LDAP_SCOPE_BASE, NULL, attributes,
		0, NULL, NULL, NULL, 0, &all) != LDAP_SUCCESS)
		return -1;
	members = ldap_get_values_len(ld, ldap_first_entry(ld, all), member);
	for (int i = 0; members != NULL && members[i] != NULL && result == 0;
	     i++)
		result = ask_member(ld, members[i], words + 1, c);
	ldap_value_free_len(members);
	(void)ldap_msgfree(all);
	return result;
}

int
main(int argc, char **argv)
{
	const int version = LDAP_VERSION3;
	struct counts c = { 0, 0, 0 };
	struct rusage used;
	double began = now();
	int members = argc > 1 && strcmp(argv[1], "-m") == 0;
	LDAP *ld = NULL;

	if (argc - members < 5) {
		fprintf(stderr,
		    "usage: map_ldap_dump URI BASE FILTER ATTRIBUTE...\n"
		    "       map_ldap_dump -m URI GROUP ATTRIBUTE...\n");
		return 2;
	}
	argv += 1 + members;
	if (ldap_initialize(&ld, argv[0]) != LDAP_SUCCESS ||
	    ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    (members ? by_member(ld, argv + 1, &c) : dump(ld, argv + 1, &c)) <
		0) {
		fprintf(stderr,
		    "map_ldap_dump: the directory does not answer\n");
		return 1;
	}
	(void)getrusage(RUSAGE_SELF, &used);
	printf("%ld people, %.3f s, CPU %ld ms user %ld ms system, %ld values, "
	       "%ld MB in all\n",
	    c.entries, now() - began,
	    used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000,
	    used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000,
	    c.values, used.ru_maxrss >> 10);
	(void)ldap_unbind_ext_s(ld, NULL, NULL);
	return 0;
}
