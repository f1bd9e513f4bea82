/*
 * A card's administration that answers anything: who asked is told once, and
 * what he is given lies in what was said.
 */
#include "crypto/card_admin.h"

#include "base/visit_test.h"

static struct rig rig;
static char path[] = "/dev/shm/card.XXXXXX/admin.sock";
static int listener;

struct asked {
	unsigned done;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
set_up(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char *end = strrchr(path, '/');

	*end = '\0';
	visit_must(mkdtemp(path) != NULL);
	*end = '/';
	visit_must(rig_init(&rig) == OK);
	unlink(rig.clock_path);
	memcpy(at.sun_path, path, sizeof(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	visit_must(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		   listen(listener, 1) == 0);
}

/* Each octet of it is looked at. */
static void
look(struct bytes b)
{
	uint8_t copy[CARD_ADMIN_LINE_OCTETS];

	visit_must(b.octets <= sizeof(copy));
	if (b.octets != 0)
		memcpy(copy, b.at, b.octets);
}

static void
says(void *ctx, struct bytes text)
{
	const struct asked *asked = ctx;

	visit_must(asked->done == 0);
	look(text);
}

static void
done(void *ctx, const struct card_answer *answer)
{
	struct asked *asked = ctx;
	struct buf value;

	asked->done++;
	visit_must(answer->rc == OK || answer->rc == ERR_DENIED ||
		   answer->rc == ERR_HSM);
	look(answer->name);
	look(answer->text);
	look(answer->words);
	buf_init(&value, CARD_ADMIN_LINE_OCTETS);
	if (card_answer_value(answer, "a", &value) == ERR_NOT_FOUND)
		visit_must(!card_answer_is(answer, "a", ""));
	buf_clear(&value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct card_admin *admin = NULL;
	struct asked asked = {.done = 0};
	int fd;

	if (rig.loop == NULL)
		set_up();
	visit_must(card_admin_new(rig.loop, path, &admin) == OK);
	visit_must(
	    card_admin_ask(admin, "status", NULL, 0, says, done, &asked) == OK);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	visit_must(fd >= 0);
	visit_must(octets == 0 || send(fd, data, octets, MSG_NOSIGNAL) > 0);
	visit_must(rig_turns(&rig, 3) == OK);
	close(fd);
	visit_must(rig_turns(&rig, VISIT_TURNS) == OK);
	visit_must(asked.done == 1 && !card_admin_busy(admin));
	card_admin_free(admin);
	return 0;
}
