#include "cli/backup_say.h"

#include <stdio.h>
#include <unistd.h>

#include "base/base64.h"

enum {
	STEP_OCTETS = 45 * 1024, /* a turn's: CLI_SLICE_OCTETS as text */
	LINE_OCTETS = 48,        /* 64 characters */
};

void
backup_say_header(struct cli *cli, const struct backup_header *header)
{
	char made[CLOCK_TEXT_OCTETS];
	unsigned k;

	clock_text(cli_appliance(cli)->clock, header->made_s, made);
	cli_say(cli, "Backup Name: %s", header->base);
	cli_say(cli, "  Date: %s", made);
	cli_say(cli, "  Size: %llu", (unsigned long long)header->octets);
	cli_say(cli, "  Backup Description: %s", header->description);
	for (k = 0; k < header->files; k++) {
		char name[BACKUP_FILE_NAME_OCTETS];

		backup_file_name(header->base, k, name);
		cli_say(cli, "  File: %s", name);
	}
}

static void
say_octets(struct cli *cli, struct bytes octets)
{
	while (octets.octets != 0) {
		char line[BASE64_CHARACTERS(LINE_OCTETS) + 1];
		struct bytes head = octets;

		if (bytes_split(&octets, LINE_OCTETS, &head) != OK)
			octets = BYTES_NONE; /* the last of it */
		base64_write(head, line);
		cli_say(cli, "%s", line);
	}
}

static void
name_of(const struct backup_say *say, char out[TRANSFER_NAME_OCTETS + 1])
{
	char name[BACKUP_FILE_NAME_OCTETS];

	backup_file_name(say->header->base, say->file, name);
	(void)snprintf(out, TRANSFER_NAME_OCTETS + 1, "%s",
	    say->name[0] != '\0' && say->header->files == 1 ? say->name : name);
}

void
backup_say_some(
    struct cli *cli, struct backup_say *say, void (*again)(struct cli *cli))
{
	static uint8_t room[STEP_OCTETS];
	char name[TRANSFER_NAME_OCTETS + 1];
	ssize_t got = pread(*say->fds, room, sizeof(room), (off_t)say->offset);

	if (got < 0) {
		cli_fail(cli, "the backup cannot be read");
		return;
	}
	name_of(say, name);
	if (say->offset == 0)
		cli_say(cli, "-----BEGIN BACKUP FILE %s-----", name);
	say_octets(cli, (struct bytes){room, (size_t)got});
	say->offset += (uint64_t)got;
	if ((size_t)got < sizeof(room)) {
		cli_say(cli, "-----END BACKUP FILE %s-----", name);
		say->offset = 0;
		say->fds++;
		say->file++;
	}
	if (say->file == say->end)
		cli_done(cli);
	else
		cli_go_on(cli, again);
}
