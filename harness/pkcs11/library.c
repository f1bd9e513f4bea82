/* The library itself: its beginning, its end, its list of functions. */
#include "module.h"
#include "trial.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
list_is_complete(const struct trial *t)
{
	/* every member behind the version is a pointer to a function */
	const size_t members =
	    (sizeof *p11 - offsetof(CK_FUNCTION_LIST, C_Initialize)) /
	    sizeof(void *);
	void *const *at = (void *const *)&p11->C_Initialize;

	(void)t;
	for (size_t i = 0; i < members; i++)
		holds(at[i] != NULL, "a member of the list of functions",
		    "a function, if only one that answers "
		    "CKR_FUNCTION_NOT_SUPPORTED");
}

static void
list_version(const struct trial *t)
{
	CK_INFO info;

	(void)t;
	MUST(C_GetInfo, (&info));
	same_number("version.major of the list of functions",
	    p11->version.major, info.cryptokiVersion.major);
	same_number("version.minor of the list of functions",
	    p11->version.minor, info.cryptokiVersion.minor);
}

static void
list_again(const struct trial *t)
{
	CK_FUNCTION_LIST *again = NULL;

	(void)t;
	MUST(C_GetFunctionList, (&again));
	holds(again != NULL, "the list", "a pointer");
	WANT(C_GetFunctionList, (NULL), CKR_ARGUMENTS_BAD);
}

static void
padded(const char *what, const CK_UTF8CHAR *words, size_t octets)
{
	size_t i = octets;

	while (i > 0 && words[i - 1] == ' ')
		i--;
	for (size_t j = 0; j < i; j++)
		holds(words[j] != 0, what, "blanks behind it, no NUL");
	holds(
	    bytes_is_utf8((struct bytes){words, octets}, NULL), what, "UTF-8");
}

static void
info(const struct trial *t)
{
	CK_INFO i;

	(void)t;
	memset(&i, 0xa5, sizeof i);
	MUST(C_GetInfo, (&i));
	same_number("cryptokiVersion.major", i.cryptokiVersion.major, 2);
	same_number("flags", i.flags, 0);
	padded("manufacturerID", i.manufacturerID, sizeof i.manufacturerID);
	padded("libraryDescription", i.libraryDescription,
	    sizeof i.libraryDescription);
	WANT(C_GetInfo, (NULL), CKR_ARGUMENTS_BAD);
}

static void
initialize_null(const struct trial *t)
{
	(void)t;
	MUST(C_Initialize, (NULL));
	MUST(C_Finalize, (NULL));
}

static void
initialize_twice(const struct trial *t)
{
	(void)t;
	WANT(C_Initialize, (NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
}

static void
initialize_os_locking(const struct trial *t)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	(void)t;
	WANT(C_Initialize, (&args), CKR_OK, CKR_CANT_LOCK);
}

static void
initialize_reserved(const struct trial *t)
{
	CK_C_INITIALIZE_ARGS args = {
	    .flags = CKF_OS_LOCKING_OK, .pReserved = &args};

	(void)t;
	WANT(C_Initialize, (&args), CKR_ARGUMENTS_BAD);
}

static CK_RV
mutex_new(void **mutex)
{
	static int one;

	*mutex = &one;
	return CKR_OK;
}

static CK_RV
mutex_nothing(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

static void
initialize_own_mutexes(const struct trial *t)
{
	CK_C_INITIALIZE_ARGS args = {.CreateMutex = mutex_new,
	    .DestroyMutex = mutex_nothing,
	    .LockMutex = mutex_nothing,
	    .UnlockMutex = mutex_nothing};

	(void)t;
	WANT(C_Initialize, (&args), CKR_OK, CKR_CANT_LOCK);
}

static void
initialize_some_mutexes(const struct trial *t)
{
	CK_C_INITIALIZE_ARGS args = {
	    .CreateMutex = mutex_new, .DestroyMutex = mutex_nothing};

	(void)t;
	WANT(C_Initialize, (&args), CKR_ARGUMENTS_BAD);
}

static void
finalize_reserved(const struct trial *t)
{
	int any = 0;

	(void)t;
	WANT(C_Finalize, (&any), CKR_ARGUMENTS_BAD);
}

static void
finalize_twice(const struct trial *t)
{
	(void)t;
	MUST(C_Finalize, (NULL));
	WANT(C_Finalize, (NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void
initialize_again(const struct trial *t)
{
	CK_SESSION_HANDLE s;

	(void)t;
	s = session_open(false);
	MUST(C_Finalize, (NULL));
	MUST(C_Initialize, (NULL));
	CK_SESSION_INFO session;
	WANT(C_GetSessionInfo, (s, &session), CKR_SESSION_HANDLE_INVALID);
	session_is(session_open(false), CKS_RO_PUBLIC_SESSION);
}

/* Runs in a child of fork(), which is an application of its own. */
static int
life_of_child(void)
{
	CK_SESSION_INFO session;
	CK_SESSION_HANDLE s;

	if (p11->C_Initialize(NULL) != CKR_OK)
		return 1;
	if (p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &s) !=
	    CKR_OK)
		return 2;
	if (p11->C_GetSessionInfo(s, &session) != CKR_OK ||
	    session.state != CKS_RO_PUBLIC_SESSION)
		return 3;
	return p11->C_Finalize(NULL) == CKR_OK ? 0 : 4;
}

static void
forked_child(const struct trial *t)
{
	static const char *const steps[] = {
	    [1] = "C_Initialize(NULL) in a child of fork()",
	    [2] = "C_OpenSession in a child of fork()",
	    [3] = "the state of the child's session",
	    [4] = "C_Finalize(NULL) in a child of fork()",
	};
	CK_SESSION_HANDLE s = session_user();
	int status = -1, step;
	pid_t pid = fork();

	(void)t;
	if (pid == 0)
		_exit(life_of_child());
	module_calls("the life of a child of fork()");
	holds(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status),
	    "the child of fork()", "an end of its own");
	step = WEXITSTATUS(status);
	if (step != 0)
		fail(steps[step],
		    step == 3 ? "CKS_RO_PUBLIC_SESSION" : "CKR_OK",
		    "otherwise");
	session_is(s, CKS_RW_USER_FUNCTIONS);
}

static const struct trial trials[] = {
    {"library/list-complete", "Each member of the list is a function",
	BASE "5.4", NEED_FRESH, .run = list_is_complete},
    {"library/list-version", "The list and C_GetInfo tell the same version",
	BASE "5.4", .run = list_version},
    {"library/list-again",
	"C_GetFunctionList of the list works before C_Initialize", BASE "5.4",
	NEED_FRESH, .run = list_again},
    {"library/info", "C_GetInfo tells a version 2 and padded texts", BASE "5.4",
	.run = info},
    {"library/initialize-null", "C_Initialize takes NULL, C_Finalize ends it",
	BASE "5.4", NEED_FRESH, .run = initialize_null},
    {"library/initialize-twice", "A second C_Initialize is refused", BASE "5.4",
	.run = initialize_twice},
    {"library/initialize-os-locking",
	"C_Initialize takes the system's locks, or says that it cannot",
	BASE "5.4", NEED_FRESH, .run = initialize_os_locking},
    {"library/initialize-reserved", "C_Initialize refuses a pReserved",
	BASE "5.4", NEED_FRESH, .run = initialize_reserved},
    {"library/initialize-own-mutexes",
	"C_Initialize takes the caller's locks, or says that it cannot",
	BASE "5.4", NEED_FRESH, .run = initialize_own_mutexes},
    {"library/initialize-some-mutexes",
	"C_Initialize refuses two of the four functions of a lock", BASE "5.4",
	NEED_FRESH, .run = initialize_some_mutexes},
    {"library/finalize-reserved", "C_Finalize refuses an argument", BASE "5.4",
	.run = finalize_reserved},
    {"library/finalize-twice", "A second C_Finalize is refused", BASE "5.4",
	.run = finalize_twice},
    {"library/initialize-again",
	"After C_Finalize it can start anew, without its old sessions",
	BASE "5.4", .run = initialize_again},
    {"library/forked-child",
	"A child of fork() begins anew, without its parent's login, and "
	"leaves its parent's sessions alone",
	"pkcs11-ug-2.40, Applications and processes", NEED_PIN,
	.run = forked_child},
};

void
library_trials(struct trials *ts)
{
	TRIALS_ADD(ts, trials);
}
