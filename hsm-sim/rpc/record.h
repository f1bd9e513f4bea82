/*
 * Structs of PKCS#11 as octets, from record.def.
 */
#ifndef RPC_RECORD_H
#define RPC_RECORD_H

#include "rpc/item.h"

enum record_kind {
#define RECORD(record, type) RECORD_##record,
#define FIELD_NUMBER(record, type, member)
#define FIELD_FIXED(record, type, member)
#define FIELD_OCTETS(record, type, member, length)
#include "rpc/record.def"
#undef RECORD
#undef FIELD_NUMBER
#undef FIELD_FIXED
#undef FIELD_OCTETS
	RECORD_COUNT
};

/* The struct's size. */
size_t record_octets(enum record_kind kind);

/*
 * from      the struct
 * contents  false leaves out what FIXED and OCTETS fields hold, and keeps
 *           lengths: what two records then have in common is their shape
 */
enum err record_write(enum record_kind kind, const void *from, bool contents,
    struct buf *out) MUST_CHECK;

/* to  the struct; its pointers will point into what is read */
enum err
record_read(enum record_kind kind, struct bytes *in, void *to) MUST_CHECK;

#endif
