#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What changed: trees, renames, index, work tree, hunks and patches, compared with git.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
raw() { git diff-tree -r --raw --no-abbrev --no-renames "$@" | sed '/^[0-9a-f]*$/d'; }
# git's raw output in gittool's form: renames without their score
renames() { git diff-tree -r --raw --no-abbrev -M50% -l1000 "$@" | sed -E '/^[0-9a-f]*$/d; s/ R[0-9]+\t/ R\t/'; }

cd "$T" && repo r
git rm -qr docs && mkdir docs.d && echo x >docs.d/a && echo y >docs && ln -s a src/link && printf 'a\tb' >"src/od d" && chmod +x src/a.c
git add -A && git commit -qm two
is "$("$gt" changes HEAD~1 HEAD)" "$(raw HEAD~1 HEAD)" "added, removed, modes, kinds, a folder that became a file"
is "$("$gt" changes - HEAD)" "$(raw --root 4b825dc642cb6eb9a060e54bf8d69288fbee4904 HEAD)" "against nothing"
is "$("$gt" changes HEAD HEAD)" "" "against itself"
is "$("$gt" changes HEAD HEAD~1)" "$(raw HEAD HEAD~1)" "backwards"
git rm -q docs && mkdir docs && echo z >docs/y && rm src/link && echo plain >src/link && git add -A && git commit -qm three
is "$("$gt" changes HEAD~1 HEAD)" "$(raw HEAD~1 HEAD)" "a file that became a folder, a link that became a file"
git -c protocol.file.allow=always submodule --quiet add "$T/r" mod 2>/dev/null; git commit -qm four
is "$("$gt" changes HEAD~1 HEAD)" "$(raw HEAD~1 HEAD)" "a submodule"

# renames: what git -M finds, over random moves and edits
cd "$T" && git init -q ren && cd ren
python3 - <<'PY'
import random, os, subprocess
r = random.Random(7)
words = [("word%d" % i) for i in range(60)]
def text(): return "".join(" ".join(r.choice(words) for _ in range(6)) + "\n" for _ in range(r.randint(1, 40)))
files = {}
def edit(t, share):
    lines = t.splitlines(True)
    return "".join(text().splitlines(True)[0] if r.random() < share else l for l in lines)
for step in range(40):
    for _ in range(r.randint(1, 6)):
        k = r.random()
        if k < .35 or not files: files["d%d/f%d.c" % (r.randint(0, 4), r.randint(0, 40))] = text()
        elif k < .75:
            old = r.choice(list(files)); t = files.pop(old)
            new = "d%d/%s" % (r.randint(0, 4), old.split("/")[1] if r.random() < .5 else "n%d.c" % r.randint(0, 99))
            files[new] = edit(t, r.choice([0, 0, .1, .3, .6, .9]))
        elif k < .85: files["d%d/copy%d.c" % (r.randint(0, 4), step)] = r.choice(list(files.values()))
        else: del files[r.choice(list(files))]
    subprocess.run("git rm -qrf --ignore-unmatch . ", shell=True)
    for f, t in files.items():
        os.makedirs(os.path.dirname(f), exist_ok=True); open(f, "w").write(t)
    subprocess.run("git add -A && git commit -qm %d --allow-empty" % step, shell=True)
PY
pairs=0 bad=0
while read -r c; do
	git rev-parse -q --verify "$c^" >/dev/null || continue
	want=$(renames "$c^" "$c" | sort) got=$("$gt" changes "$c^" "$c" -M | sort)
	pairs=$((pairs + $(grep -c ' R' <<<"$want")))
	[ "$got" = "$want" ] || { bad=$((bad + 1)); diag "$(diff <(echo "$want") <(echo "$got"))"; }
done < <(git rev-list HEAD)
is $bad 0 "renames are git's in 39 commits"
[ $pairs -gt 30 ]; ok $? "of which there are many ($pairs)"

# hunks and patches
bad=0 n=0
while read -r _ _ a b s _; do
	[ "$s" = M ] || continue
	n=$((n + 1))
	[ "$("$gt" hunks "$a" "$b")" = "$(git diff --patience -U0 "$a" "$b" | sed -n 's/^\(@@ .* @@\).*/\1/p')" ] || bad=$((bad + 1))
done < <(git log --raw --no-abbrev --no-renames -r --format= | sed 's/^://; s/\t/ /' | head -60)
is "$bad of $n" "0 of $n" "hunks are those of git diff --patience -U0"
e=$(printf '' | git hash-object -w --stdin) o=$(printf 'one' | git hash-object -w --stdin) t=$(printf 'one\n' | git hash-object -w --stdin)
is "$("$gt" hunks "$e" "$o")|$("$gt" hunks "$o" "$e")" "@@ -0,0 +1 @@|@@ -1 +0,0 @@" "hunks from and to nothing"
is "$("$gt" hunks "$o" "$t")" "@@ -1 +1 @@" "a missing newline at the end is a change"
z=$(printf 'a\0b\nc\n' | git hash-object -w --stdin) y=$(printf 'a\0b\nd\n' | git hash-object -w --stdin)
is "$("$gt" hunks "$z" "$y")" "@@ -2 +2 @@" "NUL bytes do not matter"
bad=0
while read -r c; do
	want=$(git show -M50% --format= --no-color "$c" | grep -v '^$\|^index \|^similarity\|^@@' | sort)
	got=$("$gt" show "$c" | grep -v '^$\|^index \|^similarity\|^@@' | sort)
	[ "$got" = "$want" ] || bad=$((bad + 1))
done < <(git rev-list HEAD | head -25)
[ $bad -le 3 ]; ok $? "patches as git show prints them (libgit2 pairs files that are half alike differently: $bad)"
cd "$T/r" && is "$("$gt" show HEAD~1 | sed 's/^index.*//')" "$(git show --format= HEAD~1 | sed 's/^index.*//')" "kinds and modes in a patch"
is "$("$gt" show "$(git rev-list --max-parents=0 HEAD)" | sed 's/^index.*//')" "$(git show --format= "$(git rev-list --max-parents=0 HEAD)" | sed 's/^index.*//')" "a root commit's patch"
like "$("$gt" show HEAD~1 100)" '\(cut\)$' "cut at a length"
printf 'a\0b' >bin && git add bin && git commit -qm bin && like "$("$gt" show HEAD)" "Binary files /dev/null and b/bin differ" "a binary file"

# index and work tree
cd "$T" && repo w && printf 'n\n' >new.c && git add new.c && echo more >>src/a.c && git rm -q docs/guide.md && echo untracked >u
is "$("$gt" staged)" "$(git diff-index --cached --raw --no-abbrev HEAD)" "staged changes"
is "$("$gt" changes HEAD -)" "$(git diff-index --raw --no-abbrev HEAD)" "the work tree against a commit"
GIT_INDEX_FILE=$PWD/.git/other git read-tree HEAD
is "$(GIT_INDEX_FILE=.git/other "$gt" staged)" "" "another index (GIT_INDEX_FILE), from the top"
mkdir -p k && cd k && is "$("$gt" staged | wc -l)" 2 "staged changes from a folder below" && cd ..
git update-index --split-index 2>/dev/null
is "$("$gt" staged)" "$(git diff-index --cached --raw --no-abbrev HEAD)" "a split index, which libgit2 cannot read"
is "$("$gt" changes HEAD - | sort)" "$(git diff-index --raw --no-abbrev HEAD | sort)" "the work tree with it"
git config filter.evil.clean "touch $T/canary; cat" && echo '*.c filter=evil' >.git/info/attributes && echo more >>src/a.c
"$gt" changes HEAD - >/dev/null; [ ! -e "$T/canary" ]; ok $? "no filter is run for it"
rm .git/info/attributes; git update-index --no-split-index
printf 'junk' >.git/index; run "$gt" staged; like "$err" "^10: cannot read the index \\('git status'" "a damaged index"
rm .git/index; git read-tree HEAD
cd "$T" && repo sp && git sparse-checkout set --cone --sparse-index src 2>/dev/null && echo z >>src/a.c && git add -A
is "$("$gt" staged)" "$(git diff-index --cached --raw --no-abbrev HEAD)" "a sparse index"
is "$("$gt" changes HEAD -)" "$(git diff-index --raw --no-abbrev HEAD)" "the work tree with it"
cd "$T" && git init -q unborn && cd unborn && echo x >"f  x" && git add . && is "$("$gt" staged)" "$(git diff-index --cached --raw --no-abbrev 4b825dc642cb6eb9a060e54bf8d69288fbee4904)" "staged before the first commit"
done_testing
