#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# at, place, file and log: threads where their code is.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
first=$(git rev-parse HEAD)
a=$(killick ask src/a.c:3 -m 'on three'); a=${a%% *}
b=$(killick remark src/a.c:5-7 -m 'on five to seven'); b=${b%% *}
f=$(killick note src/a.c -m 'on the file'); f=${f%% *}
s=$(killick decide docs/guide.md#install -m 'on the section'); s=${s%% *}
c=$(killick note HEAD -m 'on the commit'); c=${c%% *}
ids() { json "$(killick at --json "$@")" '" ".join(t["posts"][0]["body"] if t["posts"] else t["title"] for t in d["threads"])'; }
titles() { json "$(killick at --json "$@")" '[t["title"] for t in d["threads"]]'; }
is "$(titles src/a.c)" '["on the file", "on three", "on five to seven"]' "at FILE"
is "$(titles src/a.c:3)" '["on three"]' "at LINE"
is "$(titles src/a.c:6-20)" '["on five to seven"]' "at RANGE overlaps"
is "$(titles src/a.c:4)" '[]' "at a line between"
is "$(titles docs/guide.md#install)" '["on the section"]' "at SECTION"
is "$(titles docs/guide.md:5)" '["on the section"]' "at the section's heading line"
is "$(json "$(killick at HEAD --json)" '[t["title"] for t in d["threads"] if t["anchor"]["type"] == "commit"]')" '["on the commit"]' "at COMMIT"
is "$(titles src)" '["on the file", "on three", "on five to seven"]' "at FOLDER"
is "$(titles src/a.c:3 src/a.c)" '["on the file", "on three", "on five to seven"]' "each once"
is "$(killick at --format=quickfix src/a.c:3)" "src/a.c:3: question $a: on three (Ana)" "--format=quickfix"
is "$(killick at --format=json src/a.c:3)" "$(killick at --json src/a.c:3)" "--format=json"
like "$(killick at src/a.c:3)" "$a.*src/a\.c:3.*on three.*Ana" "as text"
# What the index knows is read without libgit2, which brings seventeen libraries (src/git/libgit2.c).
opened() { LD_DEBUG=files "$@" 2>&1 >/dev/null | grep -c 'file=libgit2'; }
is "$(opened killick at src/a.c --json)" 0 "at FILE does not open libgit2"
is "$(opened killick show "$a")" 0 "nor does show"
is "$(opened killick threads is:open)" 0 "nor does a list"

# Two lines more in front, not committed; then committed; then the file renamed.
sed -i '1i x\ny' src/a.c
is "$(titles src/a.c:5)" '["on three"]' "the dirty work tree is followed"
is "$(titles src/a.c:3)" '[]' "and not where it was"
git commit -qam 'two more'
is "$(titles src/a.c:5)" '["on three"]' "so is the commit"
git mv src/a.c src/b.c && git commit -qm rename
is "$(titles src/b.c:5)" '["on three"]' "and the rename"
run killick place "src/a.c:3@$first" --json
is "$(json "$out" '[(p["place"]["state"],p["place"]["path"],p["place"]["line"]) for p in d["places"]]')" '[["moved", "src/b.c", 5]]' "place from a revision"
run killick place src/b.c:5 "--at=$first"; like "$out" 'src/a\.c:3 +moved' "place --at a revision"
run killick place "$a"; like "$out" 'src/b\.c:5' "place of a thread"
run killick place --link src/b.c:5; is "$st" 3 "place --link where nothing has a page"; like "$err" "no page on the web.*git push" "and says what may help"
git update-ref refs/remotes/web/main HEAD && git config remote.web.url https://github.com/acme/w
run killick place --link src/b.c:5 HEAD; is "$out" "https://github.com/acme/w/blob/$(git rev-parse HEAD)/src/b.c#L5
https://github.com/acme/w/commit/$(git rev-parse HEAD)" "place --link"
printf 'new\n' | cat - src/b.c >"$T/b" && cp src/b.c "$T/kept" && cp "$T/b" src/b.c
is "$(killick place --link src/b.c:6)" "https://github.com/acme/w/blob/$(git rev-parse HEAD)/src/b.c#L5" "a line of the work tree, where HEAD has it"
run killick place --link src/b.c:1; is "$st" 3 "a line that HEAD has not"; like "$err" "gone from that commit" "and says so"
is "$(json "$(killick place --link --json src/b.c:1)" 'd["places"][0]["url"]')" null "and null in JSON"
cp "$T/kept" src/b.c
is "$(killick place --link "--at=$first" "$(killick place --link src/b.c:5)")" "https://github.com/acme/w/blob/$first/src/a.c#L3" "from permalink to permalink, through time"
git update-ref -d refs/remotes/web/main && git config --remove-section remote.web
run killick place; is "$st" 2 "place of nothing"
run killick place src/a.c:3; is "$st" 3 "place of what is not there"
printf '%s\n' "{\"from\":\"$first\",\"path\":\"src/a.c\",\"line\":3,\"to\":\"HEAD\",\"id\":7}" \
	"{\"from\":\"$first\",\"path\":\"src/a.c\",\"line\":5,\"end\":7}" 'not json' '{"from":"HEAD"}' '' \
	"{\"from\":\"$first\",\"path\":\"src/a.c\",\"line\":9,\"end\":2}" "{\"from\":\"$first\",\"path\":\"nosuch\",\"line\":1}" \
	"{\"from\":\"$first\",\"path\":\"src/a.c\",\"line\":4294967296}" "[1]" >cases
printf '{"from":"%s","path":"src/a.c","line":10}' "$first" >>cases
out=$(killick place --stdin <cases); st=$?
is "$st" 6 "place --stdin with bad lines: status 6"
is "$(printf '%s\n' "$out" | wc -l)" 10 "a line for each"
is "$(printf '%s\n' "$out" | head -n 1 | /usr/bin/python3 -c 'import json,sys; d=json.loads(sys.stdin.read()); print(d["format"],d["id"],d["state"],d["path"],d["line"])')" "1 7 moved src/b.c 5" "in order, with the id"
is "$(printf '%s\n' "$out" | grep -c '"error"')" 6 "errors for the lines that are none"
is "$(printf '%s\n' "$out" | tail -n 1 | grep -c '"line":12')" 1 "the last line without a line feed"
run killick place --stdin src/b.c </dev/null; is "$st" 2 "--stdin takes no anchors"
is "$(killick place --stdin </dev/null; echo $?)" 0 "nothing in, nothing out"
# Answers are kept by target, however the anchors come: each run adds to what was kept.
case_of() { printf '{"from":"%s","path":"src/a.c","line":%s,"to":"HEAD"}\n' "$first" "$1"; }
kept() { KILLICK_TRACE=place killick place --stdin 2>&1 >/dev/null | sed -n 's/.* \([0-9]* anchors, [0-9]* not in the cache\).*/\1/p'; }
is "$(for i in 1 2; do case_of $i; done | kept)" "2 anchors, 2 not in the cache" "place --stdin asks for two"
is "$(for i in 1 2 4; do case_of $i; done | kept)" "3 anchors, 1 not in the cache" "knows them when a third comes"
is "$(for i in 4 2 1; do case_of $i; done | kept)" "3 anchors, 0 not in the cache" "and then all three"
waits() { # a writer that waits for each answer
	mkfifo "$T/in" "$T/out"
	KILLICK_TRACE=place killick place --stdin <"$T/in" >"$T/out" 2>"$T/said" & exec 7>"$T/in" 8<"$T/out"
	for i in "$@"; do case_of "$i" >&7; read -r -t 60 <&8 || return; done
	exec 7>&- 8<&-; wait $!
	sed -n 's/.* \([0-9]* anchors, [0-9]* not in the cache\).*/\1/p' "$T/said"
}
is "$(waits 6 7 6 | tr '\n' ';')" \
	"1 anchors, 1 not in the cache;1 anchors, 1 not in the cache;1 anchors, 0 not in the cache;" "a writer who waits is answered"

# file
run killick file src/b.c; is "$st" 0 "file"
like "$out" '^ +5 \? line 3$' "marks the line of a question"
like "$out" "╰─ \? $a on three" "and names it below"
like "$out" '^ +8 ┃ line 6$' "a range goes on"
is "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ ')" 12 "every line is there"
run killick file src/b.c -p; like "$out" '^ +on three' "-p prints the posts"
run killick file src/b.c:4-6; is "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ ')" 3 "only the lines asked for"
run killick file src/b.c -o; is "$(printf '%s\n' "$out" | grep -cE '^ +[0-9]+ ' | awk '{print ($1 < 13)}')" 1 "-o only those near threads"
run killick file "src/a.c@$first"; like "$out" '^ +3 \? line 3$' "at a revision"
run killick file src/b.c --json; is "$(json "$out" '(d["file"]["path"],d["file"]["lines"],d["file"]["binary"],len(d["file"]["threads"]))')" '["src/b.c", 12, false, 3]' "file --json"
run killick file HEAD; is "$st" 2 "file of a commit"
run killick file nosuch; is "$st" 3 "file of nothing"
sed -i '8s/.*/line six/' src/b.c
run killick show "$b"; like "$out" 'now:' "what was edited since"; like "$out" '▸ +8  line six' "is shown as it is now too"
git checkout -q src/b.c
sed -i '5d' src/b.c && git commit -qam 'three is gone'
run killick file src/b.c; like "$out" 'gone from here:' "what is gone is said"
like "$(killick threads place:gone)" "$a" "and found by query"

# log
run killick log; is "$(printf '%s\n' "$out" | wc -l)" 4 "log lists the commits"
like "$out" "$(git rev-parse --short=7 "$first").*start .*\?1 .*!1" "with the number of threads"
run killick log -n 2; is "$(printf '%s\n' "$out" | wc -l)" 2 "log -n"
run killick log -t; like "$out" "$c.*on the commit" "log -t lists them"
run killick log HEAD~1..HEAD; is "$(printf '%s\n' "$out" | wc -l)" 1 "log of a range"
run killick log -- docs/guide.md; is "$(printf '%s\n' "$out" | wc -l)" 1 "log of a path"
run killick log docs/guide.md; is "$(printf '%s\n' "$out" | wc -l)" 1 "also without --"
run killick log nosuch; is "$st" 3 "log of nothing"
run killick log -2 HEAD~1; is "$out" "$(killick log -n 2 HEAD~1)" "log -2, as git takes it"
run killick log -- nosuch; is "$st $err" "0 killick: no commit matches" "a history of nothing says that it is one"
run killick log --json -n 1; is "$(json "$out" '(d["commits"][0]["subject"],d["commits"][0]["commit"])')" "[\"three is gone\", \"$(git rev-parse HEAD)\"]" "log --json"
# Lists and answers go by the work tree as well.
cd "$T" && repo dirty
killick remark src/a.c:8 -m 'dirty lists' >/dev/null; id=$(json "$(killick threads --json)" 'd["threads"][0]["id"]')
printf 'new\nnew\n' | cat - src/a.c >b && mv b src/a.c
for c in 'threads' 'search dirty'; do
	# shellcheck disable=SC2086
	is "$(json "$(killick $c --json)" '[t["place"]["line"] for t in d["threads"]]')" '[10]' "$c"
done
is "$(killick inbox --jsonl | python3 -c 'import json,sys; print([json.loads(l)["place"]["line"] for l in sys.stdin])')" '[10]' "inbox"
run killick reply "$id" -m x; like "$out" 'src/a\.c:10;' "what a reply says"
# --- folders ---
cd "$T" && repo folders; k=$(killick note src -m "on a folder" --json | grep -o '"id":"k[0-9a-f]*' | head -n 1 | cut -d'"' -f4)
state() { json "$(killick show "$k" --json)" '(d["thread"]["place"]["state"], d["thread"]["place"]["path"])'; }
is "$(state)" '["exact", "src"]' "a folder is where it is"
is "$(killick place src)" "$(printf 'src@%s  src  exact  1.00' "$(git rev-parse --short=7 HEAD)")" "for place too"
like "$(killick threads)" 'src +on a folder +Ana' "and not gone in a list"
git rm -qr src && git commit -qm "no src"; is "$(json "$(killick threads --json)" 'd["threads"][0]["place"]["state"]')" gone "until it is gone"

# The threshold: below it a place is gone with its best guess; the answers of one are not those of another.
mkdir -p src; printf 'int count = 1;\n%s\nint total = 3;\n' 'static int answer_of(struct thing *self, int question);' >src/c.c
git add src/c.c; git commit -qm c; at=$(git rev-parse HEAD)
sed -i '2s/.*/static int answer_of(struct thing *me, long question, bool loud);/' src/c.c; git commit -qam d
state() { printf '{"from":"%s","path":"src/c.c","line":2,"to":"HEAD"}\n' "$at" | killick place --stdin |
	/usr/bin/python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["state"],d["path"],d["line"],d["why"],d["confidence"] < 0.5)'; }
is "$(state)" "edited src/c.c 2 None False" "an edited line is placed"
git config killick.place.threshold 0.999
is "$(state)" "gone src/c.c 2 not sure enough: the place is a guess True" "below the threshold it is gone, with its best guess"
t=$(killick ask "src/c.c:2@$at" -m 'of the answer'); t=${t%% *}
like "$(killick at src/c.c)" "$t.*gone" "so is the thread"
git config --unset killick.place.threshold
is "$(state)" "edited src/c.c 2 None False" "and back"

# move: the correction is the new starting point, whatever became of the first place.
run killick move "$t" src/c.c:3; is "$st" 0 "move"
is "$(json "$(killick show "$t" --json)" '(d["thread"]["place"]["state"],d["thread"]["place"]["line"],d["thread"]["anchor"]["line"])')" \
	'["exact", 3, 3]' "the thread is there"
sed -i '1i int first;' src/c.c; git commit -qam e; git mv src/c.c src/d.c; git commit -qm f
is "$(json "$(killick show "$t" --json)" '(d["thread"]["place"]["state"],d["thread"]["place"]["path"],d["thread"]["place"]["line"])')" \
	'["moved", "src/d.c", 4]' "and followed from there"
sed -i '/answer_of/d' src/d.c; git commit -qam g
like "$(killick place "$t")" 'src/d\.c:3 ' "what it was moved from may go"

# Gone: since when, and where last.
is "$(printf '{"from":"%s","path":"src/c.c","line":2,"to":"HEAD"}\n' "$at" | killick place --stdin | /usr/bin/python3 -c 'import json,sys
d=json.load(sys.stdin); print(d["state"],d["commit"],d["last"]["commit"],d["last"]["path"],d["last"]["line"],d["last"]["before"],d["last"]["after"])')" \
	"gone $(git rev-parse HEAD) $(git rev-parse HEAD~1) src/d.c 3 2 3" "gone: the commit that removed it, the last place, what is around"
done_testing
