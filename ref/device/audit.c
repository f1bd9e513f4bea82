#include "device/audit.h"

#include <string.h>

#include "device/appliance.h"
#include "device/line.h"
#include "device/log_audit.h"
#include "device/syslog.h"

#define SYSTEM "system"

/* An account that is called as the appliance calls itself does not look it. */
static void
put_name(struct line *line, const struct principal *by)
{
	if (by->door == DOOR_NONE)
		line_put_text(line, SYSTEM);
	else
		line_escape(line, bytes_of_text(by->name),
		    strcmp(by->name, SYSTEM) == 0 ? "s" : "]");
}

enum err
audit_add(
    struct appliance *appliance, const struct principal *by, const char *event)
{
	int64_t wall_ms = env_wall_ms(appliance->env);
	char stamp[CLOCK_TEXT_OCTETS];
	struct bytes text;
	struct line line;
	enum err rc = OK;

	clock_text(appliance->clock, wall_ms / 1000, stamp);
	line_begin(&line);
	line_put_text(&line, stamp);
	line_put_text(&line, " [");
	put_name(&line, by);
	line_put_text(&line, "]: ");
	line_escape(&line, bytes_of_text(event), "");
	text = line_end(&line);
	TRY(store_log_add(appliance->store, AUDIT_LOG, wall_ms, text));
	syslog_audit(appliance, by->syslog_session, text);
	log_audit_added(appliance);
out:
	return rc;
}

struct reader {
	audit_fn *each;
	void *ctx;
};

static enum err
read_line(void *ctx, const struct store_log_line *line)
{
	const struct reader *reader = ctx;

	return reader->each(reader->ctx, line->text);
}

enum err
audit_last(struct store *st, size_t lines, audit_fn *each, void *ctx)
{
	struct reader reader = {each, ctx};
	uint64_t begin;
	uint64_t last;
	enum err rc = OK;

	TRY(log_audit_begin(st, &begin));
	TRY(store_log_last(st, AUDIT_LOG, &last));
	if (last > lines && last - lines + 1 > begin)
		begin = last - lines + 1;
	TRY(store_log_each(st, AUDIT_LOG, begin, lines, read_line, &reader));
out:
	return rc;
}
