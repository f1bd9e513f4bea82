#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

static enum err
read_count(const char *text, uint64_t *out, struct fault *f)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != 0 || *text == '-')
		return fault_say(f, ERR_USAGE, "`%s` is no number", text);
	return OK;
}

enum err
options_read(struct arena *a, int argc, char **argv, struct options *out,
    struct fault *f)
{
	enum { TARGET, VECTORS, ONLY, WAIVERS, REPORT, SEED, MIN_TESTS };
	static const struct option table[] = {{"target", 1, NULL, TARGET},
	    {"vectors", 1, NULL, VECTORS}, {"only", 1, NULL, ONLY},
	    {"waivers", 1, NULL, WAIVERS}, {"report", 1, NULL, REPORT},
	    {"seed", 1, NULL, SEED}, {"min-tests", 1, NULL, MIN_TESTS},
	    {"show-secrets", 0, NULL, 's'}, {"mutate", 0, NULL, 'm'},
	    {"quiet", 0, NULL, 'q'}, {0}};
	uint64_t count;
	enum err rc = OK;
	int c;

	*out = (struct options){0};
	optind = 1;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case TARGET:
			out->target = optarg;
			break;
		case VECTORS:
			words_add(a, &out->vectors, optarg);
			break;
		case ONLY:
			words_add(a, &out->only, optarg);
			break;
		case WAIVERS:
			words_add(a, &out->waivers, optarg);
			break;
		case REPORT:
			out->report = optarg;
			break;
		case SEED:
			TRY(read_count(optarg, &out->seed, f));
			out->has_seed = true;
			break;
		case MIN_TESTS:
			TRY(read_count(optarg, &count, f));
			out->min_tests = count;
			break;
		case 's':
			out->show_secrets = true;
			break;
		case 'm':
			out->mutate = true;
			break;
		case 'q':
			out->quiet = true;
			break;
		default:
			return fault_say(f, ERR_USAGE, "see touchstone help");
		}
	}
	if (optind < argc)
		rc = fault_say(f, ERR_USAGE, "what is `%s`?", argv[optind]);
out:
	return rc;
}
