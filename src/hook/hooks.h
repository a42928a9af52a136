/* SPDX-License-Identifier: MIT */
/* Inside the hook room: what one run of a hook has at hand, and the pieces that several hooks share. */
#ifndef KILLICK_HOOK_HOOKS_H
#define KILLICK_HOOK_HOOKS_H

#include "killick/cmd/out.h"
#include "killick/hook/hook.h"

struct hook_run {
	struct cmd *c;
	struct work *work;
	struct arena *a;
	int argc;                 /* what git gave after the hook's name */
	const char *const *argv;
	struct buf in;            /* what git wrote to standard input, for hooks that read it */
};

/* The folder git takes this repository's hooks from: core.hooksPath, else hooks/ of the common folder.
 * *shared: it lies outside the repository, so other repositories may use it too. */
void hook_dir(struct repo *r, struct arena *a, struct buf *out, bool *shared);
#define HOOK_BEFORE_SUFFIX ".before-killick"

/* A line of a commit message's last paragraph that speaks to killick. */
enum trailer_act { TRAILER_OPEN, TRAILER_RESOLVE, TRAILER_ANSWER };
struct talk_trailer {
	enum trailer_act act;
	enum thread_kind kind;    /* OPEN */
	const char *anchor;       /* OPEN: "src/a.c:3-5", or NULL for the commit */
	const char *text;         /* OPEN: the words; else one thread id */
};
/* The trailers of a message, in order; ids of "Resolves-thread: a, b" are split. Comment lines (comment_char, 0: none)
 * and everything after a scissors line are no part of the message. */
size_t talk_trailers(struct arena *a, const char *message, char comment_char, struct talk_trailer **out);
/* Message without its talk trailers: what an answer quotes. */
const char *talk_without_trailers(struct arena *a, const struct commit_info *ci);

/*
 * Carries out the trailers of one commit: opens, answers, resolves, each once in the life of the commit. A trailer is
 * known by author, author's time and words, which amend, rebase and cherry-pick all keep.
 * Returns the number of ops written, or -1; what could not be done as asked is said in a note.
 */
int talk_carry_out(struct hook_run *h, const struct oid *commit, const struct person *as, struct err *e);

/* Open threads whose place overlaps what the changes touch. Blob ids of both sides are compared line by line.
 * to: the commit that they lead to, NULL for none. The rows are h->a's, the list itself the caller's to array_release. */
int threads_on_changes(struct hook_run *h, const struct oid *to, const struct change *changes, size_t n, struct thread_list *out,
    struct err *e);
/* "k3f9c2 ? src/a.c:3-5  Why three retries?" */
const char *hook_thread_line(struct hook_run *h, const struct thread *t);

/* The hooks, one function each: 0, or 1 to make git refuse. */
int hook_post_commit(struct hook_run *h, struct err *e);
int hook_commit_msg(struct hook_run *h, struct err *e);
int hook_prepare_commit_msg(struct hook_run *h, struct err *e);
int hook_post_rewrite(struct hook_run *h, struct err *e);
int hook_post_merge(struct hook_run *h, struct err *e);
int hook_post_checkout(struct hook_run *h, struct err *e);
int hook_pre_push(struct hook_run *h, struct err *e);
int hook_post_receive(struct hook_run *h, struct err *e);

/* The table of hooks. */
struct hook_row {
	const char *name;
	bool reads_stdin, bare;   /* bare: belongs on a server's bare repository */
	int (*run)(struct hook_run *h, struct err *e);
	const char *does;
};
extern const struct hook_row hook_rows[];   /* ends with name NULL */
const struct hook_row *hook_find(const char *name);

/* "killick hook install|remove|status". */
int hook_install(struct cmd *c, struct err *e);
int hook_remove(struct cmd *c, struct err *e);
int hook_status(struct cmd *c, struct err *e);
struct hook_install_opts { bool shared; };

#endif
