/* SPDX-License-Identifier: MIT */
/* The families of rows, one file each; src/commands.c puts them in order. */
#ifndef KILLICK_SRC_CMD_FAMILIES_H
#define KILLICK_SRC_CMD_FAMILIES_H

#include "killick/cmd/cmd.h"

extern const struct cmd_entry open_commands[];   /* ask remark decide note */
extern const struct cmd_entry thread_commands[]; /* show reply edit retract resolve reopen accept react move */
extern const struct cmd_entry recall_commands[]; /* recall */
extern const struct cmd_entry list_commands[];   /* threads search inbox */
extern const struct cmd_entry at_commands[];     /* at */
extern const struct cmd_entry place_commands[];  /* place */
extern const struct cmd_entry file_commands[];   /* file */
extern const struct cmd_entry log_commands[];    /* log */
extern const struct cmd_entry task_commands[];   /* tasks task */
extern const struct cmd_entry submit_commands[]; /* submit */
extern const struct cmd_entry draft_commands[];  /* drafts */
extern const struct cmd_entry source_commands[]; /* source */
extern const struct cmd_entry outbox_commands[]; /* outbox */
extern const struct cmd_entry sync_commands[];   /* sync export */
extern const struct cmd_entry import_commands[]; /* import */
extern const struct cmd_entry setup_commands[];  /* init */
extern const struct cmd_entry doctor_commands[]; /* doctor */
extern const struct cmd_entry config_commands[]; /* config */
extern const struct cmd_entry help_commands[];   /* help version */
extern const struct cmd_entry complete_commands[]; /* __complete */

/* The words of a command as one query. */
int list_query(struct cmd *c, struct query **out, struct err *e);

#endif
