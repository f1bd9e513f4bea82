#include "base/options.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	STATUS_USAGE = 2,
	COLUMNS = 79,
	HEAD_OCTETS = 128,
	HEAD_MOST = 24,  /* a longer one has a line of its own */
	FIRST_ROW = 256, /* no character: not what getopt has for errors */
	HELP = FIRST_ROW + OPTIONS_ROWS_MAX,
	VERSION,
};

static const char *
dashes(const struct options_form *form)
{
	return form->is_vendors ? "-" : "--";
}

void
options_refuse(const struct options_form *form, const char *format, ...)
{
	FILE *to = form->is_vendors ? stdout : stderr;
	va_list args;

	fprintf(to, "%s: ", form->is_vendors ? "Error" : form->name);
	va_start(args, format);
	vfprintf(to, format, args);
	va_end(args);
	fputs(form->is_vendors ? "\n" : "; see --help\n", to);
	exit(STATUS_USAGE);
}

/* ---- help ---- */

/* "--model k6|luna7" */
static int
write_head(const struct options_form *form, const struct options_row *row,
    char head[HEAD_OCTETS])
{
	const char *const *choice = row->choices;
	int octets = snprintf(head, HEAD_OCTETS, "%s%s%s%s", dashes(form),
	    row->word, row->flag == NULL ? " " : "",
	    row->argument != NULL ? row->argument : "");

	for (; choice != NULL && *choice != NULL; choice++)
		octets += snprintf(head + octets, HEAD_OCTETS - (size_t)octets,
		    "%s%s", choice == row->choices ? "" : "|", *choice);
	return octets;
}

/* Lines from this column on; the first is there already. */
static void
put_lines(const char *text, int column)
{
	const char *word = text;
	int at = column;
	int octets;

	for (; *word != '\0'; word += octets + (word[octets] == ' ')) {
		octets = (int)strcspn(word, " ");
		if (at > column && at + 1 + octets > COLUMNS) {
			printf("\n%*s", column, "");
			at = column;
		}
		at += printf("%s%.*s", at > column ? " " : "", octets, word);
	}
	putchar('\n');
}

static void
put_help(const struct options_form *form, const struct options_row *rows,
    size_t count)
{
	char head[HEAD_OCTETS];
	int column = 0;
	int octets;

	for (size_t k = 0; k < count; k++) {
		octets = write_head(form, &rows[k], head);
		if (octets <= HEAD_MOST && octets > column)
			column = octets;
	}
	printf("%s\n", form->usage);
	for (size_t k = 0; k < count; k++) {
		octets = write_head(form, &rows[k], head);
		if (octets > column)
			printf("  %s\n%*s", head, column + 4, "");
		else
			printf("  %-*s  ", column, head);
		put_lines(rows[k].help, column + 4);
	}
	printf("  %sversion\n  %shelp\n", dashes(form), dashes(form));
	if (form->more != NULL)
		form->more(stdout);
}

/* ---- reading ---- */

static void
take_number(const struct options_form *form, const struct options_row *row)
{
	char *end;
	unsigned long number = strtoul(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end != '\0' ||
	    number < row->least || number > row->most)
		options_refuse(form, "%s%s %s: %u to %u", dashes(form),
		    row->word, optarg, row->least, row->most);
	*row->number = (unsigned)number;
}

static void
take_choice(const struct options_form *form, const struct options_row *row)
{
	unsigned k;

	for (k = 0; row->choices[k] != NULL; k++) {
		if (strcmp(row->choices[k], optarg) == 0) {
			*row->choice = k;
			return;
		}
	}
	options_refuse(
	    form, "%s%s %s: no such choice", dashes(form), row->word, optarg);
}

static void
take(const struct options_form *form, const struct options_row *row)
{
	if (row->flag != NULL)
		*row->flag = true;
	else if (row->text != NULL)
		*row->text = optarg;
	else if (row->number != NULL)
		take_number(form, row);
	else
		take_choice(form, row);
}

void
options_read(const struct options_form *form, const struct options_row *rows,
    size_t count, int argc, char **argv)
{
	int (*next)(int, char *const *, const char *, const struct option *,
	    int *) = form->is_vendors ? getopt_long_only : getopt_long;
	struct option known[OPTIONS_ROWS_MAX + 3] = {{.name = NULL}};
	int c;

	assert(count <= OPTIONS_ROWS_MAX);
	known[0] = (struct option){"help", no_argument, NULL, HELP};
	known[1] = (struct option){"version", no_argument, NULL, VERSION};
	for (size_t k = 0; k < count; k++)
		known[k + 2] = (struct option){rows[k].word,
		    rows[k].flag != NULL ? no_argument : required_argument,
		    NULL, FIRST_ROW + (int)k};
	while ((c = next(argc, argv, "", known, NULL)) != -1) {
		if (c == HELP) {
			put_help(form, rows, count);
			exit(0);
		}
		if (c == VERSION) {
			printf("%s %s\n", form->name, form->version);
			exit(0);
		}
		if (c < FIRST_ROW)
			exit(STATUS_USAGE); /* getopt has said why */
		take(form, &rows[c - FIRST_ROW]);
	}
	if (optind != argc)
		options_refuse(form, "not understood: %s", argv[optind]);
}
