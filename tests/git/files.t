#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files: of the work tree as git would store them, of commits, and the user's paths; odd, damaged and missing ones.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
T=$(cd "$T" && pwd -P)
# stored PATH NAME: id and content are what git add would store
stored() {
	local id got
	git add -f -- "$1" 2>/dev/null; id=$(git ls-files -s -- "$1" | cut -d' ' -f2)
	"$gt" file "$1" >"$T/out" 2>"$T/err2"; got=$(head -1 "$T/out")
	is "$got" "$id" "$2"
	tail -n +2 "$T/out" | cmp -s - <(git cat-file blob "$id"); ok $? "$2: content"
}
cd "$T" && repo r
stored src/a.c "a plain file"
: >empty; stored empty "an empty one"
printf 'a\0b' >nul; stored nul "one with NUL bytes"
printf 'one\r\ntwo\r\n' >crlf; stored crlf "CRLF without settings stays"
git rm -q --cached crlf; git config core.autocrlf true; stored crlf "core.autocrlf"
git config core.autocrlf input; git rm -q --cached crlf; stored crlf "core.autocrlf=input"
git config --unset core.autocrlf
printf '*.txt text\n*.bin -text\n*.id ident\n' >.gitattributes
printf 'x\r\ny\r\n' >a.txt; stored a.txt "text"
printf 'x\r\ny\r\n' >a.bin; stored a.bin "-text"
printf '$Id: 1234 $\n$Id$\n' >a.id; stored a.id "ident"
mkdir sub && printf '*.txt -text\n' >sub/.gitattributes && printf 'x\r\n' >sub/b.txt; stored sub/b.txt "attributes of a folder win"
printf '*.u16 text working-tree-encoding=UTF-16\n' >>.gitattributes; printf 'h\xc3\xa9\n' | iconv -t UTF-16 >x.u16; stored x.u16 "working-tree-encoding"
ln -s ../target src/link; stored src/link "a symbolic link is its target"
ln -s nowhere dangling; stored dangling "a dangling one too"
for odd in -x 'q"q' $'t\tab' $'new\nline' 'a:12' 'ä' $'b\xff' ' lead' 'x@y' 'a#b'; do
	printf '%s\n' "$odd" >"$odd"; git add -f -- "./$odd"
	is "$("$gt" file "$odd" | head -1)" "$(git rev-parse ":./$odd")" "the name $(printf %q "$odd")"
done
# a program named by the repository is not run
printf '#!/bin/sh\ntouch %s/canary\ncat\n' "$T" >"$T/evil"; chmod +x "$T/evil"
git config filter.evil.clean "$T/evil"; git config filter.evil.process "$T/evil"; git config filter.evil.required true
echo '*.f filter=evil' >>.gitattributes; echo text >z.f
run "$gt" file z.f; is "$out" "$(git hash-object --no-filters z.f)
text" "a filter program is not run"
[ ! -e "$T/canary" ]; ok $? "really not"
git config core.fsmonitor "$T/evil"; git config core.hooksPath "$T"; git config diff.external "$T/evil"
"$gt" staged >/dev/null; "$gt" changes HEAD - >/dev/null 2>&1; "$gt" show HEAD >/dev/null; "$gt" log "" >/dev/null; "$gt" resolve 'HEAD@{now}' >/dev/null 2>&1
[ ! -e "$T/canary" ]; ok $? "nor any other that it names"
git config --unset core.fsmonitor; git config --unset core.hooksPath; git config --unset diff.external
# Git LFS, by its specification
git config filter.lfs.clean 'git-lfs clean -- %f'; echo '*.big filter=lfs -text' >>.gitattributes; printf 'content' >a.big
is "$("$gt" file a.big | tail -n +2)" "version https://git-lfs.github.com/spec/v1
oid sha256:$(printf content | sha256sum | cut -d' ' -f1)
size 7" "a Git LFS file is its pointer"
# what is no file
mkfifo pipe; run timeout 5 "$gt" file pipe; like "$err" "^10: 'pipe' is a pipe" "a pipe is not opened"
run "$gt" file src; like "$err" "^3: 'src' is a folder" "a folder"
run "$gt" file nope; like "$err" "^3: there is no 'nope' in the work tree" "nothing"
echo secret >"$T/secret"; ln -s "$T" out; run "$gt" file out/secret; is "$st" 1 "a link on the way is not followed"
for p in ../secret "$T/secret" .git/config src/../src/a.c ./src/a.c src//a.c .GIT/config; do
	run "$gt" file "$p"; is "$st" 1 "$p is no path of the tree"
done
git init -q inner && echo x >inner/f; run "$gt" file inner/f; like "$err" "in a submodule" "a repository inside is another one"
head -c 3000000 /dev/zero >huge; run "$gt" file huge 1000000; like "$err" "^10: " "a limit"
run "$gt" file huge; is "$(printf %s "$out" | head -1)" "$(git hash-object huge)" "without one"
if [ "$(id -u)" != 0 ]; then chmod 0 empty; run "$gt" file empty; like "$err" "^11:" "no permission"; fi
# paths
cd src
is "$("$gt" path a.c)|$("$gt" path ../docs/x)|$("$gt" path "$T/r/x")|$("$gt" path .)|$("$gt" path ..)|$("$gt" path ./b//c/../d/)" "src/a.c|docs/x|x|src||src/b/d" "the user's paths"
ln -s "$T/r" "$T/way"; is "$("$gt" path "$T/way/src/a.c")" "src/a.c" "an absolute one through a link"
for p in ../.. ../../x /etc/passwd "$T/r2/x"; do run "$gt" path "$p"; like "$err" "^2: .*outside of the repository" "$p"; done
is "$("$gt" anchor a.c)|$("$gt" anchor docs/guide.md)|$("$gt" anchor ../docs/guide.md:2)" "file src/a.c|file docs/guide.md|lines docs/guide.md:2" "anchors from a folder, else from the top"
is "$("$gt" anchor a.c:2@HEAD)" "lines src/a.c:2@HEAD" "at a revision"
run "$gt" anchor a.x; like "$err" "did you mean 'src/a.c'" "a name that is nearly right"
run "$gt" anchor guide.md; like "$err" "did you mean 'docs/guide.md'" "a name in another folder"
cd "$T/r" && git rm -q --cached src/a.c && rm src/a.c
is "$("$gt" anchor src/a.c)" "file src/a.c" "removed, but in HEAD"
# trees and blobs
git checkout -q -f HEAD -- src/a.c
is "$("$gt" treepath HEAD src/a.c)" "$(git ls-tree HEAD src/a.c | sed 's/ blob / /; s/\t.*//')" "a path in a commit"
is "$("$gt" treepath HEAD src)" "$(git ls-tree HEAD src | sed 's/ tree / /; s/\t.*//')" "a folder"
run "$gt" treepath HEAD src/nope; like "$err" "^3: commit [0-9a-f]{10} has no 'src/nope'" "none"
run "$gt" treepath HEAD src/a.c/x; is "$st" 1 "below a file"
run "$gt" blob 1111111111111111111111111111111111111111; like "$err" "^3: blob 1111111111 is not in this repository" "a missing blob"
run "$gt" blob "$(git rev-parse 'HEAD^{tree}')"; like "$err" "^10: [0-9a-f]{10} is a tree, not a blob" "a tree is no blob"
b=$(git rev-parse HEAD:src/a.c); f=.git/objects/${b:0:2}/${b:2}; chmod u+w "$f"; printf 'xx' >"$f"
run "$gt" blob "$b"; like "$err" "^10: blob ${b:0:10} is damaged .*git fsck" "a damaged blob"
t=$(git rev-parse HEAD:src); f=.git/objects/${t:0:2}/${t:2}; chmod u+w "$f"; : >"$f"
run "$gt" treepath HEAD src/a.c; like "$err" "^10: tree ${t:0:10} is damaged" "a damaged tree"
# partial clones never download
cd "$T" && repo full && for i in 1 2 3; do echo $i >>src/a.c; git commit -qam $i; done && git config uploadpack.allowFilter true && git config uploadpack.allowAnySHA1InWant true
cd "$T" && git clone -q --filter=blob:none "file://$T/full" part && cd part
old=$(git rev-parse HEAD~2:src/a.c 2>/dev/null || git -C ../full rev-parse HEAD~2:src/a.c)
n=$(find .git/objects -type f | wc -l)
run "$gt" blob "$old"; like "$err" "^3: blob ${old:0:10} is not in this partial clone; 'git cat-file -t $old' downloads it" "a blob that was left out"
is "$("$gt" log "" | wc -l)|$("$gt" log src/a.c | wc -l)" "4|4" "history and paths do not need it"
is "$("$gt" changes HEAD~2 HEAD -M | wc -l)" 1 "nor do changes"
like "$("$gt" show HEAD~1)" "Contents are not in this partial clone" "a patch says so"
"$gt" resolve HEAD~3 >/dev/null; "$gt" resolve "HEAD@{1 day ago}" >/dev/null 2>&1
is "$(find .git/objects -type f | wc -l)" "$n" "nothing was downloaded"
is "$("$gt" find | sed -n 's/^partial=//p')" 1 "it knows what it is"
# alternates
cd "$T" && git clone -q --shared full shared && cd shared && is "$("$gt" log "" | wc -l)" 4 "objects borrowed from another repository"
done_testing
