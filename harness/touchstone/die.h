/*
 * The tool gives up: one line on standard error, exit code 2, "could not
 * tell". For what leaves no verdict to give (no memory, a broken promise of
 * the machine), never for what a target or a case did.
 */
#ifndef TOUCHSTONE_DIE_H
#define TOUCHSTONE_DIE_H

void
die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
