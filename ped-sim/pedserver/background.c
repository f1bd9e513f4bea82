#include "pedserver/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { LEAST_FREE_FD = 3 };

/* At work: one octet that no words begin with. */
static const char at_work[] = "\n";

/* Until the other end is closed. */
static void
hear(int fd, char words[BACKGROUND_WORDS_OCTETS])
{
	size_t octets = 0;
	ssize_t got;

	do {
		got = read(
		    fd, words + octets, BACKGROUND_WORDS_OCTETS - 1 - octets);
		octets += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	words[octets] = '\0';
	if (octets == 0)
		strcpy(words, "it ended"); /* without a word */
	else if (strcmp(words, at_work) == 0)
		words[0] = '\0';
}

/* Nothing that belongs to who called us stays open there. */
static enum err
let_go(int *tell)
{
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);
	enum err rc = OK;

	if (none < 0 || setsid() < 0 || dup2(none, STDIN_FILENO) < 0 ||
	    dup2(*tell, LEAST_FREE_FD) < 0 ||
	    close_range(LEAST_FREE_FD + 1, ~0U, 0) != 0)
		rc = ERR_SYSTEM;
	*tell = LEAST_FREE_FD;
	(void)fcntl(*tell, F_SETFD, FD_CLOEXEC);
	return rc;
}

/* ERR_SYSTEM: there is no new process, and errno says why. */
static enum err
split(int (*serve)(void *ctx, int tell), void *ctx,
    char words[BACKGROUND_WORDS_OCTETS])
{
	int fds[2];
	pid_t pid;
	enum err rc = OK;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	pid = fork();
	if (pid == 0) {
		if (let_go(&fds[1]) == OK)
			_exit(serve(ctx, fds[1]));
		background_failed(fds[1], strerror(errno));
		_exit(1);
	}
	close(fds[1]);
	if (pid > 0)
		hear(fds[0], words);
	else
		rc = ERR_SYSTEM;
	close(fds[0]);
	return rc;
}

int
background_start(const char *who, const char *why_not,
    int (*serve)(void *ctx, int tell), void *ctx)
{
	char words[BACKGROUND_WORDS_OCTETS] = "";

	puts("Starting background process");
	(void)fflush(stdout);
	if (why_not == NULL) {
		why_not = words;
		if (split(serve, ctx, words) != OK)
			why_not = strerror(errno);
	}
	if (*why_not != '\0') {
		printf("Startup failed. : %s\n", why_not);
		return 1;
	}
	puts("Background process started");
	printf("%s Process created, exiting this process.\n", who);
	return 0;
}

enum err
background_ready(int tell, const char *log)
{
	int fd = open(log != NULL ? log : "/dev/null",
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	enum err rc = OK;

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
	    dup2(fd, STDERR_FILENO) < 0)
		rc = ERR_SYSTEM;
	if (fd >= 0)
		close(fd);
	if (rc == OK) {
		(void)!write(tell, at_work, sizeof(at_work) - 1);
		close(tell);
	}
	return rc;
}

void
background_failed(int tell, const char *words)
{
	(void)!write(tell, words, strlen(words));
	close(tell);
}
