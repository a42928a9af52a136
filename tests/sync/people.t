#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several sources in one repository, one source in several repositories, and one person over several sources: by mail, by
# .mailmap, by setting, and no longer when the setting goes.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1

at() { /usr/bin/python3 "$KILLICK_TEST_SRC/tests/sync/tracker.py" "$T/$1" "${@:2}"; }
add() { killick source add --kind dir --api "file://$T/$1/" --web "https://$1.example.org/" --project p --name "$1" >/dev/null; }
titles() { killick "$1" "$2" --json 2>/dev/null | /usr/bin/python3 -c 'import json,sys
d = json.load(sys.stdin)
print(" ".join(sorted(t["title"] for t in d.get("threads") or d.get("tasks") or [])))'; }

for n in one two; do
	at $n init
	at $n task 1 "$n by login" && at $n note 1 cy "hello" >/dev/null
	at $n task 2 "$n without talk"
	at $n task 3 "$n of Di's" && at $n note 3 guest "hi" >/dev/null
done
at one set 1 author '{"login":"bo"}'
at one set 2 author '{"login":"bo"}'
at two set 2 author '{"login":"rob"}'
at two set 1 assignees '[{"login":"rob"}]'
at two set 1 author '{"login":"rob"}'
at one set 3 author '{"login":"dee","email":"Di@Example.org"}'
at two set 3 author '{"login":"di-2","email":"di@example.org"}'
repo r
git config killick.person.bo.is 'one:bo, two:rob'
add one
killick sync -q
add two
run killick sync --porcelain
is "$(printf '%s\n' "$out" | grep -c '^ok \(one\|two\) pulled')" 2 "two sources in one repository"
is "$(titles threads is:open)" "one by login one of Di's two by login two of Di's" "have their tasks side by side"
is "$(titles threads source:two)" "two by login two of Di's" "and each its own"
is "$(titles threads by:di-2)" "one of Di's two of Di's" "who has one mail address at both is one person"
is "$(titles tasks by:dee)" "one of Di's two of Di's" "for tasks, too"
is "$(titles threads by:rob)" "one by login two by login" "by setting, also of a source that came after it"
is "$(titles tasks by:bo)" "one by login one without talk two by login two without talk" "for tasks, too"
is "$(titles tasks assignee:bo)" "two by login" "and whom they are assigned to"
is "$(titles threads with:cy)" "one by login two by login" "a word means whoever is called so"
git config killick.person.cy.is 'one:cy, two:cy'
git config --unset killick.person.bo.is
is "$(titles threads by:rob)" "two by login" "no longer when the setting goes"
is "$(titles tasks by:bo)" "one by login one without talk" "for tasks, too"

# .mailmap
at two set 1 author '{"login":"rob","email":"rob@two.example"}'
at one set 1 author '{"login":"bo","email":"bo@one.example"}'
killick sync -q
is "$(titles threads by:rob@two.example)" "two by login" "two addresses are two people"
printf 'Bo Li <bo@one.example> Rob <ROB@two.example>\nName only <di@example.org>\n<< # nothing\n' >.mailmap
is "$(titles threads by:rob@two.example)" "one by login two by login" "of whom a .mailmap makes one"
is "$(titles threads by:di@example.org)" "one of Di's two of Di's" "and nobody else"
rm .mailmap
is "$(titles tasks by:rob@two.example)" "two by login" "no longer when it goes"

# me
is "$(titles threads with:me)" "" "what was never mine is not"
at one note 3 ana "of mine" >/dev/null
at two note 3 ana "of mine, too" >/dev/null
killick sync -q
is "$(titles threads with:me)" "one of Di's two of Di's" "I am known by my token at both"
git config --global killick.me 'ana@old.example'
printf 'Ana <ana@example.org> <ana@old.example>\n' >.mailmap
is "$(titles threads with:me)" "one of Di's two of Di's" "and stay who I am when who is who changes"
git config killick.person.ana.is 'ana@example.org two:rob'
is "$(titles threads by:me)" "two by login" "a setting of mine makes another name mine"
git config --unset killick.person.ana.is
is "$(titles threads by:me)" "" "and not mine again"
is "$(titles threads with:me)" "one of Di's two of Di's" "but what is, is"
rm .mailmap

# one source in several repositories
cd .. && repo second && add one
run killick sync --porcelain
like "$out" "^ok one pulled 0 " "what one repository pulled, another need not"
is "$(titles threads is:open)" "one by login one of Di's" "it has it, and only what it is connected to"
killick task comment DIR-1 -m "From the second" >/dev/null
cd ../r
run killick sync one
like "$out" "^one: .* 1 sent" "what is queued in one goes with the other's sync"
is "$(at one count 'From the second')" 1 "once"
at one later; at one note 1 cy "new to both" >/dev/null
killick sync -q one
like "$(killick inbox)" "one by login" "what is new is new"
like "$(killick -C ../second inbox)" "one by login" "in both"
k=$(id "source:one is:unread")
killick show "$k" >/dev/null
like "$(killick threads is:unread 2>/dev/null)" "one by login" "a program that looks at it has not read it"
PAGER=cat /usr/bin/python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' killick show "$k" >/dev/null </dev/null
unlike "$(killick threads is:unread 2>/dev/null)" "one by login" "who looks at it on a terminal has"
unlike "$(killick -C ../second threads is:unread 2>/dev/null)" "one by login" "in both repositories"
rm -r "$HOME/.cache/killick" && killick sync -q one
unlike "$(killick threads is:unread 2>/dev/null)" "one by login" "and an index built anew knows it"
cd ../second
killick task comment DIR-1 -m "Not sent yet" >/dev/null
run killick source remove one
is $st 4 "a source that something waits for is not disconnected"
like "$err" "1 post is still to go to one" "and what it is, is told"
killick outbox recall >/dev/null
run killick source remove one
is $st 0 "without it, it is"
is "$(titles threads is:open)" "" "disconnected in one"
is "$(cd ../r && titles threads source:one)" "one by login one of Di's" "it stays in the other"
done_testing
