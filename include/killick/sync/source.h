/* SPDX-License-Identifier: MIT */
/*
 * Sources: the trackers of a repository, as configured by killick.source.NAME.* (kind, api, web, project, prefix, and
 * whatever else the adapter takes), what is known of them from the last time they were asked, and pulling them.
 *
 * Who a token goes to is never for a repository to say: an api on a host that is not known by heart (api.github.com) is
 * spoken to only when the user's own configuration has killick.host.ORIGIN.trusted, which `source add` sets.
 *
 * killick never talks to a server itself: a child killick-remote does (wire.h), one a source, all at once; what they say
 * is put into the index a page at a time, together with the cursor behind it, so that a pull can be cut anywhere.
 */
#ifndef KILLICK_SYNC_SOURCE_H
#define KILLICK_SYNC_SOURCE_H

#include "killick/remote/adapter.h"
#include "killick/sync/native.h"

struct source {
	struct source_desc d;        /* caps and me as last probed; options owned by the list */
	const char *key;             /* with d.kind its identity: "github.com/acme/widget" */
	const char *host;            /* of the key: what a login means something on */
	int64_t row;                 /* of the index; 0: never pulled */
	const char *cursor;          /* "": never pulled */
	int64_t synced, probed, full;   /* when; 0 never */
	const char *title, *version, *missing, *quirk;   /* as probed, or NULL */
	bool public_;
	const json_t *caps_why;      /* {cap: why it is missing}, or NULL */
	const char *problem;         /* of the last time it was asked, or NULL */
	const char *unusable;        /* why it cannot be asked at all: words for the user; NULL */
	json_t *options, *probe;
};
struct sources { struct source *items; size_t len, alloc; };
/* In the order of the configuration; needs the index for what is known. Strings live in the work's arena. */
int work_sources(struct work *w, struct sources *out, struct err *e);
void sources_release(struct sources *s);
/* Is any configured? Costs no index. */
bool work_has_sources(struct work *w);
/* By name; ERR_NOT_FOUND names those there are. */
struct source *sources_find(const struct sources *s, const char *name, struct err *e);
/* Whose task or thread this row of the index is; NULL: native, private, or not configured any more. */
struct source *sources_of_row(const struct sources *s, int64_t row);
/* Does the server do this? Else why not, in words: "github: resolving needs …". A source that was never probed does. */
bool source_can(const struct source *s, enum caps cap, struct arena *a, const char **why);
/* "everyone on acme/widget (public)": who sees what is said there. */
void source_audience(const struct source *s, struct buf *b);

/* What a name may be. ERR_USAGE. */
int source_check_name(const char *name, struct err *e);
/* "https://git.example.org:3000" of a base; false: no address. */
bool source_origin(const char *api, struct buf *out);
bool source_trusted(struct work *w, const char *api);
/* The index's row, made as needed, with what `probe` (of the wire) says. Takes a write of its own. */
int source_remember(struct work *w, struct source *s, const json_t *probe, struct err *e);

/* Asks about an address (wire.h, "sniff"), or a source ("probe"); *out is the answer's object, a new reference. */
int source_sniff(struct work *w, const char *address, struct source_desc *out, struct arena *a, struct err *e);
int source_probe(struct work *w, const struct source_desc *d, bool prompt, json_t **out, struct err *e);

/* ---- pulling ---- */

enum pull_state { PULL_WAITS, PULL_PROBES, PULL_RUNS, PULL_DONE, PULL_FAILED };
struct pull {
	struct source *s;
	bool full;                   /* also what vanished silently; becomes true when it was not done for long */
	enum pull_state state;
	uint64_t records, pages, bad;   /* bad: records that could not be read */
	const char *what; int64_t done, total;   /* progress as the adapter tells; total -1: not known */
	struct err fault;
	int64_t retry_at;            /* of a limit, 0 */
};
/* All at once; tell is called when something about one has changed. Each one's fault is its own; -1: the index cannot be
 * written. One puller at a time a source: another one is waited for, 10 s, then ERR_BUSY in its fault. */
int sources_pull(struct work *w, struct pull *p, size_t n, void (*tell)(void *ctx, const struct pull *p), void *ctx,
    struct err *e);

#endif
