#include "device/syslog.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "device/appliance.h"
#include "device/logs.h"
#include "device/syslog_server.h"

enum {
	SERVERS = 2,
	/* spec: RFC 3164 4.1.1 */
	LOCAL0 = 16,
	INFORMATIONAL = 6,
	HOST_OCTETS = 256,
	TAG_OCTETS = 32,
	HEADER_OCTETS = HOST_OCTETS + TAG_OCTETS + 64,
	AUDIT_OCTETS = 1024 * 1024, /* of one group */
	MESSAGE_OCTETS = HEADER_OCTETS + LOGS_LINE_MAX_OCTETS + 1,
};

/* Where the lines of a log go. */
struct plan {
	struct syslog_server *servers[SERVERS]; /* NULL: none */
	unsigned facility;
};

/* The audit log's, for the sessions that began with it. */
struct audit_plan {
	struct plan plan;
	uint64_t number;
	unsigned sessions;
	bool is_old;
	struct audit_plan *next; /* the one before */
};

struct syslogs {
	struct appliance *appliance;
	struct syslog_servers *servers;
	struct logs_watch logs;
	struct settings_watch settings;
	struct plan plans[LOG_TYPE_COUNT]; /* but for the audit log */
	struct audit_plan *audit;          /* the settings' comes first */
	struct loop_task leaving;          /* sessions have ended */
	/* lines of the open group: number of the plan, length, octets */
	struct buf group;
	struct store_waiter waiter;
	bool waits;
};

/* ---- plans ---- */

static const struct {
	enum logs_field host;
	enum logs_field port;
	enum logs_field protocol;
} fields[SERVERS] = {
    {LOGS_SERVER_1, LOGS_PORT_1, LOGS_PROTOCOL_1},
    {LOGS_SERVER_2, LOGS_PORT_2, LOGS_PROTOCOL_2},
};

static void
plan_leave(struct plan *plan)
{
	size_t k;

	for (k = 0; k < SERVERS; k++)
		syslog_server_leave(plan->servers[k]);
	*plan = (struct plan){{NULL}, 0};
}

/* As the settings are. req: KS-20-048 KS-20-049 KS-20-098 KS-20-100 KS-AA-045
 * req: KS-AA-057 */
static enum err
plan_read(struct syslogs *syslogs, enum log_type type, struct plan *plan)
{
	const struct settings *settings = syslogs->appliance->settings;
	size_t k;
	enum err rc = OK;

	*plan = (struct plan){{NULL}, 0};
	plan->facility = LOCAL0 + (unsigned)setting_number(settings,
				      logs_setting(type, LOGS_FACILITY));
	if (setting_number(settings, logs_setting(type, LOGS_SYSLOG)) == 0)
		goto out;
	for (k = 0; k < SERVERS; k++) {
		const char *host =
		    setting_text(settings, logs_setting(type, fields[k].host));
		int64_t port = setting_number(
		    settings, logs_setting(type, fields[k].port));
		int64_t protocol = setting_number(
		    settings, logs_setting(type, fields[k].protocol));

		if (host[0] != '\0')
			TRY(syslog_server_use(syslogs->servers, host,
			    (unsigned)port, (enum logs_protocol)protocol,
			    &plan->servers[k]));
	}
out:
	if (rc != OK)
		plan_leave(plan);
	return rc;
}

static enum err
audit_plan_new(struct syslogs *syslogs)
{
	struct audit_plan *plan = NULL;
	enum err rc = OK;

	TRY(MEM_NEW(plan));
	TRY(plan_read(syslogs, LOG_AUDIT, &plan->plan));
	plan->number = syslogs->audit != NULL ? syslogs->audit->number + 1 : 1;
	plan->next = syslogs->audit;
	syslogs->audit = plan;
	plan = NULL;
out:
	mem_free(plan);
	return rc;
}

/* Plans that no session has any more, but for the settings' own. */
static void
audit_plans_drop(struct syslogs *syslogs)
{
	struct audit_plan **p = &syslogs->audit;
	bool again = false;

	while (*p != NULL) {
		struct audit_plan *plan = *p;

		if (plan == syslogs->audit || plan->sessions != 0) {
			p = &plan->next;
			continue;
		}
		/* the session's last lines are durable a turn later */
		if (!plan->is_old || syslogs->waits) {
			plan->is_old = again = true;
			p = &plan->next;
			continue;
		}
		*p = plan->next;
		plan_leave(&plan->plan);
		mem_free(plan);
	}
	if (again)
		loop_later(syslogs->appliance->loop, &syslogs->leaving);
}

static void
sessions_left(void *ctx)
{
	audit_plans_drop(ctx);
}

/* The settings' own where that one is gone. */
static struct plan *
audit_plan_find(struct syslogs *syslogs, uint64_t number)
{
	struct audit_plan *plan;

	for (plan = syslogs->audit; plan != NULL; plan = plan->next)
		if (plan->number == number)
			return &plan->plan;
	return &syslogs->audit->plan;
}

/* req: KS-20-055 KS-20-056 */
static void
followed(void *ctx, enum setting which)
{
	struct syslogs *syslogs = ctx;
	struct plan plan;
	enum logs_field field;
	enum log_type type;
	enum err rc = OK;

	if (!logs_setting_of(which, &type, &field) || field < LOGS_SYSLOG ||
	    field > LOGS_FACILITY)
		return;
	if (type == LOG_AUDIT) {
		TRY(audit_plan_new(syslogs));
		audit_plans_drop(syslogs);
	} else {
		TRY(plan_read(syslogs, type, &plan));
		plan_leave(&syslogs->plans[type]);
		syslogs->plans[type] = plan;
	}
out:
	if (rc != OK)
		log_line("device", LOG_ERROR,
		    "syslog settings are not followed: %s", err_text(rc));
}

/* ---- messages ---- */

/* spec: RFC 3164 4.1 req: KS-20-058 KS-20-059 KS-20-061 */
static size_t
write_message(struct syslogs *syslogs, enum log_type type, unsigned facility,
    struct bytes line, char out[MESSAGE_OCTETS])
{
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct appliance *appliance = syslogs->appliance;
	char stamp[CLOCK_TEXT_OCTETS]; /* yyyy-mm-dd hh:mm:ss */
	char tag[TAG_OCTETS];
	const char *from = log_row(type)->title;
	char *to = tag;
	size_t used;

	clock_text(appliance->clock, env_wall_s(appliance->env), stamp);
	for (; *from != '\0'; from++)
		if (*from != ' ')
			*to++ = *from;
	*to = '\0';
	used = (size_t)snprintf(out, HEADER_OCTETS,
	    "<%u>%s %c%c %s %s %s: ", facility * 8 + INFORMATIONAL,
	    months[(stamp[5] - '0') * 10 + stamp[6] - '0' - 1],
	    stamp[8] == '0' ? ' ' : stamp[8], stamp[9], stamp + 11,
	    setting_text(appliance->settings, SETTING_HOST_NAME), tag);
	memcpy(out + used, line.at, line.octets);
	used += line.octets;
	out[used++] = '\n';
	return used;
}

static void
plan_send(struct syslogs *syslogs, const struct plan *plan, enum log_type type,
    struct bytes line)
{
	char message[MESSAGE_OCTETS];
	struct bytes octets = {(const uint8_t *)message, 0};
	size_t k;

	for (k = 0; k < SERVERS; k++) {
		struct syslog_server *server = plan->servers[k];

		if (server == NULL)
			continue;
		if (octets.octets == 0)
			octets.octets = write_message(
			    syslogs, type, plan->facility, line, message);
		syslog_server_put(server, octets);
	}
}

static void
added(void *ctx, enum log_type type, struct bytes line)
{
	struct syslogs *syslogs = ctx;

	if (type != LOG_AUDIT)
		plan_send(syslogs, &syslogs->plans[type], type, line);
}

/* ---- the audit log ---- */

struct group_line {
	uint64_t plan;
	size_t octets;
};

static void
group_ended(struct store_waiter *waiter, enum err rc)
{
	struct syslogs *syslogs = waiter->ctx;
	struct bytes left = buf_peek(&syslogs->group);
	struct bytes head;
	struct bytes line;
	struct group_line about;

	syslogs->waits = false;
	while (rc == OK && left.octets != 0) {
		if (bytes_split(&left, sizeof(about), &head) != OK)
			break;
		memcpy(&about, head.at, sizeof(about));
		if (bytes_split(&left, about.octets, &line) != OK)
			break;
		plan_send(syslogs, audit_plan_find(syslogs, about.plan),
		    LOG_AUDIT, line);
	}
	buf_reset(&syslogs->group);
}

/* A line too many for memory is one that is lost: the log itself has it. */
void
syslog_audit(struct appliance *appliance, uint64_t session, struct bytes line)
{
	struct syslogs *syslogs = appliance->syslogs;
	struct group_line about = {session, line.octets};
	struct bytes head = {(const uint8_t *)&about, sizeof(about)};
	uint8_t *tail;
	size_t k;
	enum err rc = OK;

	if (syslogs == NULL)
		return;
	if (about.plan == 0)
		about.plan = syslogs->audit->number;
	TRY(buf_reserve(&syslogs->group, head.octets + line.octets, &tail));
	memcpy(tail, head.at, head.octets);
	memcpy(tail + head.octets, line.at, line.octets);
	buf_added(&syslogs->group, head.octets + line.octets);
	if (!syslogs->waits) {
		syslogs->waiter.done = group_ended;
		syslogs->waiter.ctx = syslogs;
		store_wait(appliance->store, &syslogs->waiter);
		syslogs->waits = true;
	}
	return;
out:
	for (k = 0; k < SERVERS; k++) {
		struct syslog_server *server =
		    audit_plan_find(syslogs, about.plan)->servers[k];

		if (server != NULL)
			syslog_server_lose(server, err_text(rc));
	}
}

uint64_t
syslog_session_begin(struct appliance *appliance)
{
	struct syslogs *syslogs = appliance->syslogs;

	if (syslogs == NULL)
		return 0;
	syslogs->audit->sessions++;
	return syslogs->audit->number;
}

void
syslog_session_end(struct appliance *appliance, uint64_t session)
{
	struct syslogs *syslogs = appliance->syslogs;
	struct audit_plan *plan;

	if (syslogs == NULL)
		return;
	for (plan = syslogs->audit; plan != NULL; plan = plan->next)
		if (plan->number == session)
			plan->sessions--;
	audit_plans_drop(syslogs);
}

/* ---- the appliance's ---- */

enum err
syslogs_new(struct appliance *appliance, struct syslogs **out)
{
	struct syslogs *syslogs = NULL;
	unsigned k;
	enum err rc = OK;

	*out = NULL;
	TRY(MEM_NEW(syslogs));
	syslogs->appliance = appliance;
	buf_init(&syslogs->group, AUDIT_OCTETS);
	syslogs->leaving =
	    (struct loop_task){.fn = sessions_left, .ctx = syslogs};
	TRY(syslog_servers_new(appliance, &syslogs->servers));
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		if (k != LOG_AUDIT)
			TRY(plan_read(
			    syslogs, (enum log_type)k, &syslogs->plans[k]));
	TRY(audit_plan_new(syslogs));
	syslogs->logs = (struct logs_watch){.added = added, .ctx = syslogs};
	logs_watch(appliance, &syslogs->logs);
	syslogs->settings =
	    (struct settings_watch){.follow = followed, .ctx = syslogs};
	settings_watch(appliance->settings, &syslogs->settings);
	*out = syslogs;
	syslogs = NULL;
out:
	syslogs_free(syslogs);
	return rc;
}

void
syslogs_free(struct syslogs *syslogs)
{
	unsigned k;

	if (syslogs == NULL)
		return;
	if (syslogs->waits)
		store_unwait(syslogs->appliance->store, &syslogs->waiter);
	for (k = 0; k < LOG_TYPE_COUNT; k++)
		plan_leave(&syslogs->plans[k]);
	while (syslogs->audit != NULL) {
		struct audit_plan *plan = syslogs->audit;

		syslogs->audit = plan->next;
		plan_leave(&plan->plan);
		mem_free(plan);
	}
	syslog_servers_free(syslogs->servers);
	loop_task_cancel(&syslogs->leaving);
	buf_clear(&syslogs->group);
	mem_free(syslogs);
}
