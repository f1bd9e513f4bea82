#include "lunacm/face.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_CTRL_C = 3, KEY_CTRL_D = 4, KEY_BACKSPACE = 8, KEY_DELETE = 127 };

void
face_init(struct face *face)
{
	face->in = STDIN_FILENO;
	face->terminal = isatty(face->in) == 1;
}

void
face_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
}

/*
 * One at a time: what is not read yet may be a password, and lies in no buffer
 * of ours.
 */
static enum err
read_octet(struct face *face, uint8_t *out)
{
	ssize_t got;

	do
		got = read(face->in, out, 1);
	while (got < 0 && errno == EINTR);
	return got == 1 ? OK : ERR_CLOSED;
}

static void
show(const char *prompt)
{
	(void)fputs(prompt, stdout);
	(void)fflush(stdout);
}

enum err
face_ask(struct face *face, const char *prompt, struct buf *out)
{
	uint8_t c;
	enum err fits = OK;
	enum err rc = OK;

	show(prompt);
	buf_reset(out);
	for (;;) {
		rc = read_octet(face, &c);
		/* A last line may lack its end. */
		if (rc == ERR_CLOSED && out->octets != 0)
			rc = OK;
		else if (rc == OK && c != '\n') {
			if (out->octets == FACE_LINE_OCTETS)
				fits = ERR_LENGTH;
			if (fits == OK)
				fits = buf_put(out, (struct bytes){&c, 1});
			continue;
		}
		break;
	}
	if (!face->terminal)
		face_say("%.*s\n", (int)out->octets,
		    out->octets != 0 ? (const char *)out->at : "");
	else if (rc != OK)
		face_say("\n");
	return rc == OK ? fits : rc;
}

/* ---- secrets ---- */

struct entry {
	uint8_t text[FACE_SECRET_OCTETS];
	size_t octets;
	bool longer;
};

static bool
is_continuation(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* A character typed at a terminal: true when the entry is at its end. */
static bool
type(struct entry *entry, uint8_t c, enum err *rc)
{
	if (c == '\n' || c == '\r')
		return true;
	if (c == KEY_CTRL_C || c == KEY_CTRL_D) {
		*rc = ERR_CLOSED;
		return true;
	}
	if (c == KEY_BACKSPACE || c == KEY_DELETE) {
		if (entry->octets == 0)
			return false;
		while (--entry->octets != 0 &&
		       is_continuation(entry->text[entry->octets]))
			continue;
		show("\b \b");
		return false;
	}
	if (entry->octets == sizeof(entry->text)) {
		entry->longer = true;
		return false;
	}
	entry->text[entry->octets++] = c;
	if (!is_continuation(c))
		show("*");
	return false;
}

/* req: KSC-088  "The entered password is shown as asterisks or not at all." */
static enum err
read_typed(struct face *face, struct entry *entry)
{
	struct termios before;
	struct termios raw;
	uint8_t c = 0;
	enum err rc = OK;

	if (tcgetattr(face->in, &before) != 0)
		return ERR_SYSTEM;
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ECHO | ICANON | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(face->in, TCSADRAIN, &raw) != 0)
		return ERR_SYSTEM;
	do
		rc = read_octet(face, &c);
	while (rc == OK && !type(entry, c, &rc));
	(void)tcsetattr(face->in, TCSADRAIN, &before);
	show("\n");
	return rc;
}

static enum err
read_scripted(struct face *face, struct entry *entry)
{
	uint8_t c = 0;
	enum err rc = read_octet(face, &c);

	while (rc == OK && c != '\n') {
		if (entry->octets == sizeof(entry->text))
			entry->longer = true;
		else
			entry->text[entry->octets++] = c;
		rc = read_octet(face, &c);
	}
	/* A last line may lack its end. */
	if (rc == ERR_CLOSED && entry->octets != 0)
		rc = OK;
	show(rc == OK ? "*****\n" : "\n");
	return rc;
}

enum err
face_ask_secret(struct face *face, const char *prompt, struct secret **out)
{
	struct entry entry = {.octets = 0};
	enum err rc = OK;

	*out = NULL;
	show(prompt);
	TRY(face->terminal ? read_typed(face, &entry)
			   : read_scripted(face, &entry));
	if (entry.longer)
		TRY(ERR_LENGTH);
	TRY(secret_copy((struct bytes){entry.text, entry.octets}, out));
out:
	secret_wipe(&entry, sizeof(entry));
	return rc;
}
