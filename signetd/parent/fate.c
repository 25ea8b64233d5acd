#include "signetd/parent/fate.h"

#include <sys/wait.h>

#include <signal.h>

static bool
too_many(struct fate_count *count, int status, int64_t now_ms)
{
	if (WIFSIGNALED(status) &&
	    (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGALRM))
		return false;
	if (now_ms - count->window_ms > FATE_WINDOW_MS) {
		count->window_ms = now_ms;
		count->restarts = 0;
	}
	return ++count->restarts > FATE_RESTARTS_MAX;
}

enum fate
fate_of(const struct fate_scene *scene, int status, struct fate_count *count,
    int64_t now_ms)
{
	if (scene->ending)
		return FATE_NOTHING;
	if (scene->draining && scene->replaceable)
		return FATE_DRAIN;
	if (scene->replaceable && scene->patient)
		return FATE_ANEW;
	if (scene->replaceable && scene->started &&
	    !too_many(count, status, now_ms))
		return FATE_ANEW;
	/* It did so because another has died, whose death, seen in a moment,
	 * is the one to name. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return FATE_BLAME;
	return FATE_END;
}
