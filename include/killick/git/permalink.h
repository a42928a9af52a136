/* SPDX-License-Identifier: MIT */
/*
 * Remotes' URLs and permalinks to lines of GitHub, GitLab, Gitea/Forgejo, Gerrit with Gitiles, and cgit, both ways.
 * A URL is this repository's when host and project path equal one of its remotes' (scheme, user, port of ssh, ".git" and
 * case of the host aside). Nothing is ever fetched from one.
 */
#ifndef KILLICK_GIT_PERMALINK_H
#define KILLICK_GIT_PERMALINK_H

#include "killick/git/repo.h"

enum forge { FORGE_UNKNOWN, FORGE_GITHUB, FORGE_GITLAB, FORGE_GITEA, FORGE_GITILES, FORGE_CGIT };

struct remote_url { const char *scheme, *host, *project; uint16_t port; };  /* project "acme/widget", no ".git" */
/* All forms git takes: URLs, scp-like "git@host:a/b.git". false: a local path or nonsense. */
bool remote_url_parse(struct arena *a, const char *url, struct remote_url *out);

/* By the words in a host's name; FORGE_UNKNOWN: it has none. */
enum forge forge_of_host(const char *host);

/* The pure part: what a web address says. rev may be a branch with '/' in it: then the repository decides. */
struct permalink {
	enum forge forge;
	const char *host, *project;
	const char *rev_and_path;   /* "main/src/x.c": undecided where rev ends */
	uint32_t line, end;         /* 0: the whole file */
	uint32_t col, col_end;      /* as the forge counts them; 0: none. Anchors are whole lines: forges differ here */
	char kind;                  /* 'f' file or lines, 'c' commit, 't' task, 'm' change */
	const char *rev, *path;     /* when decided; tasks and changes: rev is the number */
	uint16_t port;              /* 0: the scheme's */
};
bool permalink_parse(struct arena *a, const char *url, struct permalink *out);
/*
 * For this repository: fills the anchor with the resolved commit: a full id as it stands there, whether the commit is here
 * or not; else the branch of that remote, a tag, a branch, an abbreviated id. Tasks are "#412", changes "58".
 * false: not ours, or not a permalink.
 * Owner and name are compared without case on the forges that do so; an ssh remote's project may lack the path that a
 * GitLab or Gitea below a folder of its host has in front, when the commit named is here.
 */
bool permalink_anchor(struct repo *r, const char *url, struct arena *a, struct anchor *out);
/* The address of an anchor (commit, file, lines; a section is its file) on the forge of the first remote that has one; the
 * forge is guessed from the host's name or told by killick.forge (github, gitlab, gitea, gitiles, cgit).
 * false: no forge, or no commit, or one that no remote-tracking branch of that remote contains: it would lead nowhere. */
bool permalink_make(struct repo *r, const struct anchor *an, struct buf *out);
/* Every web address in a text that permalink_parse takes: calls fn with each. Marks that end a sentence are left out. */
void permalink_scan(const char *text, void (*fn)(void *ctx, const char *url, size_t len), void *ctx);

#endif
