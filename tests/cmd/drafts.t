#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Drafts: kept, listed, changed, sent with all that their command was told, dropped.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
run killick drafts; is "$st" 0 "no drafts"; like "$err" 'no drafts' "is said"
run killick ask src/a.c:3 --ask 'Bo <bo@example.org>' --title 'Retries' -m 'Why three?' --draft
is "$st" 0 "--draft"; like "$out" '^d[0-9a-f]{8} kept as a draft' "says where"
d=${out%% *}
is "$(killick threads --jsonl | wc -l)" 0 "nothing was sent"
run killick drafts; like "$out" "$d +ask src/a\.c:3 +Retries" "drafts lists it"
run killick drafts --json; is "$(json "$out" '[(x["id"],x["verb"],x["target"],x["body"],x["audience"]) for x in d["drafts"]]')" "[[\"$d\", \"ask\", \"src/a.c:3\", \"Why three?\", \"everyone\"]]" "as JSON"
run killick drafts show "$d"; like "$out" 'Why three' "drafts show"
run killick drafts edit "$d" -m 'Why three, really?'; is "$st" 0 "drafts edit -m"
# The code moves on before the draft is sent: the thread keeps what was written on.
sed -i '1i new first line' src/a.c && git commit -qam 'one line more'
run killick drafts send "$d" --dry-run; like "$out" 'goes to: native' "drafts send --dry-run"
run killick drafts send "$d" --json; is "$st" 0 "drafts send"
is "$(json "$out" '(d["thread"]["title"],d["thread"]["posts"][0]["body"],d["thread"]["anchor"]["line"])')" '["Retries", "Why three, really?", 3]' "as it was written"
q=$(json "$out" 'd["thread"]["id"]')
is "$(json "$(killick show "$q" --json)" 'd["thread"]["place"]["line"]')" 4 "and is placed where that is now"
like "$(killick show "$q")" 'Bo' "put to whom it was"
is "$(killick drafts --jsonl | wc -l)" 0 "the draft is gone"
run killick drafts send "$d"; is "$st" 3 "and cannot be sent twice"
run killick reply "$q" -m 'Later' --draft; d=${out%% *}
run killick drafts send "$d"; is "$st" 0 "a reply kept and sent"
is "$(json "$(killick show "$q" --json)" '[p["body"] for p in d["thread"]["posts"]]')" '["Why three, really?", "Later"]' "stands in its thread"
run killick resolve "$q" -m 'Settled' --commit HEAD --draft; d=${out%% *}; killick drafts send "$d" >/dev/null
is "$(json "$(killick show "$q" --json)" 'd["thread"]["state"]')" resolved "a resolution kept and sent"
run killick note . --private -m mine --draft; d=${out%% *}
run killick drafts send "$d"; like "$out" 'only you' "a private draft stays private"
run killick task new 'A task' --label net -m body --draft; d=${out%% *}
run killick drafts send "$d" --json; is "$(json "$out" '(d["task"]["title"],d["task"]["labels"])')" '["A task", ["net"]]' "a task kept and sent"
run killick note . -m one --draft; d1=${out%% *}; run killick note . -m two --draft; d2=${out%% *}
run killick drafts drop "$d1" "$d2"; is "$st" 0 "drafts drop"
is "$(killick drafts --jsonl | wc -l)" 0 "drops"
run killick note . -m one --draft; d1=${out%% *}
cd "$T" && repo b && run killick drafts; unlike "$out" "$d1" "another repository does not list it"
run killick drafts send "$d1"; is "$st" 3 "nor sends it"; like "$err" 'another repository' "and says why"
run killick drafts snd x; is "$st" 2 "an unknown second word"; like "$err" 'drafts send' "the nearest"
cd "$T/a"; (export KILLICK_CLOCK=2026-01-02T05:00:00Z; git rm -q src/a.c; git commit -qm gone)
run killick drafts send "$d1"; is "$st" 0 "sent although the tree has changed"

# A store that cannot be written: the text is kept, and sent when it can.
killick note . -m first >/dev/null
if [ "$(id -u)" -ne 0 ]; then chmod -R a-w .git/killick; else mv .git/killick/store.git/objects .git/killick/objects.away; echo x >.git/killick/store.git/objects; fi
run killick note . -m 'must not be lost'
is "$((st != 0))" 1 "a broken store fails"
like "$err" 'kept as draft d[0-9a-f]{8}' "and keeps the text"
if [ "$(id -u)" -ne 0 ]; then chmod -R u+w .git/killick; else rm .git/killick/store.git/objects; mv .git/killick/objects.away .git/killick/store.git/objects; fi
d=$(json "$(killick drafts --json)" 'd["drafts"][0]["id"]')
like "$(killick drafts)" '\(' "the list says why"
run killick drafts send "$d"; is "$st" 0 "and it goes out afterwards"
is "$(json "$(killick search 'lost' --json)" 'len(d["threads"])')" 1 "once"
done_testing
