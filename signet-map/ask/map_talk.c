#include "map_talk.h"

#include "base/fault.h"
#include "base/file.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define READ_SIZE 16384

struct map_talk {
	int fd;
	struct buf in;
};

struct map_talk *
map_talk_new(const char *path, struct fault *f)
{
	OWN_STRUCT(map_talk) t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "the desk");
		return NULL;
	}
	t->in = BUF(MAP_SAY_MAX + 2 * READ_SIZE);
	if ((t->fd = net_connect_local_within(path, PATIENCE_MS, f)) < 0) {
		(void)fault_wrap(f, "signet-map desk does not answer");
		return NULL;
	}
	return TAKE(t);
}

void
map_talk_free(struct map_talk *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0)
		(void)close(t->fd);
	buf_free(&t->in);
	free(t);
}

int
map_talk_say(struct map_talk *t, const struct map_ask *ask, struct fault *f)
{
	OWN_BUF(line, MAP_SAY_MAX + 2);
	size_t sent = 0;

	if (map_ask_write(ask, &line, f) < 0)
		return -1;
	while (sent < line.len) {
		ssize_t n = send(t->fd, line.data + sent, line.len - sent,
		    MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		/* It may have said why before it left. */
		if (n <= 0)
			return 0;
		sent += (size_t)n;
	}
	return 0;
}

static int
hear_line(struct map_talk *t, struct wire_bytes *line, struct fault *f)
{
	for (;;) {
		const uint8_t *end =
		    t->in.len == 0 ? NULL : memchr(t->in.data, '\n', t->in.len);
		uint8_t *room;
		ssize_t n;

		if (end != NULL) {
			*line = (struct wire_bytes){ t->in.data,
				(size_t)(end - t->in.data) };
			return 0;
		}
		if (t->in.len > MAP_SAY_MAX ||
		    (room = buf_room(&t->in, READ_SIZE)) == NULL)
			return fault_set(f, FAULT_INPUT,
			    "the desk says too much");
		n = recv(t->fd, room, READ_SIZE, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fault_set(f, FAULT_UNREACHABLE,
			    n < 0 ? "the desk does not answer in time"
				  : "the desk went away before it answered; "
				    "signet-map request list says how it "
				    "stands");
		t->in.len += (size_t)n;
	}
}

int
map_talk_hear(struct map_talk *t, struct map_answer *answer, struct fault *f)
{
	struct wire_bytes line;
	int result;

	if (hear_line(t, &line, f) < 0)
		return -1;
	result = map_answer_read(line, answer, f);
	buf_eat(&t->in, line.len + 1);
	if (result < 0)
		return fault_wrap(f, "the desk's answer");
	if (answer->kind == MAP_SAY_FAULT) {
		*f = answer->fault;
		return -1;
	}
	return 0;
}
