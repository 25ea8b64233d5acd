#include "signet-map/base/map_host.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 256
#define NAMES_MAX 64

/* Words as they are found; a name twice does no harm. */
struct found {
	size_t count;
	char word[NAMES_MAX][NAME_SIZE];
};

static void
add(struct found *found, const char *word)
{
	for (size_t i = 0; i < found->count; i++)
		if (strcmp(found->word[i], word) == 0)
			return;
	if (found->count < NAMES_MAX && word[0] != '\0' &&
	    text_copy(found->word[found->count], NAME_SIZE, word) == 0)
		found->count++;
}

static void
add_list(struct found *found, const conf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add(found, list->item[i]);
}

static int
system_names(struct found *found, struct fault *f)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char name[NAME_SIZE];

	if (gethostname(name, sizeof(name)) < 0)
		return fault_set(f, FAULT_SYSTEM, "gethostname: %s",
		    strerror(errno));
	name[sizeof(name) - 1] = '\0';
	/* Without DNS the name is what the system says. */
	if (getaddrinfo(name, NULL, &hints, &list) == 0) {
		if (list->ai_canonname != NULL)
			add(found, list->ai_canonname);
		freeaddrinfo(list);
	}
	add(found, name);
	return 0;
}

static int
system_addresses(struct found *found, struct fault *f)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return fault_set(f, FAULT_SYSTEM, "getifaddrs: %s",
		    strerror(errno));
	for (struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";
		int family =
		    i->ifa_addr == NULL ? AF_UNSPEC : i->ifa_addr->sa_family;

		if (i->ifa_flags & IFF_LOOPBACK)
			continue;
		if (family == AF_INET)
			(void)inet_ntop(family,
			    &((struct sockaddr_in *)(void *)i->ifa_addr)
				 ->sin_addr,
			    text, sizeof(text));
		else if (family == AF_INET6)
			(void)inet_ntop(family,
			    &((struct sockaddr_in6 *)(void *)i->ifa_addr)
				 ->sin6_addr,
			    text, sizeof(text));
		add(found, text);
	}
	freeifaddrs(list);
	return 0;
}

/* The words of both lists in one piece of memory: pointers, then texts. */
static int
pack(const struct found *names, const struct found *addresses,
    struct maprule_host *host, struct buf *words, struct fault *f)
{
	size_t count = names->count + addresses->count;
	const char **pointer;
	size_t at = count * sizeof(char *);

	*words = BUF((size_t)1 << 20);
	buf_reserve(words, count * (sizeof(char *) + NAME_SIZE));
	for (size_t i = 0; i < at; i++)
		buf_put_u8(words, 0);
	for (size_t i = 0; i < count; i++) {
		const char *word = i < names->count
		    ? names->word[i]
		    : addresses->word[i - names->count];

		buf_put(words, word, strlen(word) + 1);
	}
	if (words->failed)
		return fault_set(f, FAULT_MEMORY, "the host's names");
	pointer = (const char **)(void *)words->data;
	for (size_t i = 0; i < count; i++) {
		pointer[i] = (const char *)words->data + at;
		at += strlen(pointer[i]) + 1;
	}
	host->names = (struct maprule_words){ names->count, pointer };
	host->addresses =
	    (struct maprule_words){ addresses->count, pointer + names->count };
	return 0;
}

int
map_host_this(const struct map_conf *conf, struct maprule_host *host,
    struct buf *words, struct fault *f)
{
	struct found names = { 0 }, addresses = { 0 };

	add_list(&names, &conf->host);
	add_list(&addresses, &conf->address);
	if (conf->host.count == 0 && system_names(&names, f) < 0)
		return -1;
	if (conf->address.count == 0 && system_addresses(&addresses, f) < 0)
		return -1;
	return pack(&names, &addresses, host, words, f);
}

int
map_host_named(const char *name, const struct cmd_list *addresses,
    struct maprule_host *host, struct buf *words, struct fault *f)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct found names = { 0 }, found = { 0 };
	struct addrinfo *list = NULL;

	add(&names, name);
	for (size_t i = 0; i < addresses->count; i++)
		add(&found, addresses->item[i]);
	if (addresses->count == 0 &&
	    getaddrinfo(name, NULL, &hints, &list) == 0) {
		for (struct addrinfo *i = list; i != NULL; i = i->ai_next) {
			char text[NI_MAXHOST];

			if (getnameinfo(i->ai_addr, i->ai_addrlen, text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
				add(&found, text);
		}
		freeaddrinfo(list);
	}
	return pack(&names, &found, host, words, f);
}
