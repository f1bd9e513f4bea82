/*
 * What the requests about keys have in common: which key, who may, and what is
 * asked for a new one.
 *
 * Source: protocol note sections 2.5 and 2.7
 */
#ifndef NAE_KEY_REQUEST_H
#define NAE_KEY_REQUEST_H

#include "nae/key_select.h"
#include "nae/request.h"

/* What a name may end in; SELECT_DEFAULT always goes. */
enum {
	MAY_SELECT_NONE = 0,
	MAY_SELECT_ONE = 1 << SELECT_ONE,
	MAY_SELECT_ALL = 1 << SELECT_ALL,
	MAY_SELECT_EMPTY = 1 << SELECT_EMPTY,
};

/* KeyName, refused where it ends in what it may not. No name: none. */
enum err key_named(
    struct nae_request *rq, unsigned may, struct key_select *out) MUST_CHECK;

/*
 * The session's key of that name, if it may be used so. It counts as one
 * operation where operations count. Borrowed until the turn's end.
 */
enum err key_asked(struct nae_request *rq, struct bytes name, enum key_use use,
    const struct object **out) MUST_CHECK;

/*
 * The version that was selected, which must be one that can be used so: not a
 * retired one; for all but information an active one.
 *
 * req: KS-28-040 KS-28-044 KS-28-175 KS-28-176 KS-28-185 KS-28-188
 */
enum err key_version_asked(struct nae_request *rq, const struct object *key,
    uint32_t number, enum key_use use, struct key_version *out) MUST_CHECK;

/* Algorithm and KeySize: a row, and the size that was named; 0: none was. */
enum err key_algorithm_asked(struct nae_request *rq,
    const struct key_algorithm **out, uint32_t *key_bits) MUST_CHECK;

/* KeyVersionState; Active where there is none. */
enum err
key_state_asked(struct nae_request *rq, enum card_state *out) MUST_CHECK;

/*
 * Owner: the user who asks, where there is none; global in a global session.
 * Another than oneself is for those who administer users.
 *
 * req: KS-03-047 KS-03-061 KS-28-016 KS-28-070
 */
enum err key_owner_asked(struct nae_request *rq, struct bytes *out) MUST_CHECK;

/*
 * Permissions, of a key of that family and owner; none: there is no such
 * element.
 *
 * req: KS-28-139
 */
enum err key_permissions_asked(struct nae_request *rq, enum key_family family,
    struct bytes owner, const struct card_permission **out,
    size_t *count) MUST_CHECK;

enum err key_attributes_asked(struct nae_request *rq,
    const struct key_attribute **out, size_t *count) MUST_CHECK;

/* All of a spec that a new key has, whether made or taken in. */
enum err
key_spec_asked(struct nae_request *rq, struct key_spec *out) MUST_CHECK;

/* What of a key's service a request is refused for: ERR_FIELD is about
 * attributes, since all else has been looked at before. */
enum err key_refused(struct nae_request *rq, enum err rc) MUST_CHECK;

/* What is told of permissions: as they are asked for. */
enum err
key_permissions_put(struct buf *out, const struct card *card) MUST_CHECK;

#endif
