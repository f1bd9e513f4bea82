#include "cli/upload.h"

#include "cli/session.h"

enum { PIECE_OCTETS = 3 * COMMAND_LINE_OCTETS / 4 + 3 };

static void take_line(struct cli *cli, struct bytes line);

static void
ask_line(struct cli *cli)
{
	cli_ask(cli, CLI_VALUE, "", take_line);
}

static enum err
add_line(struct cli *cli, struct upload *upload, struct bytes line)
{
	uint8_t piece[PIECE_OCTETS];
	size_t octets;
	enum err rc = OK;

	while (line.octets != 0) {
		TRY(base64_read(&upload->base64, &line, true, piece,
		    sizeof(piece), &octets));
		TRY(upload->add(cli, (struct bytes){piece, octets}));
	}
out:
	return rc;
}

static void
take_line(struct cli *cli, struct bytes line)
{
	struct upload *upload = cli->upload;
	bool ends = bytes_equal_text(line, ".") ||
		    bytes_begin(line, bytes_of_text(upload->end));
	enum err rc = OK;

	if (ends)
		rc = base64_end(&upload->base64);
	else if (!bytes_begin(line, bytes_of_text(upload->begin)))
		rc = add_line(cli, upload, line);

	if (rc != OK || ends)
		upload->done(cli, rc);
	else
		ask_line(cli);
}

void
upload_begin(struct cli *cli, struct upload *upload)
{
	cli->upload = upload;
	cli_say(cli, "The file as a download shows it, or in base 64 and a "
		     "line \".\" at its end:");
	ask_line(cli);
}
