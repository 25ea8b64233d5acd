#include "guard.h"

/* What the bucket takes. */
static double
capacity(const struct guard_rule *rule)
{
	double share = (double)rule->names * rule->per_cent / 100;

	return share > (double)rule->least ? share : (double)rule->least;
}

double
guard_level(const struct guard *g, const struct guard_rule *rule, int64_t now)
{
	int64_t passed = now - g->when;
	double left;

	/* A clock that was set back lets nothing run out. */
	if (g->when == 0 || passed <= 0)
		return g->level;
	left =
	    g->level - capacity(rule) * (double)passed / (double)rule->window_s;
	return left > 0 ? left : 0;
}

bool
guard_lets(struct guard *g, const struct guard_rule *rule, size_t gone,
    int64_t now)
{
	double level = guard_level(g, rule, now);

	if (rule->per_cent < 100 && gone > 0 &&
	    level + (double)gone > capacity(rule))
		return false;
	g->level = level + (double)gone;
	g->when = now;
	return true;
}
