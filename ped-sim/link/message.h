/*
 * Messages between card and PED, from message.def.
 *
 * One struct holds any message; which fields count is the row's matter. Texts
 * and octets are borrowed from what was read, or from who writes.
 */
#ifndef LINK_MESSAGE_H
#define LINK_MESSAGE_H

#include "base/buf.h"

enum ped_code {
#define ASK(code, number, fields)    code = number,
#define ANSWER(code, number, fields) code = number,
#include "link/message.def"
#undef ASK
#undef ANSWER
};

struct ped_message {
	enum ped_code code;
	uint8_t number[3];   /* its u8 fields, in order */
	struct bytes text;   /* its text field */
	struct bytes octets; /* its digits or octets field */
};

/* The row's name, "PED_ENTER"; NULL: no such row. Static. */
const char *ped_message_name(unsigned number);

/* Does it come from the PED? */
bool ped_message_is_answer(enum ped_code code);

/* ERR_LENGTH  a field longer than its length can say */
enum err
ped_message_write(const struct ped_message *m, struct buf *out) MUST_CHECK;

/*
 * ERR_CHOICE     no such row
 * ERR_TRUNCATED, ERR_TRAILING, ERR_UTF8
 * ERR_VALUE      a digit that is none
 */
enum err ped_message_read(struct bytes in, struct ped_message *out) MUST_CHECK;

#endif
