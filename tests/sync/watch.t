#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `sync --watch` and what `sync --porcelain` tells programs; several sources at once.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

at() { /usr/bin/python3 "$KILLICK_TEST_SRC/tests/sync/tracker.py" "$T/$1" "${@:2}"; }
add() { killick source add --kind dir --api "file://$T/$1/" --web "https://$1.example.org/" --project p --name "$1" >/dev/null; }
# until REGEX: the watcher has said so, since the last time that something was awaited
from=1
until_said() {
	local i n
	for i in $(seq 600); do
		n=$(tail -n "+$from" "$T/said" | grep -nE -m1 -e "$1" | cut -d: -f1)
		[ -z "$n" ] || { from=$((from + n)); return 0; }
		kill -0 "$watcher" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
watching() { killick sync --watch "$@" >"$T/said" 2>&1 & watcher=$!; from=1; }
for n in one two; do at $n init; at $n task 1 "of $n"; done

repo r
run killick sync --watch
is $st 3 "with nothing to watch it ends"
run killick sync --watch --json
is $st 2 "and has no end that JSON could have"
add one
git config killick.sync.interval 1s
watching --porcelain
until_said '^ok one pulled [1-9]'; ok $? "the first look comes at once"
at one later; at one note 1 bo "came meanwhile" >/dev/null
until_said '^ok one pulled [1-9]'; ok $? "what comes is seen at the next"
like "$(killick task show DIR-1)" "came meanwhile" "and is here"
add two
until_said '^ok two pulled [1-9]'; ok $? "a source that is connected meanwhile is watched, too"
at one fault '{"on":"pull","do":"not-found","message":"no such project"}'
until_said '^failed one '; ok $? "one that is not there for once"
until_said '^ok two '; ok $? "does not keep the other"
until_said '^ok one '; ok $? "nor itself from being asked again"
at two fault '{"on":"pull","do":"auth","message":"who are you?"}'
until_said '^failed two '; ok $? "nor one that does not know us"
like "$(cat "$T/said")" "two: who are you\?" "and why is said"
until_said '^ok two '; ok $? "which is asked again, too"
git config killick.sync.interval 1h
killick reply "$(id source:one)" -m "Sent in time" >/dev/null
until_said '^ok one .* sent 1 '; ok $? "what is due is sent although the next look is far"
is "$(at one count 'Sent in time')" 1 "once"
kill "$watcher"; wait "$watcher"
is $? 143 "it ends when it is told to"
run killick sync --porcelain
is $st 0 "and leaves nothing behind that is in the way"

# an end of a pipe that nobody reads
git config killick.sync.interval 1s
killick sync --watch --porcelain 2>/dev/null | head -n 1 >/dev/null
is "${PIPESTATUS[1]}" 0 "it ends when nobody reads what it says"

# what programs read: every line of a known form, in an order of its own for each source
rm -r "$HOME/.cache/killick"
at one fault '{"on":"pull","do":"limit","ms":3000000}'
run killick sync --porcelain
is $st 75 "a limit: try later"
is "$(printf '%s\n' "$out" | grep -vcE '^(pull (one|two) [^ ]+ -?[0-9]+ -?[0-9]+|(ok|failed) (one|two) pulled [0-9]+ bad [0-9]+ sent [0-9]+ waiting [0-9]+ held [0-9]+ refused [0-9]+ asks [0-9]+)$')" 0 \
	"--porcelain: all lines are of two forms"
is "$(printf '%s\n' "$out" | grep -E '^(ok|failed)' | cut -d' ' -f1,2)" "failed one
ok two" "one line for each source at the end, in the order of the configuration"
like "$err" "^killick: one: too many requests" "and words on standard error"

# at once: one that says nothing keeps nobody waiting
at one fault '{"on":"pull","do":"hang"}'
at two later; at two task 2 "beside a silent one"
killick sync --porcelain >"$T/said" 2>&1 & watcher=$!
for i in $(seq 600); do killick tasks source:two | grep -q "beside a silent one" && break; sleep 0.1; done
like "$(killick tasks source:two)" "beside a silent one" "sources are pulled at the same time"
kill -0 "$watcher"; ok $? "while another is waited for"
kill "$watcher"; wait "$watcher"
done_testing
