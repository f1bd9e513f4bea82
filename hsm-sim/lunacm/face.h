/*
 * The person's side of lunacm: a terminal, or a script on standard input.
 *
 * On a terminal a secret is shown as asterisks, one for each character, and
 * can be mended with backspace. In a script what is read is printed too, so
 * that the transcript is the one of the guide; a secret is always five
 * asterisks, which tell nothing of its length.
 */
#ifndef LUNACM_FACE_H
#define LUNACM_FACE_H

#include "base/buf.h"
#include "base/secret.h"

enum { FACE_LINE_OCTETS = 1024, FACE_SECRET_OCTETS = 255 };

struct face {
	int in;
	bool terminal;
};

/* Standard input and output. */
void face_init(struct face *face);

/*
 * Print, and read a line into `out`, which is reset first.
 *
 * ERR_CLOSED  there is no more
 * ERR_LENGTH  longer than FACE_LINE_OCTETS: all of it was passed over
 */
enum err
face_ask(struct face *face, const char *prompt, struct buf *out) MUST_CHECK;

/*
 * Likewise a secret, of up to FACE_SECRET_OCTETS; NULL on failure. On
 * a terminal Ctrl-C and Ctrl-D give it up: ERR_CLOSED.
 */
enum err face_ask_secret(
    struct face *face, const char *prompt, struct secret **out) MUST_CHECK;

/* printf to standard output; a failure shows when the tool ends. */
void face_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
