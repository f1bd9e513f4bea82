/*
 * What has happened in a test so far, as far as it decides what may differ:
 * which objects the server made itself, which values we have sent; and which
 * objects are left to be cleared away.
 */
#ifndef TOUCHSTONE_STORY_H
#define TOUCHSTONE_STORY_H

#include "node.h"

struct story;

struct story *story_new(struct arena *a);

/* An exchange; response NULL when none came. Both are borrowed for good. */
void story_add(
    struct story *s, const struct node *request, const struct node *response);

/* The object's key was made by the server (Create, Re-key, ...). */
bool story_is_server_made(const struct story *s, struct bytes identifier);

/* A request carried this value for that meaning; see check_meaning_of. */
bool story_sent(const struct story *s, uint32_t meaning, struct bytes value);

/* A request carried an item of that meaning, whatever its value. */
bool story_has(const struct story *s, uint32_t meaning);

/* Objects made and not destroyed, the newest first; NULL past the end. */
const struct bytes *story_left(const struct story *s, size_t n);

#endif
