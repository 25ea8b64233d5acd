/*
 * token_shim.so: a PKCS#11 module that passes on to another (TOKEN_SHIM_TARGET,
 * else SoftHSM's) and plays what happens to tokens.  The file TOKEN_SHIM_PLAY
 * is read at each call; it has lines NAME=VALUE:
 *
 *   present=0          the token is out: sessions and login are gone for good
 *   insertion=N        another N: it was pulled and put back, however quickly
 *   serial=TEXT        another token with the same label
 *   pin=TEXT           the PIN was changed to this: who is logged in is so no
 *                      more, and this one now opens (by TOKEN_SHIM_PIN)
 *   flags=low|final|locked|pad
 *   play=NAME nth=N    what happens to the Nth C_Sign after this is read:
 *                      pull-before, pull-during, pull-after, replug-after,
 *                      fail, corrupt, crash, hang
 *   break=NAME code=N  each call of C_NAME answers N
 *   delay=N            microseconds that C_Sign takes longer
 *   sessions=N         no more than so many are open
 *   locks=0            CKR_CANT_LOCK;  events=0: no C_WaitForSlotEvent
 *   bare=1             CKA_EC_POINT without its OCTET STRING
 *
 * A pull that was played lasts until insertion changes.  TOKEN_SHIM_LOG gets
 * the name of each call, one a line.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#define HANDLES 65536
#define PIN_MAX 64

struct play {
	long present, insertion, nth, code, delay, sessions, locks, events,
	    bare;
	char serial[32], pin[PIN_MAX], flags[16], play[32], break_[48];
};

static struct {
	CK_FUNCTION_LIST *to, list;
	pthread_mutex_t lock;
	pthread_rwlock_t signing; /* SoftHSM crashes if sessions close then */
	struct play play;
	char seen[32]; /* the play that nth counts for */
	long signs, open;
	bool pulled; /* by a play */
	bool closing;
	unsigned ends; /* how often it was finalised */
	unsigned epoch, told;
	unsigned of[HANDLES]; /* epoch of a session, and 1 */
	CK_SLOT_ID slot;
} shim = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.signing = PTHREAD_RWLOCK_INITIALIZER };

static void
set(struct play *p, const char *name, const char *value)
{
	const struct {
		const char *name;
		long *number;
		char *text;
		size_t size;
	} fields[] = {
		{ "present", &p->present, NULL, 0 },
		{ "insertion", &p->insertion, NULL, 0 },
		{ "nth", &p->nth, NULL, 0 },
		{ "code", &p->code, NULL, 0 },
		{ "delay", &p->delay, NULL, 0 },
		{ "sessions", &p->sessions, NULL, 0 },
		{ "locks", &p->locks, NULL, 0 },
		{ "events", &p->events, NULL, 0 },
		{ "bare", &p->bare, NULL, 0 },
		{ "serial", NULL, p->serial, sizeof(p->serial) },
		{ "pin", NULL, p->pin, sizeof(p->pin) },
		{ "flags", NULL, p->flags, sizeof(p->flags) },
		{ "play", NULL, p->play, sizeof(p->play) },
		{ "break", NULL, p->break_, sizeof(p->break_) },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		if (fields[i].number != NULL)
			*fields[i].number = strtol(value, NULL, 0);
		else
			(void)snprintf(fields[i].text, fields[i].size, "%s",
			    value);
	}
}

/* Sessions and login are gone; handles of before stay dead. */
static void
new_epoch(void)
{
	shim.epoch++;
	shim.open = 0;
	shim.closing = true;
}

static void
read_play(void)
{
	const char *path = getenv("TOKEN_SHIM_PLAY");
	FILE *in = path == NULL ? NULL : fopen(path, "re");
	struct play p = { .present = 1, .nth = 1, .locks = 1, .events = 1 };
	char line[160];

	if (in == NULL)
		return;
	while (fgets(line, sizeof(line), in) != NULL) {
		char *value = strchr(line, '=');

		line[strcspn(line, "\n")] = '\0';
		if (value != NULL) {
			*value = '\0';
			set(&p, line, value + 1);
		}
	}
	(void)fclose(in);
	if (p.insertion != shim.play.insertion)
		shim.pulled = false;
	if (p.present != shim.play.present ||
	    p.insertion != shim.play.insertion ||
	    strcmp(p.pin, shim.play.pin) != 0)
		new_epoch();
	if (strcmp(p.play, shim.seen) != 0) {
		(void)snprintf(shim.seen, sizeof(shim.seen), "%s", p.play);
		shim.signs = 0;
	}
	shim.play = p;
}

static void
note(const char *name)
{
	const char *path = getenv("TOKEN_SHIM_LOG");
	char line[64];
	int fd =
	    path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

	if (fd < 0)
		return;
	(void)snprintf(line, sizeof(line), "%s\n", name);
	if (write(fd, line, strlen(line)) < 0)
		abort();
	(void)close(fd);
}

/* What is true of every call: what the file says, and what is broken. */
static CK_RV
enter(const char *name)
{
	CK_RV rv = CKR_OK;

	(void)pthread_mutex_lock(&shim.lock);
	read_play();
	if (strcmp(shim.play.break_, name) == 0)
		rv = (CK_RV)shim.play.code;
	note(name);
	(void)pthread_mutex_unlock(&shim.lock);
	return rv;
}

static bool
is_there(void)
{
	bool there;

	(void)pthread_mutex_lock(&shim.lock);
	there = shim.play.present != 0 && !shim.pulled;
	(void)pthread_mutex_unlock(&shim.lock);
	return there;
}

static CK_RV
enter_session(const char *name, CK_SESSION_HANDLE session)
{
	CK_RV rv = enter(name);

	if (rv != CKR_OK)
		return rv;
	if (!is_there())
		return CKR_DEVICE_REMOVED;
	if (session >= HANDLES || shim.of[session] != shim.epoch + 1)
		return CKR_SESSION_HANDLE_INVALID;
	return CKR_OK;
}

static CK_RV
initialize(void *args)
{
	const CK_C_INITIALIZE_ARGS *a = args;
	CK_RV rv = enter("Initialize");

	if (rv != CKR_OK)
		return rv;
	if (shim.play.locks == 0 && a != NULL &&
	    (a->flags & CKF_OS_LOCKING_OK) != 0)
		return CKR_CANT_LOCK;
	shim.told = shim.epoch;
	return shim.to->C_Initialize(args);
}

static CK_RV
finalize(void *reserved)
{
	CK_RV rv = enter("Finalize");

	if (rv != CKR_OK)
		return rv;
	shim.ends++;
	shim.open = 0;
	memset(shim.of, 0, sizeof(shim.of));
	return shim.to->C_Finalize(reserved);
}

static CK_RV
get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	CK_RV rv = enter("GetSlotList");

	if (rv != CKR_OK)
		return rv;
	if (present && !is_there()) {
		*count = 0;
		return CKR_OK;
	}
	return shim.to->C_GetSlotList(present, slots, count);
}

static CK_RV
get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	CK_RV rv = enter("GetSlotInfo");

	if (rv == CKR_OK)
		rv = shim.to->C_GetSlotInfo(slot, info);
	if (rv == CKR_OK && !is_there())
		info->flags &= ~(CK_FLAGS)CKF_TOKEN_PRESENT;
	return rv;
}

static void
put_flags(CK_TOKEN_INFO *info)
{
	const char *said = shim.play.flags;

	if (strcmp(said, "low") == 0)
		info->flags |= CKF_USER_PIN_COUNT_LOW;
	if (strcmp(said, "final") == 0)
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	if (strcmp(said, "locked") == 0)
		info->flags |= CKF_USER_PIN_LOCKED;
	if (strcmp(said, "pad") == 0)
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
}

static CK_RV
get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = enter("GetTokenInfo");
	size_t len;

	if (rv != CKR_OK)
		return rv;
	if (!is_there())
		return CKR_TOKEN_NOT_PRESENT;
	if ((rv = shim.to->C_GetTokenInfo(slot, info)) != CKR_OK)
		return rv;
	len = strlen(shim.play.serial);
	if (len > 0) {
		memset(info->serialNumber, ' ', sizeof(info->serialNumber));
		memcpy(info->serialNumber, shim.play.serial,
		    len < sizeof(info->serialNumber)
			? len
			: sizeof(info->serialNumber));
	}
	put_flags(info);
	return CKR_OK;
}

/* Close what the last pull closed, when nobody signs. */
static void
close_dead(CK_SLOT_ID slot)
{
	(void)pthread_rwlock_wrlock(&shim.signing);
	if (shim.closing)
		(void)shim.to->C_CloseAllSessions(slot);
	shim.closing = false;
	(void)pthread_rwlock_unlock(&shim.signing);
}

static CK_RV
open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify,
    CK_SESSION_HANDLE *session)
{
	CK_RV rv = enter("OpenSession");

	if (rv != CKR_OK)
		return rv;
	if (!is_there())
		return CKR_TOKEN_NOT_PRESENT;
	close_dead(slot);
	if (shim.play.sessions > 0 && shim.open >= shim.play.sessions)
		return CKR_SESSION_COUNT;
	rv = shim.to->C_OpenSession(slot, flags, app, notify, session);
	if (rv == CKR_OK && *session < HANDLES) {
		shim.slot = slot;
		shim.of[*session] = shim.epoch + 1;
		shim.open++;
	}
	return rv;
}

static CK_RV
close_session(CK_SESSION_HANDLE session)
{
	CK_RV rv = enter_session("CloseSession", session);

	if (rv != CKR_OK)
		return rv;
	shim.of[session] = 0;
	shim.open--;
	return shim.to->C_CloseSession(session);
}

static CK_RV
close_all_sessions(CK_SLOT_ID slot)
{
	CK_RV rv = enter("CloseAllSessions");

	if (rv != CKR_OK)
		return rv;
	if (!is_there())
		return CKR_TOKEN_NOT_PRESENT;
	shim.open = 0;
	memset(shim.of, 0, sizeof(shim.of));
	return shim.to->C_CloseAllSessions(slot);
}

static CK_RV
get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	CK_RV rv = enter_session("GetSessionInfo", session);

	return rv != CKR_OK ? rv : shim.to->C_GetSessionInfo(session, info);
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
    CK_ULONG len)
{
	CK_RV rv = enter_session("Login", session);
	const char *real = getenv("TOKEN_SHIM_PIN");
	char opens[PIN_MAX];
	const char *now = shim.play.pin;

	if (rv != CKR_OK)
		return rv;
	if (strcmp(shim.play.flags, "locked") == 0)
		return CKR_PIN_LOCKED;
	if (real == NULL ||
	    (now[0] == '\0' && strcmp(shim.play.flags, "pad") != 0))
		return shim.to->C_Login(session, user, pin, len);
	/* Entered at the reader; or changed. */
	if (pin != NULL && (len != strlen(now) || memcmp(pin, now, len) != 0))
		return CKR_PIN_INCORRECT;
	(void)snprintf(opens, sizeof(opens), "%s", real);
	return shim.to->C_Login(session, user, (CK_UTF8CHAR *)opens,
	    strlen(opens));
}

static CK_RV
find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *like, CK_ULONG count)
{
	CK_RV rv = enter_session("FindObjectsInit", session);

	return rv != CKR_OK ? rv
			    : shim.to->C_FindObjectsInit(session, like, count);
}

static CK_RV
get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE *a, CK_ULONG count)
{
	CK_RV rv = enter_session("GetAttributeValue", session);
	unsigned char *point;

	if (rv == CKR_OK)
		rv = shim.to->C_GetAttributeValue(session, object, a, count);
	if (rv != CKR_OK || shim.play.bare == 0 || a->type != CKA_EC_POINT ||
	    a->pValue == NULL)
		return rv;
	/* Both curves' points have lengths of one octet. */
	point = a->pValue;
	memmove(point, point + 2, a->ulValueLen - 2);
	a->ulValueLen -= 2;
	return rv;
}

static CK_RV
sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_OBJECT_HANDLE key)
{
	CK_RV rv = enter_session("SignInit", session);

	return rv != CKR_OK ? rv : shim.to->C_SignInit(session, mechanism, key);
}

/* Whether ${name} is played now. */
static bool
plays(const char *name, bool now)
{
	return now && strcmp(shim.play.play, name) == 0;
}

static void
pull(bool put_back)
{
	(void)pthread_mutex_lock(&shim.lock);
	shim.pulled = !put_back;
	new_epoch();
	(void)pthread_mutex_unlock(&shim.lock);
}

static CK_RV
do_sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
    unsigned char *signature, CK_ULONG *size)
{
	CK_RV rv;

	(void)pthread_rwlock_rdlock(&shim.signing);
	rv = shim.to->C_Sign(session, data, len, signature, size);
	(void)pthread_rwlock_unlock(&shim.signing);
	return rv;
}

static CK_RV
after_sign(CK_RV rv, bool now, unsigned char *signature, CK_ULONG len)
{
	if (plays("pull-during", now)) {
		pull(false);
		return CKR_DEVICE_REMOVED;
	}
	if (plays("fail", now))
		return (CK_RV)shim.play.code;
	if (plays("corrupt", now))
		signature[len / 2] ^= 1;
	if (plays("pull-after", now))
		pull(false);
	if (plays("replug-after", now))
		pull(true);
	return rv;
}

static CK_RV
sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG len,
    unsigned char *signature, CK_ULONG *size)
{
	CK_RV rv = enter_session("Sign", session);
	unsigned epoch = shim.epoch;
	bool now;

	if (rv != CKR_OK)
		return rv;
	(void)pthread_mutex_lock(&shim.lock);
	now = ++shim.signs == shim.play.nth;
	(void)pthread_mutex_unlock(&shim.lock);
	if (shim.play.delay > 0)
		(void)usleep((useconds_t)shim.play.delay);
	if (plays("crash", now))
		abort();
	while (plays("hang", now))
		(void)sleep(3600);
	if (plays("pull-before", now)) {
		pull(false);
		return CKR_DEVICE_REMOVED;
	}
	rv = do_sign(session, data, len, signature, size);
	if (enter("SignEnd") == CKR_OK && (epoch != shim.epoch || !is_there()))
		return CKR_DEVICE_REMOVED;
	return after_sign(rv, now, signature, *size);
}

static CK_RV
wait_for_slot_event(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
	CK_RV rv = enter("WaitForSlotEvent");
	unsigned ends;

	(void)reserved;
	if (rv != CKR_OK)
		return rv;
	if (shim.play.events == 0)
		return CKR_FUNCTION_NOT_SUPPORTED;
	ends = shim.ends;
	for (;;) {
		(void)pthread_mutex_lock(&shim.lock);
		read_play();
		rv = CKR_FUNCTION_FAILED; /* go on */
		if (shim.ends != ends)
			rv = CKR_CRYPTOKI_NOT_INITIALIZED;
		else if (shim.told != shim.epoch)
			rv = CKR_OK;
		else if ((flags & CKF_DONT_BLOCK) != 0)
			rv = CKR_NO_EVENT;
		if (rv == CKR_OK) {
			shim.told = shim.epoch;
			*slot = shim.slot;
		}
		(void)pthread_mutex_unlock(&shim.lock);
		if (rv != CKR_FUNCTION_FAILED)
			return rv;
		(void)usleep(5000);
	}
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *target = getenv("TOKEN_SHIM_TARGET");
	CK_C_GetFunctionList entry = NULL;
	void *library, *symbol;

	*list = &shim.list;
	if (shim.to != NULL)
		return CKR_OK;
	library =
	    dlopen(target == NULL ? SOFTHSM : target, RTLD_NOW | RTLD_LOCAL);
	symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
	memcpy(&entry, &symbol, sizeof(entry));
	if (entry == NULL || entry(&shim.to) != CKR_OK)
		return CKR_GENERAL_ERROR;
	shim.list = *shim.to;
	shim.list.C_GetFunctionList = C_GetFunctionList;
	shim.list.C_Initialize = initialize;
	shim.list.C_Finalize = finalize;
	shim.list.C_GetSlotList = get_slot_list;
	shim.list.C_GetSlotInfo = get_slot_info;
	shim.list.C_GetTokenInfo = get_token_info;
	shim.list.C_OpenSession = open_session;
	shim.list.C_CloseSession = close_session;
	shim.list.C_CloseAllSessions = close_all_sessions;
	shim.list.C_GetSessionInfo = get_session_info;
	shim.list.C_Login = login;
	shim.list.C_FindObjectsInit = find_objects_init;
	shim.list.C_GetAttributeValue = get_attribute_value;
	shim.list.C_SignInit = sign_init;
	shim.list.C_Sign = sign;
	shim.list.C_WaitForSlotEvent = wait_for_slot_event;
	return CKR_OK;
}
