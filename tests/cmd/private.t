#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Private threads and drafts out as JSON Lines and back: without loss, twice is once, on another machine, and never into
# what is exchanged.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
machine() { export XDG_DATA_HOME="$T/$1/data" XDG_CACHE_HOME="$T/$1/cache"; }
machine one; git init -q --bare r.git; repo a; git remote add origin "$T/r.git"; git push -q origin main; git -C "$T/r.git" symbolic-ref HEAD refs/heads/main
run killick export --private; is "$st" 0 "nothing yet"; is "$(printf '%s\n' "$out" | wc -l)" 1 "is one line"; printf '%s\n' "$out" >"$T/none"
run killick import "$T/none"; is "$st $out" "0 nothing new: all of it was here before" "which can be taken in"
k=$(killick note --private src/a.c:3 -m $'of my own: \033[31m, \u202e, "quotes" and \\n' --json | grep -o '"id":"k[0-9a-f]*' | head -n 1 | cut -d'"' -f4)
killick reply "$k" -m "on my own" >/dev/null; killick ask --private docs/guide.md#install -m "why?" >/dev/null
p=$(killick show "$k" --json | grep -o '"id":"p[0-9a-f]*' | sed -n 2p | cut -d'"' -f4); killick edit "$p" -m "on my own, edited" >/dev/null; killick resolve "$k" -m done >/dev/null
x=$(killick remark --private . -m "taken back" --json | grep -o '"id":"k[0-9a-f]*' | head -n 1 | cut -d'"' -f4); killick retract "$x" >/dev/null 2>&1
t=$(killick task new --private "mine alone" -m text --json | grep -o '"id":"T-[0-9a-f]*' | head -n 1 | cut -d'"' -f4); killick task label "$t" l >/dev/null; killick task comment "$t" -m "to myself" >/dev/null
killick note . --draft -m "not sent" >/dev/null; killick ask src/a.c:5 --private --draft -m $'neither\n\nthis' >/dev/null
killick note . -m "for everybody" >/dev/null
killick export --private >"$T/p1"; killick export >"$T/e1"
unlike "$(cat "$T/e1")" 'of my own|not sent' "nothing private in the export for everybody"; unlike "$(cat "$T/p1")" 'for everybody' "nor the other way round"
is "$(grep -c '^{"draft"' "$T/p1")" 2 "two drafts"
run killick import "$T/p1"; is "$st $out" "0 nothing new: all of it was here before" "taken in where it came from: nothing new"
is "$(killick export --private | sha256sum)" "$(sha256sum <"$T/p1")" "and nothing changed"
threads_a=$(killick threads is:private --posts --json | sed 's/"read[^,]*,//g'); tasks_a=$(killick tasks --json)

# Another machine, another folder.
machine two; git clone -q "$T/r.git" "$T/elsewhere" 2>/dev/null; cd "$T/elsewhere" || exit 1
run killick import --dry-run "$T/p1"; is "$st" 0 "a dry run"; like "$out" 'would take in [0-9]+ private ops and 2 drafts' "counts"
is "$(killick threads is:private --json)" '{"format":1,"threads":[]}' "and writes nothing"
run killick import "$T/p1"; is "$st" 0 "on another machine"; like "$out" 'took in [0-9]+ private ops and 2 drafts' "all of it"
is "$(killick export --private | grep -v '^{"draft"' | sha256sum)" "$(grep -v '^{"draft"' "$T/p1" | sha256sum)" "comes out again byte for byte"
same='sorted((t["id"], t["kind"], t["state"], t["title"], t["audience"], t["anchor"]["text"], [(p["id"], p["body"], p["time"]) for p in t["posts"]]) for t in d["threads"])'
is "$(json "$(killick threads is:private --posts --json)" "$same")" "$(json "$threads_a" "$same")" "the same threads"
like "$(killick tasks)" 'mine alone \[l\]' "the task"
dr='sorted((x["id"], x["verb"], x["target"], x["body"], x["audience"], x["created"]) for x in d["drafts"])'
is "$(json "$(killick drafts --json)" "$dr")" "$(machine one; json "$(killick -C "$T/a" drafts --json)" "$dr")" "the same drafts"
run killick import "$T/p1"; is "$out" "nothing new: all of it was here before" "twice is once"
is "$(killick doctor >/dev/null; echo $?)" 0 "doctor agrees"
# Both go on, and each gets the other's.
killick reply "$k" -m "from the other machine" >/dev/null; killick note --private . -m "new there" >/dev/null
killick drafts drop "$(killick drafts --json | grep -o '"id":"d[0-9a-f]*' | head -n 1 | cut -d'"' -f4)" >/dev/null; killick export --private >"$T/p2"
machine one; cd "$T/a" || exit 1; killick note --private . -m "new here" >/dev/null
run killick import "$T/p2"; like "$out" 'took in 2 private ops' "what is new there comes back"; is "$st" 0 "without a fault"
like "$(killick show "$k")" 'from the other machine' "in its thread"; like "$(killick threads is:private)" 'new here' "and what is here stays"
killick reply "$k" -m "after all that" >/dev/null; killick export --private >"$T/p3"
machine two; cd "$T/elsewhere" || exit 1; killick import "$T/p3" >/dev/null; is "$(killick export --private | grep -v '^{"draft"' | sha256sum)" "$(grep -v '^{"draft"' "$T/p3" | sha256sum)" "both have the same"
is "$(killick show "$k" --json | json "$(cat)" '[p["body"] for p in d["thread"]["posts"]][-1]')" "after all that" "in the same order"
# It stays private.
killick sync >/dev/null 2>&1; git --git-dir="$T/r.git" log --all --format=%B >"$T/sent" 2>/dev/null; unlike "$(cat "$T/sent")" 'of my own|new there|mine alone' "nothing was sent"
unlike "$(killick export)" 'of my own|new there|mine alone' "nor is in the export for everybody"
is "$(json "$(killick threads is:private --json)" 'set(t["audience"] for t in d["threads"]) == {"private"}')" true "all are private here"
# Bad ones are refused whole.
{ cat "$T/p1"; grep '"op"' "$T/e1"; } >"$T/mixed"; run killick import "$T/mixed"; is "$st" 6 "private and not in one file"; like "$err" 'never in one export' "is refused"
{ cat "$T/p1"; printf '{"draft":{"id":"d1"}}\n'; } >"$T/bad"; run killick import "$T/bad"; is "$st" 6 "a draft without a body"
n=$(killick threads is:private --json | wc -c); { head -n 1 "$T/p1"; grep '"op"' "$T/p1" | head -n 1 | sed 's/\(lamport[^0-9]*\)[0-9]*/\19223372036854775000/; s/of my own/hostile/'; } >"$T/far"
run killick import "$T/far"; is "$st" 6 "a clock at the end of time"; is "$(killick threads is:private --json | wc -c)" "$n" "nothing of it is taken"
run sh -c 'killick export --private | killick import -'; is "$st" 0 "from a pipe"
done_testing
