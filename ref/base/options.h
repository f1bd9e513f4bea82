/*
 * What a program is started with: one table of its options is how they are
 * read, and what --help prints of them.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { OPTIONS_ROWS_MAX = 32 };

struct options_row {
	const char *word;     /* without its dashes */
	const char *argument; /* as help has it, "DIR"; NULL: see below */
	const char *help;     /* one line, cut where it has to be */
	/* Where it goes, one of these; what is not given stays as it is. */
	const char **text; /* a word of argv */
	bool *flag;        /* true; it takes no argument */
	unsigned *number;  /* `least` to `most` */
	unsigned *choice;  /* which of `choices`; they are its argument */
	unsigned least, most;
	const char *const *choices; /* behind the last: NULL */
};

/* How the program speaks of them. */
struct options_form {
	const char *name;
	const char *version;
	const char *usage;      /* lines of help, before those of options */
	void (*more)(FILE *to); /* ... and behind them; NULL: nothing */
	/*
	 * As the vendor's own programs: one dash before a word will do, and
	 * what is wrong is said on standard output.
	 */
	bool is_vendors;
};

/*
 * Read all of argv, which has options only.
 *
 * It ends the program, with status 0 after --help and --version, and with 2
 * when it has said what cannot be read.
 */
void options_read(const struct options_form *form,
    const struct options_row *rows, size_t count, int argc, char **argv);

/* The same end, for what no row can say: that two go together. */
void options_refuse(const struct options_form *form, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
