#include "device/lockout.h"

bool
lockout_is_locked(const struct lockout *lockout, int64_t now_ms)
{
	return now_ms < lockout->until_ms;
}

enum lockout_verdict
lockout_begin(struct lockout *lockout, const struct lockout_rule *rule,
    int64_t now_ms, bool *changed)
{
	*changed = false;
	if (rule->failures != 0 && lockout_is_locked(lockout, now_ms)) {
		/* req: KS-15-014 KS-15-017 */
		if (rule->restarts) {
			lockout->until_ms = now_ms + rule->duration_ms;
			*changed = true;
		}
		return LOCKOUT_LOCKED;
	}
	if (lockout->until_ms != 0) {
		*lockout = (struct lockout){0};
		*changed = true;
	}
	return LOCKOUT_OPEN;
}

bool
lockout_failed(
    struct lockout *lockout, const struct lockout_rule *rule, int64_t now_ms)
{
	if (rule->failures == 0)
		return false;
	/* req: KS-15-006 KS-02-010 */
	if (++lockout->failures < rule->failures)
		return false;
	*lockout = (struct lockout){.until_ms = now_ms + rule->duration_ms};
	return true;
}

bool
lockout_succeeded(struct lockout *lockout)
{
	bool changed = lockout->failures != 0 || lockout->until_ms != 0;

	/* req: KS-15-007 KS-02-012 */
	*lockout = (struct lockout){0};
	return changed;
}
