#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sources: connecting a tracker, pulling it, and its tasks and talk beside everything else.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

run killick source list
like "$err" "repository" "no repository: said"
connect
run killick source
like "$out" "^dir  dir widget  as ana  never synced$" "source lists it with who we are there"
is "$(git config --global killick.host.file://.trusted)" true "its host is trusted in the user's configuration"
is "$(git config --local --get-regexp trusted)" "" "and not in the repository's"
run killick source --json
is "$(json "$out" 'd["sources"][0]["name"]+" "+d["sources"][0]["title"]+" "+str(d["sources"][0]["public"])')" "dir Widget True" "source --json"
run killick source add --kind dir --api "file://$T/tracker/" --name native
is $st 2 "a name that means something else is refused"
run killick source add --kind dir --api "file://$T/tracker/" --project widget
is $st 4 "the same project a second time is refused"
like "$err" "widget is here already, as source 'dir': 'killick source set dir …' changes it" "and where it is said"
run killick source add --kind dir --api "file://$T/nowhere/"
is $st 3 "a tracker that is not there is not added"
is "$(git config --local --get-regexp 'killick.source' | wc -l)" 3 "nothing of it stays"

C=$(git rev-parse HEAD)
dir task 412 "Which release?" body="See https://example.org/x"
dir note 412 bo "Next week?" >/dev/null
dir change 58 "Retry budget" "$C" "$C" topic
dir code 58 chen "This leaks" src/a.c 3 "$C"
run killick sync
is $st 0 "sync"
is "$out" "dir: 5 pulled, 0 sent" "pulls them"
run killick sync
is "$out" "dir: 0 pulled, 0 sent" "once"
run killick tasks
like "$out" "DIR-412 +open +Which release" "tasks has the task"
like "$out" "!58 +open +Retry budget" "and the change"
run killick task show '#412'
like "$out" "Which release" "a task by number"
like "$out" "Next week" "with its talk"
run killick task show '!58'
like "$out" "This leaks" "a change by its sigil, with its threads"
run killick threads
like "$out" "! k[0-9a-f]+ src/a.c:3 +This leaks" "a remark on a line is a thread on it"
run killick at src/a.c:3
like "$out" "This leaks" "at finds it"
run killick file src/a.c
like "$out" "3 ! +line 3" "file shows it in the margin"
run killick search leaks
like "$out" "This" "search finds it"
run killick threads source:dir is:open --json
is "$(json "$out" 'len(d["threads"])')" 2 "by source"
is "$(json "$out" 'd["threads"][0]["source"]')" dir "which they name"
run killick inbox
unlike "$out" "Next week|Which" "what was there before is not new"
dir later
dir note 412 bo "Or today?" >/dev/null
killick sync -q
run killick inbox
like "$out" "Which release" "what came since is"

# lines that moved
sed -i '1i new first line' src/a.c && git commit -qam 'above'
run killick at src/a.c:4
like "$out" "This leaks" "a remark follows its line"

# permalinks in anybody's comment
git remote add origin https://github.com/acme/widget.git
dir note 412 chen "https://github.com/acme/widget/blob/$C/src/a.c#L6-L7

Is this measured?" >/dev/null
killick sync -q dir
run killick at src/a.c:7
like "$out" "Is this measured" "a comment that quotes lines by a permalink is in their margin"
run killick show "$(printf '%s' "$out" | awk '{print $2}')"
like "$out" "DIR-412" "and is the conversation it stands in"
like "$out" "Next week" "whole"
run killick file src/a.c
like "$out" "7 · +line 6" "also in the file"
run killick threads
is "$(printf '%s\n' "$out" | grep -c 'Which release')" 1 "and listed once"
run killick threads on:src/a.c
like "$out" "Which release" "a query by place finds it"

# several sources, at once
mkdir "$T/two" && cp -r "$T/tracker/." "$T/two/"
killick source add --kind dir --api "file://$T/two/" --project other --name two >/dev/null
run killick sync --porcelain
like "$out" "^ok dir pulled 0 " "porcelain: the first"
like "$out" "^ok two pulled [1-9][0-9]* " "and the second"
run killick task show DIR-412
is $st 3 "a name that both have is ambiguous"
like "$err" "fits several" "and that is said"
run killick source remove two
is $st 0 "source remove"
run killick task show DIR-412
is $st 0 "takes what was of it away"

# a full look
key=$(dir note 412 bo "a mistake")
killick sync -q
dir delete 412 "$key"
killick sync -q --full dir
run killick task show DIR-412
unlike "$out" "a mistake" "what was deleted goes"

# somebody else is pulling: he is waited for, and then it is asked what came since
for lock in "$HOME"/.local/share/killick/pull-*.lock; do flock "$lock" sleep 2 & done
sleep 0.5
dir note 412 bo "came meanwhile" >/dev/null
run killick sync dir
is $st 0 "another sync is waited for"
like "$(killick task show DIR-412)" "came meanwhile" "and nothing is missed"
wait

# trouble
dir fault '{"on":"pull","do":"offline"}'
run killick sync dir
is $st 75 "offline: try later"
run killick source
like "$out" "a fault as asked for" "which stands with the source"
run killick sync --json dir
is $st 0 "and goes with the next"
dir note 412 bo "while it crashed" >/dev/null
dir fault '{"on":"pull","do":"crash","page":1}'
run killick sync dir
is $st 1 "a child that dies"
like "$err" "ended with status 9" "is told"
run killick task show DIR-412
like "$out" "while it crashed" "and what it had said by then is kept"
dir fault '{"on":"pull","do":"garbage"}'
run killick sync dir
is $st 6 "garbage: bad data"
git config killick.sync.timeout 1s
dir fault '{"on":"pull","do":"hang","ms":5000}'
run killick sync dir
is $st 75 "silence ends"
like "$err" "nothing was heard for 1 s" "and is told"
git config --unset killick.sync.timeout
run killick sync dir
is $st 0 "after all of which it syncs"
run killick sync nowhere
is $st 3 "neither source nor remote"

# an index that was lost
rm -r "$HOME/.cache/killick"
run killick tasks
is "$out" "" "without the index there is nothing"
killick sync -q dir
run killick tasks
like "$out" "DIR-412" "until the next sync"
run killick inbox
like "$out" "Which release" "what was new still is: when it was first pulled is remembered"

# a repository that names a host of its own
git config killick.source.evil.kind dir
git config killick.source.evil.api file://$T/../evil/
git config --global --unset killick.host.file://.trusted
run killick sync evil
is $st 5 "a host that only the repository names is not spoken to"
like "$err" "you have not approved" "and how to is said"
done_testing
