/* SPDX-License-Identifier: MIT */
/* The table of acts, made from the list in act.h. */
#include "config.h"
#include <string.h>
#include "act.h"

static const struct act_row rows[] = {
#define ACT(id, name, group, help) { name, group, help },
	ACTS(ACT)
#undef ACT
};

const struct act_row *act_row(enum act a)
{
	if ((unsigned)a >= ARRAY_SIZE(rows))
		BUG("no act %d", (int)a);
	return &rows[a];
}

enum act act_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return (enum act)i;
	return ACT_NONE;
}
