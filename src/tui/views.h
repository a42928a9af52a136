/* SPDX-License-Identifier: MIT */
/* The screens, one file each; view_table in views.c lists them. */
#ifndef KILLICK_TUI_VIEWS_H
#define KILLICK_TUI_VIEWS_H

#include "ui.h"

extern const struct view_ops inbox_view, threads_view, search_view, tasks_view, task_view, files_view, file_view, log_view,
	commit_view, thread_view, drafts_view, help_view, messages_view, start_view, jump_view, output_view;

/* Jump to anything: opens the prompt and its list. */
void jump_open(struct tui *t);
/* The thread view's thread was shown: another id shows that one. */
const char *thread_view_id(const struct view *v);
void thread_view_show(struct view *v, const char *id);

/* Are there threads to show? */
bool start_is_over(struct tui *t);

#endif
