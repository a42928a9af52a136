/* SPDX-License-Identifier: MIT */
/* The outbox's state machine: every state with every event, and what the times and counts do on the way. */
#include "unit.h"
#include "killick/sync/outbox.h"

#define T INT64_C(1000000)
static const struct out_policy policy = { .settle = 30000, .again = 1000, .again_max = 8000, .attempts = 2 };

static const char *const events[OUT_EVENTS] = {
	[EV_DUE] = "due", [EV_MARKED] = "marked", [EV_LANDED] = "landed", [EV_REFUSED] = "refused", [EV_UNKNOWN] = "unknown",
	[EV_UNSENT] = "unsent", [EV_ABSENT] = "absent", [EV_FOUND] = "found", [EV_CHANGED] = "changed", [EV_CRASHED] = "crashed",
	[EV_RELEASE] = "release", [EV_HOLD] = "hold", [EV_RETRY] = "retry", [EV_DISCARD] = "discard",
};

/* What becomes of a row that has been pushed once and was looked for once already, long ago; "-": nothing changes. */
static const struct { enum out_state from; const char *to[OUT_EVENTS]; } table[] = {
	{ OUT_QUEUED, { [EV_DUE] = "sending", [EV_MARKED] = "queued", [EV_UNSENT] = "queued", [EV_FOUND] = "done",
		[EV_CHANGED] = "held", [EV_RELEASE] = "queued", [EV_HOLD] = "held", [EV_RETRY] = "queued", [EV_DISCARD] = "dropped" } },
	{ OUT_SENDING, { [EV_LANDED] = "done", [EV_REFUSED] = "refused", [EV_UNKNOWN] = "unknown", [EV_UNSENT] = "queued",
		[EV_FOUND] = "done", [EV_CRASHED] = "unknown" } },
	{ OUT_UNKNOWN, { [EV_LANDED] = "done", [EV_UNKNOWN] = "unknown", [EV_UNSENT] = "unknown", [EV_ABSENT] = "queued",
		[EV_FOUND] = "done", [EV_RETRY] = "unknown", [EV_DISCARD] = "dropped" } },
	{ OUT_HELD, { [EV_FOUND] = "done", [EV_RELEASE] = "queued", [EV_RETRY] = "queued", [EV_DISCARD] = "dropped" } },
	{ OUT_REFUSED, { [EV_FOUND] = "done", [EV_RELEASE] = "queued", [EV_RETRY] = "queued", [EV_HOLD] = "held",
		[EV_DISCARD] = "dropped" } },
	{ OUT_ASKS, { [EV_FOUND] = "done", [EV_RELEASE] = "queued", [EV_RETRY] = "queued", [EV_HOLD] = "held",
		[EV_DISCARD] = "dropped" } },
	{ OUT_DONE, { NULL } },
};

static void test_every_state_and_event(void **state)
{
	const struct wire_outcome o = { .is = WIRE_LANDED, .key = "77", .message = "words" };
	int pairs = 0;

	(void)state;
	assert_int_equal(ARRAY_SIZE(table), OUT_STATES);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (int ev = 0; ev < OUT_EVENTS; ev++, pairs++) {
			struct out_row r = { .id = "x", .state = table[i].from, .attempts = 1, .looks = 1, .sent_at = T - 100000 }, was = r;
			bool moved = out_step(&r, (enum out_event)ev, &o, T, &policy);
			const char *want = table[i].to[ev];

			if (moved != (want != NULL) || (want && strcmp(out_state_name(r.state), want)))
				fail_msg("%s + %s: %s, wanted %s", out_state_name(table[i].from), events[ev],
				    moved ? out_state_name(r.state) : "nothing", want ? want : "nothing");
			if (!moved)
				assert_memory_equal(&r, &was, sizeof(r));
		}
	}
	assert_int_equal(pairs, 98);
}

static bool step(struct out_row *r, enum out_event ev, int64_t now)
{
	return out_step(r, ev, &(struct wire_outcome){ .is = WIRE_UNKNOWN, .message = "m" }, now, &policy);
}

static void test_the_good_way(void **state)
{
	struct out_row r = { .state = OUT_QUEUED, .not_before = T };

	(void)state;
	assert_int_equal(out_next(&r), T);
	assert_true(step(&r, EV_DUE, T));
	assert_int_equal(r.attempts, 1);
	assert_int_equal(r.sent_at, T);
	assert_true(out_step(&r, EV_LANDED, &(struct wire_outcome){ .key = "9", .url = "u" }, T + 5, &policy));
	assert_string_equal(r.key, "9");
	assert_string_equal(r.url, "u");
	assert_int_equal(out_next(&r), 0);
	assert_int_equal(out_post_state(r.state), POST_SENT);
}

/* Two looks that count, a settle time apart; then once more; then the user is asked. */
static void test_unknown_is_looked_for_twice(void **state)
{
	struct out_row r = { .state = OUT_QUEUED };
	int64_t now = T;

	(void)state;
	for (int round = 1; round <= 2; round++) {
		assert_true(step(&r, EV_DUE, now));
		assert_int_equal(r.attempts, round);
		assert_true(step(&r, EV_UNKNOWN, now + 10));
		assert_int_equal(r.state, OUT_UNKNOWN);
		assert_int_equal(out_next(&r), now + 10);
		assert_true(step(&r, EV_ABSENT, now + 20));   /* too early to count */
		assert_int_equal(r.looks, 0);
		assert_int_equal(out_next(&r), now + 30000);
		assert_true(step(&r, EV_ABSENT, now + 30000));
		assert_int_equal(r.looks, 1);
		assert_int_equal(out_next(&r), now + 60000);
		assert_true(step(&r, EV_UNSENT, now + 60000)); /* that look failed */
		assert_int_equal(r.looks, 1);
		assert_true(step(&r, EV_ABSENT, now + 61000));
		assert_int_equal(r.state, round == 1 ? OUT_QUEUED : OUT_ASKS);
		now += 61000;
	}
	assert_int_equal(out_next(&r), 0);
	assert_int_equal(out_post_state(r.state), POST_FAILED);
	assert_true(step(&r, EV_RETRY, now));
	assert_int_equal(r.state, OUT_QUEUED);
	assert_true(r.forced);
	assert_int_equal(r.attempts, 0);
}

/* A crash long ago does not make two looks in a row count. */
static void test_looks_are_spaced(void **state)
{
	struct out_row r = { .state = OUT_SENDING, .attempts = 1, .sent_at = T - 1000000 };

	(void)state;
	assert_true(step(&r, EV_CRASHED, T));
	assert_true(step(&r, EV_ABSENT, T));
	assert_int_equal(r.state, OUT_UNKNOWN);
	assert_true(out_next(&r) >= T + 30000);
	assert_true(step(&r, EV_ABSENT, T + 30000));
	assert_int_equal(r.state, OUT_QUEUED);
}

static void test_idempotent_needs_one_look(void **state)
{
	struct out_policy p = policy;
	struct out_row r = { .state = OUT_UNKNOWN, .attempts = 3, .sent_at = T };

	(void)state;
	p.idempotent = true;
	assert_true(out_step(&r, EV_ABSENT, NULL, T + 30000, &p));
	assert_int_equal(r.state, OUT_QUEUED);
	r = (struct out_row){ .state = OUT_UNKNOWN, .attempts = 10, .sent_at = T };
	assert_true(out_step(&r, EV_ABSENT, NULL, T + 30000, &p));
	assert_int_equal(r.state, OUT_ASKS);
}

static void test_limits_wait_by_themselves(void **state)
{
	struct out_row r = { .state = OUT_QUEUED };
	const struct wire_outcome limit = { .is = WIRE_UNSENT, .code = ERR_RATE_LIMITED, .retry_at = T + 77777, .message = "limit" };
	int64_t now = T, wait = 0;

	(void)state;
	assert_true(step(&r, EV_DUE, T));
	assert_true(out_step(&r, EV_UNSENT, &limit, T, &policy));
	assert_int_equal(r.state, OUT_QUEUED);
	assert_int_equal(r.attempts, 0);
	assert_int_equal(out_next(&r), T + 77777);
	assert_string_equal(r.problem, "limit");
	for (int i = 0; i < 6; i++) {
		assert_true(step(&r, EV_DUE, now));
		assert_null(r.problem);
		assert_true(step(&r, EV_UNSENT, now));
		assert_true(out_next(&r) - now >= wait);
		wait = out_next(&r) - now;
		now = out_next(&r);
	}
	assert_int_equal(wait, 8000);
	assert_int_equal(r.attempts, 0);
}

static void test_a_right_that_went_holds(void **state)
{
	struct out_row r = { .state = OUT_SENDING };
	const struct wire_outcome no = { .is = WIRE_REFUSED, .code = ERR_AUTH, .message = "you may not" };

	(void)state;
	assert_true(out_step(&r, EV_REFUSED, &no, T, &policy));
	assert_int_equal(r.state, OUT_HELD);
	assert_string_equal(r.problem, "you may not");
	assert_int_equal(out_post_state(r.state), POST_HELD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_and_event), cmocka_unit_test(test_the_good_way),
		cmocka_unit_test(test_unknown_is_looked_for_twice), cmocka_unit_test(test_looks_are_spaced),
		cmocka_unit_test(test_idempotent_needs_one_look), cmocka_unit_test(test_limits_wait_by_themselves),
		cmocka_unit_test(test_a_right_that_went_holds),
	};

	return cmocka_run_group_tests_name("outbox, steps", tests, NULL, NULL);
}
