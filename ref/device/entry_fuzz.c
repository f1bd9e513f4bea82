#include "device/entry.h"

#include <string.h>

static const struct entry_rule rules[] = {
#define KIND(symbol, ...) {.type = ENTRY_TEXT, .kind = symbol},
#include "device/entry_kind.def"
#undef KIND
    {.type = ENTRY_NUMBER, .least = 1, .most = 365, .step = 1, .zero = "Never"},
    {.type = ENTRY_NUMBER, .least = 5, .most = 10080, .step = 5, .zero = ""},
    {.type = ENTRY_YESNO},
    {.type = ENTRY_CHOICE, .choices = "by-door|one-minute|one"},
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

/* The first octet chooses the rule. What is read can be read again, and is
 * printable; what is refused has a message of one line. */
int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	char once[ENTRY_OCTETS];
	char twice[ENTRY_OCTETS];
	char why[ENTRY_WHY_OCTETS];
	const struct entry_rule *rule;
	int64_t number;
	int64_t again;
	struct bytes typed;
	const char *c;

	if (octets == 0)
		return 0;
	rule = &rules[at[0] % RULES];
	typed = (struct bytes){at + 1, octets - 1};
	if (entry_read(rule, typed, once, &number) == OK) {
		if (entry_read(rule, bytes_of_text(once), twice, &again) !=
			OK ||
		    strcmp(once, twice) != 0 || number != again)
			__builtin_trap();
		c = once;
	} else {
		entry_refuse("Field", typed, "rule", why);
		c = why;
	}
	for (; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			__builtin_trap();
	return 0;
}
