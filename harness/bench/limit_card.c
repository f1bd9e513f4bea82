/*
 * limit_card: what an unsealing through the card costs, and the least that the
 * way there and back can cost.
 *
 *   limit_card -m ping                    [-t seconds]
 *   limit_card -m unseal -M module -l label -P PIN -p pid [-t seconds]
 *   limit_card -m init   -M module -P PIN
 *
 *   -m ping    two processes, a Unix socket, and nothing else: octets of the
 *              size of an unsealing's frames go there and back
 *   -m unseal  C_DecryptInit and C_Decrypt: a master key of 32 octets, sealed
 *              by AES-256-GCM (48 octets) under a key of the token, which is
 *              made where there is none. -p is the card's process
 *   -m init    make the partition of slot 1 that -m unseal wants, on a card
 *              that is new: security officer, user, and the user's own PIN
 *
 * One line of key=value pairs: trip_us is elapsed time, server_us the CPU time
 * of the other process, client_us that of this one, for each of them.
 */
#include "bench.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ASKED_OCTETS = 214, /* the frame of both calls */
	ANSWERED_OCTETS = 61,
	KEY_OCTETS = 32,
	IV_OCTETS = 12,
	AAD_OCTETS = 24, /* an object's identifier, and a version */
	TAG_OCTETS = 16,
};

static struct {
	const char *mode, *module, *label, *pin;
	pid_t pid;
	double seconds;
} o = {"", "", "bench", "", 0, 2};

/* --- figures ----------------------------------------------------------------
 */

struct figures {
	clockid_t server;
	uint64_t since_ns, server_ns, client_ns;
};

static void
begin(struct figures *f, pid_t pid)
{
	if (clock_getcpuclockid(pid, &f->server) != 0)
		die("there is no process %d", (int)pid);
	f->server_ns = clock_ns(f->server);
	f->client_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	f->since_ns = now_ns();
}

static bool
goes_on(const struct figures *f)
{
	return (double)(now_ns() - f->since_ns) < o.seconds * 1e9;
}

static void
end(const struct figures *f, uint64_t n)
{
	double per = 1e3 * (double)n;

	printf("mode=%s n=%llu trip_us=%.3f server_us=%.3f client_us=%.3f\n",
	    o.mode, (unsigned long long)n,
	    (double)(now_ns() - f->since_ns) / per,
	    (double)(clock_ns(f->server) - f->server_ns) / per,
	    (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - f->client_ns) / per);
}

/* --- there and back ---------------------------------------------------------
 */

static bool
receive(int fd, char *to, size_t octets)
{
	size_t have = 0;
	ssize_t n;

	while (have < octets) {
		n = recv(fd, to + have, octets - have, 0);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static void __attribute__((noreturn)) answer(int fd)
{
	char octets[ASKED_OCTETS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (receive(fd, octets, ASKED_OCTETS))
		(void)!send(fd, octets, ANSWERED_OCTETS, MSG_NOSIGNAL);
	_exit(0);
}

static void
ping(void)
{
	char octets[ASKED_OCTETS] = {0};
	struct figures f;
	uint64_t n;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		die("no sockets");
	pid = fork();
	if (pid < 0)
		die("no process");
	if (pid == 0) {
		close(fds[0]);
		answer(fds[1]);
	}
	close(fds[1]);
	begin(&f, pid);
	for (n = 0; goes_on(&f); n++) {
		if (send(fds[0], octets, ASKED_OCTETS, 0) != ASKED_OCTETS ||
		    !receive(fds[0], octets, ANSWERED_OCTETS))
			die("the other process has gone");
	}
	end(&f, n);
	close(fds[0]);
	waitpid(pid, NULL, 0);
}

/* --- the card ---------------------------------------------------------------
 */

static CK_FUNCTION_LIST *fn;

static void
must(const char *call, CK_RV rv)
{
	if (rv != CKR_OK)
		die("%s: 0x%lx", call, rv);
}

#define MUST(name, ...) must(#name, fn->name(__VA_ARGS__))

static CK_BYTE *
octets_of(const char *text)
{
	return (CK_BYTE *)(uintptr_t)text;
}

static void
load(void)
{
	void *library = dlopen(o.module, RTLD_NOW | RTLD_LOCAL), *symbol;
	CK_C_GetFunctionList list;

	if (library == NULL)
		die("%s", dlerror());
	symbol = dlsym(library, "C_GetFunctionList");
	if (symbol == NULL)
		die("%s is no module", o.module);
	memcpy(&list, &symbol, sizeof list);
	must("C_GetFunctionList", list(&fn));
	MUST(C_Initialize, NULL);
}

static CK_SESSION_HANDLE
open_session(CK_USER_TYPE user, const char *pin)
{
	CK_SESSION_HANDLE s;

	MUST(C_OpenSession, 1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
	    &s);
	MUST(C_Login, s, user, octets_of(pin), strlen(pin));
	return s;
}

static void
init(void)
{
	static const char first[] = "the first password";
	CK_BYTE label[32];
	CK_SESSION_HANDLE s;

	memset(label, ' ', sizeof label);
	memcpy(label, o.label, strnlen(o.label, sizeof label));
	MUST(C_InitToken, 1, octets_of(o.pin), strlen(o.pin), label);
	s = open_session(CKU_SO, o.pin);
	MUST(C_InitPIN, s, octets_of(first), strlen(first));
	MUST(C_Logout, s);
	MUST(C_SetPIN, s, octets_of(first), strlen(first), octets_of(o.pin),
	    strlen(o.pin));
	MUST(C_Finalize, NULL);
}

/* The key-encryption key, as an appliance has it. */
static CK_OBJECT_HANDLE
kek(CK_SESSION_HANDLE s)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_ULONG octets = KEY_OCTETS, found;
	CK_BBOOL yes = 1, no = 0;
	CK_MECHANISM m = {CKM_AES_KEY_GEN, NULL, 0};
	CK_ATTRIBUTE want[] = {
	    {CKA_CLASS, &class, sizeof class},
	    {CKA_LABEL, octets_of(o.label), strlen(o.label)},
	    {CKA_KEY_TYPE, &type, sizeof type},
	    {CKA_VALUE_LEN, &octets, sizeof octets},
	    {CKA_TOKEN, &yes, sizeof yes},
	    {CKA_PRIVATE, &yes, sizeof yes},
	    {CKA_SENSITIVE, &yes, sizeof yes},
	    {CKA_EXTRACTABLE, &no, sizeof no},
	    {CKA_ENCRYPT, &yes, sizeof yes},
	    {CKA_DECRYPT, &yes, sizeof yes},
	};
	CK_OBJECT_HANDLE key;

	MUST(C_FindObjectsInit, s, want, 2);
	MUST(C_FindObjects, s, &key, 1, &found);
	MUST(C_FindObjectsFinal, s);
	if (found == 0)
		MUST(C_GenerateKey, s, &m, want, sizeof want / sizeof want[0],
		    &key);
	return key;
}

static void
unseal(void)
{
	CK_BYTE iv[IV_OCTETS] = {1}, aad[AAD_OCTETS] = {2};
	CK_BYTE plain[KEY_OCTETS] = {3};
	CK_BYTE sealed[KEY_OCTETS + TAG_OCTETS], got[sizeof sealed];
	CK_GCM_PARAMS gcm = {
	    iv, IV_OCTETS, 8 * IV_OCTETS, aad, AAD_OCTETS, 8 * TAG_OCTETS};
	CK_MECHANISM m = {CKM_AES_GCM, &gcm, sizeof gcm};
	CK_ULONG octets = sizeof sealed;
	CK_SESSION_HANDLE s;
	CK_OBJECT_HANDLE key;
	struct figures f;
	uint64_t n;

	s = open_session(CKU_USER, o.pin);
	key = kek(s);
	MUST(C_EncryptInit, s, &m, key);
	MUST(C_Encrypt, s, plain, sizeof plain, sealed, &octets);
	begin(&f, o.pid);
	for (n = 0; goes_on(&f); n++) {
		octets = sizeof got;
		MUST(C_DecryptInit, s, &m, key);
		MUST(C_Decrypt, s, sealed, sizeof sealed, got, &octets);
		if (octets != sizeof plain ||
		    memcmp(got, plain, sizeof plain) != 0)
			die("another key came back");
	}
	end(&f, n);
	MUST(C_Finalize, NULL);
}

int
main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "m:M:l:P:p:t:")) != -1) {
		switch (c) {
		case 'm':
			o.mode = optarg;
			break;
		case 'M':
			o.module = optarg;
			break;
		case 'l':
			o.label = optarg;
			break;
		case 'P':
			o.pin = optarg;
			break;
		case 'p':
			o.pid = (pid_t)atoi(optarg);
			break;
		case 't':
			o.seconds = atof(optarg);
			break;
		default:
			return 2;
		}
	}
	if (strcmp(o.mode, "ping") == 0) {
		ping();
		return 0;
	}
	load();
	if (strcmp(o.mode, "unseal") == 0)
		unseal();
	else if (strcmp(o.mode, "init") == 0)
		init();
	else
		die("-m ping, unseal or init");
	return 0;
}
