/*
 * The elements of a header: read, found, written.
 *
 * A header is read into a row of elements in the order in which they begin,
 * each of which says how many it spans with all that is in it; so there is no
 * tree to build, and what belongs to an element is a slice of the row.
 *
 *	ELEMENT_EACH (root, child)
 *		if (child->what == EL_KEY_NAME) ...
 *
 * Texts are UTF-8. Five entities and numbers stand for characters; there is no
 * other markup. Attributes are passed over.
 *
 * Source: protocol note section 2.1
 */
#ifndef NAE_ELEMENT_H
#define NAE_ELEMENT_H

#include "base/arena.h"
#include "base/buf.h"

enum element_name {
	EL_UNKNOWN, /* a name that is not ours, or the root's */
#define ELEMENT(symbol, ...) symbol,
#include "nae/element.def"
#undef ELEMENT
	EL_COUNT
};

struct element {
	struct bytes name;
	struct bytes text; /* none where it has elements in it */
	enum element_name what;
	uint32_t span; /* elements: itself and all within */
};

#define ELEMENT_EACH(parent, child)                      \
	for (const struct element *child = (parent) + 1; \
	     child < (parent) + (parent)->span; child += child->span)

/*
 * Read a root element that frame.h has cut out.
 *
 * octets    borrowed for as long as the elements: names and texts lie in it
 *           where no reference had to be replaced
 * count     how many elements it has: frame_elements()
 *
 * ERR_MESSAGE  not well-formed, or not UTF-8
 * ERR_LIMIT    a text longer than its element may have
 * ERR_NOMEM
 */
enum err element_read(struct arena *a, struct bytes octets, size_t count,
    const struct element **root) MUST_CHECK;

/* The first one directly in it, or NULL. */
const struct element *
element_find(const struct element *parent, enum element_name what);

/* Its text; BYTES_NONE where there is no such element. */
struct bytes element_text(const struct element *parent, enum element_name what);

const char *element_word(enum element_name what); /* static */
enum element_name element_named(struct bytes name);

/*
 * A flag: absent is false, empty is true.
 *
 * ERR_VALUE  neither that nor "true" nor "false"
 */
enum err element_flag(
    const struct element *parent, enum element_name what, bool *out) MUST_CHECK;

/*
 * Decimal digits and nothing else, no sign.
 *
 * ERR_VALUE  not that, or beyond `most`
 */
enum err element_number(
    const struct element *e, uint64_t most, uint64_t *out) MUST_CHECK;

/*
 * Appended. Texts are escaped. What fails leaves a part behind.
 *
 * ERR_LIMIT, ERR_NOMEM
 */
enum err element_put(
    struct buf *out, enum element_name what, struct bytes text) MUST_CHECK;
enum err element_put_text(
    struct buf *out, enum element_name what, const char *text) MUST_CHECK;
enum err
element_put_flag(struct buf *out, enum element_name what, bool is) MUST_CHECK;
enum err element_put_number(
    struct buf *out, enum element_name what, uint64_t number) MUST_CHECK;
enum err element_put_hex(
    struct buf *out, enum element_name what, struct bytes octets) MUST_CHECK;
enum err element_open(struct buf *out, enum element_name what) MUST_CHECK;
enum err element_close(struct buf *out, enum element_name what) MUST_CHECK;
/* '<', '>' and '&' as references; what XML cannot carry as a question mark. */
enum err element_escape(struct buf *out, struct bytes text) MUST_CHECK;

#endif
