/* SPDX-License-Identifier: MIT */
/* Lanes of the log's graph. Pure: a commit and its parents in, a row of marks out. */
#include "config.h"
#include <stdlib.h>
#include <string.h>
#include "graph.h"

enum mark { M_NONE, M_LANE, M_COMMIT, M_ACROSS, M_CROSS, M_ENDS, M_OPENS, M_JOINS };

void graph_copy(struct graph *to, const struct graph *from)
{
	to->lanes.len = 0;
	for (size_t i = 0; i < from->lanes.len; i++)
		*array_add(&to->lanes) = from->lanes.items[i];
}

void graph_release(struct graph *g)
{
	array_release(&g->lanes);
}

static size_t lane_of(const struct graph *g, const struct oid *id)
{
	for (size_t i = 0; i < g->lanes.len; i++)
		if (oid_equal(&g->lanes.items[i], id))
			return i;
	return SIZE_MAX;
}

static size_t free_lane(struct graph *g)
{
	for (size_t i = 0; i < g->lanes.len; i++)
		if (oid_is_zero(&g->lanes.items[i]))
			return i;
	*array_add(&g->lanes) = OID_ZERO;
	return g->lanes.len - 1;
}

/* A line from the commit's lane to another: what lies between is crossed. */
static void connect(enum mark *marks, size_t from, size_t to, enum mark end)
{
	size_t a = from < to ? from : to, b = from < to ? to : from;

	for (size_t i = a + 1; i < b && i < GRAPH_SHOWN; i++)
		marks[i] = marks[i] == M_LANE || marks[i] == M_CROSS ? M_CROSS : marks[i] == M_NONE ? M_ACROSS : marks[i];
	if (to < GRAPH_SHOWN)
		marks[to] = end;
}

static void end_lanes(struct graph *g, const struct oid *commit, size_t own, enum mark *marks)
{
	for (size_t i = 0; i < g->lanes.len; i++)
		if (i != own && oid_equal(&g->lanes.items[i], commit)) {
			connect(marks, own, i, M_ENDS);
			g->lanes.items[i] = OID_ZERO;
		}
}

static void open_lanes(struct graph *g, size_t own, const struct oid *parents, size_t n, enum mark *marks)
{
	size_t i;

	g->lanes.items[own] = n ? parents[0] : OID_ZERO;
	for (size_t p = 1; p < n; p++) {
		i = lane_of(g, &parents[p]);
		if (i != SIZE_MAX) {
			if (i != own)
				connect(marks, own, i, M_JOINS);
			continue;
		}
		i = free_lane(g);
		g->lanes.items[i] = parents[p];
		connect(marks, own, i, M_OPENS);
	}
}

static void print(const enum mark *marks, size_t n, bool ascii, struct buf *out)
{
	static const char *const utf8[] = { " ", "│", "●", "─", "┼", "╯", "╮", "┤" };
	static const char *const plain[] = { " ", "|", "*", "-", "+", "/", "\\", "|" };

	for (size_t i = 0; i < n && i < GRAPH_SHOWN; i++)
		buf_addstr(out, ascii ? plain[marks[i]] : utf8[marks[i]]);
	if (n > GRAPH_SHOWN)
		buf_addstr(out, ascii ? ">" : "…");
}

void graph_row(struct graph *g, const struct oid *commit, const struct oid *parents, size_t n_parents, bool ascii,
    struct buf *out)
{
	enum mark marks[GRAPH_SHOWN + 1] = { M_NONE };
	size_t own = lane_of(g, commit), n;

	if (own == SIZE_MAX)
		own = free_lane(g);
	for (size_t i = 0; i < g->lanes.len && i < GRAPH_SHOWN; i++)
		marks[i] = i == own ? M_COMMIT : oid_is_zero(&g->lanes.items[i]) ? M_NONE : M_LANE;
	n = g->lanes.len;
	end_lanes(g, commit, own, marks);
	open_lanes(g, own, parents, n_parents, marks);
	if (g->lanes.len > n)
		n = g->lanes.len;
	while (g->lanes.len && oid_is_zero(&g->lanes.items[g->lanes.len - 1]))
		g->lanes.len--;
	while (n > 1 && n <= GRAPH_SHOWN && marks[n - 1] == M_NONE)
		n--;
	print(marks, n, ascii, out);
}
