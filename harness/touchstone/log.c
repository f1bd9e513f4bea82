/*
 * touchstone log verify: is a signed log genuine?
 */
#include "command.h"
#include "file.h"
#include "log_verify.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX_OCTETS = 1 << 30, CERTIFICATE_MAX_OCTETS = 1 << 20 };

static const char usage[] = "usage: touchstone log verify FILE --certificate "
			    "CERT [--log LOG] [--each-octet]";

/* Everything that the command has been given. */
struct given {
	const char *path, *certificate_path, *log_path;
	bool each_octet;
	struct buf file, log;
	struct x509 by;
};

static size_t
lines_of(const struct buf *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->octets; i++)
		lines += text->at[i] == '\n';
	return lines;
}

static int
report(const struct given *g, struct log_report *found)
{
	struct buf prints = {0};

	if (!found->genuine) {
		printf(
		    "not genuine: %s\n%s", g->path, buf_peek_text(&found->why));
		return EXIT_DIFFERS;
	}
	x509_thumbprints(buf_peek(&g->by.certificate), &prints);
	printf("genuine: %zu lines, signed at %s (%s)\nthumbprint: %s\n",
	    lines_of(&found->text), found->at,
	    found->form == LOG_OPAQUE ? "opaque" : "multipart",
	    buf_peek_text(&prints));
	buf_clear(&prints);
	return EXIT_CONFORMS;
}

/* Of a genuine file: change each octet, and have it found out. */
static int
try_each_octet(struct given *g)
{
	int code = EXIT_CONFORMS;

	for (size_t i = 0; i < g->file.octets; i++) {
		struct log_report found = {0};
		uint8_t was = g->file.at[i];

		g->file.at[i] ^= (uint8_t)(1 << i % 8);
		log_verify(buf_peek(&g->file), &g->by, NULL, &found);
		if (found.genuine) {
			printf("octet %zu: a change to \\x%02x is not seen\n",
			    i, g->file.at[i]);
			code = EXIT_DIFFERS;
		}
		g->file.at[i] = was;
		log_report_clear(&found);
	}
	if (code == EXIT_CONFORMS)
		printf("each of %zu octets changed: always seen\n",
		    g->file.octets);
	return code;
}

static int
verify(struct given *g)
{
	struct bytes log = buf_peek(&g->log);
	struct log_report found = {0};
	int code;

	log_verify(buf_peek(&g->file), &g->by,
	    g->log_path != NULL ? &log : NULL, &found);
	code = report(g, &found);
	log_report_clear(&found);
	if (code == EXIT_CONFORMS && g->each_octet)
		code = try_each_octet(g);
	return code;
}

static enum err
read_all(struct given *g, struct fault *f)
{
	struct buf certificate = {0};
	enum err rc = OK;

	TRY(file_read(g->path, FILE_MAX_OCTETS, &g->file, f));
	TRY(file_read(
	    g->certificate_path, CERTIFICATE_MAX_OCTETS, &certificate, f));
	rc = x509_read(buf_peek(&certificate), &g->by, f);
	if (rc == OK && g->log_path != NULL)
		rc = file_read(g->log_path, FILE_MAX_OCTETS, &g->log, f);
out:
	buf_clear(&certificate);
	return rc;
}

int
command_log(int argc, char **argv)
{
	static const struct option options[] = {{"certificate", 1, NULL, 'c'},
	    {"log", 1, NULL, 'l'}, {"each-octet", 0, NULL, 'e'}, {0}};
	struct given g = {0};
	struct fault f;
	int c, code;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'c')
			g.certificate_path = optarg;
		else if (c == 'l')
			g.log_path = optarg;
		else if (c == 'e')
			g.each_octet = true;
		else
			return EXIT_COULD_NOT_TELL;
	}
	if (optind + 2 != argc || strcmp(argv[optind], "verify") != 0 ||
	    g.certificate_path == NULL)
		return command_refuse("log", "%s", usage);
	g.path = argv[optind + 1];
	code = read_all(&g, &f) == OK ? verify(&g)
				      : command_refuse("log", "%s", f.text);
	x509_clear(&g.by);
	buf_clear(&g.file);
	buf_clear(&g.log);
	return code;
}
