#ifndef SIGNETD_PARENT_RELOAD_H
#define SIGNETD_PARENT_RELOAD_H

struct daemon;

/* SIGHUP: read the configuration and what it names anew, and give it to the
 * roles; if anything is wrong all stays as it was, and the log says why. */
void reload_all(struct daemon *d);

#endif
