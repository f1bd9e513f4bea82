#include "trial.h"

#include "die.h"
#include "mem.h"

void
trials_add(struct trials *ts, struct trial t)
{
	if (MEM_GROW(ts->at, &ts->room, ts->count + 1) != OK)
		die("no memory for the list of trials");
	ts->at[ts->count++] = t;
}

void
trials_add_all(struct trials *ts, const struct trial *t, size_t count)
{
	for (size_t i = 0; i < count; i++)
		trials_add(ts, t[i]);
}

void
trials_collect(struct trials *ts)
{
#define GROUP(name, what) name##_trials(ts);
#include "group.def"
#undef GROUP
}
