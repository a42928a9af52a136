/* SPDX-License-Identifier: MIT */
/* The screens, in the order in which the manual lists them. */
#include "config.h"
#include "views.h"

const struct view_ops *const view_table[] = {
	&inbox_view, &threads_view, &search_view, &tasks_view, &task_view, &files_view, &file_view, &log_view, &commit_view,
	&thread_view, &drafts_view, &start_view, &messages_view, &help_view, &jump_view, &output_view, NULL,
};
