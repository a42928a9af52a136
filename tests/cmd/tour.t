#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The README's tour, typed as it stands.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$KILLICK_TEST_SRC/README.md" >tour.sh
[ "$(wc -l <tour.sh)" -gt 15 ]; ok $? "the README has a tour"
mkdir empty && cd empty || exit 1
# Line by line as typed: a failing line fails the test. Output of each command is kept apart by a mark.
out=$(bash -e ../tour.sh 2>&1); st=$?
is "$st" 0 "every line of it works"
[ $st -eq 0 ] || diag "$out"
like "$out" 'http\.c:3' "the question stands on line 3"
like "$out" 'http\.c:4' "and follows to line 4"
like "$out" 'Why three, not five\?' "with its words"
cd widget || exit 1
j=$(killick threads --json)
is "$(json "$j" 'sorted((t["kind"], t["state"]) for t in d["threads"])')" '[["decision", "open"], ["question", "resolved"]]' "the commit resolved the question and opened the decision"
is "$(json "$j" '[t["place"]["line"] for t in d["threads"] if t["kind"]=="decision"][0]')" 4 "on the line it names"
is "$(git status --porcelain)" "" "nothing of the user's is touched"
unlike "$out" $'[\x01-\x08\x0b-\x1f\x7f]' "no control characters"
done_testing
