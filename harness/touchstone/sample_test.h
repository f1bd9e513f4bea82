/*
 * A run made up for the tests of the record and of the reports: every verdict,
 * every member, and texts that mean harm.
 */
#ifndef TOUCHSTONE_SAMPLE_TEST_H
#define TOUCHSTONE_SAMPLE_TEST_H

#include "results.h"

/* A title that no report may be broken by: markup, a directive of TAP, a line
 * feed, an escape sequence, controls, a text direction, a non-character. */
#define HOSTILE                                                     \
	"</title><script>alert('1')</script> \"quoted\" & ]]> # TO" \
	"DO \n"                                                     \
	"not ok 1 \x1b[2J\x01\x7f \xe2\x80\xae \xef\xbf\xbe end"

static const char *const sample_vectors[] = {"vectors/kmip", "a \"b\""};
static const char *const sample_clauses[] = {"kmip-1.4 4.9", "kmip-1.4 6.15"};
static const char *const sample_unproven[] = {"Operation <Archive>"};
static const char *const sample_notes[] = {"OASIS: not run"};

static const struct run_head sample_head = {
    .suite_version = "0.1.0",
    .seed = 4711,
    .started = "2026-11-21T10:55:02Z",
    .target = {"reference", "127.0.0.1:5696", "9f86d081"},
    .laboratory = true,
    .vectors = {sample_vectors, 2},
    .planned = 8,
};

static const struct exchange sample_steps[] = {
    {.n = 1, .client = "Client-A", .sent_hex = "42007801", .received_hex = ""},
    {
	.n = 2,
	.client = HOSTILE,
	.sent_hex = "4200780100000000",
	.received_hex = "42007b0100000010"
			"42000d02000000040000000100000000",
	.sent_xml = "<RequestMessage/>",
	.received_xml = "<ResponseMessage>\n"
			"  <BatchItem>\n"
			"    <Name type=\"TextString\" value=\"a>b\"/>\n"
			"  </BatchItem>\n"
			"  <BatchItem>\n"
			"    <BatchCount type=\"Integer\" value=\"1\"/>\n"
			"    <BatchCount type=\"Integer\" value=\"2\"/>\n"
			"  </BatchItem>\n"
			"</ResponseMessage>\n",
    },
    {.n = 3, .client = "Client-A", .sent_hex = "4200780100000000"},
};

static const struct difference sample_difference = {
    .step = 2,
    .path = "ResponseMessage/BatchItem[1]/BatchCount[1]",
    .at_octet = true,
    .offset_octets = 8,
    .expected = "Integer 1 <",
    .got = HOSTILE,
    .rule = "value",
};

static const struct waiver_note sample_waiver = {
    .file = "known.waivers",
    .line = 12,
    .reason = "known & " HOSTILE,
    .link = "https://bugs.example/1",
    .expires = "2027-03-31",
};

/* Not in the order in which reports list them. */
static const struct test_result sample_tests[] = {
    {.id = "B-10", .family = "B", .version = "1.10", .verdict = VERDICT_PASS},
    {.id = "B-10", .family = "B", .version = "1.9", .verdict = VERDICT_PASS},
    {
	.id = "B-2",
	.family = "B",
	.version = "1.9",
	.level = "mandatory",
	.mark = "I",
	.title = HOSTILE,
	.clauses = {sample_clauses, 2},
	.verdict = VERDICT_FAIL,
	.difference = &sample_difference,
	.steps = sample_steps,
	.step_count = 3,
	.ms = 12.5,
	.repeat = "touchstone run --only 'B-2'",
    },
    {
	.id = "A-1",
	.family = "A",
	.version = "1.9",
	.verdict = VERDICT_UNKNOWN,
	.reason = "the target died",
    },
    {
	.id = "A-2",
	.family = "A",
	.version = "1.9",
	.verdict = VERDICT_WAIVER_STALE,
	.reason = "passes, but known.waivers:12 waives it",
	.waiver = &sample_waiver,
    },
    {
	.id = "A-3",
	.family = "A",
	.version = "1.9",
	.verdict = VERDICT_WAIVED,
	.difference = &sample_difference,
	.steps = sample_steps,
	.step_count = 2,
	.waiver = &sample_waiver,
    },
    {
	.id = "A-4",
	.family = "A",
	.version = "1.9",
	.verdict = VERDICT_NOT_CLAIMED,
	.reason = "no <Sign>",
    },
    {
	.id = "A-5",
	.family = "A",
	.version = "1.10",
	.verdict = VERDICT_NOT_RUN,
	.reason = "no second client",
    },
};

static const struct run_tail sample_tail = {
    .tally = {{
	[VERDICT_PASS] = 2,
	[VERDICT_FAIL] = 1,
	[VERDICT_UNKNOWN] = 1,
	[VERDICT_WAIVER_STALE] = 1,
	[VERDICT_WAIVED] = 1,
	[VERDICT_NOT_CLAIMED] = 1,
	[VERDICT_NOT_RUN] = 1,
    }},
    .ms = 1234.5,
    .unproven = {sample_unproven, 1},
    .notes = {sample_notes, 1},
    .exit = 1,
};

#endif
