/*
 * Making an object: what its template says, who may make it, and where it
 * belongs once SoftHSM has made it.
 *
 *	struct making m;
 *
 *	rv = making_begin(&m, turn, class, templ, count);
 *	if (rv == CKR_OK)
 *		rv = making_session(&m, &backing);
 *	if (rv == CKR_OK)
 *		rv = softhsm->C_CreateObject(
 *		    backing, m.attributes, m.count, &made);
 *	if (rv == CKR_OK)
 *		rv = making_adopt(&m, made, object);
 *	making_end(&m);
 *
 * A pair is made by two, of which making_pair joins the second to the first.
 */
#ifndef TOKEN_MAKING_H
#define TOKEN_MAKING_H

#include "token/app.h"

struct making {
	struct turn *turn;
	/* The template, with CKA_TOKEN and CKA_PRIVATE said. */
	CK_ATTRIBUTE *attributes;
	CK_ULONG count;
	CK_BBOOL on_token, is_private;
	CK_SESSION_HANDLE backing;
	bool taken, sharing; /* that session, and the partition's `making` */
};

/* A template that a caller gave: can it be read at all? */
CK_RV template_check(const CK_ATTRIBUTE *templ, CK_ULONG count);

/* An attribute in a template; NULL: not there. */
const CK_ATTRIBUTE *template_find(
    const CK_ATTRIBUTE *templ, CK_ULONG count, CK_ATTRIBUTE_TYPE type);

/* Says it a key type, and another than the one that is made? */
CK_RV template_key_type(
    const CK_ATTRIBUTE *templ, CK_ULONG count, CK_KEY_TYPE wanted);

/* Has the value of a secret key the length that its type has? */
CK_RV template_key_length(const CK_ATTRIBUTE *templ, CK_ULONG count);

/*
 * class  of what is made, for what the template does not say;
 *        CK_UNAVAILABLE_INFORMATION: the template has to say it
 * like   the object that it is a copy of, or NULL
 *
 * CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN, CKR_ACTION_PROHIBITED, and
 * those of templates. Always to be ended.
 */
CK_RV making_begin(struct making *m, struct turn *turn, CK_OBJECT_CLASS class,
    const struct object *like, const CK_ATTRIBUTE *templ, CK_ULONG count);

/* The session of SoftHSM to make it in. With other: that one's, for a pair. */
CK_RV making_session(
    struct making *m, const struct making *other, CK_SESSION_HANDLE *backing);

/*
 * SoftHSM made it: take it over, and give the application a handle. What
 * cannot be taken over is destroyed.
 */
CK_RV
making_adopt(struct making *m, CK_OBJECT_HANDLE made, CK_OBJECT_HANDLE *object);

/* Destroy again what was adopted. Before the end of it. */
void making_undo(struct making *m, CK_OBJECT_HANDLE object);

/* Harmless when zeroed. */
void making_end(struct making *m);

/* May this object be changed or destroyed in this session? */
CK_RV object_writable(const struct turn *turn, const struct object *object);

/* Destroy it, here and in SoftHSM. Not while something is being made. */
CK_RV object_destroy(struct turn *turn, struct object *object);

#endif
