/*
 * Lines of administrators: what is read is within the line, and what was
 * understood is understood the same once more when it is written again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "card/admin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

/* The same request by its row's order, with everything encoded. */
static void
write_again(const struct admin_request *r, struct buf *out)
{
	const char *key = admin_command_keys(r->command);
	size_t k;

	assert(buf_put_text(out, admin_command_name(r->command)) == OK);
	for (k = 0; *key != '\0'; k++) {
		assert(buf_printf(
			   out, " %.*s=", (int)strcspn(key, " #@"), key) == OK);
		assert(percent_put(out, bytes_of_text(r->text[k])) == OK);
		key += strcspn(key, " ");
		key += *key == ' ';
	}
	assert(buf_put(out, (struct bytes){(const uint8_t *)"", 1}) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct admin_request first, second;
	struct buf again;
	char *line = malloc(octets + 1);
	size_t k;

	if (line == NULL || octets >= ADMIN_LINE_OCTETS)
		goto out;
	memcpy(line, data, octets);
	line[octets] = '\0';
	if (admin_read(line, &first) != OK)
		goto out;
	buf_init(&again, 4 * ADMIN_LINE_OCTETS);
	write_again(&first, &again);
	assert(admin_read((char *)again.at, &second) == OK);
	assert(second.command == first.command);
	for (k = 0; k < ADMIN_ARGS_MAX; k++) {
		assert((first.text[k] == NULL) == (second.text[k] == NULL));
		assert(first.number[k] == second.number[k]);
		if (first.text[k] != NULL)
			assert(strcmp(first.text[k], second.text[k]) == 0);
	}
	buf_clear(&again);
out:
	free(line);
	return 0;
}
