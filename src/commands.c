/* SPDX-License-Identifier: MIT */
/* The table of commands: families in the order of the manual. Above all floors, because the hooks' rows are in it. */
#include "config.h"
#include "cmd/families.h"
#include "killick/hook/hook.h"
#include "killick/tui/tui.h"

const struct cmd_family cmd_families[] = {
	{ "Set up", setup_commands },
	{ "Set up", doctor_commands },
	{ "Set up", config_commands },
	{ "Set up", hook_commands },
	{ "Talk", open_commands },
	{ "Talk", thread_commands },
	{ "Look", list_commands },
	{ "Look", at_commands },
	{ "Look", place_commands },
	{ "Look", file_commands },
	{ "Look", log_commands },
	{ "Look", tui_commands },
	{ "Tasks", task_commands },
	{ "Exchange", draft_commands },
	{ "Exchange", sync_commands },
	{ "Exchange", import_commands },
	{ "Help", help_commands },
	{ "Help", complete_commands },
	{ NULL, NULL },
};
