#ifndef SIGNETD_PARENT_NEWS_H
#define SIGNETD_PARENT_NEWS_H

#include "ipc/msg.h"

/* What the parent hears of tokens and lists: into the log, to the hooks, and to
 * whom a PIN is to be asked of. */
struct process;

/* ${p} is a token's process, and says this of it. */
void news_token(struct process *p, const struct msg_token_news *m);

/* It has ended. */
void news_token_gone(struct process *p);

/* The keeper has filed a list. */
void news_list(struct process *p, const struct msg_list_made *m);

#endif
