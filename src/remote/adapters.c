/* SPDX-License-Identifier: MIT */
/* The table of adapters. Order matters to sniffing only: what answers most specifically comes first. */
#include "config.h"
#include <string.h>
#include "remote.h"

const struct adapter *const adapters[] = {
	&adapter_gitea,
	&adapter_github,
	&adapter_redmine,
	&adapter_dir,
	NULL,
};

const struct adapter *adapter_find(const char *name)
{
	for (size_t i = 0; name && adapters[i]; i++)
		if (!strcmp(adapters[i]->name, name))
			return adapters[i];
	return NULL;
}
