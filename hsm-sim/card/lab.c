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

static enum err
fault(struct card *card, const char *words, struct buf *answer)
{
	enum err rc;

	if (strncmp(words, "cut ", 4) == 0)
		return cut(card, words + 4, answer);
	rc = faults_command(card->faults, words, answer);
	env_break_random(card->env, faults_rng_stuck(card->faults));
	return rc;
}

/* A line begins with a word; what follows it is for the function. */
static const struct {
	const char *word;
	enum err (*run)(
	    struct card *card, const char *words, struct buf *answer);
} lines[] = {
    {"fault", fault},
};

enum err
card_lab_command(struct card *card, const char *line, struct buf *answer)
{
	size_t k;

	if (!card->config.lab)
		return buf_put_text(answer, "error not in the laboratory");
	for (k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		size_t octets = strlen(lines[k].word);

		if (strncmp(line, lines[k].word, octets) != 0)
			continue;
		line += octets;
		if (*line == '\0')
			return lines[k].run(card, line, answer);
		if (*line == ' ')
			return lines[k].run(card, line + 1, answer);
		break;
	}
	return ERR_NOT_FOUND;
}
