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
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "card/card.h"

struct token; /* all applications of one card */
struct token_app;

/*
 * luna  answer with the vendor's return codes
 */
enum err token_new(struct card *card, bool luna, struct token **out) MUST_CHECK;
void token_free(struct token *token);

enum err token_app_new(struct token *token, struct token_app **out) MUST_CHECK;
/* Sessions, session objects and the login go with it; activation stays. */
void token_app_free(struct token_app *app);

/*
 * The application's functions: token_calls has a member for each C_ function
 * of 2.40 but C_Initialize, C_Finalize, C_GetFunctionList and C_GetInfo, with
 * the application before the standard's arguments. token/call.def lists them.
 */

#endif
