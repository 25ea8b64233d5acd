#ifndef SIGNET_CA_CA_SHIPPED_H
#define SIGNET_CA_CA_SHIPPED_H

/* The profiles of share/profiles as they were when this was built, so that a
 * CA can be made before anything is installed.  Made by embed.sh. */
struct ca_shipped {
	const char *name; /* NULL ends the list */
	const char *text;
};

extern const struct ca_shipped ca_shipped[];

#endif
