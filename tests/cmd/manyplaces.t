#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Many threads without a place: whoever shows some has those placed, whoever asks about places has all, and all agree.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
printf 'first %s\n' $(seq 40) >src/x.c
printf 'other %s\n' $(seq 40) >src/y.c
git add . && git commit -qm files
for i in $(seq 22); do
	killick ask "src/x.c:$i" -m "x$i" && killick ask "src/y.c:$i" -m "y$i"
done >ids
last=$(tail -n 1 ids); last=${last%% *}
printf 'new %s\n' $(seq 5) | cat - src/x.c >t && mv t src/x.c
printf 'new %s\n' $(seq 7) | cat - src/y.c >t && mv t src/y.c
git commit -qam 'all of it moved'
anew() { rm -rf "$HOME/.cache/killick"; }
# How many anchors were placed by a command, batch by batch.
placed() { KILLICK_TRACE=place "$@" 2>&1 >/dev/null | sed -n 's/.* \([0-9]*\) anchors, .*/\1/p' | tr '\n' ' '; }
lines() { json "$(killick "$@")" '[(t["title"], t["place"]["path"], t["place"]["line"]) for t in d["threads"]]'; }

anew
is "$(lines threads -n 2 --json)" '[["y22", "src/y.c", 29], ["x22", "src/x.c", 27]]' "a list places what it shows"
is "$(lines threads -n 1 --json)" '[["y22", "src/y.c", 29]]' "and finds it again"
is "$(placed killick threads -n 1)" "" "without looking for it again"
is "$(placed killick threads -n 3)" "1 " "the next one alone is looked for"
is "$(json "$(killick show "$last" --json)" 'd["thread"]["place"]["line"]')" 29 "show"
is "$(lines at src/x.c:6-7 --json)" '[["x1", "src/x.c", 6], ["x2", "src/x.c", 7]]' "a file places what was written there"
is "$(placed killick at src/x.c)" "20 " "what is left then is few, and looked for"
is "$(lines at src/y.c:8 --json)" '[["y1", "src/y.c", 8]]' "and the other file"
is "$(placed killick at .)" "" "then nothing is left"
anew
is "$(json "$(killick inbox --json)" 'd["inbox"]["for_others"]["threads"][0]["place"]["line"]')" 29 "the inbox places what it shows"
anew
is "$(json "$(killick threads place:exact --json)" 'len(d["threads"])')" 44 "who asks about places has all"
anew
is "$(json "$(killick threads --sort=place --json)" '[t["title"] for t in d["threads"]][21:23]')" '["x22", "y1"]' "by place too"
anew
is "$(json "$(killick at src --json)" 'len(d["threads"])')" 44 "a folder has all"
is "$(placed killick at .)" "" "and they are kept"
anew
is "$(placed killick at .)" "44 " "the whole repository has all"
# A thread that came from another file is not known to be here before all are looked for: whoever asks is told.
sed '/new/d' src/x.c >moved.c
git rm -q src/x.c && mkdir -p new && mv moved.c new/z.c && git add new && git commit -qm 'to another folder'
anew
run killick at new/z.c:3 --json
is "$(json "$out" '[d["complete"], d["unplaced"], d["threads"]]')" "[false, 44, []]" "JSON says that it is not all, and how many are left"
is "$err" "" "and needs no words"
run killick at new/z.c:3 --jsonl
is "$out" "" "lines have no place for it"
like "$err" '^killick: 44 threads were not looked for in this commit yet' "so words say it"
run killick at new/z.c:3
like "$err" '^killick: 44 threads' "to people too, also in a pipe"
is "$(json "$(killick file new/z.c --json)" '[d["file"]["complete"], d["file"]["unplaced"]]')" "[false, 44]" "a file"
is "$(json "$(killick at src/y.c --json)" '[len(d["threads"]), d["complete"], d["unplaced"]]')" "[22, false, 22]" "what was written here is here"
is "$(json "$(killick threads on:new/z.c --json)" '[len(d["threads"]), d["complete"], d["unplaced"]]')" "[22, true, 0]" "whoever asks about places waits for all"
is "$(json "$(killick at new/z.c:3 --json)" '[[t["title"] for t in d["threads"]], d["complete"], d["unplaced"]]')" '[["x3"], true, 0]' "then it is complete"
is "$(json "$(killick threads is:open --json)" 'sorted(d)')" '["format", "threads"]' "a list that does not go by places says nothing"
anew
git config killick.place.background true
is "$(json "$(killick at new/z.c:3 --json)" 'd["complete"]')" "false" "without waiting"
for i in $(seq 600); do
	run killick at new/z.c:3 --json
	case $out in *'"complete":true'*) break ;; esac
	sleep 0.1
done
is "$(json "$out" '[t["title"] for t in d["threads"]]')" '["x3"]' "the others are looked for meanwhile"
git config --unset killick.place.background
flock "$HOME"/.cache/killick/places-*.lock true # it is over
# HEAD goes back and forth over more threads than are looked for at once.
git reset -q --hard HEAD~1 && git checkout -q HEAD~1
is "$(lines threads -n 2 --json)" '[["y22", "src/y.c", 22], ["x22", "src/x.c", 22]]' "after a checkout what is shown is where HEAD has it"
is "$(lines at src/x.c:3 --json)" '[["x3", "src/x.c", 3]]' "in a file too"
git checkout -q main
is "$(lines threads -n 1 --json)" '[["y22", "src/y.c", 29]]' "and back"
is "$(json "$(killick file src/y.c@main --json)" 'sorted(t["place"]["line"] for t in d["file"]["threads"])[:2]')" "[8, 9]" "a file at a revision"
done_testing
