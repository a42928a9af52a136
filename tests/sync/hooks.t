#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A commit that answers or resolves a tracker's thread: said there, once, when the commit is pushed.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

connect
C=$(git rev-parse HEAD)
git init -q --bare "$T/origin.git" && git remote add origin "$T/origin.git" && git push -q origin main
dir change 58 "Retry budget" "$C" "$C" topic
dir code 58 chen "This leaks" src/a.c 3 "$C"
dir task 412 "Which release?"
dir note 412 bo "Next week?" >/dev/null
killick sync -q
killick hook install >/dev/null

sed -i 's/line 3/LINE 3/' src/a.c
run git commit -qam "net: free it" -m "Resolves-thread: $(id on:src)"
is $st 0 "a commit that resolves a review remark"
like "$err" "is resolved at dir once this commit is pushed" "says what will happen"
is "$(rows | cut -d' ' -f1,2)" "queued reply
queued resolve" "a reply and the resolution wait"
killick sync -q dir
is "$(dir bodies 58)" "chen: This leaks" "not before it is pushed"
git commit -q --amend -m "net: free it early" -m "Resolves-thread: $(id on:src)"
is "$(rows | wc -l)" 2 "amended: still the same two"
like "$(rows)" "waits until $(git rev-parse HEAD | cut -c1-7) is pushed" "waiting for the new commit"
killick reply "$(id on:src)" -m "Working on it" >/dev/null
killick sync -q dir
is "$(dir bodies 58)" "chen: This leaks
ana: Working on it" "what is said meanwhile does not wait behind them"
git push -q origin main 2>/dev/null
killick sync -q dir
like "$(dir bodies 58)" "ana: Resolved by $(git rev-parse HEAD | cut -c1-7) \"net: free it early\"" "pushed: said there"
is "$(dir get 58 threads 0 resolved)" true "and resolved"
is "$(rows)" "" "and done"
git commit -q --amend -m "net: free it at last" -m "Resolves-thread: $(id on:src)"
is "$(rows)" "" "amended after that: not said twice"
git commit -q --allow-empty -m "docs: answer @chen" -m "Not @param, nor \`@bo\`." -m "Answers-thread: $(id task:412)" 2>/dev/null
git push -q -f origin main 2>/dev/null
killick sync -q dir
like "$(dir bodies 412)" "ana: Answered by .* \"docs: answer \`@chen\`\".*Not \`@param\`, nor \`@bo\`\." "an answer to a task's conversation, which calls nobody"
git config --global killick.post.background true
GIT_AUTHOR_DATE=2026-01-02T05:00:00Z git commit -q --allow-empty -m "docs: more" -m "Answers-thread: $(id task:412)" 2>/dev/null
git push -q origin main 2>/dev/null
for i in $(seq 300); do [ "$(dir count 'docs: more')" = 0 ] || break; sleep 0.2; done
is "$(dir count 'docs: more')" 1 "the push itself sends it, in the background"
done_testing
