#ifndef SIGNETD_PARENT_RELOAD_H
#define SIGNETD_PARENT_RELOAD_H

struct daemon;
struct signetd_conf;

/* SIGHUP: read the configuration and what it names anew, and give it to the
 * roles; if anything is wrong all stays as it was, and the log says why. */
void reload_all(struct daemon *d);

/* The keyword in which ${a} and ${b} differ and which is fixed while the daemon
 * runs; NULL if there is none. */
const char *reload_fixed(const struct signetd_conf *a,
    const struct signetd_conf *b);

#endif
