#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Commit messages that open, answer and resolve threads: once a commit, through amend, rebase and cherry-pick.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
unset GIT_AUTHOR_DATE GIT_COMMITTER_DATE
repo r
killick init >/dev/null; killick hook install >/dev/null
count() { json "$(killick threads "$@" --json)" 'len(d["threads"])'; }

printf 'new\n' >>src/a.c
git add .
run git commit -m 'net: cap

Why it is so.

Question(src/a.c:2-3): Why three
 retries?
Decision: We cap at three.
Signed-off-by: Ana <ana@example.org>'
is "$st" 0 "a commit with two trailers"
j=$(killick threads --json)
is "$(json "$j" 'len(d["threads"])')" 2 "opens two threads"
is "$(json "$j" 'sorted((t["kind"],t["anchor"]["type"]) for t in d["threads"])')" '[["decision", "commit"], ["question", "lines"]]' "of the kinds and anchors it names"
q=$(json "$j" '[t["id"] for t in d["threads"] if t["kind"]=="question"][0]')
j1=$(killick show "$q" --json)
is "$(json "$j1" '(d["thread"]["anchor"]["path"],d["thread"]["anchor"]["line"],d["thread"]["anchor"]["end"])')" '["src/a.c", 2, 3]' "on the lines"
is "$(json "$j1" 'd["thread"]["posts"][0]["body"]')" 'Why three
retries?' "with the whole text"
is "$(json "$j1" 'd["thread"]["anchor"]["commit"]')" "$(git rev-parse HEAD)" "and the commit"

git commit -q --amend --no-edit 2>/dev/null
is "$(count)" 2 "an amend opens nothing again"
is "$(json "$(killick at HEAD --json)" 'len([t for t in d["threads"] if t["kind"]=="decision"])')" 1 "the thread on the commit follows the amend"
printf 'b\n' >b; git add b; git commit -qm 'second

Note: second note'
is "$(count)" 3 "a third"
GIT_SEQUENCE_EDITOR='sed -i 1s/pick/edit/' git rebase -qi HEAD~2 2>/dev/null
git commit -q --amend -m 'net: cap, reworded

Question(src/a.c:2-3): Why three
 retries?
Decision: We cap at three.
Note: added in the rebase' 2>/dev/null
printf 'c\n' >c; git add c; git commit -qm 'in between

Note: made inside the rebase' 2>/dev/null
git rebase --continue >/dev/null 2>&1
is "$(git log --format=%s | head -3 | tr '\n' '|')" 'second|in between|net: cap, reworded|' "rebase -i went through"
is "$(count)" 5 "only what the rebase added is opened"
is "$(json "$(killick at HEAD~2 --json)" 'sorted(t["kind"] for t in d["threads"] if t["anchor"]["type"]=="commit")')" '["decision", "note"]' "threads on rebased commits follow"
git branch side HEAD~3; git checkout -q side 2>/dev/null
git cherry-pick main >/dev/null 2>&1
is "$(count)" 5 "a cherry-pick opens nothing again"
git checkout -q main 2>/dev/null

short=$(printf %s "$q" | cut -c1-7)
printf 'fix\n' >>b
run git commit -qam "fix

Because.

Answers-thread: $short"
is "$st" 0 "an answer"
is "$(json "$(killick show "$q" --json)" '(len(d["thread"]["posts"]),d["thread"]["state"])')" '[2, "open"]' "adds a post"
like "$(json "$(killick show "$q" --json)" 'd["thread"]["posts"][1]["body"]')" 'Answered by [0-9a-f]{7} "fix"' "that names the commit"
printf 'fix2\n' >>b
git commit -qam "fix2

Resolves-thread: $short" 2>/dev/null
is "$(json "$(killick show "$q" --json)" 'd["thread"]["state"]')" resolved "a resolution"
n=$(json "$(killick show "$q" --json)" 'len(d["thread"]["posts"])')
git commit -q --amend --no-edit 2>/dev/null
is "$(json "$(killick show "$q" --json)" 'len(d["thread"]["posts"])')" "$n" "is not said again after an amend"

# commit-msg
printf 'x\n' >>b
run git commit -qam 'typo

Resolves-thread: kffffff'
is "$st" 0 "an unknown id is only a warning"
like "$err" 'kffffff' "that names it"
git config killick.commitMsg refuse
printf 'x\n' >>b
run git commit -qam 'typo

Resolves-thread: kffffff'
is "$st" 1 "or a refusal by setting"
git config --unset killick.commitMsg; git checkout -q b

# What is no trailer opens nothing.
n=$(count)
printf 'x\n' >>b; git commit -qam 'Note: a subject is no trailer'
printf 'x\n' >>b; git commit -qam 'prose

Note: this is prose that
goes on without indent'
is "$(count)" "$n" "a subject or prose is no trailer"
printf 'x\n' >>b
run git commit -qam 'bad place

Question(nowhere.c:9): lost?
Question(src/a.c:999): beyond?'
is "$st" 0 "a place that is not there"
is "$(count)" $((n + 2)) "loses no word"
like "$err" 'nowhere.c' "and says so"
like "$err" 'opened: question on this commit' "and where they are"
unlike "$err" 'opened: question (nowhere|src)' "and not where they were meant to be"

# Hostile words.
printf 'x\n' >>b
printf 'hostile\n\nNote: a\033]0;evil\007b \xc2\x9b31m \xe2\x80\xae\n' >"$T/msg"
run git commit -qaF "$T/msg"
unlike "$err$(killick threads)" $'[\x01-\x08\x0b-\x1f\x7f]' "control characters are shown, not sent"

# prepare-commit-msg
killick ask src/a.c:5 -m 'Is five right?' >/dev/null
sed -i 5s/.*/five/ src/a.c; git add .
cat >"$T/ed" <<'S'
#!/bin/sh
cat "$1" >"$T/seen"
echo subject >"$1.new"; cat "$1" >>"$1.new"; mv "$1.new" "$1"
S
chmod +x "$T/ed"; export T
GIT_EDITOR="$T/ed" git commit -q 2>/dev/null
like "$(cat "$T/seen")" '#.*Is five right\?' "the editor lists the open threads on the staged lines"
unlike "$(cat "$T/seen")" 'Why three' "and not those elsewhere or resolved"
is "$(git log -1 --format=%B)" subject "as comments"
sed -i 5s/.*/fünf/ src/a.c; git add .
GIT_EDITOR="$T/ed" git -c commit.verbose=true commit -q 2>/dev/null
like "$(sed '/>8/,$d' "$T/seen")" '#.*Is five right\?' "before the scissors with commit.verbose"
sed -i 5s/.*/cinq/ src/a.c; git add .
GIT_EDITOR="$T/ed" git -c commit.cleanup=verbatim commit -q 2>/dev/null
unlike "$(git log -1 --format=%B)" 'Is five' "never where comments stay in the message"

# A colleague's question is not asked again in my name.
printf 'x\n' >>b
git commit -qam 'his

Question: his own' --author 'Bo <bo@example.org>'
unlike "$(killick threads)" 'his own' "another author's trailers are his hook's"
done_testing
