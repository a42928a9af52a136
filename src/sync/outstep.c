/* SPDX-License-Identifier: MIT */
/*
 * The outbox's state machine, and nothing else: no disk, no clock, no network. Every state and event has one entry in the
 * table; an empty one means that the event changes nothing there. tests/unit/test-outstep.c walks all of them.
 *
 * The rules behind it (trust.md 1.8): nothing is pushed again before it was looked for twice, a settle time apart, and not
 * found (once, where doing it twice is doing it once); after the second such round the user is asked. What was certainly
 * not sent goes back to the queue and waits by itself. The first mark stays: whatever landed since stands behind it.
 */
#include "config.h"
#include "killick/sync/outbox.h"

typedef bool step_fn(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p);

static const char *words(const struct wire_outcome *o, const char *otherwise)
{
	return o && o->message && *o->message ? o->message : otherwise;
}

static int64_t pause_of(int n, const struct out_policy *p)
{
	int64_t ms = p->again;

	while (n-- > 1 && ms < p->again_max)
		ms *= 2;
	return ms < p->again_max ? ms : p->again_max;
}

static bool to_sending(struct out_row *r, const struct wire_outcome *o UNUSED, int64_t now,
    const struct out_policy *p UNUSED)
{
	r->state = OUT_SENDING;
	r->attempts++;
	r->sent_at = now;
	r->retry_at = 0;
	r->problem = NULL;
	return true;
}

static bool marked(struct out_row *r UNUSED, const struct wire_outcome *o UNUSED, int64_t now UNUSED,
    const struct out_policy *p UNUSED)
{
	return true;
}

static bool to_done(struct out_row *r, const struct wire_outcome *o, int64_t now UNUSED, const struct out_policy *p UNUSED)
{
	r->state = OUT_DONE;
	r->key = o && o->key ? o->key : r->key;
	r->url = o && o->url ? o->url : r->url;
	r->problem = words(o, NULL);   /* it landed, but not as it was meant */
	r->retry_at = 0;
	return true;
}

static bool to_held(struct out_row *r, const struct wire_outcome *o, int64_t now UNUSED, const struct out_policy *p UNUSED)
{
	r->state = OUT_HELD;
	r->problem = words(o, "held by you");
	r->retry_at = 0;
	return true;
}

/* The tracker said no; where it is a right that went, the words may still be wanted as they are. */
static bool to_refused(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	if (o && o->code == ERR_AUTH)
		return to_held(r, o, now, p);
	r->state = OUT_REFUSED;
	r->problem = words(o, "the tracker refused it without a reason");
	return true;
}

/* It may or may not be there. The first look is free; the two that count are a settle time apart. */
static bool to_unknown(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p UNUSED)
{
	r->state = OUT_UNKNOWN;
	r->looks = 0;
	r->retry_at = now;
	r->problem = words(o, "no answer after sending");
	return true;
}

/* Certainly not sent: waits by itself. */
static bool to_later(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	r->looks++;
	r->state = OUT_QUEUED;
	if (r->sent_at && r->attempts)
		r->attempts--;
	r->sent_at = 0;
	r->retry_at = o && o->retry_at > now ? o->retry_at : now + pause_of(r->looks, p);
	r->problem = words(o, "the source could not be reached");
	return true;
}

/* Looking, before it was sent, failed. */
static bool wait_more(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	r->looks++;
	r->retry_at = o && o->retry_at > now ? o->retry_at : now + pause_of(r->looks, p);
	r->problem = words(o, "the source could not be reached");
	return true;
}

/* Looking after it failed: it stays unknown, and that look does not count. */
static bool look_later(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	r->retry_at = o && o->retry_at > now ? o->retry_at : now + p->again;
	return true;
}

static bool absent(struct out_row *r, const struct wire_outcome *o UNUSED, int64_t now, const struct out_policy *p)
{
	int wanted = p->idempotent ? 1 : 2;

	if (now >= r->sent_at + p->settle * (r->looks + 1))
		r->looks++;
	if (r->looks < wanted) {
		r->retry_at = r->sent_at + p->settle * (r->looks + 1);
		if (r->retry_at <= now)
			r->retry_at = now + (p->settle > 0 ? p->settle : 1);
		return true;
	}
	r->looks = 0;
	r->retry_at = 0;
	if (r->attempts < (p->idempotent ? 5 * p->attempts : p->attempts)) {
		r->state = OUT_QUEUED;
		r->sent_at = 0;
		return true;
	}
	r->state = OUT_ASKS;
	r->problem = "no answer after sending: looked twice, not found";
	return true;
}

static bool send_now(struct out_row *r, const struct wire_outcome *o UNUSED, int64_t now, const struct out_policy *p UNUSED)
{
	r->not_before = now;
	r->retry_at = 0;
	r->looks = 0;
	r->pushed = NULL;
	return true;
}

static bool send_anyway(struct out_row *r, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	r->state = OUT_QUEUED;
	r->forced = true;
	r->attempts = 0;
	r->sent_at = 0;
	r->problem = NULL;
	return send_now(r, o, now, p);
}

static bool look_now(struct out_row *r, const struct wire_outcome *o UNUSED, int64_t now, const struct out_policy *p UNUSED)
{
	r->retry_at = now;
	return true;
}

static bool drop(struct out_row *r, const struct wire_outcome *o UNUSED, int64_t now UNUSED, const struct out_policy *p UNUSED)
{
	r->state = OUT_DROPPED;
	return true;
}

static step_fn *const steps[OUT_STATES][OUT_EVENTS] = {
	[OUT_QUEUED] = {
		[EV_DUE] = to_sending, [EV_MARKED] = marked, [EV_UNSENT] = wait_more, [EV_FOUND] = to_done, [EV_CHANGED] = to_held,
		[EV_RELEASE] = send_now, [EV_HOLD] = to_held, [EV_RETRY] = send_now, [EV_DISCARD] = drop,
	},
	[OUT_SENDING] = {
		[EV_LANDED] = to_done, [EV_REFUSED] = to_refused, [EV_UNKNOWN] = to_unknown, [EV_UNSENT] = to_later,
		[EV_CRASHED] = to_unknown, [EV_FOUND] = to_done,
	},
	[OUT_UNKNOWN] = {
		[EV_LANDED] = to_done, [EV_FOUND] = to_done, [EV_ABSENT] = absent, [EV_UNSENT] = look_later,
		[EV_UNKNOWN] = look_later, [EV_RETRY] = look_now, [EV_DISCARD] = drop,
	},
	[OUT_HELD] = {
		[EV_FOUND] = to_done, [EV_RELEASE] = send_anyway, [EV_RETRY] = send_anyway, [EV_DISCARD] = drop,
	},
	[OUT_REFUSED] = {
		[EV_FOUND] = to_done, [EV_RELEASE] = send_anyway, [EV_RETRY] = send_anyway, [EV_HOLD] = to_held, [EV_DISCARD] = drop,
	},
	[OUT_ASKS] = {
		[EV_FOUND] = to_done, [EV_RELEASE] = send_anyway, [EV_RETRY] = send_anyway, [EV_HOLD] = to_held, [EV_DISCARD] = drop,
	},
};

bool out_step(struct out_row *r, enum out_event ev, const struct wire_outcome *o, int64_t now, const struct out_policy *p)
{
	step_fn *fn;

	if ((size_t)r->state >= OUT_STATES || (size_t)ev >= OUT_EVENTS)
		return false;
	fn = steps[r->state][ev];
	return fn && fn(r, o, now, p);
}

int64_t out_next(const struct out_row *r)
{
	int64_t at = r->not_before > r->retry_at ? r->not_before : r->retry_at;

	if (r->state == OUT_QUEUED)
		return r->pushed ? 0 : at ? at : 1;
	if (r->state == OUT_UNKNOWN)
		return r->retry_at ? r->retry_at : 1;
	return r->state == OUT_SENDING ? 1 : 0;
}

enum post_state out_post_state(enum out_state s)
{
	if (s == OUT_HELD)
		return POST_HELD;
	if (s == OUT_REFUSED || s == OUT_ASKS)
		return POST_FAILED;
	return s == OUT_DONE ? POST_SENT : POST_QUEUED;
}
