/*
 * pedctl: hands and eyes at a PED, for scripts.
 *
 *	pedctl [--patience S] DIR COMMAND     DIR: what pedsim has as --dir, or
 *	                                      the directory that it is "ped" in
 *
 *	screen                        print the display
 *	status                        mode, state, link and slot
 *	wait-screen REGEX             until the display has it
 *	wait-status WORD              until the status has it: link=up
 *	  [--timeout-virtual S]       of virtual time, 30; after both of these
 *	key KEY...                    1234 YES NO ENTER < > CLEAR
 *	hold KEY, release KEY         CLEAR, for 5 s
 *	insert FILE, remove           an iKey
 *	mode local|remote|menu        by the keys that lead there
 *	log                           recent actions, newest first
 *	script FILE                   lines of the above; "-": standard input
 *	ikey new FILE                 a blank one
 *	ikey show FILE                what it shows of itself (DIR may be left
 *	                              out with ikey)
 *
 * In a script "expect" is wait-screen with the rest of the line as REGEX, and
 * "press" is key. Empty lines and those that begin with # are passed over. Each
 * line that was done is printed, with the display where one was waited for.
 *
 * REGEX is extended; ^ and $ are a line's. Waits are for events: nothing here
 * sleeps or looks again and again. Who waits, and hears nothing for so many
 * real seconds as --patience says (20), gives up.
 *
 * Exit status: 0 done; 1 it did not come, a key was ignored, or an iKey could
 * not be used; 2 wrong usage.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ikey/ikey.h"
#include "pedctl/hand.h"

enum {
	TIMEOUT_S = 30,  /* virtual */
	PATIENCE_S = 20, /* real */
	LINE_OCTETS = 1024,
	WORDS_MAX = 64,
};

enum status { DONE = 0, FAILED = 1, USAGE = 2 };

/* Where we are in a script, for messages; NULL: in none. */
struct place {
	const char *file;
	unsigned line;
};

struct session {
	struct hand *hand;
	struct place place;
};

/* ---- words ---- */

static void __attribute__((format(printf, 2, 3)))
complain(const struct session *s, const char *format, ...)
{
	va_list args;

	fputs("pedctl: ", stderr);
	if (s->place.file != NULL)
		fprintf(stderr, "%s:%u: ", s->place.file, s->place.line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void
print_screen(FILE *to, const char *margin, const char *text)
{
	while (*text != '\0') {
		size_t octets = strcspn(text, "\n");

		fprintf(to, "%s%.*s\n", margin, (int)octets, text);
		text += octets;
		text += *text == '\n';
	}
}

/* What did not go as it should, and what there was to see. */
static void
show_screen(const struct session *s)
{
	const struct hand_screen *screen = hand_screen(s->hand);

	fputs("the screen was:\n", stderr);
	print_screen(stderr, "  | ", screen->text);
	fprintf(stderr, "  (%s)\n", screen->words);
}

/* ---- asking the PED ---- */

static enum status
answered(const struct session *s, enum err rc, const char *answer)
{
	if (rc == OK)
		return DONE;
	complain(s, "%s", rc == ERR_FIELD ? answer : err_text(rc));
	return FAILED;
}

static enum status
ask(struct session *s, const char *command, const char *words)
{
	const char *answer;
	enum err rc = hand_ask(s->hand, NULL, &answer, "%s%s%s", command,
	    words[0] != '\0' ? " " : "", words);

	return answered(s, rc, answer);
}

/* Keys as the PED knows them: capitals, one to each digit. */
static bool
spell_keys(char **words, int count, char *out, size_t octets)
{
	size_t at = 0;
	int k;

	out[0] = '\0';
	for (k = 0; k < count; k++) {
		const char *c = words[k];
		const bool is_number = isdigit((unsigned char)*c);

		if (at + 2 * strlen(c) + 2 > octets)
			return false;
		if (at != 0)
			out[at++] = ' ';
		for (; *c != '\0'; c++) {
			if (is_number && c != words[k])
				out[at++] = ' ';
			out[at++] = (char)toupper((unsigned char)*c);
		}
		out[at] = '\0';
	}
	return true;
}

static enum status
press(struct session *s, const char *command, char **words, int count)
{
	char keys[LINE_OCTETS];
	const char *answer;
	const char *ignored;
	enum err rc;

	if (!spell_keys(words, count, keys, sizeof(keys))) {
		complain(s, "too many keys");
		return FAILED;
	}
	rc = hand_ask(s->hand, NULL, &answer, "%s %s", command, keys);
	if (rc != OK)
		return answered(s, rc, answer);
	ignored = strstr(answer, "ignored=");
	if (ignored == NULL || strncmp(ignored, "ignored=0 ", 10) == 0)
		return DONE;
	complain(s, "nothing waits for some of these keys: %s", keys);
	show_screen(s);
	return FAILED;
}

/* ---- waiting ---- */

typedef bool match_fn(const struct hand_screen *screen, const void *what);

static bool
match_screen(const struct hand_screen *screen, const void *what)
{
	return regexec(what, screen->text, 0, NULL, 0) == 0;
}

/* Whole words: " link=up " */
static bool
match_status(const struct hand_screen *screen, const void *what)
{
	return strstr(screen->words, what) != NULL;
}

static enum status
wait_for(struct session *s, const char *said, int64_t timeout_s,
    match_fn *match, const void *what)
{
	enum err rc = OK;

	if (match(hand_screen(s->hand), what))
		return DONE;
	TRY(hand_timer(s->hand, timeout_s * 1000));
	do
		TRY(hand_next(s->hand));
	while (!match(hand_screen(s->hand), what));
	TRY(hand_timer(s->hand, 0));
out:
	if (rc == OK)
		return DONE;
	complain(s, "expected: %s", said);
	if (rc != ERR_TIMEOUT)
		complain(s, "%s", err_text(rc));
	show_screen(s);
	return FAILED;
}

static enum status
expect(struct session *s, const char *pattern, int64_t timeout_s)
{
	regex_t regex;
	enum status status;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) !=
	    0) {
		complain(s, "no regular expression: %s", pattern);
		return USAGE;
	}
	status = wait_for(s, pattern, timeout_s, match_screen, &regex);
	regfree(&regex);
	return status;
}

/* ---- commands ---- */

/* WORD... [--timeout-virtual S] */
static bool
take_timeout(char **words, int *count, int64_t *timeout_s)
{
	char *end;

	*timeout_s = TIMEOUT_S;
	if (*count < 2 || strcmp(words[*count - 2], "--timeout-virtual") != 0)
		return true;
	errno = 0;
	*timeout_s = strtoll(words[*count - 1], &end, 10);
	*count -= 2;
	return *end == '\0' && errno == 0 && *timeout_s > 0 &&
	       *timeout_s < INT64_MAX / 1000;
}

static enum status
do_wait_screen(struct session *s, char **words, int count)
{
	int64_t timeout_s;

	if (!take_timeout(words, &count, &timeout_s) || count != 1)
		return USAGE;
	return expect(s, words[0], timeout_s);
}

static enum status
do_wait_status(struct session *s, char **words, int count)
{
	char word[LINE_OCTETS];
	int64_t timeout_s;

	if (!take_timeout(words, &count, &timeout_s) || count != 1)
		return USAGE;
	(void)snprintf(word, sizeof(word), " %s ", words[0]);
	return wait_for(s, words[0], timeout_s, match_status, word);
}

static enum status
do_screen(struct session *s, char **words, int count)
{
	(void)words;
	(void)count;
	print_screen(stdout, "", hand_screen(s->hand)->text);
	return DONE;
}

static enum status
do_status(struct session *s, char **words, int count)
{
	const char *said = hand_screen(s->hand)->words;

	(void)words;
	(void)count;
	printf("%.*s\n", (int)strlen(said) - 2, said + 1);
	return DONE;
}

static enum status
do_key(struct session *s, char **words, int count)
{
	return press(s, "key", words, count);
}

static enum status
do_hold(struct session *s, char **words, int count)
{
	return press(s, "down", words, count);
}

static enum status
do_release(struct session *s, char **words, int count)
{
	return press(s, "up", words, count);
}

/* pedsim may stand in another directory. */
static enum status
do_insert(struct session *s, char **words, int count)
{
	char *path = realpath(words[0], NULL);
	enum status status;

	(void)count;
	if (path == NULL) {
		complain(s, "%s: %s", words[0], strerror(errno));
		return FAILED;
	}
	status = ask(s, "insert", path);
	mem_free(path);
	return status;
}

static enum status
do_remove(struct session *s, char **words, int count)
{
	(void)words;
	(void)count;
	return ask(s, "remove", "");
}

static void
print_action(const char *text)
{
	int64_t ms;
	int octets;

	if (sscanf(text, "%" SCNd64 " %n", &ms, &octets) == 1)
		printf("%02" PRId64 ":%02" PRId64 ":%02" PRId64 " %s\n",
		    ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
		    text + octets);
}

static enum status
do_log(struct session *s, char **words, int count)
{
	const char *answer;
	enum err rc = hand_ask(s->hand, print_action, &answer, "log");

	(void)words;
	(void)count;
	return answered(s, rc, answer);
}

static bool
is_at(const struct session *s, const char *state)
{
	return strstr(hand_screen(s->hand)->words, state) != NULL;
}

/* From wherever it is: out to the menu, and into the mode. */
static enum status
do_mode(struct session *s, char **words, int count)
{
	static const struct {
		const char *name, *state, *key;
	} modes[] = {
	    {"local", " state=AT_LOCAL ", "0"},
	    {"remote", " state=AT_REMOTE ", "7"},
	    {"menu", " state=AT_MODES ", ""},
	};
	enum status status = DONE;
	size_t k = 0;

	(void)count;
	while (k < sizeof(modes) / sizeof(modes[0]) &&
	       strcmp(modes[k].name, words[0]) != 0)
		k++;
	if (k == sizeof(modes) / sizeof(modes[0]))
		return USAGE;
	while (status == DONE && !is_at(s, modes[k].state)) {
		const char *key = is_at(s, " state=AT_MODES ")   ? modes[k].key
				  : is_at(s, " state=AT_LEAVE ") ? "YES"
								 : "<";
		char word[8];
		char *one = word;

		(void)snprintf(word, sizeof(word), "%s", key);
		status = press(s, "key", &one, 1);
	}
	return status;
}

/* ---- iKeys, without a PED ---- */

static enum status
ikey_new(const struct session *s, const char *path)
{
	uint8_t octets[IKEY_OCTETS];
	struct env *env = NULL;
	struct ikey key;
	enum err rc = OK;
	int fd = -1;

	TRY(env_new(&env));
	TRY(ikey_blank(env, &key));
	TRY(ikey_write(&key, octets));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 ||
	    write(fd, octets, sizeof(octets)) != (ssize_t)sizeof(octets) ||
	    fsync(fd) != 0)
		TRY(ERR_SYSTEM);
out:
	if (rc != OK)
		complain(s, "%s: %s", path,
		    rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
	if (fd >= 0)
		close(fd);
	env_free(env);
	return rc == OK ? DONE : FAILED;
}

static void
print_octets(const char *label, const uint8_t *at, size_t octets)
{
	fputs(label, stdout);
	while (octets-- != 0)
		printf("%02x", *at++);
	putchar('\n');
}

static enum status
ikey_show(const struct session *s, const char *path)
{
	uint8_t octets[IKEY_OCTETS + 1];
	struct ikey key;
	ssize_t got = -1;
	enum err rc = ERR_SYSTEM;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		got = read(fd, octets, sizeof(octets));
		close(fd);
	}
	if (got >= 0)
		rc = ikey_read((struct bytes){octets, (size_t)got}, &key);
	if (rc != OK) {
		complain(s, "%s: %s", path,
		    rc == ERR_SYSTEM ? strerror(errno) : err_text(rc));
		return FAILED;
	}
	printf("colour: %s\n", ikey_colour_name(key.colour));
	print_octets("serial: ", key.serial, sizeof(key.serial));
	if (key.colour == IKEY_BLANK)
		return DONE;
	print_octets("keyset: ", key.keyset, sizeof(key.keyset));
	printf("share: %u of %u, %u needed\n", key.index, key.n, key.m);
	printf("pin: %s\n", key.has_pin ? "yes" : "no");
	return DONE;
}

static enum status
do_ikey(struct session *s, char **words, int count)
{
	(void)count;
	if (strcmp(words[0], "new") == 0)
		return ikey_new(s, words[1]);
	if (strcmp(words[0], "show") == 0)
		return ikey_show(s, words[1]);
	return USAGE;
}

/* ---- choosing, and scripts ---- */

static enum status do_script(struct session *s, char **words, int count);

/* The rest of the line is one word. */
enum { REST = 1 };

static const struct command {
	const char *name;
	enum status (*run)(struct session *s, char **words, int count);
	int least, most; /* words */
	unsigned flags;
} commands[] = {
    {"screen", do_screen, 0, 0, 0},
    {"status", do_status, 0, 0, 0},
    {"wait-screen", do_wait_screen, 1, 3, 0},
    {"expect", do_wait_screen, 1, 1, REST},
    {"wait-status", do_wait_status, 1, 3, 0},
    {"key", do_key, 1, WORDS_MAX, 0},
    {"press", do_key, 1, WORDS_MAX, 0},
    {"hold", do_hold, 1, 1, 0},
    {"release", do_release, 1, 1, 0},
    {"insert", do_insert, 1, 1, REST},
    {"remove", do_remove, 0, 0, 0},
    {"mode", do_mode, 1, 1, 0},
    {"log", do_log, 0, 0, 0},
    {"script", do_script, 1, 1, REST},
    {"ikey", do_ikey, 2, 2, 0},
};

static const struct command *
find_command(const char *name)
{
	size_t k;

	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++)
		if (strcmp(commands[k].name, name) == 0)
			return &commands[k];
	return NULL;
}

static enum status
run(struct session *s, const char *name, char **words, int count)
{
	const struct command *command = find_command(name);
	enum status status = USAGE;

	if (command != NULL && count >= command->least &&
	    count <= command->most)
		status = command->run(s, words, count);
	if (status == USAGE)
		complain(s,
		    "%s: not so; see the head of pedctl's source or "
		    "docs/ped.md",
		    name);
	return status;
}

static enum status
run_line(struct session *s, char *line)
{
	char *words[WORDS_MAX];
	char *rest = line + strspn(line, " \t");
	char *name = strsep(&rest, " \t");
	const struct command *command = find_command(name);
	char *word;
	int count = 0;

	if (command != NULL && (command->flags & REST) != 0) {
		if (rest != NULL)
			words[count++] = rest + strspn(rest, " \t");
		return run(s, name, words, count);
	}
	while ((word = strsep(&rest, " \t")) != NULL && count < WORDS_MAX)
		if (*word != '\0')
			words[count++] = word;
	return run(s, name, words, count);
}

static bool
waits(const char *line)
{
	line += strspn(line, " \t");
	return strncmp(line, "expect", 6) == 0 ||
	       strncmp(line, "wait-", 5) == 0;
}

static enum status
run_script(struct session *s, FILE *in)
{
	char line[LINE_OCTETS];
	enum status status = DONE;

	while (status == DONE && fgets(line, sizeof(line), in) != NULL) {
		char copy[LINE_OCTETS];

		s->place.line++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
			continue;
		memcpy(copy, line, sizeof(copy));
		status = run_line(s, copy);
		if (status != DONE)
			break;
		printf("%s\n", line);
		if (waits(line))
			print_screen(
			    stdout, "  | ", hand_screen(s->hand)->text);
	}
	return status;
}

static enum status
do_script(struct session *s, char **words, int count)
{
	const struct place before = s->place;
	const bool is_input = strcmp(words[0], "-") == 0;
	FILE *in = is_input ? stdin : fopen(words[0], "re");
	enum status status;

	(void)count;
	if (in == NULL) {
		complain(s, "%s: %s", words[0], strerror(errno));
		return FAILED;
	}
	s->place = (struct place){.file = words[0]};
	status = run_script(s, in);
	s->place = before;
	if (!is_input)
		(void)fclose(in);
	return status;
}

static enum status
usage(void)
{
	size_t k;

	fputs("usage: pedctl [--patience S] DIR COMMAND [WORDS]\n"
	      "       pedctl ikey new|show FILE\n"
	      "commands:",
	    stderr);
	for (k = 0; k < sizeof(commands) / sizeof(commands[0]); k++)
		fprintf(stderr, " %s", commands[k].name);
	fputc('\n', stderr);
	return USAGE;
}

int
main(int argc, char **argv)
{
	struct session s = {0};
	int patience_s = PATIENCE_S;
	enum status status;
	enum err rc;

	/* each step of a script is seen as it is done */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	argv++;
	argc--;
	if (argc > 2 && strcmp(argv[0], "--patience") == 0) {
		patience_s = atoi(argv[1]);
		argv += 2;
		argc -= 2;
	}
	if (argc > 1 && strcmp(argv[1], "ikey") == 0) {
		argv++;
		argc--;
	}
	if (argc > 0 && strcmp(argv[0], "ikey") == 0)
		return (int)run(&s, argv[0], argv + 1, argc - 1);
	if (argc < 2 || patience_s < 1 || patience_s > 86400)
		return (int)usage();
	rc = hand_new(argv[0], patience_s, &s.hand);
	if (rc != OK) {
		complain(&s, "%s: %s", argv[0],
		    rc == ERR_NOT_FOUND ? "no PED answers there"
					: err_text(rc));
		return FAILED;
	}
	status = run(&s, argv[1], argv + 2, argc - 2);
	hand_free(s.hand);
	return (int)status;
}
