/*
 * PKCS#11 2.40 as a careful token answers it: sessions, objects, operations
 * and rights of one application, over the card's SoftHSM.
 *
 * SoftHSM knows one application, the card. Here each application (a connection
 * of the daemon, or the process that loaded the in-process module) has its own
 * login, session handles and object handles, and sees and ends only its own.
 * What SoftHSM gets wrong is put right: an operation ends when it fails, no
 * one-shot call after an update, lengths of IVs and handles are looked at,
 * RSA-OAEP with SHA-2.
 *
 * Slots are numbered as the card numbers them, from 1 on.
 *
 * req: KSC-006, KSC-165
 *
 * From any thread: calls of different applications, and of different sessions
 * of one application, run side by side; those of one session wait for each
 * other.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "card/card.h"
#include "token/call.h"

enum {
	TOKEN_SESSIONS_MAX = 1024,  /* of one application */
	TOKEN_ATTRIBUTES_MAX = 256, /* of one template */
};

struct token; /* all applications of one card */
struct token_app;

/*
 * card, env  borrowed for as long as the token lives; env gives handles that
 *            no other application can guess
 * luna       answer with the vendor's return codes
 *
 * ERR_NOMEM
 */
enum err token_new(struct card *card, struct env *env, bool luna,
    struct token **out) MUST_CHECK;
/* After its applications. Accepts NULL. */
void token_free(struct token *token);

/* ERR_NOMEM, ERR_ENTROPY */
enum err token_app_new(struct token *token, struct token_app **out) MUST_CHECK;
/*
 * Sessions, session objects and the login go with it; activation stays. When
 * no call of it is under way. Accepts NULL.
 */
void token_app_free(struct token_app *app);

/* What the objects of a partition take. */
struct token_storage {
	/* Counted since the card had power: a partition that no user has logged
	 * in to yet keeps its private objects to itself, but where it was made
	 * since then. */
	bool known;
	uint64_t total_octets, used_octets; /* free is the difference */
	unsigned long objects;
};
/* CARD_ARGUMENT  there is no slot of that number */
enum card_rv
token_storage(struct token *token, unsigned slot, struct token_storage *out);

/*
 * The application's functions, token_C_OpenSession and so on: those of
 * PKCS#11 2.40, with the application before the standard's arguments. call.def
 * lists them, call.h declares them; here they are by row.
 *
 * Every pointer may be NULL, as the standard lets a caller have it, and is
 * answered with the standard's code. Output is written only where a function
 * returns CKR_OK (or where the standard says otherwise: lengths with
 * CKR_BUFFER_TOO_SMALL, templates of C_GetAttributeValue).
 *
 * The Crypto User of CARD_LUNA7 logs in as TOKEN_CKU_LIMITED.
 */
extern const struct token_calls token_calls;

#define TOKEN_CKU_LIMITED 0x80000001UL /* the vendor's Crypto User */

#endif
