/*
 * The parts of `touchstone kmip`: its words, the requests it makes of them
 * (kmip_request.c), the answers it tells (kmip_answer.c).
 */
#ifndef TOUCHSTONE_KMIP_H
#define TOUCHSTONE_KMIP_H

#include "buf.h"
#include "target.h"

enum { ATTRIBUTES_MAX = 64, ARGUMENTS_MAX = 64 };

/* The options: OPTION(identifier, word, takes a value). */
/* clang-format off */
#define OPTIONS \
	/* where the server is, and who we are to it */ \
	OPTION(TARGET,       "target",       1) \
	OPTION(IDENTITY,     "identity",     1) \
	OPTION(HOST,         "host",         1) \
	OPTION(PORT,         "port",         1) \
	OPTION(CERT,         "cert",         1) \
	OPTION(KEY,          "key",          1) \
	OPTION(CA,           "ca",           1) \
	OPTION(VERSION,      "version",      1) \
	/* what an object is to be */ \
	OPTION(NAME,         "name",         1) \
	OPTION(ALG,          "alg",          1) \
	OPTION(LENGTH,       "length",       1) \
	OPTION(MASK,         "mask",         1) \
	OPTION(PRIVATE_MASK, "private-mask", 1) \
	OPTION(PUBLIC_MASK,  "public-mask",  1) \
	OPTION(ATTRIBUTE,    "attribute",    1) \
	OPTION(TYPE,         "type",         1) \
	OPTION(FORMAT,       "format",       1) \
	OPTION(MATERIAL,     "material",     1) \
	/* what an operation is to do */ \
	OPTION(OUT,          "out",          1) \
	OPTION(REASON,       "reason",       1) \
	OPTION(MESSAGE,      "message",      1) \
	OPTION(SINCE,        "since",        1) \
	OPTION(MAX,          "max",          1) \
	OPTION(OFFSET,       "offset",       1) \
	OPTION(INDEX,        "index",        1) \
	/* what is printed */ \
	OPTION(XML,          "xml",          0) \
	OPTION(SHOW_SECRETS, "show-secrets", 0)
/* clang-format on */

enum option_id {
#define OPTION(id, word, value) OPT_##id,
	OPTIONS
#undef OPTION
	    OPT_COUNT
};

struct call;
struct node;

/* Fill the payload of a request. ERR_SYNTAX, ERR_USAGE: `f` of the call. */
typedef enum err kmip_fill(struct call *c, struct node *payload);
kmip_fill kmip_fill_id, kmip_fill_create, kmip_fill_create_key_pair,
    kmip_fill_register, kmip_fill_get, kmip_fill_attributes,
    kmip_fill_add_attribute, kmip_fill_modify_attribute,
    kmip_fill_delete_attribute, kmip_fill_locate, kmip_fill_revoke,
    kmip_fill_check, kmip_fill_query, kmip_fill_discover;

/* Tell what a payload says; NULL when the answer has none. */
typedef enum err kmip_tell(struct call *c, const struct node *payload);
kmip_tell kmip_tell_ids, kmip_tell_pair, kmip_tell_object, kmip_tell_attributes,
    kmip_tell_references, kmip_tell_items, kmip_tell_versions;

/* One call of the command, from its words to its answer. */
struct call {
	struct arena *a;
	const struct verb *verb;
	const char *option[OPT_COUNT];
	const char *attribute[ATTRIBUTES_MAX]; /* "NAME=VALUE" */
	size_t attribute_count;
	const char *argument[ARGUMENTS_MAX];
	size_t argument_count;
	struct target target;
	const struct identity *identity;
	unsigned version;
	struct buf material, sent, received;
	struct fault f;
};

struct verb {
	const char *word;
	uint32_t operation; /* 0: the message comes whole */
	const char *arguments;
	size_t least, most;
	kmip_fill *fill;
	kmip_tell *tell;
};

#endif
