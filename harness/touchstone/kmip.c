/*
 * touchstone kmip OPERATION: a KMIP client for scripts.
 *
 * One row of `verbs` is one operation: what it takes, how its request is
 * filled, how its answer is told. An answer is told in lines of a value or of
 * name=value, so that `id=$(touchstone kmip create ...)` works. Secrets come
 * from files or standard input, never from the command line, which everybody
 * on the machine can read.
 */
#include "command.h"
#include "escape.h"
#include "file.h"
#include "form.h"
#include "hex.h"
#include "kmip.h"
#include "answer.h"
#include "message.h"
#include "schema.h"
#include "show.h"
#include "tls.h"
#include "touchstone_tags.h"
#include "ttlv.h"
#include "where.h"
#include "xml.h"

#include <getopt.h>
#include <string.h>

static const struct option options[] = {
#define OPTION(id, word, value) {word, value, NULL, OPT_##id},
    OPTIONS
#undef OPTION
    {0},
};

/* clang-format off */
static const struct verb verbs[] = {
	{ "create", OPERATION_CREATE,
	  "[--name N] [--alg AES] [--length 128] [--mask 'Encrypt Decrypt']\n"
	  "      [--attribute NAME=VALUE]...", 0, 0, kmip_fill_create, kmip_tell_ids },
	{ "create-key-pair", OPERATION_CREATE_KEY_PAIR,
	  "[--name N] [--alg RSA] [--length 2048] [--private-mask Sign]\n"
	  "      [--public-mask Verify] [--attribute NAME=VALUE]...",
	  0, 0, kmip_fill_create_key_pair, kmip_tell_pair },
	{ "register", OPERATION_REGISTER,
	  "--material FILE|- [--type SymmetricKey|PrivateKey|PublicKey|\n"
	  "      SecretData|Certificate|OpaqueObject] [--format Raw] [--alg A]\n"
	  "      [--length BITS] [--mask M] [--name N] [--attribute NAME=VALUE]...",
	  0, 0, kmip_fill_register, kmip_tell_ids },
	{ "get", OPERATION_GET, "ID [--format F] [--out FILE|-]",
	  1, 1, kmip_fill_get, kmip_tell_object },
	{ "attributes", OPERATION_GET_ATTRIBUTES, "ID [NAME]...",
	  1, ARGUMENTS_MAX, kmip_fill_attributes, kmip_tell_attributes },
	{ "attribute-list", OPERATION_GET_ATTRIBUTE_LIST, "ID",
	  1, 1, kmip_fill_id, kmip_tell_references },
	{ "add-attribute", OPERATION_ADD_ATTRIBUTE, "ID NAME=VALUE",
	  2, 2, kmip_fill_add_attribute, kmip_tell_ids },
	{ "modify-attribute", OPERATION_MODIFY_ATTRIBUTE,
	  "ID NAME=VALUE [NAME=OLD-VALUE]",
	  2, 3, kmip_fill_modify_attribute, kmip_tell_ids },
	{ "delete-attribute", OPERATION_DELETE_ATTRIBUTE,
	  "ID NAME[=VALUE] [--index N]",
	  2, 2, kmip_fill_delete_attribute, kmip_tell_ids },
	{ "locate", OPERATION_LOCATE,
	  "[--name N] [--type T] [--alg A] [--length BITS] [--mask M]\n"
	  "      [--attribute NAME=VALUE]... [--max N] [--offset N]",
	  0, 0, kmip_fill_locate, kmip_tell_ids },
	{ "activate", OPERATION_ACTIVATE, "ID", 1, 1, kmip_fill_id, kmip_tell_ids },
	{ "revoke", OPERATION_REVOKE,
	  "ID [--reason KeyCompromise] [--message TEXT] [--since DATE]",
	  1, 1, kmip_fill_revoke, kmip_tell_ids },
	{ "destroy", OPERATION_DESTROY, "ID", 1, 1, kmip_fill_id, kmip_tell_ids },
	{ "check", OPERATION_CHECK, "ID [--mask M]",
	  1, 1, kmip_fill_check, kmip_tell_items },
	{ "query", OPERATION_QUERY, "[QueryOperations]...",
	  0, ARGUMENTS_MAX, kmip_fill_query, kmip_tell_items },
	{ "discover", OPERATION_DISCOVER_VERSIONS, "[1.4]...",
	  0, ARGUMENTS_MAX, kmip_fill_discover, kmip_tell_versions },
	{ "raw", 0, "FILE|-  (TTLV, binary or hexadecimal, or XML)",
	  1, 1, NULL, NULL },
};
/* clang-format on */

enum { VERBS = sizeof verbs / sizeof *verbs };

static void
usage(FILE *to)
{
	fputs("usage: touchstone kmip OPERATION ... WHERE [--xml]\n\n"
	      "  WHERE is --target FILE [--identity NAME], or\n"
	      "        --host H --port P --cert PEM --key PEM --ca PEM;\n"
	      "        with --version 1.0 ... 2.1\n\n",
	    to);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  %s %s\n", verbs[i].word, verbs[i].arguments);
	fputs(
	    "\nPrints one value or NAME=VALUE a line; --xml prints the whole\n"
	    "answer, without secrets unless --show-secrets.\n"
	    "Exit code: 0 done, 1 the server refused, 2 could not.\n",
	    to);
}

/* --- the call ------------------------------------------------------------ */

/* A message as it stands in a file: XML, hexadecimal or octets. */
static enum err
read_raw(struct call *c, struct buf *out)
{
	struct buf in = {0};
	struct element *top;
	struct node *root;
	enum err rc = OK;

	TRY(file_read(c->argument[0], 3 * TTLV_MAX_OCTETS, &in, &c->f));
	if (in.octets > 0 &&
	    in.at[strspn(buf_peek_text(&in), " \t\r\n")] == '<') {
		TRY(xml_read(c->a, buf_peek(&in), &top, &c->f));
		TRY(form_read(c->a, xml_root(top), false, &root, &c->f));
		ttlv_encode(root, out);
	} else if (in.octets > 3 && in.at[0] == 0x42 && in.at[3] < ' ') {
		buf_put(out, buf_peek(&in));
	} else {
		TRY(hex_read(buf_peek(&in), out, &c->f));
	}
out:
	buf_clear(&in);
	return rc;
}

static enum err
build(struct call *c)
{
	const struct identity *id = c->identity;
	struct node *root, *payload;
	enum err rc = OK;

	if (c->verb->fill == NULL) {
		TRY(read_raw(c, &c->sent));
		goto out;
	}
	root = message_new(c->a, c->version);
	if (id->username != NULL)
		message_authenticate(c->a, root, id->username, id->password);
	payload = message_item(c->a, root, c->verb->operation);
	TRY(c->verb->fill(c, payload));
	ttlv_encode(root, &c->sent);
out:
	return rc;
}

static enum err
exchange(struct call *c)
{
	struct door *door = NULL;
	struct link *link = NULL;
	enum err rc = OK;

	TRY(door_new(&c->target, c->identity, &door, &c->f));
	TRY(link_open(door, &link, &c->f));
	TRY(link_send(link, buf_peek(&c->sent), 0, &c->f));
	TRY(link_receive(link, &c->received, &c->f));
out:
	link_close(link);
	door_free(door);
	return rc;
}

static void
tell_xml(struct call *c, const struct node *root)
{
	struct buf text = {0};

	show_xml(root, 0,
	    c->option[OPT_SHOW_SECRETS] != NULL ? SHOW_SECRETS : 0, &text);
	fwrite(text.at, 1, text.octets, stdout);
	buf_clear(&text);
}

/* One line: the status, the reason, the server's words. */
static void
tell_refusal(const struct answer *says)
{
	fprintf(
	    stderr, "%s", schema_value_name(TAG_RESULT_STATUS, says->status));
	if (says->reason != 0)
		fprintf(stderr, ": %s",
		    schema_value_name(TAG_RESULT_REASON, says->reason));
	if (says->text != NULL) {
		fputs(": ", stderr);
		escape_line(stderr, says->text);
	}
	putc('\n', stderr);
}

static enum err
tell_answer(struct call *c, int *code)
{
	const struct verb *v = c->verb;
	struct finding found;
	struct answer says;
	struct node *root;
	enum err rc = OK;

	rc = ttlv_decode(c->a, buf_peek(&c->received), &root, &found);
	if (rc != OK)
		TRY(fault_say(&c->f, rc, "the answer: octet %zu, %s: %s",
		    found.offset, found.path, err_text(rc)));
	if (c->option[OPT_XML] != NULL || v->tell == NULL)
		tell_xml(c, root);
	for (unsigned i = 0;; i++) {
		rc = answer_read(c->a, root, i, &says);
		if (rc == ERR_MISSING && i > 0) {
			rc = OK;
			break;
		}
		TRY(rc);
		if (says.status != RESULT_STATUS_SUCCESS) {
			tell_refusal(&says);
			*code = EXIT_DIFFERS;
		} else if (c->option[OPT_XML] == NULL && v->tell != NULL) {
			TRY(v->tell(c, says.payload));
		}
	}
	if (fflush(stdout) != 0)
		rc = fault_say(&c->f, ERR_WRITE, "standard output");
out:
	return rc;
}

static enum err
take_option(struct call *c, int id)
{
	if (id < 0 || id >= OPT_COUNT)
		return fault_say(
		    &c->f, ERR_USAGE, "see `touchstone kmip --help`");
	if (id == OPT_ATTRIBUTE) {
		if (c->attribute_count == ATTRIBUTES_MAX)
			return fault_say(&c->f, ERR_LIMIT,
			    "more than %d attributes", ATTRIBUTES_MAX);
		c->attribute[c->attribute_count++] = optarg;
		return OK;
	}
	c->option[id] = optarg != NULL ? optarg : "";
	return OK;
}

static enum err
take_words(struct call *c, int argc, char **argv)
{
	const struct verb *v;
	int id;
	enum err rc = OK;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1)
		TRY(take_option(c, id));
	for (v = verbs; optind < argc && v < verbs + VERBS; v++)
		if (strcmp(v->word, argv[optind]) == 0)
			c->verb = v;
	if (c->verb == NULL)
		TRY(fault_say(&c->f, ERR_USAGE, "no operation: see --help"));
	for (optind++; optind < argc; optind++) {
		if (c->argument_count == ARGUMENTS_MAX)
			TRY(fault_say(&c->f, ERR_LIMIT, "too many words"));
		c->argument[c->argument_count++] = argv[optind];
	}
	if (c->argument_count < c->verb->least ||
	    c->argument_count > c->verb->most)
		TRY(fault_say(&c->f, ERR_USAGE, "%s %s", c->verb->word,
		    c->verb->arguments));
out:
	return rc;
}

static enum err
run(struct call *c, int argc, char **argv, int *code)
{
	struct where where;
	enum err rc = OK;

	TRY(take_words(c, argc, argv));
	where = (struct where){
	    .target = c->option[OPT_TARGET],
	    .identity = c->option[OPT_IDENTITY],
	    .host = c->option[OPT_HOST],
	    .port = c->option[OPT_PORT],
	    .cert = c->option[OPT_CERT],
	    .key = c->option[OPT_KEY],
	    .ca = c->option[OPT_CA],
	    .version = c->option[OPT_VERSION],
	};
	TRY(where_find(
	    c->a, &where, &c->target, &c->identity, &c->version, &c->f));
	TRY(build(c));
	TRY(exchange(c));
	*code = EXIT_CONFORMS;
	TRY(tell_answer(c, code));
out:
	return rc;
}

int
command_kmip(int argc, char **argv)
{
	struct call c = {.a = NULL};
	int code = EXIT_COULD_NOT_TELL;
	enum err rc;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_COULD_NOT_TELL : EXIT_CONFORMS;
	}
	c.a = arena_new();
	rc = run(&c, argc, argv, &code);
	if (rc != OK)
		code = command_refuse("kmip", "%s",
		    c.f.text[0] != '\0' ? c.f.text : err_text(rc));
	buf_clear(&c.material);
	buf_clear(&c.sent);
	buf_clear(&c.received);
	arena_free(c.a);
	return code;
}
