#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The screens over a tracker: its threads, the outbox with its keys, and the bottom line.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

connect
dir task 412 "Which release?"
dir note 412 bo "Next week?" >/dev/null
killick sync -q
talk=$(id task:412)
git config killick.post.delay 1h
killick reply "$talk" -m "Yes, on Monday" >/dev/null
killick task label DIR-412 bug >/dev/null
killick outbox hold "$(killick outbox --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["outbox"][0]["id"])')" >/dev/null
killick note src/a.c:2 -m "Only in the store" >/dev/null
script() { printf '%s\n' "$@" >"$T/script"; killick tui --script "$T/script"; }
screen=$(script 'size 14 120' settle dump)
like "$screen" "DIR-412 +Which release\?" "the inbox has the conversation"
like "$screen" "⇅ 1 queued  1 held  dir " "the bottom line tells of the outbox and the tracker"
screen=$(script 'size 14 120' settle 'keys D' settle dump)
like "$screen" "held +reply +k[0-9a-f]+ DIR-412 dir +Yes, on Monday +held by you" "drafts and outbox has what is held, and why"
like "$screen" "queued +label +DIR-412 dir" "and what waits"
is "$(printf '%s\n' "$screen" | grep -c "Yes, on Monday")" 1 "it stands there once"
like "$screen" "here +note +src/a.c:2 +Only in the store" "behind it what the store has"
screen=$(script 'size 14 120' 'settle 1' 'keys s' settle 'line messages' dump)
unlike "$screen" "another killick" "s waits for the pull that the screens began"
like "$screen" "dir: 0 pulled" "and says what came of it"
screen=$(script 'size 14 80' settle 'keys D' settle dump)
like "$screen" "held .* held by you" "narrow, the reason comes first"
screen=$(script 'size 14 120' settle 'keys D' settle 'keys u' settle dump)
like "$screen" "recalled: reply .*its words are draft" "u recalls"
like "$screen" "draft +comment +DIR-412 +Yes, on Monday" "and its words are a draft"
killick drafts send "$(killick drafts --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["drafts"][0]["id"])')" >/dev/null
screen=$(script 'size 14 120' settle 'keys D' settle 'keys j!' settle dump)
like "$screen" "goes out now" "! sends"
screen=$(script 'size 14 120' settle 'keys D' settle 'keys xy' settle dump)
like "$screen" "was thrown away" "x drops, after a question"
screen=$(script 'size 14 120' settle "line show $talk" settle dump)
like "$screen" "Next week" "a thread shows"
like "$screen" "Yes, on Monday" "with what the screens have sent by themselves"
done_testing
