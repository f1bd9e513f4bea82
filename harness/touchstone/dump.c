#include "check.h"
#include "command.h"
#include "file.h"
#include "hex.h"
#include "schema.h"
#include "show.h"
#include "ttlv.h"

#include <getopt.h>
#include <stdio.h>

/* A binary message begins with the octet 42, which is no digit but `B`. */
static enum err
as_binary(struct buf *in, struct fault *f)
{
	struct buf octets = {0};
	enum err rc;

	if (in->octets > 3 && in->at[0] == 0x42 && in->at[3] < ' ')
		return OK;
	rc = hex_read(buf_peek(in), &octets, f);
	buf_clear(in);
	*in = octets;
	return rc;
}

static int
show_message(struct bytes message, unsigned version, bool xml, unsigned flags)
{
	struct arena *a = arena_new();
	struct node *root;
	struct finding found;
	struct buf out = {0};
	int code = EXIT_CONFORMS;

	if (ttlv_decode(a, message, &root, &found) == OK) {
		if (xml)
			show_xml(root, 0, flags, &out);
		else
			show_tree(root, flags, &out);
		fwrite(out.at, 1, out.octets, stdout);
		if (version == VERSION_NONE)
			version = check_version_of(root);
		if (version_index(version) >= 0)
			(void)!check_tree(root, version, &found);
	}
	if (found.kind != OK) {
		fprintf(stderr,
		    "octet %zu, %s: %s\n  expected %s\n  got      %s\n",
		    found.offset, found.path, err_text(found.kind),
		    found.expected, found.got);
		code = EXIT_DIFFERS;
	}
	buf_clear(&out);
	arena_free(a);
	return code;
}

int
command_dump(int argc, char **argv)
{
	static const struct option options[] = {{"xml", 0, NULL, 'x'},
	    {"version", 1, NULL, 'v'}, {"show-secrets", 0, NULL, 's'}, {0}};
	unsigned version = VERSION_NONE, flags = 0;
	struct buf in = {0};
	struct fault f;
	bool xml = false;
	int c, code;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'x')
			xml = true;
		else if (c == 's')
			flags |= SHOW_SECRETS;
		else if (c == 'v')
			version = version_parse(optarg);
		else
			return EXIT_COULD_NOT_TELL;
		if (c == 'v' && version == VERSION_NONE)
			return command_refuse(
			    "dump", "--version takes 1.0 to 1.4, 2.0, 2.1");
	}
	if (optind + 1 != argc)
		return command_refuse("dump", "one FILE, or - for stdin");
	if (file_read(argv[optind], 3 * TTLV_MAX_OCTETS, &in, &f) != OK ||
	    as_binary(&in, &f) != OK)
		code = command_refuse("dump", "%s", f.text);
	else
		code = show_message(buf_peek(&in), version, xml, flags);
	buf_clear(&in);
	return code;
}
