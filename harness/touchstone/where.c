#include "where.h"

#include "schema.h"

#include <stdlib.h>
#include <string.h>

/* A target file out of the options, so that one reader judges both. */
static enum err
target_of_options(
    struct arena *a, const struct where *w, struct target *t, struct fault *f)
{
	const char *text;

	if (w->host == NULL || w->port == NULL || w->cert == NULL ||
	    w->key == NULL || w->ca == NULL)
		return fault_say(f, ERR_USAGE,
		    "--target FILE, or --host, --port, --cert, --key and --ca");
	text = arena_printf(a,
	    "[target]\nname = %s:%s\nhost = %s\nport = %s\n"
	    "[identity A]\ncertificate = %s\nkey = %s\nca = %s\n"
	    "[claims]\nversions = 1.4\noperations = Query\nfamilies = *\n",
	    w->host, w->port, w->host, w->port, w->cert, w->key, w->ca);
	return target_parse(a, "command line", bytes_of_text(text), t, f);
}

/* Options beside a target file go before what it says. */
static enum err
put_over(const struct where *w, struct target *t, struct fault *f)
{
	char *end;

	if (w->host != NULL)
		t->host = w->host;
	if (w->port != NULL) {
		t->port = strtol(w->port, &end, 10);
		if (*end != '\0' || t->port < 1 || t->port > 65535)
			return fault_say(f, ERR_USAGE, "no port: %s", w->port);
	}
	for (unsigned i = 0; i < t->identity_count; i++) {
		struct identity *id = &t->identities[i];

		if (w->cert != NULL)
			id->certificate = w->cert;
		if (w->key != NULL)
			id->key = w->key;
		if (w->ca != NULL)
			id->ca = w->ca;
	}
	return OK;
}

static enum err
find_identity(const struct where *w, const struct target *t,
    const struct identity **out, struct fault *f)
{
	*out = &t->identities[0];
	for (unsigned i = 0; w->identity != NULL; i++) {
		if (i == t->identity_count)
			return fault_say(f, ERR_USAGE, "%s has no identity %s",
			    t->path, w->identity);
		*out = &t->identities[i];
		if (strcmp((*out)->name, w->identity) == 0)
			break;
	}
	return OK;
}

static enum err
find_version(const struct where *w, const struct target *t, unsigned *out,
    struct fault *f)
{
	*out = VERSION_NONE;
	if (w->version != NULL) {
		*out = version_parse(w->version);
		if (*out == VERSION_NONE)
			return fault_say(f, ERR_USAGE,
			    "--version takes 1.0 to 1.4, 2.0, 2.1");
	}
	for (int i = 0; w->version == NULL && i < VERSIONS; i++)
		if (target_claims_version(t, version_at(i)))
			*out = version_at(i);
	return OK;
}

enum err
where_find(struct arena *a, const struct where *w, struct target *t,
    const struct identity **identity, unsigned *version, struct fault *f)
{
	enum err rc = OK;

	if (w->target != NULL) {
		TRY(target_read(a, w->target, t, f));
		TRY(put_over(w, t, f));
	} else {
		TRY(target_of_options(a, w, t, f));
	}
	TRY(find_identity(w, t, identity, f));
	TRY(find_version(w, t, version, f));
out:
	return rc;
}
