#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

/* The service manager's protocol, without its library: sd_notify(3),
 * sd_listen_fds(3).  Neither needs systemd to be there. */

/* Send ${state} ("READY=1", "STATUS=...", "STOPPING=1") to NOTIFY_SOCKET; no
 * socket, no message.  Abstract sockets ("@...") are understood. */
void notify_send(const char *state);

/* How many descriptors from 3 on were passed to this process (LISTEN_PID is
 * checked); 0 if none.  They are made close-on-exec. */
int notify_listen_fds(void);

/* WATCHDOG_USEC halved, in milliseconds, or 0 when no watchdog is asked for. */
int notify_watchdog_ms(void);

#endif
