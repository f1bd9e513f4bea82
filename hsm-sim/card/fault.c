#include "card/fault.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { WORDS_OCTETS = 256, MS_MOST = 3600 * 1000 };

/* What the hardware below a call needs. */
enum need { NEED_SPACE = 1, NEED_RNG = 2 };

static const struct {
	const char *op;
	unsigned needs;
} needs[] = {
    {"C_CopyObject", NEED_SPACE},
    {"C_CreateObject", NEED_SPACE},
    {"C_DeriveKey", NEED_SPACE},
    {"C_GenerateKey", NEED_SPACE | NEED_RNG},
    {"C_GenerateKeyPair", NEED_SPACE | NEED_RNG},
    {"C_GenerateRandom", NEED_RNG},
    {"C_UnwrapKey", NEED_SPACE},
};

#define CODE(name)          \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	CK_RV rv;
} codes[] = {
    CODE(CKR_DEVICE_ERROR),
    CODE(CKR_DEVICE_MEMORY),
    CODE(CKR_DEVICE_REMOVED),
    CODE(CKR_FUNCTION_CANCELED),
    CODE(CKR_FUNCTION_FAILED),
    CODE(CKR_GENERAL_ERROR),
    CODE(CKR_HOST_MEMORY),
    CODE(CKR_KEY_HANDLE_INVALID),
    CODE(CKR_OBJECT_HANDLE_INVALID),
    CODE(CKR_RANDOM_NO_RNG),
    CODE(CKR_SESSION_COUNT),
    CODE(CKR_SESSION_HANDLE_INVALID),
    CODE(CKR_TOKEN_NOT_PRESENT),
    CODE(CKR_USER_NOT_LOGGED_IN),
};
#undef CODE

struct fault {
	char op[FAULT_OP_OCTETS];
	unsigned nth;   /* calls until it strikes; 1: the next */
	unsigned times; /* that it strikes; then it is over */
	CK_RV rv;
	unsigned delay_ms, jitter_ms; /* a latency, where one is set */
	bool latency;
};

struct faults {
	pthread_mutex_t lock;
	_Atomic bool any; /* otherwise there is nothing to look at */
	bool rng_stuck, full;
	uint64_t calls;  /* looked at, for jitter */
	uint64_t struck; /* numbers in the log */
	struct fault list[FAULTS_MAX];
	unsigned count;
};

enum err
faults_new(struct faults **out)
{
	enum err rc = OK;

	TRY(MEM_NEW(*out));
	pthread_mutex_init(&(*out)->lock, NULL);
out:
	return rc;
}

void
faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	mem_free(f);
}

bool
faults_rng_stuck(struct faults *f)
{
	bool stuck;

	pthread_mutex_lock(&f->lock);
	stuck = f->rng_stuck;
	pthread_mutex_unlock(&f->lock);
	return stuck;
}

/* ---- striking ---- */

static unsigned
needs_of(const char *op)
{
	size_t k;

	for (k = 0; k < sizeof(needs) / sizeof(needs[0]); k++) {
		if (strcmp(needs[k].op, op) == 0)
			return needs[k].needs;
	}
	return 0;
}

static bool
is_for(const struct fault *fault, const char *op)
{
	return strcmp(fault->op, "*") == 0 || strcmp(fault->op, op) == 0;
}

static void
drop(struct faults *f, unsigned at)
{
	f->count--;
	memmove(&f->list[at], &f->list[at + 1],
	    (f->count - at) * sizeof(f->list[0]));
}

static bool
struck(struct faults *f, const char *op, CK_RV *rv, CK_RV with)
{
	*rv = with;
	log_line("card", LOG_INFO, "fault %llu: %s answers 0x%lx",
	    (unsigned long long)++f->struck, op, (unsigned long)with);
	return true;
}

/* Locked. Every fault for this op counts it; the first that is due strikes. */
static bool
strike(struct faults *f, const char *op, CK_RV *rv, unsigned *delay_ms)
{
	unsigned need = needs_of(op);
	bool hit = false;
	unsigned k = 0;

	f->calls++;
	while (k < f->count) {
		struct fault *fault = &f->list[k];

		if (!is_for(fault, op)) {
			k++;
		} else if (fault->latency) {
			*delay_ms += fault->delay_ms +
				     (unsigned)(f->calls * 2654435761u >> 7) %
					 (fault->jitter_ms + 1);
			k++;
		} else if (fault->nth > 1) {
			fault->nth--;
			k++;
		} else if (hit) {
			k++; /* its turn is the next call's */
		} else {
			hit = struck(f, op, rv, fault->rv);
			if (--fault->times == 0)
				drop(f, k);
			else
				k++;
		}
	}
	if (!hit && f->rng_stuck && (need & NEED_RNG) != 0)
		hit = struck(f, op, rv, CKR_DEVICE_ERROR);
	if (!hit && f->full && (need & NEED_SPACE) != 0)
		hit = struck(f, op, rv, CKR_DEVICE_MEMORY);
	return hit;
}

bool
faults_strike(struct faults *f, const char *op, CK_RV *rv, unsigned *delay_ms)
{
	bool hit;

	*delay_ms = 0;
	if (!f->any)
		return false;
	pthread_mutex_lock(&f->lock);
	hit = strike(f, op, rv, delay_ms);
	pthread_mutex_unlock(&f->lock);
	return hit;
}

/* ---- commands ---- */

/* "op=C_Sign" and so on; values point into the line. */
struct option {
	const char *name;
	const char *value; /* NULL: not given */
};

static bool
options_read(char *line, struct option *options, size_t count)
{
	char *rest = NULL;
	char *word;
	size_t k;

	for (word = strtok_r(line, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		for (k = 0; k < count; k++) {
			size_t octets = strlen(options[k].name);

			if (strncmp(word, options[k].name, octets) == 0 &&
			    word[octets] == '=')
				break;
		}
		if (k == count || options[k].value != NULL)
			return false;
		options[k].value = word + strlen(options[k].name) + 1;
	}
	return true;
}

static bool
number_read(const char *text, unsigned least, unsigned most, unsigned *out)
{
	char *end;
	unsigned long value;

	if (text == NULL || !isdigit((unsigned char)text[0]))
		return false;
	value = strtoul(text, &end, 10);
	*out = (unsigned)value;
	return *end == '\0' && value >= least && value <= most;
}

static bool
code_read(const char *text, CK_RV *out)
{
	char *end;
	size_t k;

	if (text == NULL)
		return false;
	for (k = 0; k < sizeof(codes) / sizeof(codes[0]); k++) {
		if (strcmp(codes[k].name, text) == 0) {
			*out = codes[k].rv;
			return true;
		}
	}
	if (strncmp(text, "0x", 2) != 0)
		return false;
	*out = strtoul(text + 2, &end, 16);
	return end != text + 2 && *end == '\0' && *out != CKR_OK;
}

static bool
op_read(const char *text, struct fault *fault)
{
	if (text == NULL || strlen(text) >= sizeof(fault->op) ||
	    (strcmp(text, "*") != 0 && strncmp(text, "C_", 2) != 0))
		return false;
	memcpy(fault->op, text, strlen(text) + 1);
	return true;
}

static bool
add_read(char *line, struct fault *fault)
{
	enum { OP, NTH, TIMES, RV };
	struct option options[] = {
	    [OP] = {"op", NULL},
	    [NTH] = {"nth", NULL},
	    [TIMES] = {"times", NULL},
	    [RV] = {"rv", NULL},
	};

	if (!options_read(line, options, 4))
		return false;
	if (options[TIMES].value == NULL)
		options[TIMES].value = "1";
	return op_read(options[OP].value, fault) &&
	       number_read(options[NTH].value, 1, UINT32_MAX, &fault->nth) &&
	       number_read(
		   options[TIMES].value, 1, UINT32_MAX, &fault->times) &&
	       code_read(options[RV].value, &fault->rv);
}

static bool
latency_read(char *line, struct fault *fault)
{
	enum { OP, MS, JITTER };
	struct option options[] = {
	    [OP] = {"op", NULL},
	    [MS] = {"ms", NULL},
	    [JITTER] = {"jitter", NULL},
	};

	if (!options_read(line, options, 3))
		return false;
	if (options[JITTER].value == NULL)
		options[JITTER].value = "0";
	fault->latency = true;
	return op_read(options[OP].value, fault) &&
	       number_read(options[MS].value, 0, MS_MOST, &fault->delay_ms) &&
	       number_read(
		   options[JITTER].value, 0, MS_MOST, &fault->jitter_ms);
}

/* Locked. */
static const char *
append(struct faults *f, const struct fault *fault)
{
	if (f->count == FAULTS_MAX)
		return "error too many faults";
	f->list[f->count++] = *fault;
	f->any = true;
	return "ok";
}

static const char *
on_or_off(const char *word, const char *off, const char *on, bool *flag)
{
	if (word == NULL || (strcmp(word, on) != 0 && strcmp(word, off) != 0))
		return "error not a value of it";
	*flag = strcmp(word, on) == 0;
	return "ok";
}

/* Locked. */
static enum err
list(const struct faults *f, struct buf *answer)
{
	unsigned k;
	enum err rc = OK;

	TRY(buf_printf(answer, "ok struck=%llu rng=%s full=%s",
	    (unsigned long long)f->struck, f->rng_stuck ? "stuck" : "ok",
	    f->full ? "on" : "off"));
	for (k = 0; k < f->count; k++) {
		const struct fault *fault = &f->list[k];

		if (fault->latency)
			TRY(buf_printf(answer, " latency:op=%s,ms=%u,jitter=%u",
			    fault->op, fault->delay_ms, fault->jitter_ms));
		else
			TRY(buf_printf(answer,
			    " add:op=%s,nth=%u,times=%u,rv=0x%lx", fault->op,
			    fault->nth, fault->times,
			    (unsigned long)fault->rv));
	}
out:
	return rc;
}

/* Locked. */
static enum err
command(struct faults *f, char *verb, char *rest, struct buf *answer)
{
	struct fault fault = {.nth = 0};
	const char *said = "error not understood";

	if (strcmp(verb, "list") == 0)
		return list(f, answer);
	if (strcmp(verb, "clear") == 0) {
		f->count = 0;
		f->rng_stuck = false;
		f->full = false;
		f->any = false;
		said = "ok";
	} else if (strcmp(verb, "rng") == 0) {
		said = on_or_off(rest, "ok", "stuck", &f->rng_stuck);
	} else if (strcmp(verb, "full") == 0) {
		said = on_or_off(rest, "off", "on", &f->full);
	} else if (strcmp(verb, "add") == 0) {
		if (add_read(rest, &fault))
			said = append(f, &fault);
	} else if (strcmp(verb, "latency") == 0) {
		if (latency_read(rest, &fault))
			said = append(f, &fault);
	} else {
		return ERR_NOT_FOUND;
	}
	f->any = f->any || f->rng_stuck || f->full;
	return buf_put_text(answer, said);
}

enum err
faults_command(struct faults *f, const char *words, struct buf *answer)
{
	char line[WORDS_OCTETS];
	char *rest;
	enum err rc;

	if (strlen(words) >= sizeof(line))
		return buf_put_text(answer, "error too long");
	memcpy(line, words, strlen(words) + 1);
	rest = line + strcspn(line, " ");
	if (*rest != '\0')
		*rest++ = '\0';
	pthread_mutex_lock(&f->lock);
	rc = command(f, line, rest, answer);
	pthread_mutex_unlock(&f->lock);
	return rc;
}
