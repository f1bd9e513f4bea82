#include "kmip/kmip.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypto/ossl.h"
#include "crypto/random.h"
#include "device/ear_test.h"
#include "device/key.h"
#include "device/user.h"
#include "store/vfs.h"
#include "wire/ttlv.h"
#include "wire/xml.h"

/*
 * A whole dispatcher over a real store and a real token, asked in XML. Each
 * test is a client of its own, so none sees another's objects.
 */
struct rig {
	char dir[64];
	struct env *env;
	struct loop *loop;
	struct loop_pool *workers;
	struct store *store;
	struct hsm *hsm;
	struct keystore *keystore;
	struct kmip *kmip;
	struct arena *arena;
	char *pin_path;
	struct buf answer;
	char item[512];
	char xml[65536]; /* the last answer */
	bool answered;
	bool running;
	struct key_door door; /* what clients come in through */
	struct appliance appliance;
	struct ear ear; /* its logs */
};

#define assert_ok(call)                                            \
	do {                                                       \
		enum err got_ = (call);                            \
		if (got_ != OK)                                    \
			fail_msg("%s: %s", #call, err_name(got_)); \
	} while (0)

static void
take_answer(void *ctx, uint64_t number, struct bytes octets)
{
	struct rig *rig = ctx;

	assert_int_equal(number, 7);
	assert_false(rig->answered);
	buf_reset(&rig->answer);
	assert_ok(buf_put(&rig->answer, octets));
	rig->answered = true;
	if (rig->running)
		loop_stop(rig->loop);
}

static void
turn_ends(void *ctx)
{
	struct rig *rig = ctx;
	enum err rc = store_commit(rig->store);

	/* those who wait hear of a failure themselves */
	(void)rc;
}

/* What net/server.c does when a date is reached. */
static void
states_due(struct rig *rig)
{
	if (store_next_due_s(rig->store) <= env_wall_s(rig->env)) {
		assert_ok(store_tick(rig->store, env_wall_s(rig->env)));
		turn_ends(rig);
	}
}

static void
probe(struct rig *rig)
{
	assert_true(keystore_probe_begin(rig->keystore));
	keystore_probe_work(rig->keystore);
	keystore_probe_done(rig->keystore, OK);
	if (keystore_to_store(rig->keystore).octets != 0)
		keystore_stored(rig->keystore);
}

static void
ask_octets(struct rig *rig, const char *client, struct bytes message)
{
	struct loop_task end = {.fn = turn_ends, .ctx = rig};
	uint8_t *at = malloc(message.octets);
	struct buf text;
	struct item *root;

	assert_non_null(at);
	memcpy(at, message.at, message.octets);
	message.at = at;
	rig->answered = false;
	rig->door.user = bytes_of_text(client);
	loop_each_turn(rig->loop, &end);
	kmip_message(rig->kmip, &rig->door, message, take_answer, rig, 7);
	/* it is borrowed until then */
	memset(at, 0, message.octets);
	free(at);
	if (!rig->answered)
		turn_ends(rig);
	/* a worker has the rest */
	rig->running = true;
	if (!rig->answered)
		assert_ok(loop_run(rig->loop));
	rig->running = false;
	loop_task_cancel(&end);
	assert_ok(store_commit(rig->store));
	assert_true(rig->answered);
	assert_int_equal(kmip_busy(rig->kmip), 0);
	arena_reset(rig->arena);
	assert_ok(ttlv_parse(rig->arena, buf_peek(&rig->answer), &root));
	buf_init(&text, sizeof(rig->xml) - 1);
	assert_ok(xml_write(root, &text));
	memcpy(rig->xml, text.at, text.octets);
	rig->xml[text.octets] = '\0';
	buf_clear(&text);
}

/*
 * version  "1.2"
 * header   further header fields, before Batch Count
 */
static const char *
ask_with(struct rig *rig, const char *client, const char *version,
    const char *header, const char *items)
{
	char message[16384];
	struct buf octets;
	struct item *root;
	const char *p = items;
	unsigned count = 0;

	while ((p = strstr(p, "<BatchItem>")) != NULL) {
		count++;
		p++;
	}
	snprintf(message, sizeof(message),
	    "<RequestMessage><RequestHeader><ProtocolVersion>"
	    "<ProtocolVersionMajor type=\"Integer\" value=\"%.1s\"/>"
	    "<ProtocolVersionMinor type=\"Integer\" value=\"%.1s\"/>"
	    "</ProtocolVersion>%s<BatchCount type=\"Integer\" value=\"%u\"/>"
	    "</RequestHeader>%s</RequestMessage>",
	    version, version + 2, header, count, items);
	arena_reset(rig->arena);
	assert_ok(xml_parse(rig->arena, bytes_of_text(message), &root));
	buf_init(&octets, 1 << 20);
	assert_ok(ttlv_write(root, &octets));
	ask_octets(rig, client, buf_peek(&octets));
	buf_clear(&octets);
	return rig->xml;
}

static const char *
ask(struct rig *rig, const char *client, const char *version, const char *items)
{
	return ask_with(rig, client, version, "", items);
}

static void
assert_has(const char *answer, const char *part)
{
	if (strstr(answer, part) == NULL)
		fail_msg("expected: %s\ngot: %s", part, answer);
}

static void
assert_lacks(const char *answer, const char *part)
{
	if (strstr(answer, part) != NULL)
		fail_msg("not expected: %s\ngot: %s", part, answer);
}

static unsigned
count_of(const char *answer, const char *part)
{
	unsigned count = 0;

	while ((answer = strstr(answer, part)) != NULL) {
		count++;
		answer++;
	}
	return count;
}

#define STATUS(value) "<ResultStatus type=\"Enumeration\" value=\"" value "\"/>"
#define REASON(value) "<ResultReason type=\"Enumeration\" value=\"" value "\"/>"

/* The value of the answer's first item of that name, on the test's stack. */
static void
value_of(const char *answer, const char *name, char *out, size_t room)
{
	char begin[128];
	const char *p;
	size_t length;

	snprintf(
	    begin, sizeof(begin), "<%s type=\"TextString\" value=\"", name);
	p = strstr(answer, begin);
	if (p == NULL)
		fail_msg("no %s in %s", name, answer);
	p += strlen(begin);
	length = strcspn(p, "\"");
	assert_true(length < room);
	memcpy(out, p, length);
	out[length] = '\0';
}

/*
 * Batch items
 */

#define ITEM(op, id, payload)                                           \
	"<BatchItem><Operation type=\"Enumeration\" value=\"" op "\"/>" \
	"<UniqueBatchItemID type=\"ByteString\" value=\"" id "\"/>"     \
	"<RequestPayload>" payload "</RequestPayload></BatchItem>"
#define ATTRIBUTE(name, value)                                               \
	"<Attribute><AttributeName type=\"TextString\" value=\"" name "\"/>" \
	"<AttributeValue " value "/></Attribute>"
#define NAME(text)                                                            \
	"<Attribute><AttributeName type=\"TextString\" value=\"Name\"/>"      \
	"<AttributeValue><NameValue type=\"TextString\" value=\"" text "\"/>" \
	"<NameType type=\"Enumeration\" value=\"UninterpretedTextString\"/>"  \
	"</AttributeValue></Attribute>"
#define CREATE(id, more)                                                      \
	ITEM("Create", id,                                                    \
	    "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>"       \
	    "<TemplateAttribute>" ATTRIBUTE("Cryptographic Algorithm",        \
		"type=\"Enumeration\" value=\"AES\"")                         \
		ATTRIBUTE(                                                    \
		    "Cryptographic Length", "type=\"Integer\" value=\"128\"") \
		    ATTRIBUTE("Cryptographic Usage Mask",                     \
			"type=\"Integer\" value=\"Encrypt\"") more            \
	    "</TemplateAttribute>")
#define ID(text)              "<UniqueIdentifier type=\"TextString\" value=\"" text "\"/>"
#define LOCATE_NAME(id, text) ITEM("Locate", id, NAME(text))
#define QUERY               \
	ITEM("Query", "01", \
	    "<QueryFunction type=\"Enumeration\" value=\"QueryOperations\"/>")
#define ON_ERROR(option)                                                     \
	"<BatchErrorContinuationOption type=\"Enumeration\" value=\"" option \
	"\"/>"

/* An item about one object, by an identifier only known at run time. */
static const char *
item_for(struct rig *rig, const char *op, const char *id)
{
	snprintf(
	    rig->item, sizeof(rig->item), ITEM("%s", "01", ID("%s")), op, id);
	return rig->item;
}

/* Revoke for Key Compromise, of an unknown date. */
#define COMPROMISE(id)                                       \
	ITEM("Revoke", id,                                   \
	    "<RevocationReason><RevocationReasonCode "       \
	    "type=\"Enumeration\" value=\"KeyCompromise\"/>" \
	    "</RevocationReason>")
#define GET_ATTRIBUTE(id, name)   \
	ITEM("GetAttributes", id, \
	    "<AttributeName type=\"TextString\" value=\"" name "\"/>")

/*
 * Set-up
 */

static int
set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct store_options options = {.lab = true};
	struct hsm_config hsm = {
	    .module_path = "/usr/lib/softhsm/libsofthsm2.so",
	    .token_label = "kmip-test",
	    .kek_label = "kek"};
	struct kmip_config config = {.vendor = "Touchstone", .lease_s = 3600};
	char hsm_dir[128];

	assert_non_null(rig);
	assert_ok(ossl_init());
	strcpy(rig->dir, "/tmp/kmip_test.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	snprintf(hsm_dir, sizeof(hsm_dir), "%s/hsm", rig->dir);
	assert_int_equal(mkdir(hsm_dir, 0700), 0);
	assert_ok(env_new(&rig->env));
	env_set_random(rig->env, random_drbg, NULL);
	assert_ok(hsm_softhsm_setup(rig->env, hsm.module_path, hsm_dir,
	    hsm.token_label, &rig->pin_path));
	hsm.pin_path = rig->pin_path;
	assert_ok(hsm_new(&hsm, &rig->hsm));
	assert_ok(store_open(rig->dir, rig->env, &options, &rig->store));
	assert_ok(
	    keystore_new(rig->env, rig->hsm, BYTES_NONE, 1000, &rig->keystore));
	probe(rig);
	assert_int_equal(keystore_state(rig->keystore), KEYSTORE_READY);
	assert_ok(loop_new(rig->env, &rig->loop));
	assert_ok(loop_pool_new(rig->loop, "work", 1, &rig->workers));
	rig->appliance.env = rig->env;
	rig->appliance.loop = rig->loop;
	rig->appliance.store = rig->store;
	assert_ok(appliance_open(&rig->appliance));
	ear_open(&rig->ear, &rig->appliance);
	config.appliance = &rig->appliance;
	config.env = rig->env;
	config.store = rig->store;
	config.keystore = rig->keystore;
	config.workers = rig->workers;
	rig->door = (struct key_door){.protocol = KEY_KMIP,
	    .origin = bytes_of_text("10.0.0.5 [-]"),
	    .profile = KEY_STANDARD,
	    .allows_config = true,
	    .allows_export = true};
	assert_ok(kmip_new(&config, &rig->kmip));
	assert_ok(arena_new(16 << 20, &rig->arena));
	buf_init(&rig->answer, 32 << 20);
	*state = rig;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *rig = *state;
	char command[128];

	kmip_free(rig->kmip);
	loop_end_jobs(rig->loop);
	appliance_close(&rig->appliance);
	ear_close(&rig->ear);
	loop_free(rig->loop);
	keystore_free(rig->keystore);
	hsm_free(rig->hsm);
	store_close(rig->store);
	arena_free(rig->arena);
	buf_clear(&rig->answer);
	mem_free(rig->pin_path);
	env_free(rig->env);
	snprintf(command, sizeof(command), "rm -rf %s", rig->dir);
	assert_int_equal(system(command), 0);
	free(rig);
	return 0;
}

/*
 * The batch. spec: kmip-1.4 6.13, 7.2 and 11.43
 */

#define MISSING ID("no-such-object")

static void
a_batch_stops_at_its_first_failure(void **state)
{
	const char *answer = ask(*state, "stop", "1.2",
	    CREATE("01", NAME("first")) ITEM("Get", "02", MISSING)
		CREATE("03", NAME("third")));

	assert_has(answer, "<BatchCount type=\"Integer\" value=\"2\"/>");
	assert_int_equal(count_of(answer, STATUS("Success")), 1);
	assert_int_equal(count_of(answer, STATUS("OperationFailed")), 1);
	answer = ask(*state, "stop", "1.2", LOCATE_NAME("01", "first"));
	assert_has(answer, "<UniqueIdentifier");
	answer = ask(*state, "stop", "1.2", LOCATE_NAME("01", "third"));
	assert_lacks(answer, "<UniqueIdentifier");
}

static void
a_batch_continues_where_it_is_told_to(void **state)
{
	const char *answer =
	    ask_with(*state, "continue", "1.2", ON_ERROR("Continue"),
		CREATE("01", NAME("first")) ITEM("Get", "02", MISSING)
		    CREATE("03", NAME("third")));

	assert_has(answer, "<BatchCount type=\"Integer\" value=\"3\"/>");
	assert_int_equal(count_of(answer, STATUS("Success")), 2);
	answer = ask(*state, "continue", "1.2", LOCATE_NAME("01", "third"));
	assert_has(answer, "<UniqueIdentifier");
}

static void
a_batch_is_undone_where_it_is_told_to(void **state)
{
	const char *answer = ask_with(*state, "undo", "1.2", ON_ERROR("Undo"),
	    CREATE("01", NAME("first")) ITEM("Get", "02", MISSING)
		CREATE("03", NAME("third")));

	assert_has(answer, "<BatchCount type=\"Integer\" value=\"2\"/>");
	assert_int_equal(count_of(answer, STATUS("OperationUndone")), 1);
	assert_int_equal(count_of(answer, STATUS("OperationFailed")), 1);
	answer = ask(*state, "undo", "1.2", LOCATE_NAME("01", "first"));
	assert_lacks(answer, "<UniqueIdentifier");
	/* its twin: without a failure nothing is undone */
	answer = ask_with(*state, "undo", "1.2", ON_ERROR("Undo"),
	    CREATE("01", NAME("first")) CREATE("03", NAME("third")));
	assert_int_equal(count_of(answer, STATUS("Success")), 2);
	answer = ask(*state, "undo", "1.2", LOCATE_NAME("01", "first"));
	assert_has(answer, "<UniqueIdentifier");
}

/*
 * The Activity Log
 */

/* Behind their dates, of which there is no telling here. */
static void
assert_logged(struct rig *rig, const char *want)
{
	enum { DATE_OCTETS = sizeof("[2005-09-12 10:23:47] ") - 1 };
	const char *got = ear_text(&rig->ear, LOG_ACTIVITY);
	char said[4096];
	size_t octets = 0;

	for (; *got != '\0'; got += strcspn(got, "\n") + 1) {
		assert_true(strcspn(got, "\n") > DATE_OCTETS);
		octets += (size_t)snprintf(said + octets, sizeof(said) - octets,
		    "%.*s", (int)(strcspn(got, "\n") + 1 - DATE_OCTETS),
		    got + DATE_OCTETS);
	}
	said[octets] = '\0';
	assert_string_equal(said, want);
	ear_forget(&rig->ear);
}

/*
 * What is told of an object: its name, or its identifier.
 *
 * req: KS-21-015 KS-21-016 KS-21-018 KS-21-028 KS-21-029 KS-21-030 KS-21-031
 * req: KS-21-033 KS-21-034 KS-21-036
 */
static void
each_batch_item_leaves_a_line(void **state)
{
	struct rig *rig = *state;
	char want[1024];
	char id[64];

	ear_forget(&rig->ear);
	rig->door.origin = bytes_of_text("10.0.0.5 [client 1]");
	value_of(ask(rig, "lines", "1.2",
		     CREATE("31", NAME("first")) ITEM("GetAttributeList", "32",
			 "") ITEM("Get", "0A", MISSING) QUERY),
	    "UniqueIdentifier", id, sizeof(id));
	(void)snprintf(want, sizeof(want),
	    "INFO 10.0.0.5 [client 1] lines 1 Create first [AES 128] - "
	    "[Success]\n"
	    "INFO 10.0.0.5 [client 1] lines 2 GetAttributeList %s [-] - "
	    "[Success]\n"
	    "ERROR 10.0.0.5 [client 1] lines \\x0a Get no-such-object [-] 1 "
	    "[no such object]\n",
	    id);
	assert_logged(rig, want);
	rig->door.origin = bytes_of_text("10.0.0.5 [-]");
	(void)ask(rig, "lines", "1.2",
	    "<BatchItem><Operation type=\"Enumeration\" value=\"Locate\"/>"
	    "<RequestPayload/></BatchItem>");
	assert_logged(
	    rig, "INFO 10.0.0.5 [-] lines - Locate - [-] - [Success]\n");
}

/* req: KS-21-024 KS-21-033 KS-21-034 */
static void
what_is_undone_is_no_success_in_the_log(void **state)
{
	struct rig *rig = *state;

	ear_forget(&rig->ear);
	(void)ask_with(rig, "lines", "1.2", ON_ERROR("Undo"),
	    CREATE("31", NAME("undone")) ITEM("Get", "32", MISSING));
	assert_logged(rig,
	    "ERROR 10.0.0.5 [-] lines 1 Create undone [AES 128] - "
	    "[Operation Undone]\n"
	    "ERROR 10.0.0.5 [-] lines 2 Get no-such-object [-] 1 [no such "
	    "object]\n");
	(void)ask_with(rig, "lines", "1.2",
	    "<MaximumResponseSize type=\"Integer\" value=\"100\"/>",
	    CREATE("31", NAME("large")) ITEM("Get", "32", MISSING));
	assert_logged(rig,
	    "ERROR 10.0.0.5 [-] lines 1 Create large [AES 128] 2 [the response "
	    "is "
	    "larger than the request allows]\n"
	    "ERROR 10.0.0.5 [-] lines 2 Get no-such-object [-] 2 [the response "
	    "is "
	    "larger than the request allows]\n");
	vfs_disk_full(0);
	(void)ask(rig, "lines", "1.2", CREATE("31", NAME("full")));
	vfs_disk_full(UINT64_MAX);
	assert_logged(rig,
	    "ERROR 10.0.0.5 [-] lines 1 Create full [AES 128] 256 [no "
	    "space left for the store]\n");
	(void)ask(rig, "lines", "0.9", QUERY);
	assert_logged(rig,
	    "ERROR 10.0.0.5 [-] lines - - - [-] 4 [protocol version "
	    "not supported: protocol version 0.9]\n");
}

/* As the request has it, in its own version's way. req: KS-21-037 */
static void
what_is_registered_is_told_by_its_block(void **state)
{
#define BLOCK                                                              \
	"<SymmetricKey><KeyBlock><KeyFormatType type=\"Enumeration\" "     \
	"value=\"Raw\"/><KeyValue><KeyMaterial type=\"ByteString\" "       \
	"value=\"000102030405060708090A0B0C0D0E0F\"/></KeyValue>"          \
	"<CryptographicAlgorithm type=\"Enumeration\" value=\"AES\"/>"     \
	"<CryptographicLength type=\"Integer\" value=\"128\"/></KeyBlock>" \
	"</SymmetricKey>"
#define TYPE "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>"
	struct rig *rig = *state;

	ear_forget(&rig->ear);
	(void)ask(rig, "lines", "1.4",
	    ITEM("Register", "31",
		TYPE "<TemplateAttribute>" NAME("old") ATTRIBUTE(
		    "Extractable", "type=\"Boolean\" value=\"false\"")
		    ATTRIBUTE("Cryptographic Usage Mask",
			"type=\"Integer\" value=\"Encrypt\"") "</"
							      "TemplateAttribut"
							      "e>" BLOCK));
	assert_logged(rig, "INFO 10.0.0.5 [-] lines 1 Register old [AES 128 "
			   "Exportable false] - "
			   "[Success]\n");
	(void)ask(rig, "lines", "2.1",
	    ITEM("Register", "31",
		TYPE "<Attributes><Name><NameValue type=\"TextString\" "
		     "value=\"new\"/><NameType type=\"Enumeration\" "
		     "value=\"UninterpretedTextString\"/></Name>"
		     "<CryptographicUsageMask type=\"Integer\" "
		     "value=\"Encrypt\"/></Attributes>" BLOCK));
	assert_logged(rig,
	    "INFO 10.0.0.5 [-] lines 1 Register new [AES 128] - [Success]\n");
}

/* spec: kmip-1.4 7.2, kmip-2.1 8.3 */
static void
several_batch_items_need_identifiers(void **state)
{
#define BARE                                                           \
	"<BatchItem><Operation type=\"Enumeration\" value=\"Query\"/>" \
	"<RequestPayload><QueryFunction type=\"Enumeration\" "         \
	"value=\"QueryObjects\"/></RequestPayload></BatchItem>"
	size_t k;

	for (k = 0; k < VERSION_COUNT; k++) {
		enum version v = schema_versions[k];
		char name[24];

		(void)snprintf(name, sizeof(name), "%d.%d", v >> 8, v & 0xff);
		assert_has(ask(*state, "ids", name, BARE BARE),
		    REASON("InvalidMessage"));
		assert_has(ask(*state, "ids", name, BARE), STATUS("Success"));
		assert_int_equal(
		    count_of(ask(*state, "ids", name,
				 QUERY ITEM("Query", "02",
				     "<QueryFunction type=\"Enumeration\" "
				     "value=\"QueryObjects\"/>")),
			STATUS("Success")),
		    2);
	}
#undef BARE
}

static void
the_placeholder_carries_from_item_to_item(void **state)
{
	const char *answer = ask(*state, "placeholder", "1.2",
	    CREATE("01", NAME("placed")) ITEM("Activate", "02", "")
		ITEM("GetAttributes", "03",
		    "<AttributeName type=\"TextString\" value=\"State\"/>"));

	assert_int_equal(count_of(answer, STATUS("Success")), 3);
	assert_has(answer, "value=\"Active\"");
	/* a new batch starts with an empty one */
	answer = ask(*state, "placeholder", "1.2", ITEM("Get", "01", ""));
	assert_has(answer, REASON("ItemNotFound"));
}

static void
a_placeholder_is_named_in_2_x(void **state)
{
	static const char create[] = ITEM("Create", "01",
	    "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>"
	    "<Attributes><CryptographicAlgorithm type=\"Enumeration\" "
	    "value=\"AES\"/><CryptographicLength type=\"Integer\" "
	    "value=\"128\"/><CryptographicUsageMask type=\"Integer\" "
	    "value=\"Encrypt\"/></Attributes>");
	char two[2048];
	const char *answer;

	snprintf(two, sizeof(two), "%s%s", create,
	    ITEM("Activate", "02",
		"<UniqueIdentifier type=\"Enumeration\" value=\"Create\"/>"));
	answer = ask(*state, "named", "2.1", two);
	assert_int_equal(count_of(answer, STATUS("Success")), 2);
	snprintf(two, sizeof(two), "%s%s", create,
	    ITEM("Activate", "02",
		"<UniqueIdentifier type=\"Integer\" value=\"-1\"/>"));
	answer = ask(*state, "named", "2.1", two);
	assert_int_equal(count_of(answer, STATUS("Success")), 2);
	snprintf(two, sizeof(two), "%s%s", create,
	    ITEM("Activate", "02",
		"<UniqueIdentifier type=\"Enumeration\" value=\"Locate\"/>"));
	answer = ask(*state, "named", "2.1", two);
	assert_int_equal(count_of(answer, REASON("ObjectNotFound")), 1);
}

/*
 * The header
 */

/* spec: kmip-1.4 4.20 */
static void
a_compromise_of_unknown_date_is_as_old_as_its_object(void **state)
{
	struct rig *rig = *state;
	int64_t now_s = env_wall_s(rig->env);
	const char *answer;

	env_set_wall_s(rig->env, 1000000000);
	answer = ask(rig, "compromise", "1.2", CREATE("01", ""));
	assert_has(answer, STATUS("Success"));
	env_set_wall_s(rig->env, 1000003600);
	answer = ask(rig, "compromise", "1.2",
	    ITEM("Locate", "01", "") COMPROMISE("02")
		GET_ATTRIBUTE("03", "Compromise Occurrence Date"));
	assert_has(answer, "value=\"2001-09-09T01:46:40");
	env_set_wall_s(rig->env, now_s);
}

/* spec: kmip-1.4 6.3 */
static void
an_answer_that_is_too_large_undoes_its_batch(void **state)
{
	const char *answer = ask_with(*state, "large", "1.2",
	    "<MaximumResponseSize type=\"Integer\" value=\"100\"/>",
	    CREATE("01", NAME("large")));

	assert_has(answer, REASON("ResponseTooLarge"));
	answer = ask(*state, "large", "1.2", LOCATE_NAME("01", "large"));
	assert_lacks(answer, "<UniqueIdentifier");
	answer = ask_with(*state, "large", "1.2",
	    "<MaximumResponseSize type=\"Integer\" value=\"1000\"/>",
	    CREATE("01", NAME("large")));
	assert_has(answer, STATUS("Success"));
}

/* spec: kmip-2.1 9.2 */
static void
what_must_be_asynchronous_is_refused(void **state)
{
	const char *answer = ask_with(*state, "async", "2.1",
	    "<AsynchronousIndicator type=\"Enumeration\" "
	    "value=\"Mandatory\"/>",
	    QUERY);

	assert_has(answer, REASON("FeatureNotSupported"));
	answer = ask_with(*state, "async", "2.1",
	    "<AsynchronousIndicator type=\"Enumeration\" "
	    "value=\"Optional\"/>",
	    QUERY);
	assert_has(answer, STATUS("Success"));
}

/* A client that does not use correlation values never sees one. */
static void
correlation_values_are_for_who_uses_them(void **state)
{
	static const char with[] = "<ClientCorrelationValue "
				   "type=\"TextString\" value=\"c\"/>";

	assert_has(ask_with(*state, "corr", "1.4", with, QUERY),
	    "<ServerCorrelationValue");
	assert_lacks(
	    ask(*state, "corr", "1.4", QUERY), "<ServerCorrelationValue");
}

/* spec: kmip-1.4 11.1 */
static void
versions_that_are_not_there_are_refused(void **state)
{
	const char *answer = ask(*state, "version", "3.0", QUERY);

	assert_has(answer, REASON("UnsupportedProtocolVersion"));
	assert_has(answer, "Major type=\"Integer\" value=\"2\"");
	answer = ask(*state, "version", "1.9", QUERY);
	assert_has(answer, REASON("InvalidMessage"));
	assert_lacks(answer, "<Operation");
}

static void
what_is_no_message_has_an_answer(void **state)
{
	static const uint8_t garbage[] = {0x42, 0x00, 0x78, 0x01, 0, 0, 0, 8,
	    0x42, 0x00, 0x77, 0x01, 0, 0, 0, 8};

	ask_octets(*state, "garbage", (struct bytes){garbage, sizeof(garbage)});
	assert_has(((struct rig *)*state)->xml, REASON("InvalidMessage"));
	assert_has(((struct rig *)*state)->xml, STATUS("OperationFailed"));
}

static void
an_operation_that_is_not_there_fails_alone(void **state)
{
	const char *answer = ask_with(*state, "unknown", "1.2",
	    ON_ERROR("Continue"),
	    QUERY "<BatchItem><Operation type=\"Enumeration\" "
		  "value=\"Archive\"/><UniqueBatchItemID type=\"ByteString\" "
		  "value=\"02\"/><RequestPayload/></BatchItem>");

	assert_int_equal(count_of(answer, STATUS("Success")), 1);
	assert_has(answer, REASON("OperationNotSupported"));
	/* one that later versions have */
	answer = ask(*state, "unknown", "1.2",
	    ITEM("Interop", "01",
		"<InteropFunction type=\"Enumeration\" value=\"Begin\"/>"));
	assert_has(answer, REASON("OperationNotSupported"));
}

/* spec: kmip-1.4 6.16 */
static void
an_unknown_critical_extension_is_refused(void **state)
{
	static const char item[] =
	    "<BatchItem><Operation type=\"Enumeration\" value=\"Query\"/>"
	    "<RequestPayload><QueryFunction type=\"Enumeration\" "
	    "value=\"QueryObjects\"/></RequestPayload><MessageExtension>"
	    "<VendorIdentification type=\"TextString\" value=\"v\"/>"
	    "<CriticalityIndicator type=\"Boolean\" value=\"%s\"/>"
	    "<VendorExtension/></MessageExtension></BatchItem>";
	char text[1024];

	snprintf(text, sizeof(text), item, "true");
	assert_has(
	    ask(*state, "ext", "1.2", text), REASON("FeatureNotSupported"));
	snprintf(text, sizeof(text), item, "false");
	assert_has(ask(*state, "ext", "1.2", text), STATUS("Success"));
}

static void
credentials_that_nobody_can_check_are_refused(void **state)
{
	const char *answer = ask_with(*state, "cred", "1.2",
	    "<Authentication><Credential><CredentialType "
	    "type=\"Enumeration\" value=\"UsernameAndPassword\"/>"
	    "<CredentialValue><Username type=\"TextString\" value=\"u\"/>"
	    "<Password type=\"TextString\" value=\"p\"/></CredentialValue>"
	    "</Credential></Authentication>",
	    QUERY);

	assert_has(answer, REASON("AuthenticationNotSuccessful"));
}

/*
 * Whose objects
 */

static void
strangers_and_absent_objects_look_alike(void **state)
{
	struct rig *rig = *state;
	char id[64];
	char absent[4096];

	value_of(ask(rig, "owner", "1.2", CREATE("01", "")), "UniqueIdentifier",
	    id, sizeof(id));
	assert_has(ask(rig, "owner", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	strcpy(absent,
	    strstr(ask(rig, "stranger", "1.2", ITEM("Get", "01", MISSING)),
		"<BatchItem>"));
	assert_string_equal(
	    strstr(ask(rig, "stranger", "1.2", item_for(rig, "Get", id)),
		"<BatchItem>"),
	    absent);
	assert_has(ask(rig, "stranger", "1.2", item_for(rig, "Destroy", id)),
	    REASON("ItemNotFound"));
}

/*
 * What a key server allows
 */

#define RSA_PAIR(id)                                                                                     \
	ITEM("CreateKeyPair", id,                                                                        \
	    "<CommonTemplateAttribute>" ATTRIBUTE("Cryptographic Algorithm",                             \
		"type=\"Enumeration\" value=\"RSA\"") ATTRIBUTE("Cryptographi"                           \
								"c Length",                              \
		"type=\"Integer\" value=\"1024\"") "</"                                                  \
						   "CommonTemplateAttribute>"                            \
						   "<PrivateKeyTemplateAttrib"                           \
						   "ute>" ATTRIBUTE(                                     \
						       "Cryptographic Usage "                            \
						       "Mask",                                           \
						       "type=\"Integer\" "                               \
						       "value=\"Sign\"") "</"                            \
									 "Pri"                           \
									 "vat"                           \
									 "eKe"                           \
									 "yTe"                           \
									 "mpl"                           \
									 "ate"                           \
									 "Att"                           \
									 "rib"                           \
									 "ute"                           \
									 ">"                             \
									 "<Pu"                           \
									 "bli"                           \
									 "cKe"                           \
									 "yTe"                           \
									 "mpl"                           \
									 "ate"                           \
									 "Att"                           \
									 "rib"                           \
									 "ute"                           \
									 ">" ATTRIBUTE(                  \
									     "Cryptographic Usage Mask", \
									     "type=\"Integer\" value=\"Verify\"") "</PublicKeyTemplateAttribute>")
#define REGISTER_SECRET(id)                                                 \
	ITEM("Register", id,                                                \
	    "<ObjectType type=\"Enumeration\" value=\"SecretData\"/>"       \
	    "<TemplateAttribute/><SecretData>"                              \
	    "<SecretDataType type=\"Enumeration\" value=\"Password\"/>"     \
	    "<KeyBlock><KeyFormatType type=\"Enumeration\" "                \
	    "value=\"Opaque\"/><KeyValue><KeyMaterial type=\"ByteString\" " \
	    "value=\"736563726574\"/></KeyValue></KeyBlock></SecretData>")

/* req: KS-03-145 KS-03-146 KS-03-147 */
static void
keys_are_made_and_deleted_where_the_key_server_allows_it(void **state)
{
	struct rig *rig = *state;
	char id[64];

	value_of(ask(rig, "config", "1.2", CREATE("01", "")),
	    "UniqueIdentifier", id, sizeof(id));
	rig->door.allows_config = false;
	assert_has(ask(rig, "config", "1.2", CREATE("01", "")),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "config", "1.2", RSA_PAIR("01")),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "config", "1.2", REGISTER_SECRET("01")),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "config", "1.2", item_for(rig, "Destroy", id)),
	    REASON("PermissionDenied"));
	/* all else goes on */
	assert_has(ask(rig, "config", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	rig->door.allows_config = true;
	assert_has(
	    ask(rig, "config", "1.2", RSA_PAIR("01")), STATUS("Success"));
	assert_has(ask(rig, "config", "1.2", REGISTER_SECRET("01")),
	    STATUS("Success"));
	assert_has(ask(rig, "config", "1.2", item_for(rig, "Destroy", id)),
	    STATUS("Success"));
}

/* req: KS-03-148 */
static void
keys_leave_where_the_key_server_allows_it(void **state)
{
	struct rig *rig = *state;
	char id[64];
	char secret[64];
	char half[64];

	value_of(ask(rig, "export", "1.2", CREATE("01", "")),
	    "UniqueIdentifier", id, sizeof(id));
	value_of(ask(rig, "export", "1.2", REGISTER_SECRET("01")),
	    "UniqueIdentifier", secret, sizeof(secret));
	value_of(ask(rig, "export", "1.2", RSA_PAIR("01")),
	    "PublicKeyUniqueIdentifier", half, sizeof(half));
	rig->door.allows_export = false;
	assert_has(ask(rig, "export", "1.2", item_for(rig, "Get", id)),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "export", "1.2", item_for(rig, "Get", secret)),
	    REASON("PermissionDenied"));
	/* what is public is no key, and attributes are none */
	assert_has(ask(rig, "export", "1.2", item_for(rig, "Get", half)),
	    STATUS("Success"));
	assert_has(
	    ask(rig, "export", "1.2", item_for(rig, "GetAttributes", id)),
	    STATUS("Success"));
	rig->door.allows_export = true;
	assert_has(ask(rig, "export", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "export", "1.2", item_for(rig, "Get", secret)),
	    STATUS("Success"));
}

/*
 * One object model: keys of the appliance's own
 */

static struct key_call *
key_call_of(struct rig *rig)
{
	static struct key_call call;

	arena_reset(rig->arena);
	key_call_init(&call, &rig->appliance, rig->arena);
	call.keystore = rig->keystore;
	return &call;
}

static struct key_spec
key_spec_of(const char *name, const char *owner)
{
	return (struct key_spec){.name = bytes_of_text(name),
	    .owner = bytes_of_text(owner),
	    .algorithm = key_algorithm_named(bytes_of_text("AES-256")),
	    .exportable = true,
	    .deletable = true};
}

/* A key that is active is revoked before it is destroyed. */
static void
revoke(struct rig *rig, const char *client, const char *id)
{
	char item[512];

	snprintf(item, sizeof(item),
	    ITEM("Revoke", "01",
		ID("%s") "<RevocationReason><RevocationReasonCode "
			 "type=\"Enumeration\" "
			 "value=\"CessationOfOperation\"/>"
			 "</RevocationReason>"),
	    id);
	assert_has(ask(rig, client, "1.2", item), STATUS("Success"));
}

/* Its Unique Identifier. */
static void
key_made(struct rig *rig, const struct key_spec *spec, char id[64])
{
	const struct object *key;

	assert_ok(key_create(key_call_of(rig), spec, NULL, &key));
	snprintf(id, 64, "%.*s", (int)key->id.octets, (const char *)key->id.at);
	turn_ends(rig);
}

/* Upper-case base 16 of a key's bytes, as its owner exports them. */
static void
key_exported(struct rig *rig, const char *name, uint32_t number, char out[256])
{
	struct key_call *call = key_call_of(rig);
	const struct object *key;
	struct bytes text;

	assert_ok(key_find(call, NULL, 0, bytes_of_text(name), &key));
	assert_ok(key_text(call, key, number, &text));
	snprintf(out, 256, "%.*s", (int)text.octets, (const char *)text.at);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* req: KS-03-047 KS-28-070 KS-28-071 KS-28-072 KS-28-093 KS-28-097 */
static void
a_key_of_the_appliance_is_found_and_fetched(void **state)
{
	struct rig *rig = *state;
	struct key_spec own = key_spec_of("own", "alice");
	struct key_spec global = key_spec_of("everybodys", "");
	char own_id[64];
	char global_id[64];
	char octets[256];

	key_made(rig, &own, own_id);
	key_made(rig, &global, global_id);
	assert_has(ask(rig, "alice", "1.2", LOCATE_NAME("01", "own")), own_id);
	key_exported(rig, "own", 0, octets);
	assert_has(
	    ask(rig, "alice", "1.2", item_for(rig, "Get", own_id)), octets);
	assert_lacks(ask(rig, "bob", "1.2", LOCATE_NAME("01", "own")), own_id);
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Get", own_id)),
	    REASON("ItemNotFound"));
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Destroy", own_id)),
	    REASON("ItemNotFound"));
	/* a global one, whoever asks, and whether anybody does */
	key_exported(rig, "everybodys", 0, octets);
	assert_has(
	    ask(rig, "bob", "1.2", item_for(rig, "Get", global_id)), octets);
	assert_has(
	    ask(rig, "", "1.2", item_for(rig, "Get", global_id)), octets);
	assert_has(ask(rig, "", "1.2", item_for(rig, "Get", own_id)),
	    REASON("ItemNotFound"));
	revoke(rig, "bob", global_id);
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Destroy", global_id)),
	    STATUS("Success"));
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Get", global_id)),
	    STATUS("OperationFailed"));
}

/* req: KS-03-061 */
static void
a_key_of_a_client_is_found_and_opened(void **state)
{
	struct rig *rig = *state;
	struct key_call *call;
	struct bytes alice = bytes_of_text("alice");
	struct bytes nobody = BYTES_NONE;
	const struct object *key;
	struct key_info info;
	struct key_material material;
	char octets[256];
	char id[64];

	value_of(ask(rig, "alice", "1.2", CREATE("01", NAME("client-key"))),
	    "UniqueIdentifier", id, sizeof(id));
	call = key_call_of(rig);
	assert_ok(key_find(call, &alice, 1, bytes_of_text("client-key"), &key));
	assert_int_equal(
	    key_find(call, &nobody, 1, bytes_of_text("client-key"), &key),
	    ERR_NOT_FOUND);
	assert_ok(key_find(call, &alice, 1, bytes_of_text("client-key"), &key));
	assert_ok(key_info(call, key, &info));
	assert_int_equal(info.key_bits, 128);
	assert_true(info.deletable);
	assert_true(info.exportable);
	assert_ok(key_bytes(call, key, 0, &material));
	assert_int_equal(material.octets.octets, 16);
	key_exported(rig, "client-key", 0, octets);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Get", id)), octets);
	/* what a client makes who is nobody is everybody's */
	value_of(ask(rig, "", "1.2", CREATE("01", NAME("global-key"))),
	    "UniqueIdentifier", id, sizeof(id));
	assert_ok(key_find(
	    key_call_of(rig), &nobody, 1, bytes_of_text("global-key"), &key));
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Destroy", id)),
	    STATUS("Success"));
}

/*
 * req: KS-03-050 KS-03-051 KS-03-052 KS-03-056 KS-28-031 KS-28-032 KS-28-033
 * req: KS-28-092 KS-28-095
 */
static void
marks_of_a_key_hold_for_clients_too(void **state)
{
	struct rig *rig = *state;
	struct key_spec spec = key_spec_of("kept", "alice");
	struct key_spec free_to_go = key_spec_of("free", "alice");
	char id[64];
	char other[64];

	spec.exportable = false;
	spec.deletable = false;
	key_made(rig, &spec, id);
	key_made(rig, &free_to_go, other);
	assert_has(ask(rig, "alice", "1.4", item_for(rig, "Get", id)),
	    REASON("NotExtractable"));
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Destroy", id)),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "GetAttributes", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "alice", "1.4", item_for(rig, "Get", other)),
	    STATUS("Success"));
	revoke(rig, "alice", id);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Destroy", id)),
	    REASON("PermissionDenied"));
	revoke(rig, "alice", other);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Destroy", other)),
	    STATUS("Success"));
}

static void
assert_indexes(struct rig *rig, const char *name, bool is_template)
{
	struct key_attribute attributes[] = {
	    {.name = bytes_of_text("Object Group"),
		.value = bytes_of_text("first group")},
	    {.name = bytes_of_text("Object Group"),
		.value = bytes_of_text("second group")},
	    {.name = bytes_of_text("Contact Information"),
		.value = bytes_of_text("me")}};
	struct key_spec spec = key_spec_of(name, "alice");
	const char *answer;
	const char *second;
	char id[64];

	spec.attributes = attributes;
	spec.attribute_count = 3;
	spec.is_template = is_template;
	key_made(rig, &spec, id);
	answer = ask(rig, "alice", "1.2", item_for(rig, "GetAttributes", id));
	/* the first of each has 0, which stands for itself */
	assert_int_equal(
	    count_of(answer, "<AttributeIndex type=\"Integer\" value=\"1\"/>"),
	    1);
	second = strstr(answer, "<AttributeIndex");
	assert_non_null(second);
	assert_memory_equal(second,
	    "<AttributeIndex type=\"Integer\" value=\"1\"/>",
	    strlen("<AttributeIndex type=\"Integer\" value=\"1\"/>"));
	second = strstr(second, "<AttributeValue");
	assert_non_null(second);
	assert_memory_equal(second,
	    "<AttributeValue type=\"TextString\" value=\"second group\"/>",
	    strlen("<AttributeValue type=\"TextString\" "
		   "value=\"second group\"/>"));
	assert_has(answer, "value=\"me\"");
}

/* req: KS-28-132 KS-28-156 KS-28-157 KS-28-158 KS-28-218 */
static void
clients_see_the_index_of_an_attribute(void **state)
{
	assert_indexes(*state, "indexed", false);
	assert_indexes(*state, "indexed-template", true);
}

static void
versions_go_with_their_key(void **state)
{
	struct rig *rig = *state;
	struct key_spec spec = key_spec_of("versioned", "alice");
	const struct object *key;
	struct store_stats stats;
	uint64_t objects;
	uint32_t number;
	char octets[256];
	char version[80];
	char id[64];

	spec.versioned = true;
	key_made(rig, &spec, id);
	assert_ok(key_find(
	    key_call_of(rig), NULL, 0, bytes_of_text("versioned"), &key));
	assert_ok(
	    key_version_new(key_call_of(rig), key, CARD_ACTIVE, NULL, &number));
	turn_ends(rig);
	key_exported(rig, "versioned", 2, octets);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Get", id)), octets);
	/* an older one is no object that a client sees */
	snprintf(version, sizeof(version), "%s.1", id);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Get", version)),
	    REASON("ItemNotFound"));
	assert_ok(store_stats(rig->store, &stats));
	objects = stats.objects;
	revoke(rig, "alice", id);
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Destroy", id)),
	    STATUS("Success"));
	/* what is known of the key stays, and no bytes of any version */
	assert_ok(store_stats(rig->store, &stats));
	assert_int_equal(stats.objects, objects - 1);
}

/*
 * Users of the appliance and their groups, where a key server is its own.
 *
 * req: KS-03-049 KS-03-053 KS-03-054 KS-03-055 KS-28-096 KS-28-138
 */
static void
a_group_has_what_it_is_permitted(void **state)
{
	static const char hash[] =
	    "pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw==$"
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
	struct rig *rig = *state;
	struct card_permission staff = {.group = bytes_of_text("staff"),
	    .use = {[USE_ENCRYPT] = {.grant = CARD_ALWAYS}}};
	struct key_spec spec = key_spec_of("shared", "alice");
	struct key_change change = {.permissions = &staff,
	    .permission_count = 1,
	    .has_permissions = true};
	const struct object *key;
	char why[USER_WHY_OCTETS];
	char id[64];
	size_t k;

	static const char *const names[] = {"alice", "bob", "carol"};

	for (k = 0; k < 3; k++) {
		struct user user = {0};

		snprintf(user.name, sizeof(user.name), "%s", names[k]);
		memcpy(user.password.line, hash, sizeof(hash));
		assert_ok(user_create(&rig->appliance, &user));
	}
	assert_ok(group_create(&rig->appliance, bytes_of_text("staff")));
	assert_ok(group_add(&rig->appliance, bytes_of_text("staff"),
	    bytes_of_text("bob"), why));
	spec.permissions = &staff;
	spec.permission_count = 1;
	key_made(rig, &spec, id);
	/* by the specification there are no groups */
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "GetAttributes", id)),
	    REASON("ItemNotFound"));
	rig->door.profile = KEY_KEYSECURE;
	assert_has(ask(rig, "alice", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "bob", "1.2", LOCATE_NAME("01", "shared")), id);
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "GetAttributes", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Get", id)),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Destroy", id)),
	    REASON("PermissionDenied"));
	assert_has(ask(rig, "carol", "1.2", item_for(rig, "Get", id)),
	    REASON("ItemNotFound"));
	/* who is no user is nobody */
	assert_has(ask(rig, "mallory", "1.2", item_for(rig, "Get", id)),
	    STATUS("OperationFailed"));
	/* names are the whole appliance's */
	assert_has(ask(rig, "carol", "1.2", CREATE("01", NAME("shared"))),
	    STATUS("OperationFailed"));
	staff.use[USE_EXPORT].grant = CARD_ALWAYS;
	assert_ok(
	    key_find(key_call_of(rig), NULL, 0, bytes_of_text("shared"), &key));
	assert_ok(key_modify(key_call_of(rig), key, &change));
	turn_ends(rig);
	assert_has(ask(rig, "bob", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	rig->door.profile = KEY_STANDARD;
}

static void
names_are_unique_to_a_client(void **state)
{
	assert_has(ask(*state, "names", "1.2", CREATE("01", NAME("same"))),
	    STATUS("Success"));
	assert_has(ask(*state, "names", "1.2", CREATE("01", NAME("same"))),
	    REASON("InvalidField"));
	assert_has(ask(*state, "names2", "1.2", CREATE("01", NAME("same"))),
	    STATUS("Success"));
}

/* spec: kmip-1.4 4.9 */
static void
maximum_items_bounds_what_is_found(void **state)
{
	static const int wanted[] = {0, 1, 2, 3};
	char text[1024];
	size_t k;

	ask(*state, "max", "1.2", CREATE("01", "") CREATE("02", ""));
	for (k = 0; k < 4; k++) {
		snprintf(text, sizeof(text),
		    ITEM("Locate", "01",
			"<MaximumItems type=\"Integer\" value=\"%d\"/>"),
		    wanted[k]);
		assert_int_equal(count_of(ask(*state, "max", "1.2", text),
				     "<UniqueIdentifier"),
		    wanted[k] > 2 ? 2 : wanted[k]);
	}
}

/*
 * When something is broken
 */

/* req: KS-01-061 KS-01-063 KS-05-017 */
static void
without_the_hsm_keys_fail_and_nothing_else(void **state)
{
	struct rig *rig = *state;
	char id[64];

	value_of(ask(rig, "hsm", "1.2", CREATE("01", NAME("hsm"))),
	    "UniqueIdentifier", id, sizeof(id));
	keystore_logout(rig->keystore);
	probe(rig);
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "Get", id)),
	    STATUS("OperationFailed"));
	assert_has(
	    ask(rig, "hsm", "1.2", CREATE("01", "")), REASON("GeneralFailure"));
	assert_has(ask(rig, "hsm", "1.2", QUERY), STATUS("Success"));
	assert_has(ask(rig, "hsm", "1.2", LOCATE_NAME("01", "hsm")), id);
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "GetAttributes", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "Activate", id)),
	    REASON("GeneralFailure"));
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "Destroy", id)),
	    REASON("GeneralFailure"));
	keystore_login(rig->keystore);
	probe(rig);
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "Get", id)),
	    STATUS("Success"));
	assert_has(ask(rig, "hsm", "1.2", item_for(rig, "Destroy", id)),
	    STATUS("Success"));
}

static void
what_cannot_be_made_durable_did_not_happen(void **state)
{
	struct rig *rig = *state;

	vfs_disk_full(0);
	assert_has(ask(rig, "disk", "1.2", CREATE("0A1B", NAME("disk"))),
	    REASON("GeneralFailure"));
	assert_has(rig->xml, "<UniqueBatchItemID type=\"ByteString\" "
			     "value=\"0a1b\"/>");
	assert_has(ask(rig, "disk", "1.2", QUERY), STATUS("Success"));
	vfs_disk_full(UINT64_MAX);
	assert_lacks(ask(rig, "disk", "1.2", LOCATE_NAME("01", "disk")),
	    "<UniqueIdentifier");
	assert_has(ask(rig, "disk", "1.2", CREATE("01", NAME("disk"))),
	    STATUS("Success"));
}

/* A key whose Deactivation Date passes while nothing can be written. */
static void
a_full_disk_does_not_stop_reading(void **state)
{
	struct rig *rig = *state;
	char items[2048];
	char date[64];
	time_t soon = (time_t)env_wall_s(rig->env) + 100;
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S+00:00",
	    gmtime_r(&soon, &tm));
	snprintf(items, sizeof(items),
	    CREATE("01", NAME("due") ATTRIBUTE("Deactivation Date",
			     "type=\"DateTime\" value=\"%s\""))
		ITEM("Activate", "02", ""),
	    date);
	assert_int_equal(
	    count_of(ask(rig, "due", "1.2", items), STATUS("Success")), 2);
	vfs_disk_full(0);
	env_set_wall_s(rig->env, soon + 1);
	states_due(rig);
	assert_has(ask(rig, "due", "1.2", LOCATE_NAME("01", "due")),
	    "<UniqueIdentifier");
	vfs_disk_full(UINT64_MAX);
	states_due(rig);
	assert_has(ask(rig, "due", "1.2",
		       LOCATE_NAME("01", "due") ITEM("GetAttributes", "02",
			   "<AttributeName type=\"TextString\" "
			   "value=\"State\"/>")),
	    "value=\"Deactivated\"");
}

static void
without_randomness_no_key_is_made(void **state)
{
	struct rig *rig = *state;

	env_break_random(rig->env, true);
	assert_has(ask(rig, "entropy", "1.2", CREATE("01", NAME("e"))),
	    REASON("CryptographicFailure"));
	env_break_random(rig->env, false);
	assert_lacks(ask(rig, "entropy", "1.2", LOCATE_NAME("01", "e")),
	    "<UniqueIdentifier");
}

/* spec: kmip-2.1 6.1.8 */
static void
secret_data_is_created_in_whole_octets(void **state)
{
	static const char item[] = ITEM("Create", "01",
	    "<ObjectType type=\"Enumeration\" value=\"SecretData\"/>"
	    "<Attributes><CryptographicLength type=\"Integer\" "
	    "value=\"%d\"/></Attributes>");
	char text[1024];
	char id[64];

	snprintf(text, sizeof(text), item, 80);
	value_of(ask(*state, "secret", "2.1", text), "UniqueIdentifier", id,
	    sizeof(id));
	assert_has(ask(*state, "secret", "2.1", item_for(*state, "Get", id)),
	    "<SecretDataType type=\"Enumeration\" value=\"Password\"/>");
	snprintf(text, sizeof(text), item, 81);
	assert_has(ask(*state, "secret", "2.1", text),
	    REASON("InvalidAttributeValue"));
	snprintf(text, sizeof(text), item, 0);
	assert_has(ask(*state, "secret", "2.1", text),
	    REASON("InvalidAttributeValue"));
}

/* spec: kmip-1.4 3.36: data that only the client could make up */
static void
application_data_is_not_made_up(void **state)
{
	assert_has(
	    ask(*state, "asi", "1.4",
		CREATE("01", "<Attribute><AttributeName type=\"TextString\" "
			     "value=\"Application Specific Information\"/>"
			     "<AttributeValue><ApplicationNamespace "
			     "type=\"TextString\" value=\"ssl\"/>"
			     "</AttributeValue></Attribute>")),
	    REASON("ApplicationNamespaceNotSupported"));
	assert_has(ask(*state, "asi", "1.4",
		       CREATE("01",
			   "<Attribute><AttributeName type=\"TextString\" "
			   "value=\"Application Specific Information\"/>"
			   "<AttributeValue><ApplicationNamespace "
			   "type=\"TextString\" value=\"ssl\"/>"
			   "<ApplicationData type=\"TextString\" value=\"d\"/>"
			   "</AttributeValue></Attribute>")),
	    STATUS("Success"));
}

/*
 * Templates and holders. spec: kmip-1.4 4 and 4.2
 */

#define CONTACT(text) \
	ATTRIBUTE(    \
	    "Contact Information", "type=\"TextString\" value=\"" text "\"")
#define GROUP(text) \
	ATTRIBUTE("Object Group", "type=\"TextString\" value=\"" text "\"")
#define TEMPLATE(name, more)                                        \
	ITEM("Register", "01",                                      \
	    "<ObjectType type=\"Enumeration\" value=\"Template\"/>" \
	    "<TemplateAttribute>" NAME(                             \
		name) "</TemplateAttribute><Template>" more "</Template>")
#define FROM(name)                                                           \
	"<Name><NameValue type=\"TextString\" value=\"" name "\"/>"          \
	"<NameType type=\"Enumeration\" value=\"UninterpretedTextString\"/>" \
	"</Name>"

static void
the_last_template_and_the_request_take_precedence(void **state)
{
	static const char create[] = ITEM("Create", "01",
	    "<ObjectType type=\"Enumeration\" value=\"SymmetricKey\"/>"
	    "<TemplateAttribute>" FROM("one") FROM("two") ATTRIBUTE(
		"Cryptographic Algorithm", "type=\"Enumeration\" value=\"AES\"")
		ATTRIBUTE("Cryptographic Length",
		    "type=\"Integer\" "
		    "value=\"128\"") ATTRIBUTE("Cryptographic Usage Mask",
		    "type=\"Integer\" value=\"Encrypt\"") "%s"
							  "</"
							  "TemplateAttribute>")
	    ITEM("GetAttributes", "02", "");
	char text[4096];
	const char *answer;

	ask(*state, "templates", "1.1",
	    TEMPLATE("one", CONTACT("c1") GROUP("g1")));
	ask(*state, "templates", "1.1",
	    TEMPLATE("two", CONTACT("c2") GROUP("g2")));
	snprintf(text, sizeof(text), create, "");
	answer = ask(*state, "templates", "1.1", text);
	assert_has(answer, "value=\"c2\"");
	assert_lacks(answer, "value=\"c1\"");
	assert_has(answer, "value=\"g1\"");
	assert_has(answer, "value=\"g2\"");
	snprintf(text, sizeof(text), create, CONTACT("c3") GROUP("g2"));
	answer = ask(*state, "templates", "1.1", text);
	assert_has(answer, "value=\"c3\"");
	assert_lacks(answer, "value=\"c2\"");
	assert_int_equal(count_of(answer, "value=\"g2\""), 1);
	/* twice in one holder is not a matter of precedence */
	snprintf(text, sizeof(text), create, CONTACT("c3") CONTACT("c4"));
	assert_has(
	    ask(*state, "templates", "1.1", text), REASON("InvalidField"));
}

/*
 * Key pairs, which a worker makes
 */

#define PAIR(id, private_more, public_more)                                    \
	ITEM("CreateKeyPair", id,                                              \
	    "<CommonTemplateAttribute>" ATTRIBUTE("Cryptographic Algorithm",   \
		"type=\"Enumeration\" value=\"ECDSA\"") ATTRIBUTE("Cryptograp" \
								  "hic "       \
								  "Length",    \
		"type=\"Integer\" value=\"256\"") "</"                         \
						  "CommonTemplateAttribute><"  \
						  "PrivateKeyTemplateAttribut" \
						  "e>" ATTRIBUTE("Cryptograph" \
								 "ic Usage "   \
								 "Mask",       \
						      "type=\"Integer\" "      \
						      "value=\"Sign\"")        \
						      private_more             \
	    "</PrivateKeyTemplateAttribute>"                                   \
	    "<PublicKeyTemplateAttribute>" ATTRIBUTE(                          \
		"Cryptographic Usage Mask",                                    \
		"type=\"Integer\" value=\"Verify\"") public_more               \
	    "</PublicKeyTemplateAttribute>")

static void
a_pair_is_made_whole_or_not_at_all(void **state)
{
	const char *answer = ask(
	    *state, "pair", "1.2", PAIR("01", NAME("private"), NAME("public")));
	char id[64];

	assert_has(answer, STATUS("Success"));
	value_of(answer, "PrivateKeyUniqueIdentifier", id, sizeof(id));
	answer =
	    ask(*state, "pair", "1.2", item_for(*state, "GetAttributes", id));
	assert_has(answer, "PublicKeyLink");
	/* the second name is taken: the first key must not stay */
	answer = ask(
	    *state, "pair", "1.2", PAIR("01", NAME("fresh"), NAME("public")));
	assert_has(answer, STATUS("OperationFailed"));
	answer = ask(*state, "pair", "1.2", LOCATE_NAME("01", "fresh"));
	assert_lacks(answer, "<UniqueIdentifier");
	answer = ask(
	    *state, "pair", "1.2", PAIR("01", NAME("twice"), NAME("twice")));
	assert_has(answer, STATUS("OperationFailed"));
	answer = ask(*state, "pair", "1.2", LOCATE_NAME("01", "twice"));
	assert_lacks(answer, "<UniqueIdentifier");
}

/* Where a pair is one item of several, all of them wait for the worker. */
static void
a_batch_with_a_pair_keeps_its_order(void **state)
{
	const char *answer = ask(*state, "slow", "1.2",
	    CREATE("01", NAME("before")) PAIR("02", "", "")
		ITEM("Activate", "03", "") CREATE("04", NAME("after")));

	assert_int_equal(count_of(answer, STATUS("Success")), 4);
	assert_true(
	    strstr(answer, "value=\"01\"") < strstr(answer, "value=\"02\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_batch_stops_at_its_first_failure),
	    cmocka_unit_test(a_batch_continues_where_it_is_told_to),
	    cmocka_unit_test(a_batch_is_undone_where_it_is_told_to),
	    cmocka_unit_test(each_batch_item_leaves_a_line),
	    cmocka_unit_test(what_is_undone_is_no_success_in_the_log),
	    cmocka_unit_test(what_is_registered_is_told_by_its_block),
	    cmocka_unit_test(several_batch_items_need_identifiers),
	    cmocka_unit_test(the_placeholder_carries_from_item_to_item),
	    cmocka_unit_test(a_placeholder_is_named_in_2_x),
	    cmocka_unit_test(
		a_compromise_of_unknown_date_is_as_old_as_its_object),
	    cmocka_unit_test(an_answer_that_is_too_large_undoes_its_batch),
	    cmocka_unit_test(what_must_be_asynchronous_is_refused),
	    cmocka_unit_test(correlation_values_are_for_who_uses_them),
	    cmocka_unit_test(versions_that_are_not_there_are_refused),
	    cmocka_unit_test(what_is_no_message_has_an_answer),
	    cmocka_unit_test(an_operation_that_is_not_there_fails_alone),
	    cmocka_unit_test(an_unknown_critical_extension_is_refused),
	    cmocka_unit_test(credentials_that_nobody_can_check_are_refused),
	    cmocka_unit_test(
		keys_are_made_and_deleted_where_the_key_server_allows_it),
	    cmocka_unit_test(keys_leave_where_the_key_server_allows_it),
	    cmocka_unit_test(strangers_and_absent_objects_look_alike),
	    cmocka_unit_test(a_key_of_the_appliance_is_found_and_fetched),
	    cmocka_unit_test(a_key_of_a_client_is_found_and_opened),
	    cmocka_unit_test(marks_of_a_key_hold_for_clients_too),
	    cmocka_unit_test(clients_see_the_index_of_an_attribute),
	    cmocka_unit_test(versions_go_with_their_key),
	    cmocka_unit_test(a_group_has_what_it_is_permitted),
	    cmocka_unit_test(names_are_unique_to_a_client),
	    cmocka_unit_test(maximum_items_bounds_what_is_found),
	    cmocka_unit_test(without_the_hsm_keys_fail_and_nothing_else),
	    cmocka_unit_test(what_cannot_be_made_durable_did_not_happen),
	    cmocka_unit_test(a_full_disk_does_not_stop_reading),
	    cmocka_unit_test(without_randomness_no_key_is_made),
	    cmocka_unit_test(secret_data_is_created_in_whole_octets),
	    cmocka_unit_test(application_data_is_not_made_up),
	    cmocka_unit_test(the_last_template_and_the_request_take_precedence),
	    cmocka_unit_test(a_pair_is_made_whole_or_not_at_all),
	    cmocka_unit_test(a_batch_with_a_pair_keeps_its_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
