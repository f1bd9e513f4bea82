/* Any line, in both modes, asked about and matched. */
#include "cli/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
ignore(void *ctx, struct bytes word, const char *help)
{
	(void)help;
	*(size_t *)ctx += word.octets;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	static const enum cli_mode modes[] = {CLI_PLAIN, CLI_CONFIG};
	struct words words;
	const struct command *command;
	size_t at_word;
	size_t sum = 0;
	size_t k;

	if (words_read((struct bytes){data, octets}, &words) != OK)
		return 0;
	for (k = 0; k < words.count; k++) {
		if (words.word[k].at < words.text ||
		    words.word[k].at + words.word[k].octets >
			words.text + sizeof(words.text))
			__builtin_trap();
	}
	for (k = 0; k < 2; k++) {
		if (command_find(&words, modes[k], &command, &at_word) ==
			COMMAND_FOUND &&
		    (command == NULL || at_word > words.count))
			__builtin_trap();
		(void)command_next(&words, modes[k], ignore, &sum);
	}
	return 0;
}
