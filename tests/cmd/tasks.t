#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Native tasks.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
run killick tasks; is "$st" 0 "no tasks"; like "$err" 'no tasks yet' "is said"
run killick task new 'Cap the retries' -m 'See the *thread*.' --label net --json
is "$st" 0 "task new"
is "$(json "$out" '(d["task"]["title"],d["task"]["state"],d["task"]["labels"],d["task"]["kind"],d["task"]["source"])')" '["Cap the retries", "open", ["net"], "task", "native"]' "as JSON"
t=$(json "$out" 'd["task"]["id"]')
like "$t" '^T-[0-9a-f]{6,}$' "its name"
run killick task new -m $'Title from the text\n\nThe rest.' --json
is "$(json "$out" 'd["task"]["title"]')" 'Title from the text' "a title from the text's first line"
run killick task new 'No text'; is "$st" 0 "a task needs no text"
run killick task new ''; is "$st" 2 "but a title"
run killick tasks; is "$(printf '%s\n' "$out" | wc -l)" 3 "tasks lists them"
run killick task show "$t"; like "$out" 'See the thread' "task show"
run killick task show "$t" --json; is "$(json "$out" '(d["task"]["body"],d["task"]["threads"])')" '["See the *thread*.", []]' "task show --json"
run killick task take "$t"; is "$st" 0 "task take"
run killick task assign "$t" 'Bo <bo@example.org>' --json
is "$(json "$out" '[p["name"] for p in d["task"]["assignees"]]')" '["Ana", "Bo"]' "task assign"
run killick task assign "$t" ana@example.org --remove --json; is "$(json "$out" '[p["name"] for p in d["task"]["assignees"]]')" '["Bo"]' "task assign --remove"
run killick task label "$t" urgent later --json; is "$(json "$out" 'sorted(d["task"]["labels"])')" '["later", "net", "urgent"]' "task label"
run killick task label "$t" later --remove; is "$st" 0 "task label --remove"
run killick tasks label:urgent --json; is "$(json "$out" 'len(d["tasks"])')" 1 "tasks by label"
run killick task edit "$t" --title 'Cap the retry budget' --json; is "$(json "$out" 'd["task"]["title"]')" 'Cap the retry budget' "task edit --title"
run killick task edit "$t" -m 'Another text.'; is "$(json "$(killick task show "$t" --json)" 'd["task"]["body"]')" 'Another text.' "task edit -m"
run killick task comment "$t" -m 'First word'; is "$st" 0 "task comment"
run killick task comment "$t" -m 'Second word'; is "$st" 0 "again"
is "$(json "$(killick task show "$t" --json)" '[[p["body"] for p in x["posts"]] for x in d["task"]["threads"]]')" '[["First word", "Second word"]]' "goes on in one conversation"
run killick ask "$t" -m 'A question on the task'; like "$out" "asked on $t|asked on task:$t" "ask TASK"
is "$(json "$(killick at "$t" --json)" 'sorted(x["kind"] for x in d["threads"])')" '["note", "question"]' "at TASK"
run killick task close "$t"; is "$st" 0 "task close"
run killick task close "$t"; is "$st" 4 "twice is a conflict"
is "$(json "$(killick tasks is:open --json)" 'len(d["tasks"])')" 2 "tasks is:open"
run killick task reopen "$t"; is "$st" 0 "task reopen"
run killick task show T-ffffffffff; is "$st" 3 "a task that is not there"
run killick ask T-ffffffffff -m x; is "$st" 3 "nor a thread on it"
run killick task new Secret --private; like "$out" 'only you' "a private task"
git --git-dir=.git/killick/store.git log --all --format=%B | grep -q Secret; is $? 1 "is not in the store"
run killick task; is "$st" 2 "task without a second word"
done_testing
