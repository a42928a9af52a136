#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Threads from the shell: opened, read, answered, settled; as text and as JSON.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
git remote add origin "$T/nowhere.git"

run killick ask src/a.c:3 -m 'Why three?'
is "$st" 0 "ask"
like "$out" '^k[0-9a-f]{6,} asked on src/a\.c:3; native .*; everyone who can fetch from origin$' "says the id, the place and who will see it"
is "$err" "" "nothing on standard error"
q=${out%% *}
run killick ask src/a.c:4-6 --ask 'Bo <bo@example.org>' -m 'Is this measured?' --json
is "$st" 0 "ask --json"
is "$(json "$out" '(d["format"],d["thread"]["kind"],d["thread"]["state"],d["thread"]["audience"],d["thread"]["title"])')" '[1, "question", "open", "everyone", "Is this measured?"]' "one document with the thread"
is "$(json "$out" '[d["thread"]["anchor"][k] for k in ("type","text","path","line","end","side","section","task")]')" '["lines", "src/a.c:4-6", "src/a.c", 4, 6, "new", null, null]' "with its anchor"
is "$(json "$out" 'd["thread"]["anchor"]["commit"]')" "$(git rev-parse HEAD)" "at HEAD"
is "$(json "$out" '[(p["author"]["name"],p["author"]["email"],p["body"],p["state"]) for p in d["thread"]["posts"]]')" '[["Ana", "ana@example.org", "Is this measured?", "sent"]]' "and its post"
for k in remark:src/a.c decide:docs/guide.md#install/debian note:. remark:HEAD; do
	run killick "${k%%:*}" "${k#*:}" -m "A ${k%%:*} on ${k#*:}" --json
	is "$st" 0 "${k%%:*} on ${k#*:}"
done
run killick threads
is "$(printf '%s\n' "$out" | wc -l)" 6 "threads lists all"
run killick threads --json
is "$(json "$out" 'sorted(t["anchor"]["type"] for t in d["threads"])')" '["commit", "file", "lines", "lines", "project", "section"]' "on every kind of anchor"
is "$(json "$(killick threads kind:question is:open --json)" 'len(d["threads"])')" 2 "a query narrows"
is "$(json "$(killick threads 'on:docs or on:.' --json)" 'len(d["threads"]) >= 1')" true "a query of one word"
is "$(killick threads --jsonl | wc -l)" 6 "--jsonl: one object a line"
like "$(killick threads --jsonl | head -n 1)" '^\{"format":1,"id":"k' "each complete"
is "$(killick threads -n 2 --jsonl | wc -l)" 2 "-n limits"
run killick threads kind:decision kind:note
is "$st" 0 "no match is no error"
like "$err" 'no thread matches' "and is said"
run killick threads is:opne
is "$st" 2 "a mistyped query: status 2"
like "$err" 'open' "and the nearest word"

# An answer, accepted, reacted to, settled.
export GIT_AUTHOR_NAME=Bo GIT_AUTHOR_EMAIL=bo@example.org
run killick reply "$q" -F - <<<'Because *four* is too many.'
is "$st" 0 "reply from standard input"
like "$out" "^$q has your reply on src/a\.c:3; native" "is reported"
unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL
run killick show "$q"
like "$out" 'Because four is too many' "show sets Markdown"
like "$out" '^Bo · ' "with the author"
like "$out" '▸ +3  line 3' "and the code as written"
run killick show "$q" --json
is "$(json "$out" '(d["thread"]["state"], len(d["thread"]["posts"]))')" '["open", 2]' "show --json"
a=$(json "$out" 'd["thread"]["posts"][1]["id"]')
run killick accept "$q"
like "$out" 'answer of Bo accepted' "accept takes the latest answer of somebody else"
is "$(json "$(killick show "$q" --json)" 'd["thread"]["state"]')" answered "and answers the question"
run killick accept "$a" --undo; is "$st" 0 "accept --undo"
run killick react "$a" +1; is "$st" 0 "react by name"
run killick react "$a" 🎉; is "$st" 0 "react by emoji"
is "$(json "$(killick show "$a" --json)" '[("%x" % ord(r["emoji"]), r["n"], r["mine"], r["by"][0]["email"]) for p in d["thread"]["posts"] for r in p["reactions"]]')" \
	'[["1f389", 1, true, "ana@example.org"], ["1f44d", 1, true, "ana@example.org"]]' "show --json has both"
run killick react "$a" x; is "$st" 2 "a letter is no reaction"
run killick edit "$a" -m 'not mine'; is "$st" 5 "somebody else's post cannot be edited"
like "$err" 'Bo wrote this' "and is said whose it is"
run killick edit "$q" -m 'Why three, not four?'; is "$st" 0 "one's own can"
like "$(killick show "$q")" 'Why three, not four' "and is shown"
run killick resolve "$q" -m 'Documented.' --commit HEAD
is "$st" 0 "resolve with words and a commit"
run killick resolve "$q"; is "$st" 4 "twice is a conflict"
is "$(json "$(killick show "$q" --json)" '(d["thread"]["state"], d["thread"]["posts"][-1]["body"])')" '["resolved", "Documented."]' "the words are a post"
run killick reopen "$q"; is "$st" 0 "reopen"
run killick reopen "$q"; is "$st" 4 "twice is a conflict"
run killick move "$q" src/a.c:7; like "$out" 'moved to src/a\.c:7' "move"
is "$(json "$(killick show "$q" --json)" 'd["thread"]["anchor"]["line"]')" 7 "is where it begins from then on"

# Taken back.
run killick note src/a.c:1 -m 'oops'; n=${out%% *}
run killick retract "$n"; like "$out" 'taken back: nobody else had it' "the last thing said goes without a trace"
run killick show "$n"; is "$st" 3 "and is not found"
run killick remark src/a.c:2 -m 'oops'; n=${out%% *}
killick note . -m 'something after it' >/dev/null
run killick retract "$n"; is "$st" 0 "something older is hidden"
is "$(json "$(killick show "$n" --json)" 'd["thread"]["posts"][0]["body"]')" null "its words are gone"
unlike "$(killick show "$n")" 'oops' "from the text too"
run killick edit "$n" -m x; is "$st" 4 "and cannot be edited"

# Recalled: what was done last, whatever it was, and its words are kept.
run killick ask src/a.c:4 -m $'Recalled?\n\nAll of it.'; n=${out%% *}
killick reply "$n" -m 'a hasty answer' >/dev/null; killick resolve "$n" >/dev/null
run killick recall; like "$out" 'taken back: the resolution .*nobody else had it$' "recall takes the last act back"
is "$(json "$(killick show "$n" --json)" 'd["thread"]["state"]')" open "the thread is open again"
run killick recall; like "$out" 'taken back: your reply .*its words are draft d' "then the one before"
d=${out##*draft }
is "$(json "$(killick drafts show "$d" --json)" '(d["draft"]["verb"], d["draft"]["target"], d["draft"]["body"])')" "[\"reply\", \"$(json "$(killick show "$n" --json)" 'd["thread"]["id"]' | tr -d '"')\", \"a hasty answer\"]" "the words are a draft of the same command"
run killick drafts send "$d"; is "$st" 0 "which can be sent again"
killick recall >/dev/null; run killick recall --json
is "$(json "$out" '(d["recalled"]["type"], d["recalled"]["draft"][0])')" '["open", "d"]' "a thread goes as well"
run killick show "$n"; is "$st" 3 "and is not found"
run killick drafts send "$(killick drafts --json | python3 -c 'import json,sys; print([d["id"] for d in json.load(sys.stdin)["drafts"] if d["verb"]=="ask"][0])')"
is "$st" 0 "its draft opens it again"; n=${out%% *}
like "$(killick show "$n")" 'All of it' "with all its words"
run killick note --private src/a.c:9 -m 'own' >/dev/null; run killick recall; like "$out" 'taken back: your note' "a private one too"
run killick accept "$n"; is "$st" 3 "no answer, nothing to accept"
p=$(json "$(killick show "$n" --json)" 'd["thread"]["posts"][0]["id"]' | tr -d '"')
run killick accept "$p"; is "$st" 4 "a question is not its own answer"
killick drafts --json | python3 -c 'import json,sys; [print(d["id"]) for d in json.load(sys.stdin)["drafts"]]' | while read -r d; do killick drafts drop "$d"; done >/dev/null 2>&1

# Private.
run killick note src/a.c:5 --private -m 'only mine'
like "$out" 'private; only you' "--private says so"
p=${out%% *}
is "$(json "$(killick show "$p" --json)" 'd["thread"]["audience"]')" private "and is"
run killick reply "$p" -m 'still mine'; like "$out" 'only you' "a reply goes where its thread is"
run killick reply "$q" -m x --private; is "$st" 2 "so --private on a reply is refused"
git --git-dir=.git/killick/store.git log --all --format=%B | grep -q 'only mine'; is $? 1 "the store has nothing of it"
run killick note . --to private -m 'me'; is "$st" 0 "--to private"
run killick note . --to native -m 'all'; is "$st" 0 "--to native"
run killick note . --to jira -m x; is "$st" 3 "--to an unknown source"
like "$err" 'native, private' "names those known"
run killick note . --to native --private -m x; is "$st" 2 "contradicting targets"

# Texts.
run killick note . -m ''; is "$st" 2 "an empty text is refused"
run killick note . -m '   '; is "$st" 2 "a blank one too"
run killick note . </dev/null; is "$st" 2 "no text and no terminal"
like "$err" '-m TEXT or -F FILE' "says what to give"
run killick note . -m a -F b; is "$st" 2 "-m and -F exclude each other"
run killick note . -F nosuchfile; is "$st" 3 "-F of a file that is not there"
run killick note . -F .; is "$((st != 0))" 1 "-F of a folder"
printf 'one\r\ntwo\r\n' >crlf; killick note . -F crlf --json >j; is "$(json "$(cat j)" 'd["thread"]["posts"][0]["body"]')" $'one\ntwo' "CRLF becomes LF"
run killick note . -F <(printf 'from a pipe'); is "$st" 0 "-F of a pipe"
head -c 1048576 /dev/zero | tr '\0' x >mb; run killick note . -F mb; is "$st" 0 "a post of 1 MiB"
head -c 1048577 /dev/zero | tr '\0' x >mb; run killick note . -F mb; is "$st" 6 "a byte more is refused"
like "$err" 'kept as draft d[0-9a-f]{8}' "and kept as a draft"
printf 'a\0b\377c' >odd; run killick note . -F odd --json; is "$st" 0 "NUL and bytes that are no UTF-8"
is "$(json "$out" 'd["thread"]["posts"][0]["body"]')" $'a\xef\xbf\xbdb\xef\xbf\xbdc' "are replaced"
like "$err" 'not UTF-8' "and that is said"

# Search and inbox.
run killick search measured --json; is "$(json "$out" '[t["title"] for t in d["threads"]]')" '["Is this measured?"]' "search"
run killick search nowhere-to-be-found; like "$err" 'no thread matches' "search without a hit"
run killick inbox --json
is "$(json "$out" 'sorted(d["inbox"])')" '["for_me", "for_others", "new"]' "inbox --json has three sections"
is "$(json "$out" 'd["inbox"]["for_others"]["total"] >= 1')" true "what I asked waits for others"
run killick inbox; like "$out" 'waiting for others \([0-9]+\)' "inbox as text"
is "$(killick inbox --jsonl | head -n 1 | grep -c '"section"')" 1 "inbox --jsonl names the section"

# Dry runs write nothing.
before=$(killick export | sha256sum)
run killick ask src/a.c:3 -m hi --dry-run; is "$st" 0 "--dry-run"
like "$out" 'goes to: native .*everyone who can fetch from origin' "says who would see it"
run killick ask src/a.c:3 --dry-run --private; like "$out" 'only you' "also without a text"
run killick ask src/a.c:3 -m hi --dry-run --json; is "$(json "$out" '(d["dry_run"]["verb"],d["dry_run"]["audience"],d["dry_run"]["anchor"]["line"])')" '["ask", "everyone", 3]' "--dry-run --json"
run killick reply "$q" -m hi --dry-run; is "$st" 0 "reply --dry-run"
is "$(killick export | sha256sum)" "$before" "and nothing was written"
done_testing
