/*
 * Text that others wrote, put where it can do no harm: a peer's message, a
 * case's title, a file's name. What stands there is still read for what it was:
 * control characters become their pictures (U+2400 and on), line feeds too
 * where one line is promised.
 *
 * `text` is UTF-8 (results.h sees to it); NULL is nothing. Whether the stream
 * took it all is asked once, at the end, with ferror().
 */
#ifndef TOUCHSTONE_ESCAPE_H
#define TOUCHSTONE_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* For a terminal: one line, no escape sequences. */
void escape_line(FILE *to, const char *text);

/* Between tags, and in attributes with double quotes, of HTML and of XML 1.0
 * (section 2.2 says what cannot stand there even escaped). */
void escape_markup(FILE *to, const char *text);
void escape_attribute(FILE *to, const char *text);

/* The same for a part of a text, cut between characters. */
void escape_line_part(FILE *to, const char *text, size_t octets);
void escape_markup_part(FILE *to, const char *text, size_t octets);

/* In double quotes, as YAML 1.2 section 7.3.1 and JSON both read it. */
void escape_quoted(FILE *to, const char *text);

#endif
