/*
 * A client's stream, whole and in portions: the parts are the same, and each
 * ends where it was said in advance. Headers are read, and what was read is
 * written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "nae/element.h"
#include "nae/frame.h"

enum { ARENA_OCTETS = 64 << 20, DATA_OCTETS = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
write_all(struct buf *out, const struct element *e)
{
	must(buf_put_text(out, "<") == OK);
	must(buf_put(out, e->name) == OK);
	must(buf_put_text(out, ">") == OK);
	must(element_escape(out, e->text) == OK);
	ELEMENT_EACH (e, child)
		write_all(out, child);
	must(buf_put_text(out, "</") == OK);
	must(buf_put(out, e->name) == OK);
	must(buf_put_text(out, ">") == OK);
}

static void
check_header(struct bytes octets, size_t count)
{
	const struct element *root;
	const struct element *again;
	struct arena *a;
	struct buf out;
	size_t k;

	must(arena_new(ARENA_OCTETS, &a) == OK);
	buf_init(&out, ARENA_OCTETS);
	if (element_read(a, octets, count, &root) == OK) {
		must(root->span <= count);
		write_all(&out, root);
		must(element_read(a, buf_peek(&out), count, &again) == OK);
		must(again->span == root->span);
		for (k = 0; k < root->span; k++) {
			must(bytes_equal(root[k].name, again[k].name));
			must(bytes_equal(root[k].text, again[k].text));
			must(root[k].what == again[k].what);
		}
	}
	buf_clear(&out);
	arena_free(a);
}

static const char *const marks[] = {
    [FRAME_HEADER] = "H", [FRAME_DATA] = "(", [FRAME_END] = ")"};

/* What came of it, in `out`; portion 0: what frame_peek says each time. */
static void
run(struct buf *out, struct bytes all, size_t portion)
{
	struct frame f;
	enum err rc = OK;

	frame_init(&f, DATA_OCTETS);
	while (rc == OK && all.octets != 0) {
		enum frame_part part = FRAME_HEADER;
		size_t some = portion != 0 ? portion : frame_peek(&f, all);
		unsigned waits = 0; /* parts that others may wait for */
		struct bytes octets;
		struct bytes in;

		must(some != 0 && (portion != 0 || some <= all.octets));
		some = some < all.octets ? some : all.octets;
		must(bytes_split(&all, some, &in) == OK);
		while (part != FRAME_MORE) {
			rc = frame_next(&f, &in, &part, &octets);
			if (rc != OK)
				break;
			/* what has no octets has ended with its beginning */
			must(portion != 0 || waits == 0 || part == FRAME_MORE ||
			     part == FRAME_END);
			waits += part == FRAME_HEADER || part == FRAME_DATA;
			if (part == FRAME_HEADER && portion == 0)
				check_header(octets, frame_elements(&f));
			if (part != FRAME_MORE && part != FRAME_PIECE)
				must(buf_put_text(out, marks[part]) == OK);
			must(buf_put(out, octets) == OK);
		}
	}
	/* how much was given before an error does not count */
	if (rc != OK) {
		buf_reset(out);
		must(buf_put_text(out, err_name(rc)) == OK);
	}
	frame_clear(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t octets)
{
	struct bytes in = {data + 1, octets - 1};
	struct buf whole;
	struct buf parts;
	struct buf peeks;

	if (octets == 0)
		return 0;
	buf_init(&whole, ARENA_OCTETS);
	buf_init(&parts, ARENA_OCTETS);
	buf_init(&peeks, ARENA_OCTETS);
	run(&whole, in, in.octets);
	run(&parts, in, 1 + (size_t)data[0]);
	run(&peeks, in, 0);
	must(bytes_equal(buf_peek(&whole), buf_peek(&parts)));
	must(bytes_equal(buf_peek(&whole), buf_peek(&peeks)));
	buf_clear(&whole);
	buf_clear(&parts);
	buf_clear(&peeks);
	return 0;
}
