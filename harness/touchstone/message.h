/*
 * Build requests by hand: for the runner's own (sanity, claims, clearing away)
 * and for the client command.
 *
 *   struct node *m = message_new(a, 0x14), *p;
 *
 *   p = message_item(a, m, OPERATION_QUERY);
 *   put_enum(a, p, TAG_QUERY_FUNCTION, QUERY_FUNCTION_QUERY_OPERATIONS);
 */
#ifndef TOUCHSTONE_MESSAGE_H
#define TOUCHSTONE_MESSAGE_H

#include "node.h"

/* A request of that version without Batch Items. */
struct node *message_new(struct arena *a, unsigned version);

/* One Batch Item more; the Batch Count follows. Borrowed: its payload. */
struct node *
message_item(struct arena *a, struct node *message, uint32_t operation);

/* Let the server go on after a Batch Item that failed. */
void message_continue(struct arena *a, struct node *message);

/* Put an Authentication with user name and password into the header. */
void message_authenticate(struct arena *a, struct node *message,
    const char *username, const char *password);

/* One child more; each answers with it. */
struct node *put_structure(struct arena *a, struct node *parent, uint32_t tag);
struct node *
put_text(struct arena *a, struct node *parent, uint32_t tag, const char *text);
struct node *put_bytes(struct arena *a, struct node *parent, uint32_t tag,
    enum item_type type, struct bytes value);
struct node *put_number(struct arena *a, struct node *parent, uint32_t tag,
    enum item_type type, int64_t v);
struct node *
put_enum(struct arena *a, struct node *parent, uint32_t tag, uint32_t v);

#endif
