/*
 * The program's own log (not the appliance's five logs), to standard error.
 *
 * LOG=wire:trace,kmip:debug turns up one module at a time; a module is the
 * folder's name. What is not named is at "info". Never give it key octets:
 * there is no format for them.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* Read LOG from the environment; once, before the first thread. */
void log_init(void);

/* Would a line at this level be written? For what is costly to prepare. */
bool log_wants(const char *module, enum log_level level);

/* One line; line feeds and control characters in it are made harmless. */
void log_line(const char *module, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
