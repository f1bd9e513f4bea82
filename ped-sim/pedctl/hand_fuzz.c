/*
 * A PED that says anything to who watches it: each display and answer that is
 * taken has its end within its room.
 */
#include "pedctl/hand.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 5, SCREENS_MOST = 100 };

static char dir[] = "/dev/shm/hand.XXXXXX";
static int listener;
static struct bytes says; /* next */
static sem_t has_said;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

/* What is asked is not looked at; it hangs up when it has said all. */
static void *
play_ped(void *ctx)
{
	char asked[4096];
	int fd;

	(void)ctx;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		must(says.octets == 0 ||
		     send(fd, says.at, says.octets, MSG_NOSIGNAL) > 0);
		(void)shutdown(fd, SHUT_WR);
		while (recv(fd, asked, sizeof(asked), 0) > 0)
			;
		close(fd);
		(void)sem_post(&has_said);
	}
	return NULL;
}

static void
set_up(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	pthread_t thread;

	must(mkdtemp(dir) != NULL);
	memcpy(at.sun_path, dir, sizeof(dir));
	strcat(at.sun_path, "/ctl.sock");
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	     listen(listener, 1) == 0);
	must(sem_init(&has_said, 0, 0) == 0);
	must(pthread_create(&thread, NULL, play_ped, NULL) == 0 &&
	     pthread_detach(thread) == 0);
}

static void
look(const struct hand_screen *screen)
{
	must(screen != NULL);
	must(memchr(screen->words, '\0', sizeof(screen->words)) != NULL);
	must(memchr(screen->text, '\0', sizeof(screen->text)) != NULL);
}

static void
said(const char *text)
{
	must(strlen(text) < HAND_ANSWER_OCTETS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct hand *hand = NULL;
	const char *answer;
	unsigned k;

	if (listener == 0)
		set_up();
	says = (struct bytes){data, octets};
	if (hand_new(dir, PATIENCE_S, &hand) == OK) {
		look(hand_screen(hand));
		(void)!hand_ask(hand, said, &answer, "key %s", "ENTER");
		must(strlen(answer) < HAND_ANSWER_OCTETS);
		for (k = 0; k < SCREENS_MOST && hand_next(hand) == OK; k++)
			look(hand_screen(hand));
		(void)!hand_timer(hand, 1);
	}
	hand_free(hand);
	must(sem_wait(&has_said) == 0);
	return 0;
}
