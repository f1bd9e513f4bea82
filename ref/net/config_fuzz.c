#include "net/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets);

int
LLVMFuzzerTestOneInput(const uint8_t *at, size_t octets)
{
	struct config_fault fault;
	struct config config;

	if (config_parse((struct bytes){at, octets}, "/dir", &config, &fault) ==
	    OK)
		config_clear(&config);
	else if (fault.text[0] == '\0')
		__builtin_trap(); /* refused without a word */
	return 0;
}
