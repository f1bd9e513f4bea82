/* Any keys, in any sort of line, at any width. */
#include "cli/editor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

enum { OUT_OCTETS = 1 << 24 };

static void
must(enum err rc)
{
	if (rc != OK)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct editor *editor;
	struct bytes in = {data, octets};
	struct buf out;
	enum editor_event event = EDITOR_LINE;
	struct bytes line;

	if (octets > 8192)
		return 0;
	buf_init(&out, OUT_OCTETS);
	must(editor_new(&editor));
	if (octets != 0)
		editor_width(editor, data[0]);
	while (in.octets != 0) {
		if (event != EDITOR_MORE && event != EDITOR_COMPLETE)
			must(editor_ask(
			    editor, in.at[0] % 3, "Question:", &out));
		buf_reset(&out);
		must(editor_type(editor, &in, &out, &event));
		line = editor_line(editor);
		if (line.octets > COMMAND_LINE_OCTETS)
			__builtin_trap();
		if (event == EDITOR_COMPLETE)
			must(editor_insert(editor,
			    bytes_of_text(line.octets % 2 != 0 ? "word " : ""),
			    &out));
	}
	editor_free(editor);
	buf_clear(&out);
	return 0;
}
