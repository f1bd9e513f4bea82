/*
 * Private to this folder: a session as those share it that make it up, and
 * what asks for commands.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/form_field.h"
#include "cli/upload.h"

enum {
	SAY_OCTETS = COMMAND_LINE_OCTETS + 512, /* a value, and why not */
	PROMPT_OCTETS = 320,
	NAME_TYPED_OCTETS = 256, /* more is no name, and not looked up */
	ENTER_TRIES = 5,         /* then a session ends; lockouts are apart */
	HISTORY_LINES = 100,
};

struct cli {
	struct appliance *appliance;
	cli_line_fn *line;
	bool (*room)(void *ctx); /* the door's */
	void *ctx;
	enum cli_mode mode;
	bool busy;             /* a command, or the login, is under way */
	cli_answer_fn *answer; /* who gets the next line; NULL: a command */
	struct hsm_session *hsm;
	struct loop_timer *idle;

	/* who it is; name "": nobody yet */
	enum door door;
	char peer[PEER_OCTETS];
	struct principal who;

	/* a name and a password, of the login or of who confirms */
	char name[NAME_TYPED_OCTETS + 1];
	struct login login;
	bool logging_in;
	void (*entered)(struct cli *cli, enum login_verdict verdict);
	unsigned tries;
	/* the change of a password that has to be, before anything else */
	enum admin_must must;
	struct secret *current, *fresh;
	struct new_password request;
	bool requesting;

	/* the command that is under way */
	const struct command *command;
	struct words words;
	size_t at_word; /* its first argument */
	struct approvals approvals;
	/* what they confirm: the command's act, and others of cli_permit */
	enum act acts[CLI_ACTS_MOST];
	size_t act_count;
	void (*permitted)(struct cli *cli);
	size_t more; /* others who have to confirm it */
	void *state;
	cli_drop_fn *drop;
	struct form *form;                /* in its state */
	const struct form_target *target; /* likewise */
	struct upload *upload;            /* likewise */
	struct change *change;
	cli_effect_fn *effect;
	const char *said;
	void (*then)(struct cli *cli); /* how it goes on, when there is room */
	bool stuck;                    /* ... which the door will tell */
	struct loop_task room_task;
	struct change own; /* the session's own changes */

	/* commands that follow by themselves, as long as none fails; NULL:
	 * none, or no more */
	const char *const *steps;
	struct loop_task step;

	char *history[HISTORY_LINES]; /* oldest first */
	size_t history_count;
};

/* ---- enter.c: the login, and a password that has to be changed ---- */

/* The first words of a session; calls cli_entered when somebody is there. */
void enter_begin(struct cli *cli);
void enter_leave(struct cli *cli); /* what is under way is given up */

/*
 * A name and a password are asked for, and found right (LOGIN_OK) or not;
 * what is typed is forgotten by then.
 */
typedef void enter_fn(struct cli *cli, enum login_verdict verdict);
void enter_ask(struct cli *cli, const char *name_text, enter_fn *then);

/* ---- setup.c: an appliance without administrators gets its first ---- */

void setup_begin(struct cli *cli);

/* ---- cli.c ---- */

/* What cli_keep was given is done with. */
void cli_drop(struct cli *cli);

/* Somebody is there, with a password that is in order. */
void cli_entered(struct cli *cli);

/* Somebody has logged in: from here on it is that one's session. */
void cli_begins(struct cli *cli, const struct principal *who);
/* Go on if they all may, ask for one more who is needed, or end. */
void cli_permit_now(struct cli *cli);
/* cli_keep, of memory that is there, and by whoever is no command. */
void cli_hold(struct cli *cli, void *state, cli_drop_fn *drop);
/* The session ends, with a command that failed or without. */
void cli_leave(struct cli *cli, bool failed);

/* ---- admin.c ---- */

/* For the apply of a change: a local administrator gets this password, of
 * one's own choice or of somebody else's. why as in struct change. */
enum err cli_write_password(struct change *change, const char *name,
    const struct password_hash *hash) MUST_CHECK;

/* Effects on what is kept in memory of an account. */
void cli_forget_account(struct cli *cli, const char *name);

/* ---- settings.c: what can be edited in a section, and begins so ---- */

void settings_each_word(
    enum section section, struct bytes begun, command_each_fn *each, void *ctx);

/* ---- confirm.c: the others whom Multiple Credentials ask for ---- */

void confirm_begin(struct cli *cli);

#endif
