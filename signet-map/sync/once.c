/* One run, as from a timer. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define CONFIRM_MAX 4096

bool
confirm_take(struct mapper *m)
{
	OWN_BUF(text, CONFIRM_MAX);
	char path[MAP_PATH_SIZE], *word, *at = NULL;
	struct fault f = { 0 };

	if (map_conf_state(m->conf, MAP_STATE_CONFIRM, path, &f) < 0 ||
	    file_read(path, &text, &f) < 0)
		return false;
	(void)unlink(path);
	if (buf_cstr(&text) == NULL)
		return false;
	for (word = strtok_r((char *)text.data, " \n", &at); word != NULL;
	     word = strtok_r(NULL, " \n", &at)) {
		text_clean(word);
		LOG(MAP_CONFIRMED, LOG_TEXT("service", word),
		    LOG_TEXT("known", mapper_confirm(m, word) ? "yes" : "no"));
	}
	return true;
}

/* How many could not be read. */
static size_t
read_sources(struct mapper *m)
{
	size_t failed = 0;

	for (size_t i = 0; i < m->source_count; i++)
		failed += !mapper_read(m, i);
	return failed;
}

static void *
save(void *arg)
{
	mapper_save(arg);
	return NULL;
}

/* Write every map, and keep the roster meanwhile, which both only read.  What
 * is kept may be newer than the maps if we are killed now: the next run builds
 * them whole. */
static size_t
write_all(struct mapper *m)
{
	pthread_t thread;
	bool beside = pthread_create(&thread, NULL, save, m) == 0;
	size_t failed = mapper_flush(m, true, clock_wall());

	if (beside)
		(void)pthread_join(thread, NULL);
	return failed;
}

int
once_run(struct mapper *m, int hook, struct fault *f)
{
	size_t failed = read_sources(m);
	const char *what = NULL;

	mapper_tell_to(m, hook);
	mapper_withdraw(m, clock_wall());
	confirm_take(m);
	if (write_all(m) > 0)
		what = "a map was not written";
	else if (!mapper_ready(m))
		what = "a source was not read once, so nothing is written but "
		       "bans";
	while (mapper_text(m))
		;
	mapper_touch(m, clock_wall());
	mapper_save(m);
	mapper_tell(m, clock_wall());
	for (size_t i = 0; i < m->out_count && what == NULL; i++) {
		struct out_status s;

		out_status(m->outs[i].out, &s);
		if (s.held)
			what = "a shrink waits to be confirmed";
	}
	if (what == NULL && m->state_fault.code != FAULT_NONE)
		what = "what is known could not be kept";
	if (what == NULL && failed > 0)
		what = "a source could not be read; its last good state stays";
	if (what != NULL)
		return fault_set(f, FAULT_PARTLY, "%s (signet-map status)",
		    what);
	return 0;
}
