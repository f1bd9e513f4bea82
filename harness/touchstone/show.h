/*
 * A tree in words: as an indented text for people, and as the XML that the
 * cases are written in.
 *
 * Secrets are masked unless asked for: Key Material and what is below it, a
 * Key Value that is octets, passwords. show_hex() masks the same octets, so
 * that a report may be handed on.
 */
#ifndef TOUCHSTONE_SHOW_H
#define TOUCHSTONE_SHOW_H

#include "buf.h"
#include "node.h"

enum show_flag { SHOW_SECRETS = 1 };

/* One line an item: offset, name by depth, type, value. */
void show_tree(const struct node *n, unsigned flags, struct buf *out);

/* spec: kmip-profiles, "XML encoding"; each level two blanks, from `depth` on
 */
void
show_xml(const struct node *n, unsigned depth, unsigned flags, struct buf *out);

/*
 * The octets of a message in hexadecimal, `**` for each that is masked.
 *
 * root   the message as a tree, or NULL: it could not be read, nothing is
 *        masked
 */
void show_hex(struct bytes message, const struct node *root, unsigned flags,
    struct buf *out);

/* One value without its name: "AES", "Encrypt Decrypt", "2026-01-31T...". */
void show_value(const struct node *n, unsigned flags, struct buf *out);

bool show_is_secret(const struct node *n);

#endif
