#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Anchors and queries through the commands: files with names made to be misread are found as typed and as printed, and
# the examples of killick-anchors(7) and killick-query(7) run.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo r
run killick init
names=('a:12' '-x' 'x@y' 'a#b' $'a\nb' 'HEAD~2' 'say "hi"' 'grüß.c' 'trail ' 'win\dows.c' 'GH-412' $'lat\xe9.c' 'commit:x' '!58' "it's")
for n in "${names[@]}"; do printf '1\n2\n3\n4\n' >"./$n"; done
git add -A && git commit -qm odd

id() { json "$1" 'd["thread"]["id"]'; }
for n in "${names[@]}"; do
	shown=$(printf %q "$n")
	# "--" keeps "-x" from being an option, as everywhere.
	run killick note --json -m "on the file" -- "$n"
	is "$st" 0 "a note on the file $shown${err:+: $err}"
	whole=$(id "$out") text=$(json "$out" 'd["thread"]["anchor"]["text"]')
	is "$(json "$out" 'd["thread"]["anchor"]["type"]')" file "… is on the file"
	run killick note --json -m "on lines" -- "$n:2-3"
	part=$(id "$out") lines=$(json "$out" 'd["thread"]["anchor"]["text"]')
	is "$(json "$out" '[d["thread"]["anchor"][k] for k in ("type","line","end")]')" '["lines", 2, 3]' "… and one on its lines 2 to 3"
	run killick at --json -- "$text"
	is "$(json "$out" 'sorted(t["id"] for t in d["threads"])')" "$(json "[\"$whole\",\"$part\"]" 'sorted(d)')" \
		"… are found at $(printf %q "$text")"
	run killick at --json -- "$lines"
	like "$out" "$part" "… and at $(printf %q "$lines")"
done

run killick note commit:HEAD -m x
is "$st" 0 'commit: is a commit'
run killick note src/a.c:9-7 -m x
is "$st $err" '2 killick: lines 9-7 run backwards, write src/a.c:7-9' 'a range backwards'
run killick note src/b.c:1 -m x
is "$st $err" "3 killick: no file 'src/b.c'; did you mean 'src/a.c'?" 'a wrong name'
# on: takes an anchor as any command does: from the folder one stands in, revisions, permalinks.
on=$(id "$(killick note src/a.c:2-3 -m 'on: finds it' --json)")
git remote add web https://github.com/acme/w.git
for q in on:a.c on:a.c:3 on:../src/a.c on:./a.c on:src/a.c 'not (not on:a.c)' on:HEAD "on:https://github.com/acme/w/blob/$(git rev-parse HEAD)/src/a.c#L2"; do
	like "$(cd src && killick threads --jsonl "$q")" "\"id\":\"$on\"" "threads $q, from a folder"
done
unlike "$(cd src && killick threads --jsonl 'on:a.c:4')" "$on" 'on: other lines'
git commit -q --allow-empty -m x && run killick threads on:HEAD
is "$st $err" "0 killick: no thread matches" 'on: another commit'
git reset -q --soft HEAD~1

run killick threads 'knid:note'
is "$st" 2 'a wrong key'
like "$err" "did you mean 'kind:'" '… suggests the right one'

# Every example of the manual, in a repository where the names in it exist.
for page in anchors query; do
	while IFS= read -r line; do
		run bash -c "$line"
		[ "$st" -eq 0 ]; ok $? "killick-$page(7): $line"
		[ "$st" -eq 0 ] || diag "$st: $err"
	done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh DIAG/{/^killick /p}' "$KILLICK_TEST_SRC/man/killick-$page.7")
done
done_testing
