/*
 * The appliance's keys: what NAE-XML, the command line and the console do with
 * them. A key is a managed object like KMIP's own (model/object.h), with a card
 * (model/card.h):
 *
 *	Key Name          the first of its Names; Other Key Names the others
 *	algorithm, size   Cryptographic Algorithm and Length
 *	Exportable        Extractable
 *	Deletable, versions, permissions, default IV, fingerprint    the card
 *	Contact Information, Object Group    attributes of these names
 *	other custom attributes              custom attributes of vendor "x"
 *
 * Keys with a secret are Symmetric Key objects, RSA ones Private Key; a
 * template is a Template, whose value holds what it lends.
 *
 * Functions that write do so in the turn's group, each in a savepoint of its
 * own: whatever it returns but OK, nothing has changed. They judge what is
 * asked for, not who asks: that is device/access.h for clients, and the act of
 * the change for administrators.
 *
 * Errors of all of them, beside those named: what the store has; ERR_HSM,
 * ERR_HSM_LOGGED_OUT, ERR_HSM_OTHER, ERR_SEAL where bytes are sealed or opened;
 * ERR_ENTROPY; ERR_NOMEM. `why` says more on each error that is the asker's:
 * "Key Name \"1x\": ...".
 *
 * Source: guide chapter 28
 */
#ifndef DEVICE_KEY_H
#define DEVICE_KEY_H

#include "crypto/keygen.h"
#include "crypto/keystore.h"
#include "device/appliance.h"
#include "device/change.h"
#include "model/card.h"
#include "model/object.h"

enum {
	KEY_ATTRIBUTES_MOST = 100,    /* req: KS-28-154 */
	KEY_VALUE_MOST_OCTETS = 4096, /* of an attribute; req: KS-28-161 */
	KEY_OTHER_NAMES_MOST = 100,
};

/* What one request or command works with. */
struct key_call {
	struct appliance *appliance;
	struct keystore *keystore;
	const struct keystore_loan *loan; /* NULL: the cache has it */
	struct arena *arena;              /* for all that is handed out */
	char why[CHANGE_WHY_OCTETS];
};

/* With the appliance's keystore (none: no HSM, in tests). */
void key_call_init(
    struct key_call *call, struct appliance *appliance, struct arena *arena);

/* ---- algorithms ---- */

struct key_algorithm {
	const char *name;   /* "AES-256": the guide's, of a size */
	const char *word;   /* "AES": of NAE-XML, with KeySize beside it */
	const char *import; /* "AES", "DES-EDE": where the bytes say the size */
	uint32_t algorithm; /* CRYPTOGRAPHIC_ALGORITHM_ */
	uint32_t key_bits;
	enum key_family family; /* model/key_use.h: which uses it has */
	uint8_t iv_octets;      /* of its default IV; 0: it has none */
	bool is_default;        /* the size where a client names none */
};

/* By the guide's name; by NAE-XML's word and size (0: the default one). NULL:
 * there is none. */
const struct key_algorithm *key_algorithm_named(struct bytes name);
const struct key_algorithm *
key_algorithm_of_word(struct bytes word, uint32_t key_bits);

/* By the guide's word for imports: any size of it. */
const struct key_algorithm *key_algorithm_imported(struct bytes import);

/* Has any size of it that word? */
bool key_algorithm_is_word(struct bytes word);

/* Of an object's; NULL: one that is only seen over KMIP. */
const struct key_algorithm *
key_algorithm_of(uint32_t algorithm, uint32_t key_bits);

/* All of them, for lists: `n` from 0; NULL behind the last. */
const struct key_algorithm *key_algorithm_nth(size_t n);

/* ---- finding ---- */

/*
 * A key by its name. Borrowed from the store, until the turn's end.
 *
 * scopes  whose keys: the first that has one of that name counts; none: any
 *         key of the appliance, for administrators
 *
 * ERR_NOT_FOUND
 */
enum err
key_find(struct key_call *call, const struct bytes *scopes, size_t scope_count,
    struct bytes name, const struct object **out) MUST_CHECK;

/* Does the name follow the rule for names of keys? */
bool key_name_is_good(struct bytes name);

/* What is told of a key; all borrowed from the object or the arena. */
struct key_info {
	struct bytes id;
	struct bytes name;
	struct bytes owner; /* "": global */
	uint32_t object_type;
	uint32_t algorithm; /* CRYPTOGRAPHIC_ALGORITHM_; 0: none */
	uint32_t key_bits;
	const struct key_algorithm *row; /* NULL: none of the table */
	bool is_template;
	bool exportable;
	bool deletable;
	int64_t created_s;
	uint32_t state;          /* STATE_...; 0: it has no life cycle */
	const struct card *card; /* NULL: none */
};
enum err key_info(struct key_call *call, const struct object *key,
    struct key_info *out) MUST_CHECK;

/* Is it versioned, and how many versions has it? 0: it is not. */
uint32_t key_versions(const struct object *key);

/* One version, or of a key without versions the only one (number 0). */
struct key_version {
	uint32_t number;
	struct bytes unique_id; /* "U.n" */
	enum card_state state;
	int64_t created_s;
	struct bytes iv;
	struct bytes fingerprint;
};

/*
 * number  0: the default version
 *
 * ERR_NOT_VERSIONED, ERR_KEY_VERSION  there are none; there is not this one
 */
enum err key_version_info(struct key_call *call, const struct object *key,
    uint32_t number, struct key_version *out) MUST_CHECK;

/* ---- bytes ---- */

struct key_material {
	uint32_t algorithm;
	uint32_t key_bits;
	uint32_t version; /* 0: it has none */
	enum card_state state;
	struct bytes iv;     /* the default one; none: there is none */
	struct bytes octets; /* raw; of RSA the private key, PKCS#1 DER */
};

/*
 * Open a key, into the arena. The version's state is for the caller to judge.
 *
 * number  0: the default version
 *
 * ERR_NOT_VERSIONED, ERR_KEY_VERSION
 * ERR_KEY_VALUE   it has no bytes: a template, or destroyed
 * ERR_KEY_FORMAT  no key of these algorithms: it is only seen over KMIP
 */
enum err key_bytes(struct key_call *call, const struct object *key,
    uint32_t number, struct key_material *out) MUST_CHECK;

/* The same as text, as exports have it: base 16, or PEM (PKCS#1). */
enum err key_text(struct key_call *call, const struct object *key,
    uint32_t number, struct bytes *out) MUST_CHECK;

/* The public half of an RSA key: PEM, PKCS#1. ERR_KEY_FORMAT: it has none */
enum err key_public_text(struct key_call *call, const struct object *key,
    uint32_t number, struct bytes *out) MUST_CHECK;

/* ---- attributes ---- */

/* A custom attribute as people and NAE-XML have it: all values are text. */
struct key_attribute {
	struct bytes name;
	struct bytes value;
	int32_t index; /* told, never asked for */
};
enum err key_attributes(struct key_call *call, const struct object *key,
    struct key_attribute **out, size_t *count) MUST_CHECK;

/* Other Key Names. */
enum err key_other_names(struct key_call *call, const struct object *key,
    struct bytes **out, size_t *count) MUST_CHECK;

/* ---- making ---- */

struct key_spec {
	struct bytes name;  /* none: the server makes one up */
	struct bytes owner; /* none: global */
	const struct key_algorithm
	    *algorithm; /* import: its import word counts */
	bool exportable;
	bool deletable;
	bool versioned;
	bool is_template;
	bool certified;                /* it comes with a certificate */
	enum card_state version_state; /* of the first version */
	const struct card_permission *permissions;
	size_t permission_count;
	const struct key_attribute *attributes;
	size_t attribute_count;
};

/*
 * Judge a spec before slow work is done for it: name, owner, permissions and
 * attributes. key_create and key_import do so again.
 *
 * ERR_KEY_NAME    the name breaks the rule
 * ERR_NAME_TAKEN
 * ERR_FIELD       a global key with permissions; a use that the algorithm has
 *                 not; a versioned template or certificate, policies of one;
 *                 an attribute of no such name, or with a value that its type
 *                 has not
 * ERR_ATTRIBUTES  too many of them
 */
enum err
key_check(struct key_call *call, const struct key_spec *spec) MUST_CHECK;

/*
 * Make a key.
 *
 * pair  of RSA keys: finished (keygen_pair_work), of the spec's size; the
 *       caller's. NULL for others
 * out   the key, borrowed as by key_find; or NULL
 *
 * ERR_FEATURE  SEED is not activated
 */
enum err key_create(struct key_call *call, const struct key_spec *spec,
    const struct keygen_pair *pair, const struct object **out) MUST_CHECK;

/*
 * Take a key in: base 16, or PEM (PKCS#1, private key with its public half).
 *
 * key_bits  0: whatever the data has
 *
 * ERR_WEAK_KEY   a weak DES key, or wrong parity
 * ERR_KEY_DATA   no such data, or of another size
 */
enum err key_import(struct key_call *call, const struct key_spec *spec,
    uint32_t key_bits, struct bytes data, const struct object **out) MUST_CHECK;

/*
 * Take a certificate in with its private key. The key is a key like others; it
 * has no versions and no policies, and its certificates are Certificate objects
 * of KMIP beside it, "U.c1" its own, "U.c2" the one that signed that:
 *
 *	Private Key U --Certificate Link--> U.c1 --Certificate Link--> U.c2
 *	                <--Private Key Link--
 *
 * They have no names, their owner is the key's, and they go with it. KMIP
 * clients may destroy them before.
 *
 * spec      its algorithm is not looked at
 * key_bits  0: whatever the key has
 *
 * ERR_KEY_DATA  an RSA key of another size, or of one that keys here have not
 *
 * req: KS-28-292 KS-37-016
 */
struct bundle;
enum err key_import_certificate(struct key_call *call,
    const struct key_spec *spec, uint32_t key_bits, const struct bundle *bundle,
    const struct object **out) MUST_CHECK;

/* Did it come with a certificate? */
bool key_is_certified(struct key_call *call, const struct object *key);

/*
 * Number n of its certificates, from 1: DER, borrowed.
 *
 * ERR_NOT_FOUND  it has not so many
 */
enum err key_certificate(struct key_call *call, const struct object *key,
    unsigned n, struct bytes *out) MUST_CHECK;

/*
 * What a template has, as a spec; into the arena. Name and versions are the
 * asker's. req: KS-28-068 KS-28-231
 *
 * ERR_OBJECT_TYPE  it is no template
 * ERR_FEATURE      it names no algorithm of the table: KMIP's are free to
 */
enum err key_spec_load(struct key_call *call, const struct object *template,
    struct key_spec *out) MUST_CHECK;

/* What of a key its clone gets. */
struct key_clone {
	struct bytes name;
	struct bytes owner;
	bool versioned; /* make a versioned key of one that is none */
	bool permissions;
	bool attributes;
	const bool *exportable; /* NULL: as it was */
	const bool *deletable;
};
enum err key_clone(struct key_call *call, const struct object *from,
    const struct key_clone *how, const struct object **out) MUST_CHECK;

/* ---- versions ---- */

/*
 * A new version, from then on the default one.
 *
 * ERR_NOT_VERSIONED, ERR_VERSIONS (there are as many as can be),
 * ERR_ACTIVE_VERSIONS (as many active ones as are allowed)
 */
enum err key_version_new(struct key_call *call, const struct object *key,
    enum card_state state, const struct keygen_pair *pair,
    uint32_t *number) MUST_CHECK;

/*
 * ERR_NOT_VERSIONED, ERR_KEY_VERSION, ERR_ACTIVE_VERSIONS
 * ERR_VERSION_STATE  it is the default version
 */
enum err key_version_state(struct key_call *call, const struct object *key,
    uint32_t number, enum card_state state) MUST_CHECK;

/* All but the default one, for who destroys or deletes the key. */
enum err key_delete_versions(
    struct store *st, struct arena *a, const struct object *key) MUST_CHECK;

/* ---- changing ---- */

/* What is NULL stays. */
struct key_change {
	const struct bytes *name;
	const struct bytes *owner; /* to "": its permissions are refused */
	const bool *exportable;
	const bool *deletable;
	/* in place of all that there are */
	const struct card_permission *permissions;
	size_t permission_count;
	bool has_permissions;
	const struct bytes *other_names;
	size_t other_name_count;
	bool has_other_names;
	/* a value without octets removes all of that name, another one sets
	 * the only one; see key_attribute_append for several */
	const struct key_attribute *attributes;
	size_t attribute_count;
};
enum err key_modify(struct key_call *call, const struct object *key,
    const struct key_change *change) MUST_CHECK;

/*
 * The next state of a key's life cycle, as of now. It is KMIP's: over NAE-XML
 * it has no effect. Keys with versions and templates have none.
 *
 * ERR_OBJECT_TYPE  it has no life cycle
 * ERR_LIFECYCLE    no way leads there
 *
 * req: KS-28-232 KS-28-235 KS-28-236 KS-28-237
 */
enum err key_set_state(
    struct key_call *call, const struct object *key, uint32_t state) MUST_CHECK;

/*
 * A date of it: TAG_ACTIVATION_DATE, TAG_PROCESS_START_DATE,
 * TAG_PROTECT_STOP_DATE or TAG_DEACTIVATION_DATE. The state follows when the
 * date is reached, at once where it has been.
 *
 * ERR_LIFECYCLE  this date cannot be changed any more
 * ERR_FIELD      the dates would contradict each other
 */
enum err key_set_date(struct key_call *call, const struct object *key,
    enum tag date, int64_t wall_s) MUST_CHECK;

/* Can this date be changed now? */
bool key_date_is_open(const struct object *key, enum tag date);

/* One more instance of a custom attribute. Errors as key_check. */
enum err key_attribute_append(struct key_call *call, const struct object *key,
    const struct key_attribute *attribute) MUST_CHECK;

/* One instance of a custom attribute: a new value, or gone (none). */
enum err key_attribute_edit(struct key_call *call, const struct object *key,
    struct bytes name, int32_t index, struct bytes value) MUST_CHECK;

/* With all its versions; its bytes are wiped. */
enum err key_delete(struct key_call *call, const struct object *key) MUST_CHECK;

/* ---- lists ---- */

/* Which of its keys, and how many of these. */
struct key_list {
	const struct bytes *scopes; /* none: the whole appliance */
	size_t scope_count;
	bool (*filter)(void *ctx, const struct object *key); /* NULL: all */
	void *ctx;
	size_t offset;
	size_t most; /* 0: no limit */
	bool count_all;
};

/*
 * Newest first. `each` is shown an object as key_find has it; its error ends
 * the list. *count, where count_all asks for it: all that match.
 */
typedef enum err key_fn(void *ctx, const struct object *key);
enum err key_each(struct key_call *call, const struct key_list *list,
    key_fn *each, void *ctx, size_t *count) MUST_CHECK;

#endif
