/*
 * touchstone-release: what a vendor does before a device can be upgraded.
 *
 *	touchstone-release keys DIR
 *	touchstone-release software --keys DIR --version 6.2.0p1 --out FILE
 *	                   [--notes TEXT] [--product NAME] NAME=PATH ...
 *	touchstone-release licence --keys DIR --clients N --out FILE
 *	                   [--version V] [--notes TEXT] [--product NAME]
 *
 * `keys` makes the keys of a release in DIR where there are none: release.key,
 * which signs, stays with the vendor; trust goes to each device. The others
 * make a package, docs/package-format.md; a NAME=PATH is a component and the
 * file with its content. The program of a device is the component
 * "touchstone-ref".
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "sign.h"

enum {
	COMPONENTS_MOST = 64,
	COMPONENTS_MAX_OCTETS = 255 * 1024 * 1024,
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

struct order {
	const char *type;
	const char *keys;
	const char *out;
	const char *version; /* NULL: none */
	const char *notes;   /* likewise */
	const char *product;
	const char *clients;
	char **components; /* "NAME=PATH" */
	int component_count;
};

static void
usage(FILE *to)
{
	fputs("usage: touchstone-release keys DIR\n"
	      "       touchstone-release software --keys DIR --version V "
	      "--out FILE\n"
	      "                          [--notes TEXT] [--product NAME] "
	      "NAME=PATH ...\n"
	      "       touchstone-release licence --keys DIR --clients N "
	      "--out FILE\n"
	      "                          [--version V] [--notes TEXT] "
	      "[--product NAME]\n"
	      "\n"
	      "  keys      make DIR/release.key, which signs packages, and "
	      "DIR/trust, which\n"
	      "            devices are given, where they are not there\n"
	      "  software  a package that upgrades a device's software; its "
	      "program is the\n"
	      "            component touchstone-ref\n"
	      "  licence   a package that lets N client devices connect at "
	      "one time\n",
	    to);
}

/* Contents go behind what is in `contents`; their names and sizes are lines. */
static enum err
add_component(
    char *given, struct buf *manifest, struct buf *contents, struct fault *f)
{
	char *path = strchr(given, '=');
	size_t before = contents->octets;
	enum err rc = OK;

	if (path == NULL)
		TRY(fault_say(f, ERR_USAGE, "%s: NAME=PATH", given));
	*path++ = '\0';
	TRY(file_read(path, COMPONENTS_MAX_OCTETS, contents, f));
	buf_printf(
	    manifest, "component = %s %zu\n", given, contents->octets - before);
out:
	return rc;
}

static enum err
pack(const struct order *o, struct buf *plain, struct fault *f)
{
	struct buf manifest = {0}, contents = {0};
	uint8_t octets[4];
	enum err rc = OK;

	buf_printf(&manifest, "type = %s\nproduct = %s\nmade = %" PRId64 "\n",
	    o->type, o->product, (int64_t)time(NULL));
	if (o->version != NULL)
		buf_printf(&manifest, "version = %s\n", o->version);
	if (o->notes != NULL)
		buf_printf(&manifest, "notes = %s\n", o->notes);
	if (o->clients != NULL)
		buf_printf(&manifest, "clients = %s\n", o->clients);
	for (int i = 0; i < o->component_count; i++)
		TRY(add_component(o->components[i], &manifest, &contents, f));
	bytes_put_number(octets, sizeof octets, manifest.octets);
	buf_put(plain, (struct bytes){octets, sizeof octets});
	buf_put(plain, buf_peek(&manifest));
	buf_put(plain, buf_peek(&contents));
out:
	buf_clear(&manifest);
	buf_clear(&contents);
	return rc;
}

static enum err
make_package(const struct order *o, struct fault *f)
{
	struct release *release = NULL;
	struct buf plain = {0}, package = {0};
	enum err rc = OK;

	TRY(release_open(o->keys, &release, f));
	TRY(pack(o, &plain, f));
	TRY(release_seal(release, buf_peek(&plain), &package, f));
	TRY(release_write(o->out, 0644, buf_peek(&package), f));
out:
	release_free(release);
	buf_clear(&plain);
	buf_clear(&package);
	return rc;
}

/* What has to be there, and nothing that does not belong there. */
static bool
is_complete(const struct order *o)
{
	bool is_software = strcmp(o->type, "software") == 0;

	return o->keys != NULL && o->out != NULL &&
	       o->component_count <= COMPONENTS_MOST &&
	       is_software == (o->component_count > 0) &&
	       is_software == (o->clients == NULL) &&
	       (!is_software || o->version != NULL);
}

static bool
read_order(int argc, char **argv, struct order *o)
{
	static const struct option known[] = {
	    {"keys", required_argument, NULL, 'k'},
	    {"out", required_argument, NULL, 'o'},
	    {"version", required_argument, NULL, 'v'},
	    {"notes", required_argument, NULL, 'n'},
	    {"product", required_argument, NULL, 'p'},
	    {"clients", required_argument, NULL, 'c'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	o->type = argv[0];
	o->product = "touchstone-ref";
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'k':
			o->keys = optarg;
			break;
		case 'o':
			o->out = optarg;
			break;
		case 'v':
			o->version = optarg;
			break;
		case 'n':
			o->notes = optarg;
			break;
		case 'p':
			o->product = optarg;
			break;
		case 'c':
			o->clients = optarg;
			break;
		default:
			return false;
		}
	}
	o->components = argv + optind;
	o->component_count = argc - optind;
	return is_complete(o);
}

static int
finish(enum err rc, const struct fault *f)
{
	if (rc == OK)
		return EXIT_DONE;
	fprintf(stderr, "touchstone-release: %s\n",
	    f->text[0] != '\0' ? f->text : err_text(rc));
	return EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	struct order o = {0};
	struct fault f = {""};

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (argc == 3 && strcmp(argv[1], "keys") == 0)
		return finish(release_make(argv[2], &f), &f);
	if (argc > 2 &&
	    (strcmp(argv[1], "software") == 0 ||
		strcmp(argv[1], "licence") == 0) &&
	    read_order(argc - 1, argv + 1, &o))
		return finish(make_package(&o, &f), &f);
	usage(stderr);
	return EXIT_USAGE;
}
