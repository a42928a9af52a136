/* SPDX-License-Identifier: MIT */
/* How a child is started; what is then done with it is in proc.c. */
#ifndef KILLICK_BASE_LAUNCH_H
#define KILLICK_BASE_LAUNCH_H

#include <sys/types.h>
#include "killick/base/proc.h"

/* What a child is made of, ready before fork. */
struct launch {
	struct arena arena;
	const char *path;
	const char **env;
	int io[3];   /* the child's 0, 1, 2; -1: /dev/null, -2: ours */
	int ours[3]; /* our ends of its pipes, -1: none */
	bool own_group;
	bool dies_with_us; /* it is waited for, apart from the terminal: it must not outlive whoever waits */
	int life[2];       /* then, a pipe: the guard reads, we hold the other end; -1: none */
};

int launch_init(struct launch *l, const struct proc *p, struct err *e);
/* The child gets one end of a new pipe as descriptor `which`, we keep the other, non-blocking. */
int launch_pipe(struct launch *l, int which, struct err *e);
/* Forks and execs; returns when the program runs or could not be started. The child's ends are closed here. */
int launch_go(struct launch *l, const struct proc *p, pid_t *pid, struct err *e);
/* It ended by itself: what it left running is its own affair. */
void launch_dismiss(struct launch *l);
void launch_release(struct launch *l);
/* Closes it if it is one, and forgets it. */
void fd_close(int *fd);

#endif
