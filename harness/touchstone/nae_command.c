/*
 * touchstone nae REQUEST ...: an NAE-XML client for scripts.
 *
 * A request is made of words, or comes as it is from the command line or a
 * file, data and all; several in a file are sent at once. What comes back is
 * told in lines of NAME=VALUE, its data goes to a file. Where the answers end
 * is known by a DeviceInfoRequest that is sent behind what was asked for.
 */
#include "command.h"
#include "escape.h"
#include "file.h"
#include "nae_case.h"
#include "nae_match.h"
#include "nae_talk.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define IN_MAX_OCTETS ((size_t)80 << 20)
#define END_ID        "touchstone-end"

/* clang-format off */
#define OPTIONS \
	OPTION(TARGET,        "target",        1) \
	OPTION(HOST,          "host",          1) \
	OPTION(PORT,          "port",          1) \
	OPTION(USER,          "user",          1) \
	OPTION(PASSWORD_FILE, "password-file", 1) \
	OPTION(DATA,          "data",          1) \
	OPTION(CHUNK,         "chunk",         1) \
	OPTION(OUT,           "out",           1) \
	OPTION(XML,           "xml",           0)
/* clang-format on */

enum option_id {
#define OPTION(id, word, value) OPT_##id,
	OPTIONS
#undef OPTION
	    OPT_COUNT
};

static const struct option options[] = {
#define OPTION(id, word, value) {word, value, NULL, OPT_##id},
    OPTIONS
#undef OPTION
    {0},
};

struct call {
	struct arena *a;
	const char *option[OPT_COUNT];
	struct target target;
	const struct user *user;
	struct user named; /* by --user NAME --password-file */
	struct buf sent;
	FILE *out;
	struct fault f;
};

static void
usage(FILE *to)
{
	fputs(
	    "usage: touchstone nae REQUEST [NAME[=VALUE]]... WHERE [WHO]\n"
	    "                      [--data FILE|-] [--chunk OCTETS]\n"
	    "                      [--out FILE|-] [--xml]\n"
	    "       touchstone nae '<...Request>...' | FILE | -   likewise\n\n"
	    "  REQUEST is the name of the element less Request: KeyGen. A "
	    "word\n"
	    "  is a child; A/B=V stands in A, beside what stood there before,\n"
	    "  and +A/B=V in an A of its own.\n"
	    "  WHERE is --target FILE, or --host H --port P without TLS.\n"
	    "  WHO is --user A of the target file, or --user NAME\n"
	    "  --password-file FILE; without it the session is global.\n"
	    "  --data is sent behind the request; --out takes the data that\n"
	    "  comes back.\n\n"
	    "    touchstone nae KeyGen KeyName=k1 Algorithm=AES Exportable \\\n"
	    "        --target target.conf --user A\n"
	    "    touchstone nae Crypto Action=ENCRYPT KeyName=k1 \\\n"
	    "        Algorithm=AES/CBC/PKCS5Padding --data plain --out "
	    "cipher\n\n"
	    "Prints NAME=VALUE a line; --xml prints the answers as they came.\n"
	    "Exit code: 0 done, 1 the server refused, 2 could not.\n",
	    to);
}

/* --- the request --------------------------------------------------------- */

enum { DEPTH = NAE_MAX_DEPTH };

/* What is open while words become elements. */
struct maker {
	struct buf *out;
	char *open[DEPTH];
	unsigned depth;
};

static void
close_to(struct maker *m, unsigned depth)
{
	while (m->depth > depth)
		buf_printf(m->out, "</%s>", m->open[--m->depth]);
}

/* A/B=VALUE: what is open as far as it is the same stays open. */
static enum err
put_word(struct call *c, struct maker *m, const char *word)
{
	const char *equals = strchr(word, '=');
	char *path = arena_printf(c->a, "%.*s",
	    (int)(equals == NULL ? strlen(word) : (size_t)(equals - word)),
	    word);
	char *name;
	unsigned at = 1;

	while ((name = strsep(&path, "/")) != NULL) {
		bool is_new = *name == '+';

		name += is_new;
		if (*name == 0 || at == DEPTH)
			return fault_say(
			    &c->f, ERR_USAGE, "`%s` is no element", word);
		if (path == NULL || is_new || at >= m->depth ||
		    strcmp(m->open[at], name) != 0) {
			close_to(m, at);
			m->open[m->depth++] = name;
			buf_printf(m->out, "<%s>", name);
		}
		at++;
	}
	if (equals != NULL)
		nae_escape(m->out, bytes_of_text(equals + 1));
	close_to(m, at - 1);
	return OK;
}

static enum err
put_words(struct call *c, char **words, size_t count)
{
	struct maker m = {.out = &c->sent};
	enum err rc = OK;

	m.open[m.depth++] = arena_printf(c->a, "%sRequest", words[0]);
	buf_printf(m.out, "<%s>", m.open[0]);
	for (size_t i = 1; i < count; i++)
		TRY(put_word(c, &m, words[i]));
	close_to(&m, 0);
out:
	return rc;
}

static enum err
put_data_file(struct call *c)
{
	struct buf data = {0};
	size_t chunk = 0;
	enum err rc = OK;

	if (c->option[OPT_DATA] == NULL)
		return OK;
	if (c->option[OPT_CHUNK] != NULL &&
	    (sscanf(c->option[OPT_CHUNK], "%zu", &chunk) != 1 || chunk == 0))
		TRY(fault_say(&c->f, ERR_USAGE, "--chunk takes octets"));
	TRY(file_read(c->option[OPT_DATA], IN_MAX_OCTETS, &data, &c->f));
	nae_put_data(&c->sent, buf_peek(&data), chunk);
out:
	buf_clear(&data);
	return rc;
}

static enum err
build(struct call *c, char **words, size_t count)
{
	enum err rc = OK;

	if (words[0][0] == '<')
		buf_text(&c->sent, words[0]);
	else if (nae_is_request(words[0]) || count > 1)
		TRY(put_words(c, words, count));
	else
		TRY(file_read(words[0], IN_MAX_OCTETS, &c->sent, &c->f));
	TRY(put_data_file(c));
	buf_text(&c->sent,
	    "<DeviceInfoRequest><ID>" END_ID "</ID></DeviceInfoRequest>");
out:
	return rc;
}

/* --- where and who ------------------------------------------------------- */

static enum err
find_target(struct call *c)
{
	const char *text;

	if (c->option[OPT_TARGET] != NULL)
		return target_read(
		    c->a, c->option[OPT_TARGET], &c->target, &c->f);
	if (c->option[OPT_HOST] == NULL || c->option[OPT_PORT] == NULL)
		return fault_say(
		    &c->f, ERR_USAGE, "--target FILE, or --host and --port");
	text = arena_printf(c->a,
	    "[nae]\nhost = %s\nport = %s\n[claims]\nfamilies = *\n"
	    "nae-versions = 2.2\nnae-requests = Auth\n",
	    c->option[OPT_HOST], c->option[OPT_PORT]);
	return target_parse(
	    c->a, "command line", bytes_of_text(text), &c->target, &c->f);
}

static enum err
find_user(struct call *c)
{
	const char *name = c->option[OPT_USER];
	struct buf password = {0};
	enum err rc = OK;

	if (name == NULL)
		return OK;
	if (c->option[OPT_PASSWORD_FILE] == NULL) {
		c->user = target_user(&c->target, name);
		if (c->user == NULL)
			return fault_say(&c->f, ERR_USAGE,
			    "%s has no [user %s], and there is no "
			    "--password-file",
			    c->target.path, name);
		return OK;
	}
	TRY(file_read(
	    c->option[OPT_PASSWORD_FILE], TARGET_MAX_OCTETS, &password, &c->f));
	c->named.user = name;
	c->named.password =
	    strtok(arena_strdup(c->a, buf_peek_text(&password)), "\n");
	if (c->named.password == NULL)
		c->named.password = "";
	c->user = &c->named;
out:
	buf_clear(&password);
	return rc;
}

/* --- the answers --------------------------------------------------------- */

/* One line for each element that has text. */
static void
tell_element(const struct nae_element *e, const char *path, struct call *c)
{
	if (e->first == NULL) {
		printf("%s=", path);
		escape_line(stdout, e->text);
		putchar('\n');
	}
	for (const struct nae_element *i = e->first; i != NULL; i = i->next)
		tell_element(i, arena_printf(c->a, "%s/%s", path, i->name), c);
}

static void
tell(struct call *c, const struct nae_message *m, int *code)
{
	const char *id = nae_text(m->root, "ErrorID");

	if (nae_is_failure(m)) {
		*code = EXIT_DIFFERS;
		fprintf(stderr, "%s: %s%s", m->root->name, id == NULL ? "" : id,
		    id == NULL ? "" : ": ");
		escape_line(stderr, nae_text(m->root, "ErrorString"));
		putc('\n', stderr);
	} else if (c->option[OPT_XML] == NULL) {
		for (const struct nae_element *e = m->root->first; e != NULL;
		     e = e->next)
			if (strcmp(e->name, "ID") != 0 &&
			    strcmp(e->name, "Success") != 0)
				tell_element(e, e->name, c);
	}
}

static void
put_out(struct call *c, struct bytes data)
{
	if (c->out != NULL)
		(void)!fwrite(data.at, 1, data.octets, c->out);
}

static bool
is_end(const struct nae_message *m)
{
	const char *id = nae_text(m->root, "ID");

	return id != NULL && strcmp(id, END_ID) == 0;
}

/* Answers up to ours, or until the server has closed behind a fatal one. */
static enum err
receive(struct call *c, struct nae_talk *t, int *code)
{
	struct nae_message m;
	struct finding f;
	bool is_over = false;
	enum err rc;

	for (;;) {
		rc = nae_talk_receive(t, &m, &f);
		if (rc == ERR_CLOSED && is_over)
			return OK;
		if (rc != OK)
			return fault_say(&c->f, rc,
			    "the answer: octet %zu: %s%s%s", f.offset,
			    err_text(rc), f.expected[0] == 0 ? "" : ", got ",
			    f.got);
		if (is_end(&m))
			return OK;
		if (c->option[OPT_XML] != NULL) {
			struct bytes in = nae_talk_octets(t, &m);

			fwrite(in.at, 1, in.octets, stdout);
			putchar('\n');
		}
		if (nae_is_data(&m)) {
			put_out(c, nae_data(c->a, &m));
			continue;
		}
		tell(c, &m, code);
		is_over |= nae_is_fatal(&m);
	}
}

static enum err
authenticate(struct call *c, struct nae_talk *t)
{
	struct nae_message m;
	struct finding f;
	struct buf out = {0};
	const char *words;
	enum err rc = OK;

	nae_put_auth(&out, bytes_of_text(c->user->user),
	    bytes_of_text(c->user->password));
	TRY(nae_talk_send(t, 0, buf_peek(&out), 0, &c->f));
	rc = nae_talk_receive(t, &m, &f);
	if (rc != OK)
		TRY(fault_say(&c->f, rc, "AuthRequest: %s", err_text(rc)));
	words = nae_text(m.root, "ErrorString");
	if (strcmp(m.root->name, "AuthResponse") != 0 || nae_is_failure(&m))
		rc = fault_say(&c->f, ERR_VALUE, "AuthRequest: %s",
		    words == NULL ? m.root->name : words);
out:
	buf_clear(&out);
	return rc;
}

static enum err
exchange(struct call *c, int *code)
{
	struct door *door = NULL;
	struct nae_talk *t = NULL;
	const char *identity = c->target.nae_identity;
	enum err rc = OK;

	if (c->user != NULL && c->user->identity != NULL)
		identity = c->user->identity;
	TRY(door_new_nae(
	    &c->target, target_identity(&c->target, identity), &door, &c->f));
	TRY(nae_talk_open(c->a, door, NULL, 0, "nae", &t, &c->f));
	if (c->user != NULL)
		TRY(authenticate(c, t));
	TRY(nae_talk_send(t, 0, buf_peek(&c->sent), 0, &c->f));
	TRY(receive(c, t, code));
out:
	nae_talk_close(t);
	door_free(door);
	return rc;
}

static enum err
open_out(struct call *c)
{
	const char *path = c->option[OPT_OUT];

	if (path == NULL)
		return OK;
	c->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (c->out == NULL)
		return fault_say(
		    &c->f, ERR_OPEN, "%s: %s", path, strerror(errno));
	return OK;
}

static enum err
run(struct call *c, int argc, char **argv, int *code)
{
	int id;
	enum err rc = OK;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (id < 0 || id >= OPT_COUNT)
			TRY(fault_say(
			    &c->f, ERR_USAGE, "see `touchstone nae --help`"));
		c->option[id] = optarg != NULL ? optarg : "";
	}
	if (optind == argc)
		TRY(fault_say(&c->f, ERR_USAGE, "no request: see --help"));
	TRY(find_target(c));
	if (c->target.nae_port == 0)
		TRY(fault_say(&c->f, ERR_USAGE, "%s has no NAE-XML server",
		    c->target.path));
	TRY(find_user(c));
	TRY(build(c, argv + optind, (size_t)(argc - optind)));
	TRY(open_out(c));
	*code = EXIT_CONFORMS;
	TRY(exchange(c, code));
	if (fflush(stdout) != 0 || (c->out != NULL && fflush(c->out) != 0))
		rc = fault_say(&c->f, ERR_WRITE, "%s", strerror(errno));
out:
	return rc;
}

int
command_nae(int argc, char **argv)
{
	struct call c = {.a = NULL};
	int code = EXIT_COULD_NOT_TELL;
	enum err rc;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_COULD_NOT_TELL : EXIT_CONFORMS;
	}
	c.a = arena_new();
	rc = run(&c, argc, argv, &code);
	if (rc != OK)
		code = command_refuse(
		    "nae", "%s", c.f.text[0] != '\0' ? c.f.text : err_text(rc));
	if (c.out != NULL && c.out != stdout)
		fclose(c.out);
	buf_clear(&c.sent);
	arena_free(c.a);
	return code;
}
