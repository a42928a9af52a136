#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A tracker's tasks from the command line: milestones, whom they go to, how they end; and notes that some may see only.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

connect
dir task 412 "Which release?"
dir note 412 bo "Next week?" >/dev/null
killick sync -q

run killick task milestone DIR-412 2.0
is $st 0 "task milestone"
like "$out" "DIR-412 goes into 2.0; dir widget DIR-412; everyone" "says what and who"
run killick task show DIR-412
like "$out" "milestone 2.0" "it shows at once"
is "$(json "$(killick tasks milestone:2.0 --json)" '[(t["id"], t["milestone"]) for t in d["tasks"]]')" '[["DIR-412", "2.0"]]' "milestone: finds it"
is "$(json "$(killick threads milestone:2.0 --json)" 'len(d["threads"])')" 1 "and its thread"
is "$(json "$(killick tasks --json -- -milestone:2.0)" 'len(d["tasks"])')" 0 "which no other has"
run killick sync -q
is "$(dir get 412 task milestone)" 2.0 "and is there"
run killick task show DIR-412 --json
is "$(json "$out" 'd["task"]["milestone"]')" 2.0 "in JSON too"
run killick task milestone DIR-412
is $st 2 "a name or --remove is wanted"
killick task milestone DIR-412 -r >/dev/null
unlike "$(killick task show DIR-412)" milestone "taken out at once"
killick sync -q
is "$(dir get 412 task milestone)" null "and there"
killick task close DIR-412 --as duplicate >/dev/null
killick task assign DIR-412 bo >/dev/null
killick task new "Given away" -m text --to dir --assign me -l ui >/dev/null
killick sync -q
is "$(dir get 412 task state) $(dir get 412 task assignees 0 login)" "closed bo" "closed, and given to a login"
is "$(dir get 413 task assignees 0 login) $(dir get 413 task labels)" 'ana ["ui"]' "a new task is made with both"
killick task reopen DIR-412 >/dev/null; killick sync -q
run killick task assign DIR-412 "Bo Li <bo@example.org>"
is $st 2 "a mail address is no login"
run killick task new "A native one" -m x --assign "Bo <bo@example.org>" --json
T1=$(json "$out" 'd["task"]["id"]')
is "$(json "$out" 'd["task"]["assignees"][0]["name"]')" Bo "a native task is given away when it is made"
run killick task milestone "$T1" 1.0
is $st 1 "native tasks have no milestones"
run killick task close "$T1" --as duplicate
is $st 2 "nor ways to end"

# private notes
talk=$(id task:412)
run killick task comment DIR-412 --private --to dir -m "For us only" --dry-run
is $st 0 "a private note"
like "$out" "goes to: dir widget DIR-412, private; only who may see private notes there" "who will see it is said before"
git config killick.post.delay 1h
run killick task comment DIR-412 --private --to dir -m "For us only"
like "$out" "DIR-412, private; only who may see private notes there; sent in" "and after"
run killick show "$talk"
like "$out" "seen by some only.*queued" "it is shown as what it is"
is "$(killick outbox --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["outbox"][0]["private"])')" True "the outbox tells"
like "$(killick outbox)" "private comment" "in words"
killick outbox recall >/dev/null
run killick drafts --json
is "$(json "$out" 'd["drafts"][0]["audience"]')" private "recalled it stays private"
git config killick.post.delay 0
killick drafts send "$(json "$out" 'd["drafts"][0]["id"]')" >/dev/null
run killick reply "$talk" --private --to dir -m "Among us"
is $st 0 "a private reply"
killick sync -q
is "$(dir get 412 notes 1 private) $(dir get 412 notes 2 private)" "true true" "both are private there"
run killick show "$talk" --json
is "$(json "$out" '[p.get("private", False) for p in d["thread"]["posts"]]')" "[false, true, true]" "and here"
run killick reply "$talk" --private -m "Mine"
is $st 2 "without its tracker a reply is not private"
run killick task comment DIR-412 --private -m "Mine alone"
is $st 0 "nor does a private comment without it leave"
is "$(rows)" "" "nothing is queued by it"
like "$out" "only you" "it says so"
printf '{"me":{"login":"ana"},"title":"widget","caps":["tasks","comment"]}' >"$T/tracker/source.json"
killick source test dir >/dev/null
run killick task comment DIR-412 --private --to dir -m "For us"
is $st 1 "where there are no private notes none is written"
like "$err" "private notes" "and that is said"
done_testing
