#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The outbox: what is written to a tracker waits, goes, is held, refused, lost and found; and what people see of it.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

connect
C=$(git rev-parse HEAD)
dir task 412 "Which release?"
dir note 412 bo "Next week?" >/dev/null
dir change 58 "Retry budget" "$C" "$C" topic
dir code 58 chen "This leaks" src/a.c 3 "$C"
killick sync -q
talk=$(id task:412)
code=$(id on:src)

run killick reply "$talk" -m "Yes" --dry-run
like "$out" "goes to: dir widget DIR-412; everyone who can see widget \(public\)" "who will see it is said before"
is "$(rows)" "" "and nothing is queued by it"
git config killick.post.delay 1h
run killick reply "$talk" -m "Yes, next week."
is $st 0 "reply"
like "$out" "has your reply on DIR-412; dir widget DIR-412; everyone who can see widget \(public\); sent in 3600 s" "and after"
is "$(rows)" "queued comment " "it waits in the outbox"
run killick show "$talk"
like "$out" "Ana .* queued" "and shows in its thread, queued"
run killick show "$talk" --json
is "$(json "$out" 'd["thread"]["posts"][-1]["state"]')" queued "in JSON too"
run killick inbox
like "$out" "waiting for others" "and nothing waits for me there any more"
killick sync -q
is "$(dir bodies 412)" "bo: Next week?" "a sync before its time sends nothing"
run killick edit "$(killick show "$talk" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["thread"]["posts"][-1]["id"])')" -m x
is $st 4 "what is not sent is not edited there"
like "$err" "killick outbox edit" "but in the outbox"
run killick outbox edit "$(row)" -m "Yes, on Monday."
is $st 0 "outbox edit"
run killick show "$talk"
like "$out" "on Monday" "changes it in place"
run killick outbox recall
is $st 0 "outbox recall"
is "$(rows)" "" "takes it out"
run killick drafts --json
is "$(json "$out" 'd["drafts"][0]["body"]')" "Yes, on Monday." "and its words are a draft"
d=$(json "$out" 'd["drafts"][0]["id"]')
git config killick.post.delay 0
run killick drafts send "$d"
is $st 0 "which can be sent again"
is "$(killick drafts --json)" '{"format":1,"drafts":[]}' "and is in one place only"
run killick sync
like "$out" "^dir: [0-9]+ pulled, 1 sent$" "the next sync sends it"
is "$(dir bodies 412)" "bo: Next week?
ana: Yes, on Monday." "once"
run killick show "$talk"
is "$(printf '%s\n' "$out" | grep -c Monday)" 1 "and it shows once"
unlike "$out" "queued|killick:" "as any other post, without its mark"
is "$(rows)" "" "the outbox is empty"

# all that can be done at a tracker
killick reply "$code" -m "No." >/dev/null
killick resolve "$code" -m "Fixed." >/dev/null
run killick show "$code"
like "$out" "resolved" "a resolution shows at once"
killick react "$talk" +1 >/dev/null
killick task comment GH-412 -m x >/dev/null 2>&1
killick task comment '#412' -m "Another." >/dev/null
killick task label DIR-412 bug later >/dev/null
killick task label -r DIR-412 later >/dev/null
killick task take DIR-412 >/dev/null
killick task edit DIR-412 -t "Which release now?" >/dev/null
killick task close DIR-412 >/dev/null
run killick tasks is:closed
like "$out" "Which release now\? .*bug" "changes of a task show at once"
killick task new "A new one" -m "with text" --to dir -l ui >/dev/null
run killick sync
like "$out" "dir: .* 11 sent$" "all of it is sent"
is "$(rows)" "" "and done"
is "$(dir get 58 threads 0 resolved)" true "resolved there"
is "$(dir bodies 58)" "chen: This leaks
ana: No.
ana: Fixed." "in order"
is "$(dir get 412 task state) $(dir get 412 task title) $(dir get 412 task labels) $(dir get 412 task assignees 0 login)" \
	'closed Which release now? ["bug"] ana' "the task is changed there"
is "$(dir get 413 task title) $(dir get 413 task labels)" 'A new one ["ui"]' "and the new one made"
run killick task show DIR-413
like "$out" "A new one" "which is here too"
run killick reopen "$code"
killick sync -q
is "$(dir get 58 threads 0 resolved)" false "reopen"
mine=$(killick show "$talk" --json | /usr/bin/python3 -c 'import json,sys
print([p["id"] for p in json.load(sys.stdin)["thread"]["posts"] if "Monday" in (p["body"] or "")][0])')
killick edit "$mine" -m "Yes, on Tuesday." >/dev/null
killick sync -q
like "$(dir bodies 412)" "ana: Yes, on Tuesday" "edit"
killick retract "$mine" >/dev/null
killick sync -q
unlike "$(dir bodies 412)" "Tuesday" "retract deletes it there"
run killick show "$talk"
unlike "$out" "Tuesday" "and here"
run killick edit "$(killick show "$talk" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["thread"]["posts"][0]["id"])')" -m x
is $st 5 "somebody else's words are not ours to edit"
run killick accept "$talk"
is $st 1 "trackers have no accepted answers"
like "$err" "no accepted answers" "and that is said"

# lines
git checkout -qb topic
sed -i 's/line 5/LINE 5/' src/a.c && git commit -qam five
H=$(git rev-parse HEAD)
dir set 58 head "\"$H\""
killick sync -q
run killick remark src/a.c:5 -m "In the diff" --to dir
is $st 0 "a remark on a line of the branch's change"
like "$out" "remarked on src/a.c:5; dir widget !58" "goes to the change"
killick sync -q
is "$(dir get 58 notes 3 kind) $(dir get 58 notes 3 anchor line) $(dir get 58 notes 3 anchor commit)" "code 5 $H" "as a review comment"
git remote add origin https://github.com/acme/widget.git
git update-ref refs/remotes/origin/topic HEAD
run killick ask docs/guide.md#install/debian -m "Still true?" --on '!58'
is $st 0 "a question on a section, on a change"
killick sync -q dir
like "$(dir bodies 58)" "ana: https://github.com/acme/widget/blob/$H/docs/guide.md.*\|\|Still true\?" "becomes a comment with the permalink"
run killick remark src/a.c:1-2 -m "Outside" --on DIR-413
killick sync -q dir
like "$(dir bodies 413)" 'ana: https://github.com/acme/widget/blob/.*#L1-L2\|\|```c\|line 1\|line 2\|```\|\|Outside' "and lines with a quotation"
run killick at src/a.c:1
like "$out" "Outside" "which every killick finds at these lines again"
git checkout -q main
run killick remark src/a.c:1 -m "x" --to dir
is $st 2 "lines that belong to nothing there"
like "$err" "\-\-on, or" "want the task named"
run killick note HEAD -m "On a commit" --to dir
killick sync -q dir
run killick at HEAD
like "$out" "On a commit" "a note on a commit"

# held
talk2=$(id task:413)
dir later
killick reply "$talk2" -m "I think so" >/dev/null
dir note 413 bo "No!" >/dev/null
run killick sync
is $st 0 "a reply that somebody overtook"
is "$(rows | cut -d' ' -f1,2)" "held comment" "is held"
like "$(rows)" "bo answered" "and says why"
unlike "$(dir bodies 413)" "think so" "it did not go"
run killick show "$talk2"
like "$out" "Ana .* held" "which its thread shows"
killick reply "$talk2" -m "Second" >/dev/null
killick sync -q
is "$(rows | wc -l)" 2 "what was written after it waits behind it"
run killick outbox release "$(killick outbox --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["outbox"][0]["id"])')"
is $st 0 "release"
killick sync -q
is "$(dir bodies 413 | tail -2)" "ana: I think so
ana: Second" "sends both, in order"
killick task comment DIR-413 -m "And?" >/dev/null
dir set 413 state '"closed"'
killick sync -q
like "$(rows)" "DIR-413 was closed meanwhile" "a task that was closed meanwhile holds"
killick outbox discard "$(row)" >/dev/null
is "$(rows)" "" "discard"
killick task comment DIR-413 -m "On a closed one" >/dev/null
killick sync -q
is "$(rows)" "" "a comment on what was closed before goes"
killick task comment DIR-413 -m "Wait" >/dev/null
killick outbox hold "$(row)" >/dev/null
killick sync -q
like "$(rows)" "held comment held by you" "hold"
killick outbox retry "$(row)" >/dev/null
killick sync -q
is "$(rows)" "" "retry"

# trouble
dir fault '{"on":"push","do":"refused","message":"too long"}'
killick task comment DIR-413 -m "One" >/dev/null
run killick sync
is "$(rows)" "refused comment too long" "refused, with the tracker's words"
run killick show "$talk2"
like "$out" "Ana .* failed" "which its thread shows as failed"
killick outbox retry "$(row)" >/dev/null
killick sync -q
is "$(dir count One)" 1 "retry"
dir fault '{"on":"push","do":"offline"}'
killick task comment DIR-413 -m "Two" >/dev/null
run killick sync
is $st 75 "offline"
like "$(rows)" "queued comment a fault" "it waits by itself"
run killick outbox send "$(row)"
is "$(dir count Two)" 1 "and goes when it is told to"
dir fault '{"on":"push","do":"auth","message":"you may not"}'
killick task comment DIR-413 -m "Three" >/dev/null
killick sync -q 2>/dev/null
like "$(rows)" "held comment you may not" "a right that went holds"
killick outbox discard "$(row)" >/dev/null
dir fault '{"on":"push","do":"unknown-after"}'
killick task comment DIR-413 -m "Four" >/dev/null
killick sync -q 2>/dev/null; killick sync -q 2>/dev/null
is "$(dir count Four) $(rows)" "1 " "an answer that was lost: found, not sent again"
dir fault '{"on":"push","do":"unknown"}'
killick task comment DIR-413 -m "Five" >/dev/null
for i in 1 2 3 4; do killick sync -q 2>/dev/null; sleep 0.01; done
is "$(dir count Five) $(rows)" "1 " "one that never arrived: looked for twice, sent again, once"
dir fault '{"on":"push","do":"unknown","times":2}'
killick task comment DIR-413 -m "Six" >/dev/null
for i in 1 2 3 4 5 6; do killick sync -q 2>/dev/null; sleep 0.01; done
like "$(dir count Six) $(rows)" "0 asks comment no answer after sending: looked twice, not found" "twice lost: the user is asked"
killick outbox retry "$(row)" >/dev/null
killick sync -q
is "$(dir count Six) $(rows)" "1 " "and says so"
git config killick.post.settle 2s
dir fault '{"on":"push","do":"crash-after","verb":"comment"}'
dir fault '{"on":"push","do":"hide","ms":1}'
killick task comment DIR-413 -m "Seven" >/dev/null
killick sync -q 2>/dev/null
killick sync -q 2>/dev/null
is "$(dir count Seven) $(rows)" "1 " "a child that died after it sent"
git config killick.post.settle 0
dir fault '{"on":"push","do":"garbage"}'
killick task comment DIR-413 -m "Eight" >/dev/null
for i in 1 2 3; do killick sync -q 2>/dev/null; sleep 0.01; done
is "$(dir count Eight) $(rows)" "1 " "garbage for an answer"
dir gone 413
killick reply "$talk2" -m "Nine" >/dev/null 2>&1
killick sync -q 2>/dev/null
like "$(rows)" "^(held comment.*|)$" "a task that is gone"

# a background process is still sending: the next one waits its turn
killick task comment DIR-412 -m "Eleven" >/dev/null
lock=$(ls "$HOME"/.local/share/killick/send-*.lock); flock "$lock" sleep 2 & sleep 0.5
run killick sync
is "$st $(dir count Eleven)" "0 1" "who sends at the same time is waited for"

# drafts, recall, background
killick outbox discard "$(row)" >/dev/null 2>&1
run killick task comment '!58' -m "As a draft" --draft
like "$out" "kept as a draft" "--draft"
d=$(printf '%s' "$out" | cut -d' ' -f1)
run killick drafts send "$d" --dry-run
like "$out" "goes to: dir widget" "a draft knows where it goes"
killick drafts send "$d" >/dev/null
git config killick.post.delay 1h
run killick recall
like "$out" "recalled: comment" "recall takes back what was queued last"
git config killick.post.delay 1s
git config --global killick.post.background true
killick task comment '!58' -m "In the background" >/dev/null
for i in $(seq 300); do [ "$(dir count 'In the background')" = 0 ] || break; sleep 0.2; done
is "$(dir count 'In the background')" 1 "a command's own process sends it when its time has come"
done_testing
