#ifndef SIGNET_CA_CA_SHIPPED_H
#define SIGNET_CA_CA_SHIPPED_H

/* The profiles of share/profiles as they were when this was built, so that a
 * CA can be made before anything is installed.  Made by embed.sh. */
struct ca_shipped {
	const char *name; /* NULL ends the list */
	const char *text;
};

extern const struct ca_shipped ca_shipped[];

/* The texts of share/office: pages and the scripts of packages. */
extern const struct ca_shipped ca_office[];

/* The text of share/office that is named ${name}; NULL if there is none. */
const char *ca_office_find(const char *name);

#endif
