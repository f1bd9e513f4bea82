/*
 * The laboratory's hand on the card: faults, tamper, battery. None of it is
 * there unless the card was configured for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/wait.h"
#include "card/engine.h"

bool
card_fault(struct card *card, const char *op, CK_RV *rv)
{
	unsigned delay_ms;
	bool hit = faults_strike(card->faults, op, rv, &delay_ms);

	if (delay_ms != 0 && card->config.waits != NULL &&
	    wait_until(card->config.waits,
		env_elapsed_ms(card->env) + delay_ms) != OK) {
		*rv = CKR_DEVICE_REMOVED; /* the program ends */
		hit = true;
	}
	return hit;
}

/* fault cut nth=N: the power fails at the Nth step of writing from now. */
static enum err
cut(struct card *card, const char *words, struct buf *answer)
{
	static const char option[] = "nth=";
	unsigned long nth = 0;
	char *end = NULL;

	if (strncmp(words, option, sizeof(option) - 1) == 0)
		nth = strtoul(words + sizeof(option) - 1, &end, 10);
	if (nth == 0 || nth > UINT32_MAX || *end != '\0')
		return buf_put_text(answer, "error not understood");
	pthread_mutex_lock(&card->lock);
	card->steps.left = (unsigned)nth;
	pthread_mutex_unlock(&card->lock);
	return buf_put_text(answer, "ok");
}

/* fault link drop|garble */
static enum err
link_fault(struct card *card, const char *words, struct buf *answer)
{
	bool drop = strcmp(words, "drop") == 0;

	if (card->port == NULL || (!drop && strcmp(words, "garble") != 0))
		return buf_put_text(answer, "error not understood");
	port_fault(card->port, drop ? PORT_FAULT_DROP : PORT_FAULT_GARBLE);
	return buf_put_text(answer, "ok");
}

static enum err
fault(struct card *card, const char *words, struct buf *answer)
{
	enum err rc;

	if (strncmp(words, "cut ", 4) == 0)
		return cut(card, words + 4, answer);
	if (strncmp(words, "link ", 5) == 0)
		return link_fault(card, words + 5, answer);
	rc = faults_command(card->faults, words, answer);
	env_break_random(card->env, faults_rng_stuck(card->faults));
	if (strcmp(words, "clear") == 0 && card->port != NULL)
		port_fault(card->port, PORT_FAULT_NONE);
	return rc;
}

/* Locked. A flag of the state; then what it means for what is in memory. */
static enum card_rv
latch(struct card *card, bool tampered, bool battery_out)
{
	struct state *next = card_change(card);
	enum card_rv rc = CARD_OK;

	next->tampered = tampered;
	next->battery_out = battery_out;
	TRY(card_commit(card));
	if (tampered)
		TRY(card_forget(card));
	if (battery_out)
		TRY(rv_of(battery_drop(card->battery)));
out:
	return rc;
}

/*
 * tamper [cover|temp|volt]: the card stops, until the laboratory says that its
 * Security Officer has looked into it: tamper clear
 */
static enum card_rv
tamper(struct card *card, const char *words)
{
	static const char *const causes[] = {"", "cover", "temp", "volt"};
	size_t k;

	if (strcmp(words, "clear") == 0)
		return latch(card, false, card->state.battery_out);
	for (k = 0; k < sizeof(causes) / sizeof(causes[0]); k++) {
		if (strcmp(words, causes[k]) != 0)
			continue;
		log_line("card", LOG_WARN, "tampered with: %s",
		    k != 0 ? causes[k] : "cover");
		return latch(card, true, card->state.battery_out);
	}
	return CARD_ARGUMENT;
}

/* battery remove|replace: without one nothing outlives a loss of power */
static enum card_rv
battery(struct card *card, const char *words)
{
	if (strcmp(words, "remove") == 0)
		return latch(card, card->state.tampered, true);
	if (strcmp(words, "replace") == 0)
		return latch(card, card->state.tampered, false);
	return CARD_ARGUMENT;
}

static enum card_rv
decommission(struct card *card, const char *words)
{
	return words[0] == '\0' ? card_zeroize_locked(card) : CARD_ARGUMENT;
}

/* ped unplug|plug */
static enum card_rv
ped(struct card *card, const char *words)
{
	bool unplug = strcmp(words, "unplug") == 0;

	if (card->port == NULL || (!unplug && strcmp(words, "plug") != 0))
		return CARD_ARGUMENT;
	port_unplug(card->port, unplug);
	return CARD_OK;
}

/* A line begins with a word; what follows it is for the function. */
static const struct {
	const char *word;
	/* One of the two; the first says all itself. */
	enum err (*talk)(
	    struct card *card, const char *words, struct buf *answer);
	enum card_rv (*act)(struct card *card, const char *words); /* locked */
} lines[] = {
    {"fault", fault, NULL},
    {"tamper", NULL, tamper},
    {"battery", NULL, battery},
    {"decommission", NULL, decommission},
    {"ped", NULL, ped},
};

static enum err
run(struct card *card, size_t k, const char *words, struct buf *answer)
{
	enum card_rv rv;

	if (lines[k].talk != NULL)
		return lines[k].talk(card, words, answer);
	pthread_mutex_lock(&card->lock);
	rv = lines[k].act(card, words);
	pthread_mutex_unlock(&card->lock);
	if (rv == CARD_OK)
		return buf_put_text(answer, "ok");
	return buf_printf(
	    answer, "error %s %s", card_rv_name(rv), card_rv_text(rv));
}

enum err
card_lab_command(struct card *card, const char *line, struct buf *answer)
{
	size_t k;

	for (k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		size_t octets = strlen(lines[k].word);

		if (strncmp(line, lines[k].word, octets) != 0 ||
		    (line[octets] != '\0' && line[octets] != ' '))
			continue;
		if (!card->config.lab)
			return buf_put_text(
			    answer, "error not in the laboratory");
		line += octets;
		return run(card, k, *line == ' ' ? line + 1 : line, answer);
	}
	return ERR_NOT_FOUND;
}
