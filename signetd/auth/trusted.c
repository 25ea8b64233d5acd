#include "base/log.h"
#include "signetd/auth/auth.h"
#include "trust/verify.h"

bool
trusted_wanted(const struct signetd_conf *conf)
{
	return conf_list_has(&conf->auth, "certificate") ||
	    conf_list_has(&conf->auth, "certificate-sha1");
}

static void
complain(void *arg, const char *file, const struct fault *f)
{
	(void)arg;
	LOG(TRUST_FAULT, LOG_TEXT("file", file), LOG_TEXT("text", f->text));
}

/* Others have their turn between one piece and the next. */
static void
go_on(struct auth *a)
{
	if (upkeep_busy(a->trust))
		loop_timer_set(a->trust_turn, 0);
}

static void
take_turn(void *arg)
{
	struct auth *a = arg;
	struct fault f = { 0 };

	if (upkeep_turn(a->trust, &f) < 0)
		log_fault(&f, NULL);
	go_on(a);
	if (upkeep_news(a->trust))
		talk_each(a->talks, challenge_again);
}

/* New CRLs count without anyone's doing. */
static void
look(void *arg)
{
	struct auth *a = arg;
	struct fault f = { 0 };

	if (upkeep_look(a->trust, &f) < 0)
		log_fault(&f, NULL);
	go_on(a);
	loop_timer_set(a->trust_look, a->trust_every);
}

static void
set_demands(struct auth *a)
{
	const struct signetd_conf *conf = &a->role->conf;

	trust_demand(upkeep_store(a->trust),
	    trust_flags(conf->crl_required, conf->legacy_proxies,
		conf->draft_proxies));
}

int
trusted_start(struct auth *a, int64_t every, struct fault *f)
{
	const struct signetd_conf *conf = &a->role->conf;
	struct loop *loop = a->role->loop;

	if (!trusted_wanted(conf))
		return 0;
	a->trust_every = every;
	if ((a->trust_look = loop_timer_new(loop, look, a, f)) == NULL ||
	    (a->trust_turn = loop_timer_new(loop, take_turn, a, f)) == NULL ||
	    (a->trust = upkeep_new(conf->trust_dir, true, complain, NULL, f)) ==
		NULL)
		return -1;
	set_demands(a);
	loop_timer_set(a->trust_look, every);
	return 0;
}

int
trusted_reload(struct auth *a, struct fault *f)
{
	if (a->trust == NULL)
		return 0;
	if (upkeep_renew(a->trust, a->role->conf.trust_dir, f) < 0)
		return -1;
	set_demands(a);
	go_on(a);
	return 0;
}

void
trusted_await(struct auth *a)
{
	go_on(a);
}

void
trusted_end(struct auth *a)
{
	upkeep_free(a->trust);
	loop_timer_free(a->trust_look);
	loop_timer_free(a->trust_turn);
	a->trust = NULL;
}
