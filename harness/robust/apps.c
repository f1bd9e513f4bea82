/*
 * apps: PKCS#11 applications that do what they are told, each a process.
 *
 *	apps --module FILE
 *
 * A line of standard input is "APP COMMAND [ARGUMENT]", where APP is any name:
 * the first line for it makes the process, and loads the module there. The
 * answer is one line: what the function returned, by name, and what else there
 * is to say. With more than one function in a command it is the first answer
 * that is not CKR_OK.
 *
 *	initialize [own|half|reserved|nolocks]
 *	                     C_Initialize: with locks of its own, with half of
 *	                     them, with pReserved set, with a wish that it has
 *	                     locks of its own but nothing of the system's
 *	finalize
 *	open, close          a session, read-write, in slot 1; the last one
 *	login PIN, logout    the user
 *	state                "CKR_OK CKS_RW_USER_FUNCTIONS"
 *	slots                "CKR_OK 1": how many there are
 *	info                 "CKR_OK manufacturer"
 *	make LABEL           a private AES-256 key of the token
 *	find LABEL           "CKR_OK 1": how many there are
 *	seal LABEL           AES-GCM with that key; what comes is kept
 *	unseal               what was sealed, with the key it was sealed with
 *	destroy LABEL
 *	fork COMMAND         done in a forked child: "CKR_OK" as it saw it
 *	hold COMMAND         in a forked child that then lives on until the
 *	                     application is told "drop"
 *	drop
 *
 * Of the program itself: "burst N M PIN LABEL" starts N processes at the same
 * moment, M times; each loads the module, logs in, seals and unseals, and
 * ends. Answer: "starts=160 failures=0".
 *
 * It takes any module, and knows nothing of ours.
 */
#include "mem.h"

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	APPS_MAX = 32,
	NAME_OCTETS = 32,
	LINE_OCTETS = 512,
	KEY_OCTETS = 32,
	IV_OCTETS = 12,
	SEALED_MAX = 64,
	BURST_MAX = 64,
};

static const char *module_path;

static void __attribute__((format(printf, 1, 2), noreturn))
die(const char *format, ...)
{
	va_list args;

	fputs("apps: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/* ---- what a process knows ---- */

static struct {
	CK_FUNCTION_LIST *fn;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key; /* of what is sealed */
	CK_BYTE sealed[SEALED_MAX];
	CK_ULONG sealed_octets;
	pid_t held; /* 0: none */
} me;

static const char *
rv_name(CK_RV rv)
{
	static const struct {
		CK_RV rv;
		const char *name;
	} names[] = {
#define RV(code) {code, #code},
#include "pkcs11/rv.def"
#undef RV
	};
	static char other[32];
	size_t k;

	for (k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		if (names[k].rv == rv)
			return names[k].name;
	}
	(void)snprintf(other, sizeof(other), "0x%lx", rv);
	return other;
}

static void
load(void)
{
	void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL), *symbol;
	CK_C_GetFunctionList list;

	if (library == NULL)
		die("%s", dlerror());
	symbol = dlsym(library, "C_GetFunctionList");
	if (symbol == NULL)
		die("%s is no PKCS#11 module", module_path);
	memcpy(&list, &symbol, sizeof(list));
	if (list(&me.fn) != CKR_OK)
		die("C_GetFunctionList fails");
}

static CK_BYTE *
octets_of(const char *text)
{
	return (CK_BYTE *)(uintptr_t)text;
}

/* ---- commands ---- */

/* What a command says behind its return value. */
static char said[LINE_OCTETS];

static CK_RV
mutex_create(void **mutex)
{
	*mutex = mem_zalloc(1, sizeof(pthread_mutex_t));
	if (*mutex == NULL)
		return CKR_HOST_MEMORY;
	(void)pthread_mutex_init(*mutex, NULL);
	return CKR_OK;
}

static CK_RV
mutex_destroy(void *mutex)
{
	(void)pthread_mutex_destroy(mutex);
	mem_free(mutex);
	return CKR_OK;
}

static CK_RV
mutex_lock(void *mutex)
{
	return pthread_mutex_lock(mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

static CK_RV
mutex_unlock(void *mutex)
{
	return pthread_mutex_unlock(mutex) == 0 ? CKR_OK : CKR_MUTEX_BAD;
}

static CK_RV
do_initialize(const char *how)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	if (strcmp(how, "") == 0)
		return me.fn->C_Initialize(NULL);
	if (strcmp(how, "reserved") == 0)
		args.pReserved = &args;
	if (strcmp(how, "nolocks") == 0)
		args.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS;
	if (strcmp(how, "own") == 0 || strcmp(how, "half") == 0) {
		args.CreateMutex = mutex_create;
		args.DestroyMutex = mutex_destroy;
		args.flags = 0;
	}
	if (strcmp(how, "own") == 0) {
		args.LockMutex = mutex_lock;
		args.UnlockMutex = mutex_unlock;
	}
	return me.fn->C_Initialize(&args);
}

static CK_RV
do_finalize(const char *none)
{
	(void)none;
	return me.fn->C_Finalize(NULL);
}

static CK_RV
do_open(const char *none)
{
	(void)none;
	return me.fn->C_OpenSession(
	    1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &me.session);
}

static CK_RV
do_close(const char *none)
{
	(void)none;
	return me.fn->C_CloseSession(me.session);
}

static CK_RV
do_login(const char *pin)
{
	return me.fn->C_Login(
	    me.session, CKU_USER, octets_of(pin), strlen(pin));
}

static CK_RV
do_logout(const char *none)
{
	(void)none;
	return me.fn->C_Logout(me.session);
}

static CK_RV
do_state(const char *none)
{
	static const char *const names[] = {"CKS_RO_PUBLIC_SESSION",
	    "CKS_RO_USER_FUNCTIONS", "CKS_RW_PUBLIC_SESSION",
	    "CKS_RW_USER_FUNCTIONS", "CKS_RW_SO_FUNCTIONS"};
	CK_SESSION_INFO info;
	CK_RV rv = me.fn->C_GetSessionInfo(me.session, &info);

	(void)none;
	if (rv == CKR_OK && info.state < sizeof(names) / sizeof(names[0]))
		strcpy(said, names[info.state]);
	return rv;
}

static CK_RV
do_slots(const char *none)
{
	CK_ULONG count = 0;
	CK_RV rv = me.fn->C_GetSlotList(1, NULL, &count);

	(void)none;
	if (rv == CKR_OK)
		(void)snprintf(said, sizeof(said), "%lu", count);
	return rv;
}

static CK_RV
do_info(const char *none)
{
	CK_INFO info;
	CK_RV rv = me.fn->C_GetInfo(&info);

	(void)none;
	if (rv == CKR_OK)
		(void)snprintf(
		    said, sizeof(said), "%.32s", info.manufacturerID);
	return rv;
}

static CK_RV
do_make(const char *label)
{
	CK_BBOOL yes = 1, no = 0;
	CK_ULONG octets = KEY_OCTETS;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE want[] = {
	    {CKA_LABEL, octets_of(label), strlen(label)},
	    {CKA_VALUE_LEN, &octets, sizeof(octets)},
	    {CKA_TOKEN, &yes, sizeof(yes)},
	    {CKA_PRIVATE, &yes, sizeof(yes)},
	    {CKA_SENSITIVE, &yes, sizeof(yes)},
	    {CKA_EXTRACTABLE, &no, sizeof(no)},
	    {CKA_ENCRYPT, &yes, sizeof(yes)},
	    {CKA_DECRYPT, &yes, sizeof(yes)},
	};
	CK_OBJECT_HANDLE key;

	return me.fn->C_GenerateKey(
	    me.session, &m, want, sizeof(want) / sizeof(want[0]), &key);
}

/* One of them, and how many there are. */
static CK_RV
find(const char *label, CK_OBJECT_HANDLE *key, CK_ULONG *count)
{
	CK_ATTRIBUTE want = {CKA_LABEL, octets_of(label), strlen(label)};
	CK_OBJECT_HANDLE found[8];
	CK_RV rv;

	*count = 0;
	rv = me.fn->C_FindObjectsInit(me.session, &want, 1);
	if (rv != CKR_OK)
		return rv;
	rv = me.fn->C_FindObjects(me.session, found, 8, count);
	if (*count != 0)
		*key = found[0];
	if (rv == CKR_OK)
		rv = me.fn->C_FindObjectsFinal(me.session);
	return rv;
}

static CK_RV
do_find(const char *label)
{
	CK_OBJECT_HANDLE key;
	CK_ULONG count;
	CK_RV rv = find(label, &key, &count);

	(void)snprintf(said, sizeof(said), "%lu", count);
	return rv;
}

static CK_RV
find_one(const char *label, CK_OBJECT_HANDLE *key)
{
	CK_ULONG count;
	CK_RV rv = find(label, key, &count);

	return rv == CKR_OK && count == 0 ? CKR_OBJECT_HANDLE_INVALID : rv;
}

static CK_BYTE iv[IV_OCTETS] = {1, 2, 3};
static CK_GCM_PARAMS gcm = {iv, IV_OCTETS, 8 * IV_OCTETS, NULL, 0, 128};
static CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof(gcm)};
static CK_BYTE plain[KEY_OCTETS] = "a master key of 32 octets, no le";

static CK_RV
do_seal(const char *label)
{
	CK_RV rv = find_one(label, &me.key);

	if (rv == CKR_OK)
		rv = me.fn->C_EncryptInit(me.session, &mechanism, me.key);
	me.sealed_octets = sizeof(me.sealed);
	if (rv == CKR_OK)
		rv = me.fn->C_Encrypt(me.session, plain, sizeof(plain),
		    me.sealed, &me.sealed_octets);
	return rv;
}

static CK_RV
do_unseal(const char *none)
{
	CK_BYTE got[SEALED_MAX];
	CK_ULONG octets = sizeof(got);
	CK_RV rv = me.fn->C_DecryptInit(me.session, &mechanism, me.key);

	(void)none;
	if (rv == CKR_OK)
		rv = me.fn->C_Decrypt(
		    me.session, me.sealed, me.sealed_octets, got, &octets);
	if (rv == CKR_OK &&
	    (octets != sizeof(plain) || memcmp(got, plain, sizeof(plain)) != 0))
		strcpy(said, "something else");
	return rv;
}

static CK_RV
do_destroy(const char *label)
{
	CK_OBJECT_HANDLE key;
	CK_RV rv = find_one(label, &key);

	return rv == CKR_OK ? me.fn->C_DestroyObject(me.session, key) : rv;
}

static const struct {
	const char *name;
	CK_RV (*run)(const char *argument);
} commands[] = {
    {"initialize", do_initialize},
    {"finalize", do_finalize},
    {"open", do_open},
    {"close", do_close},
    {"login", do_login},
    {"logout", do_logout},
    {"state", do_state},
    {"slots", do_slots},
    {"info", do_info},
    {"make", do_make},
    {"find", do_find},
    {"seal", do_seal},
    {"unseal", do_unseal},
    {"destroy", do_destroy},
};

/* The first word of *text, cut off; *text is what follows. */
static char *
word(char **text)
{
	char *first = strsep(text, " ");

	if (*text == NULL)
		*text = first + strlen(first);
	return first;
}

static void
obey(char *line)
{
	const char *name = word(&line);
	size_t k;

	said[0] = '\0';
	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		if (strcmp(commands[k].name, name) == 0) {
			const char *answer = rv_name(commands[k].run(line));

			printf("%s%s%s\n", answer, said[0] != '\0' ? " " : "",
			    said);
			fflush(stdout);
			return;
		}
	}
	printf("no such command: %s\n", name);
	fflush(stdout);
}

/* In a child, which ends at once or stays until it is killed. */
static void
obey_in_child(char *line, bool stays)
{
	pid_t pid = fork();

	if (pid < 0)
		die("no process: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, stays ? 0 : SIGKILL);
		obey(line);
		while (stays)
			pause();
		_exit(0);
	}
	if (stays)
		me.held = pid;
	else
		waitpid(pid, NULL, 0);
}

static void
app(FILE *in)
{
	char line[LINE_OCTETS];

	load();
	while (fgets(line, sizeof(line), in) != NULL) {
		char *rest = line, *name;

		line[strcspn(line, "\n")] = '\0';
		name = word(&rest);
		if (strcmp(name, "fork") == 0 || strcmp(name, "hold") == 0) {
			obey_in_child(rest, name[0] == 'h');
		} else if (strcmp(name, "drop") == 0) {
			kill(me.held, SIGKILL);
			waitpid(me.held, NULL, 0);
			printf("CKR_OK\n");
			fflush(stdout);
		} else {
			if (*rest != '\0')
				rest[-1] = ' ';
			obey(line);
		}
	}
}

/* ---- the program itself ---- */

static struct {
	char name[NAME_OCTETS];
	pid_t pid;
	FILE *to, *from;
} apps[APPS_MAX];
static size_t app_count;

static size_t
app_get(const char *name)
{
	int down[2], up[2];
	size_t k, j;

	for (k = 0; k < app_count; k++) {
		if (strcmp(apps[k].name, name) == 0)
			return k;
	}
	if (k == APPS_MAX || strlen(name) >= NAME_OCTETS)
		die("too many applications, or too long a name");
	if (pipe(down) != 0 || pipe(up) != 0)
		die("no pipes: %s", strerror(errno));
	strcpy(apps[k].name, name);
	fflush(NULL);
	apps[k].pid = fork();
	if (apps[k].pid < 0)
		die("no process: %s", strerror(errno));
	if (apps[k].pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (j = 0; j < app_count; j++) {
			close(fileno(apps[j].to));
			close(fileno(apps[j].from));
		}
		close(down[1]);
		close(up[0]);
		dup2(up[1], STDOUT_FILENO);
		close(up[1]);
		app(fdopen(down[0], "r"));
		exit(0);
	}
	close(down[0]);
	close(up[1]);
	apps[k].to = fdopen(down[1], "w");
	apps[k].from = fdopen(up[0], "r");
	app_count++;
	return k;
}

/* One start of a burst: 0 when all of it went well. */
static int
start_once(const char *pin, const char *label)
{
	const struct {
		const char *name;
		CK_RV (*run)(const char *argument);
		const char *argument;
	} steps[] = {
	    {"initialize", do_initialize, ""},
	    {"open", do_open, ""},
	    {"login", do_login, pin},
	    {"seal", do_seal, label},
	    {"unseal", do_unseal, ""},
	    {"finalize", do_finalize, ""},
	};
	size_t k;
	CK_RV rv;

	load();
	for (k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
		said[0] = '\0';
		rv = steps[k].run(steps[k].argument);
		if (rv != CKR_OK || said[0] != '\0') {
			fprintf(stderr, "apps: burst: %s: %s %s\n",
			    steps[k].name, rv_name(rv), said);
			return 1;
		}
	}
	return 0;
}

static void
burst(char *arguments)
{
	unsigned n = (unsigned)atoi(word(&arguments));
	unsigned rounds = (unsigned)atoi(word(&arguments));
	const char *pin = word(&arguments), *label = word(&arguments);
	unsigned failures = 0, round, k;
	int gate[2], status;
	char octet;

	if (n > BURST_MAX)
		die("too many at once");
	for (round = 0; round < rounds; round++) {
		pid_t pids[BURST_MAX];

		if (pipe(gate) != 0)
			die("no pipe: %s", strerror(errno));
		fflush(NULL);
		for (k = 0; k < n; k++) {
			pids[k] = fork();
			if (pids[k] < 0)
				die("no process: %s", strerror(errno));
			if (pids[k] != 0)
				continue;
			close(gate[1]);
			/* until it is closed, for all of them */
			(void)!read(gate[0], &octet, 1);
			_exit(start_once(pin, label));
		}
		close(gate[0]);
		close(gate[1]);
		for (k = 0; k < n; k++) {
			if (waitpid(pids[k], &status, 0) != pids[k] ||
			    status != 0)
				failures++;
		}
	}
	printf("starts=%u failures=%u\n", n * rounds, failures);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
	    {"module", required_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
	char line[LINE_OCTETS];
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) == 'm')
		module_path = optarg;
	if (c != -1 || module_path == NULL)
		die("usage: apps --module FILE");
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *rest = line, *name;
		size_t k;

		line[strcspn(line, "\n")] = '\0';
		name = word(&rest);
		if (strcmp(name, "burst") == 0) {
			burst(rest);
			continue;
		}
		k = app_get(name);
		fprintf(apps[k].to, "%s\n", rest);
		fflush(apps[k].to);
		if (fgets(line, sizeof(line), apps[k].from) == NULL)
			(void)snprintf(line, sizeof(line), "gone\n");
		fputs(line, stdout);
		fflush(stdout);
	}
	return 0;
}
