/* SPDX-License-Identifier: MIT */
/*
 * Acts: what a key can do, one row each. The row makes the enum, the name in the keys file and at the ":" prompt, the
 * help screen's sentence and the group it stands in. A key's right-hand side is a ":" line, so it may as well be a
 * screen ("tasks is:open") or any killick command ("resolve %thread"); acts are the part of the vocabulary that has
 * no meaning outside the screens.
 */
#ifndef KILLICK_TUI_ACT_H
#define KILLICK_TUI_ACT_H

#include "killick/base/buf.h"

#define ACTS(ACT) \
	ACT(DOWN,        "down",        "Moving", "next row") \
	ACT(UP,          "up",          "Moving", "previous row") \
	ACT(PAGE_DOWN,   "page-down",   "Moving", "a page down") \
	ACT(PAGE_UP,     "page-up",     "Moving", "a page up") \
	ACT(HALF_DOWN,   "half-down",   "Moving", "half a page down") \
	ACT(HALF_UP,     "half-up",     "Moving", "half a page up") \
	ACT(FIRST,       "first",       "Moving", "first row") \
	ACT(LAST,        "last",        "Moving", "last row") \
	ACT(LEFT,        "left",        "Moving", "scroll code to the left") \
	ACT(RIGHT,       "right",       "Moving", "scroll code to the right") \
	ACT(LINE_START,  "line-start",  "Moving", "scroll code back to its first column") \
	ACT(NEXT_THREAD, "next-thread", "Moving", "next thread") \
	ACT(PREV_THREAD, "prev-thread", "Moving", "previous thread") \
	ACT(FIND_NEXT,   "find-next",   "Moving", "next match") \
	ACT(FIND_PREV,   "find-prev",   "Moving", "previous match") \
	ACT(GOTO,        "goto",        "Moving", "a row by its number (:goto 120, or just :120)") \
	ACT(OPEN,        "open",        "Screens", "open what the cursor is on") \
	ACT(BACK,        "back",        "Screens", "back to the screen before") \
	ACT(PANE,        "pane",        "Screens", "the other pane") \
	ACT(FILTER,      "filter",      "Screens", "filter a list with the query language; find in a text") \
	ACT(COMMAND,     "command",     "Screens", "any command, with completion (Tab) and history (Up)") \
	ACT(JUMP,        "jump",        "Screens", "jump to any file, thread, task, commit or command") \
	ACT(VIEW,        "view",        "Screens", "a saved view (settings view1 to view9)") \
	ACT(HELP,        "keys",        "Screens", "the keys of this screen") \
	ACT(RELOAD,      "reload",      "Screens", "read everything again") \
	ACT(REDRAW,      "redraw",      "Screens", "draw the screen anew") \
	ACT(SUSPEND,     "suspend",     "Screens", "put killick in the background (fg brings it back)") \
	ACT(CANCEL,      "cancel",      "Screens", "stop what is under way: a filter, a marked range, a search, a sync") \
	ACT(QUIT,        "quit",        "Screens", "leave killick") \
	ACT(REPLY,       "reply-here",  "Threads", "reply in your editor") \
	ACT(REPLY_LINE,  "reply-line",  "Threads", "reply with one line, typed here") \
	ACT(RESOLVE,     "toggle-resolved", "Threads", "resolve, or reopen what is resolved") \
	ACT(ACCEPT,      "accept-post", "Threads", "accept the post under the cursor as the answer") \
	ACT(ASK,         "ask-here",    "Threads", "ask about this line, range, file, commit or task") \
	ACT(ASK_LINE,    "ask-line",    "Threads", "ask with one line, typed here") \
	ACT(NOTE,        "note-here",   "Threads", "another kind of thread here: remark, decision, note, private note") \
	ACT(CHANGE_POST, "edit-post",   "Threads", "change your post (or draft) under the cursor") \
	ACT(RETRACT,     "retract-post","Threads", "take your post under the cursor back for good; drop a draft") \
	ACT(SEND,        "send-unsent", "Threads", "send the draft under the cursor, or what is held in the outbox") \
	ACT(REACT,       "react-here",  "Threads", "react to the post under the cursor") \
	ACT(MOVE,        "move-here",   "Threads", "move the thread: to its best guess, or to an anchor you type") \
	ACT(READ,        "mark-read",   "Threads", "mark as read") \
	ACT(UNDO,        "undo",        "Threads", "take back what you did last while nobody else has it; its words become a draft") \
	ACT(REPEAT,      "repeat",      "Threads", "do the last act again, on what the cursor is on now") \
	ACT(WRITTEN,     "written",     "Threads", "show the code as it was when the thread was written") \
	ACT(FOLD,        "fold",        "Threads", "unfold or fold long quotations") \
	ACT(MARK,        "mark",        "Code", "mark a range of lines: move, then ask") \
	ACT(EDIT_CODE,   "edit-code",   "Code", "the code in your editor, at this line") \
	ACT(BROWSE,      "browse",      "Code", "open in a browser") \
	ACT(YANK,        "yank",        "Code", "copy: l link, q quotation, i id, a anchor") \
	ACT(SYNC,        "sync-now",    "Work", "fetch and send, in the background") \
	ACT(CONNECT,     "connect",     "Work", "connect the tracker behind a remote; with none to connect, the tasks") \
	ACT(BIND,        "bind",        "Work", "bind a key (:bind WHERE KEY COMMAND)") \
	ACT(UNBIND,      "unbind",      "Work", "unbind a key (:unbind WHERE KEY)") \
	ACT(TOUR,        "tour",        "Work", "a scratch repository with two people's threads; nothing of yours is touched")

enum act {
#define ACT(id, name, group, help) ACT_##id,
	ACTS(ACT)
#undef ACT
	ACT_COUNT, ACT_NONE = ACT_COUNT
};
struct act_row { const char *name, *group, *help; };
const struct act_row *act_row(enum act a);
/* ACT_NONE: no such act. */
enum act act_find(const char *name);

#endif
