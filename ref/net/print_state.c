#include "net/print_state.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/keyfile.h"
#include "device/state.h"

enum { ASK_AGAIN_MS = 100 };

struct print_state {
	struct print_state_config config;
	struct root *root;
	struct root_wait wait;
	struct keystore_loan loan;
	struct loop_timer *again;
	int64_t until_ms;
	struct secret *key;
	char *vault;
};

/* ---- lines ---- */

static enum err
write_line(void *ctx, struct bytes line)
{
	(void)ctx;
	if (fwrite(line.at, 1, line.octets, stdout) != line.octets ||
	    putchar('\n') == EOF)
		return ERR_SYSTEM;
	return OK;
}

static enum err
write_digest(const struct state_source *source)
{
	uint8_t digest[STATE_DIGEST_OCTETS];
	size_t k;
	enum err rc = OK;

	TRY(state_digest(source, digest));
	for (k = 0; k < sizeof(digest); k++)
		printf("%02x", digest[k]);
	putchar('\n');
out:
	return rc;
}

static void
finish(struct print_state *print, enum err rc)
{
	if (rc == OK && fflush(stdout) != 0)
		rc = ERR_SYSTEM;
	if (rc != OK)
		log_line("net", LOG_ERROR, "the state cannot be printed: %s",
		    err_text(rc));
	print->config.done(print->config.ctx, rc);
}

static void
write_all(struct print_state *print, const struct keystore_loan *loan)
{
	const struct state_source source = {
	    .store = print->config.root.store,
	    .keystore = root_keystore(print->root),
	    .loan = loan,
	    .vault = print->vault,
	    .key = secret_peek(print->key),
	};

	finish(print, print->config.digest
			  ? write_digest(&source)
			  : state_each(&source, write_line, NULL));
}

/* ---- the HSM ---- */

static void
lent(struct keystore_loan *loan)
{
	struct print_state *print = loan->ctx;

	if (loan->rc == OK)
		write_all(print, loan);
	else
		finish(print, loan->rc);
	keystore_loan_end(loan);
}

static void
keys_ready(struct print_state *print)
{
	struct keystore *ks = root_keystore(print->root);
	enum err rc;

	if (!keystore_lends(ks)) {
		write_all(print, NULL);
		return;
	}
	print->loan = (struct keystore_loan){.done = lent, .ctx = print};
	rc = keystore_lend(ks, root_pool(print->root), &print->loan);
	if (rc != OK)
		finish(print, rc);
}

static void
ask_again(void *ctx)
{
	struct print_state *print = ctx;

	root_refresh(print->root, &print->wait);
}

static void
asked(struct root_wait *wait, enum err rc)
{
	struct print_state *print = wait->ctx;
	int64_t now_ms = loop_now_ms(print->config.root.loop);

	if (rc == OK)
		keys_ready(print);
	else if (now_ms >= print->until_ms)
		finish(print, rc);
	else
		loop_timer_set(print->again, now_ms + ASK_AGAIN_MS);
}

static void
ready(void *ctx)
{
	ask_again(ctx);
}

/* ---- life ---- */

enum err
print_state_new(
    const struct print_state_config *config, struct print_state **out)
{
	struct print_state *print = NULL;
	struct root_config root = config->root;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(print));
	print->config = *config;
	print->wait = (struct root_wait){.done = asked, .ctx = print};
	TRY(mem_printf(&print->vault, "%s/vault.key", root.dir));
	TRY(keyfile_read(config->key_path, STATE_KEY_MOST_OCTETS, &print->key));
	TRY(loop_timer_new(root.loop, ask_again, print, &print->again));
	print->until_ms = loop_now_ms(root.loop) + PRINT_STATE_PATIENCE_MS;
	root.ready = ready;
	root.ctx = print;
	TRY(root_new(&root, &print->root));
	*out = print;
	print = NULL;
out:
	print_state_free(print);
	return rc;
}

void
print_state_free(struct print_state *print)
{
	if (print == NULL)
		return;
	keystore_loan_end(&print->loan);
	if (print->root != NULL)
		root_unwait(print->root, &print->wait);
	root_free(print->root);
	loop_timer_free(print->again);
	secret_free(print->key);
	mem_free(print->vault);
	mem_free(print);
}
