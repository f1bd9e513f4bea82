#include "card/rv.h"

struct row {
	const char *name;
	CK_RV standard, luna;
	const char *text;
};

static const struct row rows[] = {
#define RV(code, standard, luna, text) [code] = {#code, standard, luna, text},
#include "card/rv.def"
#undef RV
};

const char *
card_rv_name(enum card_rv rv)
{
	return rv < CARD_RV_END ? rows[rv].name : "?";
}

const char *
card_rv_text(enum card_rv rv)
{
	return rv < CARD_RV_END ? rows[rv].text : "?";
}

CK_RV
card_rv_code(enum card_rv rv, bool luna)
{
	if (rv >= CARD_RV_END)
		return CKR_GENERAL_ERROR;
	return luna ? rows[rv].luna : rows[rv].standard;
}

enum card_rv
rv_of(enum err rc)
{
	switch ((int)rc) {
	case OK:
		return CARD_OK;
	case ERR_NOMEM:
		return CARD_NO_MEMORY;
	case ERR_ENTROPY:
		return CARD_RNG;
	case ERR_SEAL:
		return CARD_PIN_INCORRECT;
	default:
		return CARD_STATE;
	}
}
