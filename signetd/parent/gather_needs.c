#include "signetd/parent/gather.h"

bool
gather_has_intake(const struct signetd_conf *c)
{
	return *c->issue_socket != '\0' || *c->issue_directory != '\0';
}

bool
gather_has_auth(const struct signetd_conf *c)
{
	return c->logins || gather_has_intake(c);
}

bool
gather_has_token(const struct gather *g)
{
	for (size_t i = 0; i < g->conf.ca.count; i++)
		if (g->token[i])
			return true;
	return false;
}
