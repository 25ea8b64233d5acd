#ifndef SIGNETD_PARENT_FATE_H
#define SIGNETD_PARENT_FATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What follows when a process of the daemon has ended: the decision alone, of
 * what is known then.  daemon.c carries it out.
 */

/* A process that dies again and again is not helped by starting it again. */
#define FATE_RESTARTS_MAX 60
#define FATE_WINDOW_MS 60000

enum fate {
	FATE_NOTHING, /* all are ending anyway */
	FATE_ANEW,    /* another is started in its place */
	FATE_DRAIN,   /* the daemon drains; one less to wait for */
	FATE_BLAME,   /* it left in order, since another has died: wait for
		       * that one to show, and then all end */
	FATE_END      /* all end, and this one is named */
};

/* How often processes were started anew of late; begins as zeroes. */
struct fate_count {
	int64_t window_ms; /* when the counting began, of clock_mono */
	unsigned restarts;
};

/* The daemon when a process ends. */
struct fate_scene {
	bool started; /* it serves */
	bool draining;
	bool ending;
	bool patient;	  /* it may die as often as it likes: what it holds
			   * is broken from outside, and others serve on */
	bool replaceable; /* the process holds nothing that a client could not
			   * say again */
};

/**
 * fate_of(scene, status, count, now_ms):
 * What follows the end of a process with waitpid's ${status}.  A restart is
 * counted, but for deaths by SIGKILL, which come from outside, and by SIGALRM,
 * from a question that took too long: neither is a sign that the process itself
 * is broken.
 */
enum fate fate_of(const struct fate_scene *scene, int status,
    struct fate_count *count, int64_t now_ms);

#endif
