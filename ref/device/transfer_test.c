/*
 * Transfers: what is refused at once, peers that refuse, are silent or break
 * off, and an FTP server whose answers the test chooses. The real ones, sshd
 * and vsftpd, are in spec-tests/transfer.bats.
 */
#include "device/transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "device/rig_test.h"

enum {
	QUICK_MS = 100,
	QUICK_TIMES = 50,
	LINE_OCTETS = 512,
	DATA_OCTETS = 4096
};

static struct bench bench;
#define APPLIANCE (&bench.appliance)
#define STORE     (bench.appliance.store)

/* ---- an FTP server for one connection ---- */

struct ftpd {
	/* ---- its answers; NULL: as a good server does ---- */
	const char *word; /* the command that is answered otherwise */
	const char *answer;
	bool is_late; /* ... behind the data */
	/* ---- ---- */
	int listener;
	int data;
	unsigned port;
	pthread_t thread;
	char said[DATA_OCTETS]; /* the commands, a line each */
	char file[DATA_OCTETS]; /* what came, or what is fetched */
	size_t file_octets;
};

static int
listen_new(unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t octets = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(fd, errno);
	assert_return_code(
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)), errno);
	assert_return_code(listen(fd, 8), errno);
	assert_return_code(
	    getsockname(fd, (struct sockaddr *)&at, &octets), errno);
	*port = ntohs(at.sin_port);
	return fd;
}

static void
data_move(struct ftpd *ftpd, bool sends)
{
	int fd = accept(ftpd->data, NULL, NULL);
	ssize_t got;

	if (sends) {
		(void)!write(fd, ftpd->file, ftpd->file_octets);
	} else {
		ftpd->file_octets = 0;
		while ((got = read(fd, ftpd->file + ftpd->file_octets,
			    sizeof(ftpd->file) - ftpd->file_octets)) > 0)
			ftpd->file_octets += (size_t)got;
	}
	(void)close(fd);
}

static void
ftpd_answer(struct ftpd *ftpd, FILE *peer, const char *line)
{
	static const struct {
		const char *word;
		const char *answer;
	} good[] = {
	    {"USER", "331 password"},
	    {"PASS", "230 welcome"},
	    {"PWD", "257 \"/home\""},
	    {"CWD", "250 there"},
	    {"TYPE", "200 binary"},
	    {"STOR", "226 complete"},
	    {"RETR", "226 complete"},
	    {"DELE", "550 no such file"},
	    {"RNFR", "350 go on"},
	    {"RNTO", "250 renamed"},
	    {"QUIT", "221 bye"},
	};
	bool sends = strncmp(line, "RETR", 4) == 0;
	const char *answer = "502 not here";
	size_t k;

	if (strncmp(line, "EPSV", 4) == 0) {
		unsigned port;

		ftpd->data = listen_new(&port);
		fprintf(peer, "229 passive (|||%u|)\r\n", port);
		return;
	}
	for (k = 0; k < LENGTH(good); k++)
		if (strncmp(line, good[k].word, strlen(good[k].word)) == 0)
			answer = good[k].answer;
	if (ftpd->word != NULL &&
	    strncmp(line, ftpd->word, strlen(ftpd->word)) == 0)
		answer = ftpd->answer;
	if ((sends || strncmp(line, "STOR", 4) == 0) &&
	    (answer[0] == '2' || ftpd->is_late)) {
		fputs("150 data\r\n", peer);
		(void)fflush(peer);
		data_move(ftpd, sends);
	}
	fprintf(peer, "%s\r\n", answer);
}

static void *
ftpd_serve(void *ctx)
{
	struct ftpd *ftpd = ctx;
	int fd = accept(ftpd->listener, NULL, NULL);
	FILE *peer = fd >= 0 ? fdopen(fd, "r+") : NULL;
	char line[LINE_OCTETS];

	if (peer == NULL)
		return NULL;
	fputs("220 here\r\n", peer);
	(void)fflush(peer);
	while (fgets(line, sizeof(line), peer) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		strncat(ftpd->said, line,
		    sizeof(ftpd->said) - strlen(ftpd->said) - 2);
		strcat(ftpd->said, "\n");
		(void)fseek(peer, 0, SEEK_CUR);
		ftpd_answer(ftpd, peer, line);
		(void)fflush(peer);
		(void)fseek(peer, 0, SEEK_CUR);
	}
	(void)fclose(peer);
	return NULL;
}

static void
ftpd_start(struct ftpd *ftpd)
{
	ftpd->data = -1;
	ftpd->listener = listen_new(&ftpd->port);
	assert_int_equal(
	    pthread_create(&ftpd->thread, NULL, ftpd_serve, ftpd), 0);
}

static void
ftpd_end(struct ftpd *ftpd)
{
	(void)shutdown(ftpd->listener, SHUT_RDWR);
	(void)pthread_join(ftpd->thread, NULL);
	(void)close(ftpd->listener);
	if (ftpd->data >= 0)
		(void)close(ftpd->data);
}

/* ---- what asks for transfers ---- */

static int
set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	assert_ok(transfers_new(APPLIANCE, &APPLIANCE->transfers));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	transfers_stop(APPLIANCE->transfers);
	loop_end_jobs(bench.rig.loop);
	transfers_free(APPLIANCE->transfers);
	bench_remove(&bench);
	return 0;
}

struct end {
	bool told;
	enum err rc;
};

static void
ended(struct transfer *transfer, enum err rc)
{
	struct end *end = transfer->ctx;

	assert_false(end->told);
	end->told = true;
	end->rc = rc;
	loop_stop(bench.rig.loop);
}

/* Until it is done, however long it takes. */
static void
wait_end(const struct end *end)
{
	while (!end->told)
		assert_ok(loop_run(bench.rig.loop));
}

static int
file_new(const char *text)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file.XXXXXX", bench.dir);
	fd = mkstemp(path);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)unlink(path);
	return fd;
}

static struct transfer *
transfer_to(unsigned port, struct end *end)
{
	struct transfer *transfer;

	assert_ok(transfer_new(APPLIANCE, &transfer));
	transfer->place = (struct transfer_place){
	    .protocol = TRANSFER_FTP,
	    .host = "127.0.0.1",
	    .port = port,
	    .directory = "logs",
	    .user = "ann",
	};
	assert_ok(secret_copy(
	    bytes_of_text("hidden words"), &transfer->place.password));
	transfer->connect_ms = transfer->stall_ms = 30 * 1000;
	transfer->done = ended;
	transfer->ctx = end;
	return transfer;
}

static void
add(struct transfer *transfer, const char *name, const char *text)
{
	int fd = file_new(text);

	assert_ok(transfer_add(transfer, name, fd));
	(void)close(fd);
}

/* ---- refused at once ---- */

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		enum err want;
	} cases[] = {
	    {"audit.log.1", OK},
	    {"a b'c\"d\\e", OK},
	    {"...", OK},
	    {"", ERR_FIELD},
	    {".", ERR_FIELD},
	    {"..", ERR_FIELD},
	    {"a/b", ERR_FIELD},
	    {"a\nb", ERR_FIELD},
	    {"a\x7f", ERR_FIELD},
	};
	struct end end = {false, OK};
	struct transfer *transfer = transfer_to(1, &end);
	char longest[TRANSFER_NAME_OCTETS + 2] = "";
	int fd = file_new("x");
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++)
		if (transfer_add(transfer, cases[k].name, fd) != cases[k].want)
			fail_msg("case %s", cases[k].name);
	memset(longest, 'n', sizeof(longest) - 1);
	assert_err(transfer_add(transfer, longest, fd), ERR_FIELD);
	longest[TRANSFER_NAME_OCTETS] = '\0';
	assert_ok(transfer_add(transfer, longest, fd));
	while (transfer->file_count < TRANSFER_FILES_MOST)
		assert_ok(transfer_add(transfer, "f", fd));
	assert_err(transfer_add(transfer, "f", fd), ERR_COUNT);
	assert_err(transfer_add(transfer, "f", -1), ERR_COUNT);
	(void)close(fd);
	transfer_drop(transfer);
}

static void
test_places(void **state)
{
	static const struct {
		const char *host;
		const char *user;
		const char *directory;
		const char *why;
	} cases[] = {
	    {"", "ann", "", "Host: "},
	    {"a/b", "ann", "", "Host: "},
	    {"ann@host", "ann", "", "Host: "},
	    {"host", "", "", "Username: "},
	    {"host", "an\rn", "", "Username: "},
	    {"host", "ann", "a\nDELE b", "Directory: "},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct end end = {false, OK};
		struct transfer *transfer = transfer_to(1, &end);

		strcpy(transfer->place.host, cases[k].host);
		strcpy(transfer->place.user, cases[k].user);
		strcpy(transfer->place.directory, cases[k].directory);
		add(transfer, "f", "x");
		transfer_begin(transfer);
		assert_false(end.told); /* never from within */
		wait_end(&end);
		assert_int_equal(end.rc, ERR_FIELD);
		assert_memory_equal(
		    transfer->why, cases[k].why, strlen(cases[k].why));
		transfer_drop(transfer);
	}
}

/* ---- peers that do not serve ---- */

/* Again and again: the thread may be done before the loop goes on. */
static void
test_nobody(void **state)
{
	unsigned port;
	int fd = listen_new(&port);
	unsigned k;

	(void)state;
	(void)close(fd); /* whose port is nobody's now */
	for (k = 0; k < QUICK_TIMES; k++) {
		struct end end = {false, OK};
		struct transfer *transfer = transfer_to(port, &end);

		add(transfer, "f", "x");
		transfer_begin(transfer);
		wait_end(&end);
		assert_int_equal(end.rc, ERR_CLOSED);
		assert_non_null(strstr(transfer->why, "cannot be reached"));
		assert_false(transfer->files[0].arrived);
		transfer_drop(transfer);
	}
}

/* It accepts, and says nothing: that is no connection. */
static void
test_silent(void **state)
{
	static const enum transfer_protocol protocols[] = {
	    TRANSFER_SCP, TRANSFER_SFTP, TRANSFER_FTP};
	unsigned port;
	int fd = listen_new(&port);
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(protocols); k++) {
		struct end end = {false, OK};
		struct transfer *transfer = transfer_to(port, &end);

		transfer->place.protocol = protocols[k];
		transfer->connect_ms = QUICK_MS;
		add(transfer, "f", "x");
		transfer_begin(transfer);
		wait_end(&end);
		assert_int_equal(end.rc, ERR_TIMEOUT);
		assert_non_null(strstr(transfer->why, "does not answer"));
		transfer_drop(transfer);
	}
	(void)close(fd);
}

/* Neither who leaves nor the end of it all waits for a peer. */
static void
test_cancel(void **state)
{
	struct end never = {false, OK};
	struct transfer *transfer;
	unsigned port;
	int fd = listen_new(&port);

	(void)state;
	/* before its host has been reached, and behind that */
	transfer_drop(transfer_to(port, &never));
	transfer = transfer_to(port, &never);
	add(transfer, "f", "x");
	transfer_begin(transfer);
	(void)close(accept(fd, NULL, NULL));
	transfer_drop(transfer);
	transfer = transfer_to(port, &never);
	add(transfer, "f", "x");
	transfer_begin(transfer);
	transfer_drop(transfer);

	/* the last is under way when the appliance closes */
	transfer = transfer_to(port, &never);
	add(transfer, "f", "x");
	transfer_begin(transfer);
	transfers_stop(APPLIANCE->transfers);
	loop_end_jobs(bench.rig.loop);
	assert_int_equal(transfers_running(APPLIANCE->transfers), 0);
	assert_false(never.told);
	transfer_drop(transfer);
	(void)close(fd);
}

/* ---- FTP ---- */

static void
test_send(void **state)
{
	struct ftpd ftpd = {NULL};
	struct end end = {false, OK};
	struct transfer *transfer;

	(void)state;
	ftpd_start(&ftpd);
	transfer = transfer_to(ftpd.port, &end);
	add(transfer, "one", "the first");
	add(transfer, "two \"2\"", "the second");
	transfer_begin(transfer);
	wait_end(&end);
	assert_string_equal(transfer->why, "");
	assert_int_equal(end.rc, OK);
	assert_true(transfer->files[0].arrived && transfer->files[1].arrived);
	assert_int_equal(transfer->files[0].octets, strlen("the first"));
	transfer_drop(transfer);
	ftpd_end(&ftpd);
	assert_memory_equal(ftpd.file, "the second", ftpd.file_octets);
	/* complete first, then called so */
	assert_non_null(strstr(
	    ftpd.said, "STOR one.part\nDELE one\nRNFR one.part\nRNTO one\n"));
	assert_non_null(strstr(ftpd.said, "RNTO two \"2\"\n"));
	/* one login for both */
	assert_null(strstr(strstr(ftpd.said, "USER") + 1, "USER"));
	assert_non_null(strstr(ftpd.said, "PASS hidden words\n"));
}

/* Where the file goes: the home's directory, and the host's. */
static void
test_directories(void **state)
{
	static const struct {
		const char *directory;
		const char *said;
	} cases[] = {
	    {"", "TYPE I\nSTOR f.part\n"},
	    {"a b", "CWD a b\n"},
	    {"logs/2026%", "CWD logs/2026%\n"},
	    {"/", "CWD /\n"},
	    {"/srv/logs", "CWD /srv/logs\n"},
	    {"//srv", "CWD /srv\n"},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct ftpd ftpd = {NULL};
		struct end end = {false, OK};
		struct transfer *transfer;

		ftpd_start(&ftpd);
		transfer = transfer_to(ftpd.port, &end);
		strcpy(transfer->place.directory, cases[k].directory);
		add(transfer, "f", "x");
		transfer_begin(transfer);
		wait_end(&end);
		assert_int_equal(end.rc, OK);
		transfer_drop(transfer);
		ftpd_end(&ftpd);
		if (strstr(ftpd.said, cases[k].said) == NULL)
			fail_msg("%s: %s", cases[k].directory, ftpd.said);
		assert_non_null(strstr(ftpd.said, "RNTO f\n"));
	}
}

/* What the user is told about a server's refusal. req: KS-20-092 */
static void
test_refusals(void **state)
{
	static const struct {
		const char *word;
		const char *answer;
		enum err want;
		const char *why;
		bool is_late;
	} cases[] = {
	    {"PASS", "530 no", ERR_DENIED, "the login was refused (user ann)",
		false},
	    {"USER", "530 no", ERR_DENIED, "the login was refused (user ann)",
		false},
	    {"CWD", "550 no", ERR_DENIED, "the directory is not there", false},
	    {"STOR", "553 no", ERR_DENIED, "may not write to the directory",
		false},
	    {"STOR", "452 full", ERR_DISK_FULL, "no space left on the host",
		false},
	    {"STOR", "452 full", ERR_DISK_FULL, "no space left on the host",
		true},
	    {"STOR", "552 full", ERR_DISK_FULL, "no space left on the host",
		true},
	    {"STOR", "426 cut", ERR_CLOSED, "broke the connection", true},
	    {"RNTO", "550 no", ERR_DENIED, "cannot be given its name", false},
	    {"RNTO", "250 yes", OK, "", false},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct ftpd ftpd = {.word = cases[k].word,
		    .answer = cases[k].answer,
		    .is_late = cases[k].is_late};
		struct end end = {false, OK};
		struct transfer *transfer;

		ftpd_start(&ftpd);
		transfer = transfer_to(ftpd.port, &end);
		add(transfer, "f", "x");
		transfer_begin(transfer);
		wait_end(&end);
		if (end.rc != cases[k].want ||
		    strstr(transfer->why, cases[k].why) == NULL)
			fail_msg("%s: %s: %s: %s", cases[k].word,
			    cases[k].answer, err_name(end.rc), transfer->why);
		assert_int_equal(
		    transfer->files[0].arrived, cases[k].want == OK);
		assert_null(strstr(transfer->why, "hidden"));
		transfer_drop(transfer);
		ftpd_end(&ftpd);
	}
}

static void
test_fetch(void **state)
{
	static const struct {
		uint64_t most_octets;
		const char *word;
		const char *answer;
		enum err want;
	} cases[] = {
	    {0, NULL, NULL, OK},
	    {10, NULL, NULL, OK},
	    {9, NULL, NULL, ERR_LIMIT},
	    {0, "RETR", "550 no such file", ERR_NOT_FOUND},
	};
	size_t k;

	(void)state;
	for (k = 0; k < LENGTH(cases); k++) {
		struct ftpd ftpd = {.word = cases[k].word,
		    .answer = cases[k].answer,
		    .file = "0123456789",
		    .file_octets = 10};
		struct end end = {false, OK};
		struct transfer *transfer;
		char got[16] = "";
		int fd = file_new("");

		ftpd_start(&ftpd);
		transfer = transfer_to(ftpd.port, &end);
		transfer->direction = TRANSFER_FETCH;
		transfer->most_octets = cases[k].most_octets;
		assert_ok(transfer_add(transfer, "f", fd));
		transfer_begin(transfer);
		wait_end(&end);
		if (end.rc != cases[k].want)
			fail_msg("case %zu: %s: %s", k, err_name(end.rc),
			    transfer->why);
		if (cases[k].want == OK) {
			assert_int_equal(pread(fd, got, sizeof(got), 0), 10);
			assert_string_equal(got, "0123456789");
		}
		transfer_drop(transfer);
		(void)close(fd);
		ftpd_end(&ftpd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_places, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_nobody, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_silent, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_send, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		test_directories, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_fetch, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
