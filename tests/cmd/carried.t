#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Places carried on from commit to commit, and into the work tree, are those that are found from nothing.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
{ echo 'int main(void)'; echo '{'; for i in $(seq 40); do printf '\tcall_number_%s(%s);\n' "$i" "$((i * i))"; done; echo '}'; } >src/x.c
cp src/x.c src/y.c && echo '/* the other */' >>src/y.c
git add . && git commit -qm files
for i in 4 9 14 19 24 29 34 39; do killick ask "src/x.c:$i-$((i + 1))" -m "x$i" >/dev/null; done
killick note src/x.c:12 -m one >/dev/null
all() { json "$(killick at src --json)" '[(t["title"], t["place"]["state"], t["place"]["path"], t["place"]["line"], t["place"]["end"], t["place"]["last"]) for t in d["threads"]]'; }
of() { json "$(killick at src --json)" "[(t['place']['state'], t['place']['path'], t['place']['line']) for t in d['threads'] if t['title'] == '$1'][0]"; }
# What a cache that has seen every commit says, against one that sees the last alone.
same() {
	local kept
	kept=$(all)
	rm -rf "$HOME/.cache/killick"
	is "$kept" "$(all)" "$1"
}
step() { git commit -qam "$1"; all >/dev/null; }
same "at first"
sed -i '1i /* in front */\n/* two lines */' src/x.c && step 'lines in front'
is "$(of x9)" '["exact", "src/x.c", 11]' "lines in front"
same "the same from nothing"
sed -i 's/call_number_7(/call_number_seven(/' src/x.c && all >/dev/null
is "$(json "$(killick at src/x.c:11 --json)" '[(t["title"], t["place"]["state"]) for t in d["threads"]]')" '[["x9", "edited"]]' "a line edited, in the work tree"
same "the same from nothing, in the work tree"
all >/dev/null; step 'an edit'
is "$(of x9)" '["edited", "src/x.c", 11]' "and committed"
sed -i '1i /* three */' src/x.c && step 'one more'
is "$(of x9)" '["edited", "src/x.c", 12]' "what was edited stays so while it moves"
same "the same from nothing"
sed -i 's/call_number_seven(/call_number_7(/' src/x.c && step 'as it was'
is "$(of x9)" '["exact", "src/x.c", 12]' "edited back: exact again"
sed -i '/call_number_1[78](/d' src/x.c && step 'two lines out'
is "$(of x19 | cut -c1-8)" '["gone",' "gone"
sed -i '2i /* four */' src/x.c && step 'past what is gone'
is "$(of x19 | cut -c1-8)" '["gone",' "and stays gone"
same "the same from nothing, gone ones too"
git revert --no-edit HEAD~1 >/dev/null && all >/dev/null
is "$(of x19)" '["exact", "src/x.c", 23]' "what was taken back is there again"
same "the same from nothing"
git mv src/x.c src/z.c && sed -i '3i /* five */' src/z.c && step 'renamed'
is "$(of x24)" '["moved", "src/z.c", 29]' "renamed"
sed -i '1d' src/z.c && step 'and moved on'
is "$(of x24)" '["moved", "src/z.c", 28]' "what moved stays moved"
same "the same from nothing"
git rm -q src/z.c && step 'the whole file'
is "$(of x24 | cut -c1-8)" '["gone",' "gone with its file"
same "the same from nothing, gone with their file"
git show HEAD~1:src/z.c >src/z.c
is "$(json "$(killick threads --json)" '[(t["place"]["state"], t["place"]["path"]) for t in d["threads"] if t["title"] == "x24"][0]')" '["moved", "src/z.c"]' "but found in a file that is there again"
rm src/z.c && git revert --no-edit HEAD >/dev/null && all >/dev/null
git checkout -q HEAD~6 && all >/dev/null
same "back to an older commit"
git checkout -q main && all >/dev/null
same "and forth again"
# Ranges that are cut, grow and go in parts, commit after commit: always as from nothing.
churn() { # churn SEED: edits the file src/w.c at random, the same way each time
	/usr/bin/python3 - "$1" <<'PY'
import random, sys
r, lines = random.Random(int(sys.argv[1])), open("src/w.c").read().split("\n")
for n in range(6):
    i, what = r.randrange(len(lines)), r.random()
    if what < .35:
        lines[i] = lines[i].replace("e", "E", 1) + " x"
    elif what < .6:
        lines[i:i] = ["new line %s %d" % (sys.argv[1], i)]
    elif what < .85:
        del lines[i:i + r.randrange(1, 6)]
    else:
        block = lines[i:i + 5]
        del lines[i:i + 5]
        j = r.randrange(len(lines))
        lines[j:j] = block
open("src/w.c", "w").write("\n".join(lines))
PY
}
for i in $(seq 90); do printf 'static int name_%s(struct thing *t, int level_%s)\n{\n\treturn t->value_%s + %s;\n}\n\n' "$i" "$i" "$i" "$((i * i))"; done >src/w.c
git add src/w.c && git commit -qm w
for i in $(seq 5 9 440); do killick note "src/w.c:$i-$((i + i % 13 + 1))" -m "w$i" >/dev/null; done
all >/dev/null
for i in $(seq 8); do
	churn "$i" && git commit -qam "churn $i"
	same "as from nothing, churn $i"
done
done_testing
