/* SPDX-License-Identifier: MIT */
/* The table of commands: families in the order of the manual. Above all floors, because the hooks' rows are in it. */
#include "config.h"
#include "cmd/families.h"
#include "killick/hook/hook.h"
#include "killick/tui/tui.h"

const struct cmd_family cmd_families[] = {
	{ "Set up", setup_commands, "killick-setup" },
	{ "Set up", doctor_commands, "killick-setup" },
	{ "Set up", config_commands, "killick-setup" },
	{ "Set up", hook_commands, "killick-hooks" },
	{ "Talk", open_commands, "killick-threads" },
	{ "Talk", thread_commands, "killick-threads" },
	{ "Talk", recall_commands, "killick-threads" },
	{ "Look", list_commands, "killick-threads" },
	{ "Look", at_commands, "killick-at" },
	{ "Look", place_commands, "killick-at" },
	{ "Look", file_commands, "killick-at" },
	{ "Look", log_commands, "killick-at" },
	{ "Look", tui_commands, "killick" },
	{ "Tasks", task_commands, "killick-tasks" },
	{ "Tasks", submit_commands, "killick-tasks" },
	{ "Exchange", draft_commands, "killick-threads" },
	{ "Exchange", sync_commands, "killick-sync" },
	{ "Exchange", source_commands, "killick-source" },
	{ "Exchange", outbox_commands, "killick-outbox" },
	{ "Exchange", import_commands, "killick-sync" },
	{ "Help", help_commands, "killick-setup" },
	{ "Help", complete_commands, NULL },
	{ NULL, NULL, NULL },
};
