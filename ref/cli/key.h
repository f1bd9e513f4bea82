/*
 * Private to key*.c of this folder: what a command about keys has gathered.
 */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "cli/command.h"
#include "cli/form_field.h"
#include "device/key_attribute.h"
#include "device/key_job.h"

enum {
	KEY_ARENA_OCTETS = 16 << 20,
	KEY_TEXT_OCTETS = 64 * 1024,
	/* what a command can have, so that its line has room for it */
	KEY_COMMAND_ATTRIBUTES = 16,
	KEY_COMMAND_NAMES = 16,
};

/* Words that were there. */
enum key_given {
	GIVEN_NAME,
	GIVEN_OWNER,
	GIVEN_DELETABLE,
	GIVEN_EXPORTABLE,
	GIVEN_VERSIONED,
	GIVEN_TEMPLATE,
	GIVEN_PERMISSIONS,
	GIVEN_ATTRIBUTES,
	GIVEN_OTHER_NAMES,
	GIVEN_COUNT
};

struct key_command {
	struct cli *cli;
	struct arena *arena;
	struct key_call call;
	struct change change;
	struct key_job job;
	enum err (*run)(struct key_command *work); /* in the change */
	void (*then)(struct key_command *work);    /* when the job is ready */
	/* the first argument, and those behind it: the session's, or in the
	 * arena what a dialogue has gathered */
	struct bytes name;
	const struct bytes *args;
	size_t arg_count;
	/* what the words say */
	bool given[GIVEN_COUNT];
	struct bytes new_name;
	struct key_spec spec;
	struct key_clone clone;
	struct key_attribute attributes[KEY_COMMAND_ATTRIBUTES];
	size_t attribute_count;
	struct bytes other_names[KEY_COMMAND_NAMES];
	size_t other_name_count;
	uint32_t number;
	enum card_state state;
	uint32_t life;
	enum tag date;
	int64_t date_s;
	enum key_attribute_type type;
	struct buf text; /* a key that was typed, or a description */
	struct key_dialogue *dialogue; /* in the arena */
	/* a certificate with its key: as it came, and where from */
	struct secret *bundle;
	struct secret *password;
	bool by_scp;
	struct form form;
	struct form_target target; /* in here and in `transfer` */
	char file[TRANSFER_NAME_OCTETS + 1];
	struct transfer *transfer;
	int fd; /* of what it fetches; 0: none */
	/* a list */
	size_t shown;
	size_t page;
	size_t most;
	void *list; /* a query, or what a page has; in the arena */
	cli_effect_fn *effect;
};

/* NULL: the command has ended. */
struct key_command *key_command_new(struct cli *cli);

/*
 * A dialogue gathers what could have been typed: the name, arguments behind it,
 * and words with their values.
 */
enum key_question_kind {
	/* neither is asked for where it was typed */
	ASK_NAME,   /* the first */
	ASK_NEEDED, /* one behind it */
	ASK_MAYBE,  /* the same; an empty answer: none */
	ASK_WORD,   /* an empty answer: neither the word nor a value */
};

struct key_question {
	enum key_question_kind kind;
	const char *text;
	const char *word;
};

#define KEY_QUESTIONS(table) table, sizeof(table) / sizeof(table[0])

/*
 * Ask them all and go on, as with what had been typed. Or go on at once where
 * there are `least` arguments, the name among them. Where no word is asked for,
 * there are no more of them than questions.
 */
void key_command_gather(struct cli *cli, const struct bytes *args,
    size_t arg_count, size_t least, const struct key_question *questions,
    size_t count, void (*then)(struct key_command *work));

/* With a first argument, which names something, and `least` to `most` in all.
 * NULL: the command has ended. */
struct key_command *key_command_on(struct cli *cli, const struct bytes *args,
    size_t arg_count, size_t least, size_t most, const char *usage);

/* Commands that share words. */
enum {
	ON_GENERATE = 1,
	ON_IMPORT = 2,
	ON_MODIFY = 4,
	ON_CLONE = 8,
	ON_CERTIFICATE = 16,
};

/* Loaded before any other word, whose values stand instead of its own. */
#define KEY_TEMPLATE_WORD "template"

/* WORD VALUE ... from that argument on. false: the command has ended. */
bool key_command_words(struct key_command *work, size_t from, unsigned on);

/* What was typed cannot be; the command has ended. false, always */
bool key_command_refuse_value(struct key_command *work, const char *field,
    struct bytes value, const char *rule);

/* The number of a version, as the command's. false: the command has ended. */
bool key_command_version(struct key_command *work, struct bytes word);

/* What is wrong, as the refusal of the command. */
void key_command_refuse(struct key_command *work, enum err rc);

/* ERR_FIELD, and why: there is no such key */
enum err key_command_key(struct key_command *work, struct bytes name,
    const struct object **out) MUST_CHECK;

/* Run it as the command's change, which ends the command. */
void key_command_run(
    struct key_command *work, enum err (*run)(struct key_command *work));

/* The same for a command that takes a name and nothing else. */
void key_command_run_named(struct cli *cli, const struct bytes *args,
    size_t arg_count, enum err (*run)(struct key_command *work));

/* What bytes need, and a pair for an RSA key; then `then`. */
void key_command_prepare(struct key_command *work,
    const struct key_algorithm *algorithm,
    void (*then)(struct key_command *work));

/* The same, and then key_command_run. */
void key_command_run_prepared(struct key_command *work,
    const struct key_algorithm *algorithm,
    enum err (*run)(struct key_command *work));

#endif
