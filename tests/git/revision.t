#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Revisions to commits, commits to people and words.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
cd "$T" && repo r && for i in 1 2 3; do git commit -q --allow-empty -m "commit $i"; done
git tag light && git tag -am msg heavy && git branch topic/one && git checkout -q -b other HEAD~1 && git commit -q --allow-empty -m 'on other' && git merge -q --no-ff -m merge main && git checkout -q main
git remote add origin "$T/r" && git fetch -q && git branch -q -u origin/main
git update-ref refs/custom/x HEAD~2 && git branch 'odd@name' HEAD~1
for rev in HEAD @ @~1 @^ HEAD~2 main main~3 light heavy heavy^{} 'heavy^{commit}' topic/one origin/main refs/heads/main heads/main \
	refs/custom/x other^2 other^1~1 '@{u}' 'main@{u}' '@{-1}' ':/commit 2' 'HEAD^{/commit 1}' 'main@{0}' 'HEAD@{1}' 'main@{2026-01-03}' odd@name \
	"$(git rev-parse --short HEAD)" "$(git rev-parse --short=12 HEAD~2)" "$(git rev-parse HEAD)" "$(git rev-parse heavy)" \
	"$(git rev-parse HEAD | tr a-f A-F)" "$(git describe --long HEAD)"; do
	case $rev in :/*) want=$(git rev-parse "$rev");; *) want=$(git rev-parse "$rev^{commit}");; esac
	is "$("$gt" resolve "$rev" 2>&1)" "$want" "$rev"
done
run "$gt" resolve mian; like "$err" "^3: no branch, tag or commit 'mian' here; did you mean 'main'\?" "a branch that is nearly right"
run "$gt" resolve topic/oen~1; like "$err" "did you mean 'topic/one'" "with a suffix"
run "$gt" resolve zzzzzz; like "$err" "^3: no branch, tag or commit 'zzzzzz' here$" "nothing like it"
run "$gt" resolve HEAD~99; like "$err" "'HEAD~99': 'HEAD' does not go that far" "too far back"
run "$gt" resolve 3f2a9c1d; like "$err" "commit '3f2a9c1d' is not in this repository; 'git fetch' may bring it" "an unknown id"
run "$gt" resolve HEAD:src/a.c; like "$err" "names a blob, not a commit" "a file"
run "$gt" resolve 'HEAD^{tree}'; like "$err" "names a tree, not a commit" "a tree"
for bad in '' -x --all '-' ; do run "$gt" resolve "$bad"; like "$err" "is not a revision" "'$bad'"; done
for bad in 'a b' '..' '@{' $'x\ny' '~' '^' ':' 'HEAD@{nonsense}' '$(touch x)' '/' 'refs/' '.git' '../x'; do
	run "$gt" resolve "$bad"; is "$st" 1 "$(printf %q "$bad") is an error"
done
# ambiguous: two commits whose ids begin alike are made by trying
cd "$T" && git init -q amb && cd amb && tree=$(git mktree </dev/null)
python3 - "$tree" <<'PY'
import hashlib, subprocess, sys
seen = {}
for i in range(100000):
    body = ("tree %s\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\n\n%d\n" % (sys.argv[1], i)).encode()
    h = hashlib.sha1(b"commit %d\0" % len(body) + body).hexdigest()
    if h[:4] in seen:
        for b in (seen[h[:4]], body): subprocess.run(["git", "hash-object", "-w", "-t", "commit", "--stdin"], input=b, stdout=open("ids", "a"))
        break
    seen[h[:4]] = body
j = 0
while True:   # a blob beside a commit: the commit is meant
    blob = b"%d" % j
    if hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()[:4] in seen: break
    j += 1
h = hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()
if h[:4] != open("ids").read()[:4]:
    subprocess.run(["git", "hash-object", "-w", "--stdin"], input=blob, stdout=subprocess.DEVNULL)
    subprocess.run(["git", "hash-object", "-w", "-t", "commit", "--stdin"], input=seen[h[:4]], stdout=open("mixed", "w"))
PY
a=$(sed -n 1p ids) b=$(sed -n 2p ids)
run "$gt" resolve "${a:0:4}"
like "$err" "^4: '${a:0:4}' fits several commits: (${a:0:12}, ${b:0:12}|${b:0:12}, ${a:0:12}); give more digits" "an abbreviation of two commits"
[ ! -e mixed ] || is "$("$gt" resolve "$(head -c 4 mixed)")" "$(cat mixed)" "of a commit and a blob: the commit"
# commits
cd "$T/r"
info() { git log -1 --format='%H%n%an <%ae> %at%n%cn <%ce> %ct%n%P%n%s%n%b' "$1" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
check() { # check NAME MESSAGE
	c=$(printf "$2" | git commit-tree -p HEAD 'HEAD^{tree}'); local want; want=$(info "$c")
	[ "$(wc -l <<<"$want")" -gt 5 ] || want="$want
-"
	is "$("$gt" commit "$c")" "$want" "$1"
}
check "a subject" 'subject'
check "a body" 'subject\n\nbody\n\nmore\n'
check "a subject of two lines" 'sub\nject\n\nbody\n'
check "blank lines around" '\n\nsubject\n\n\n\nbody\n\n\n'
c=$(git commit-tree -p HEAD 'HEAD^{tree}' </dev/null); is "$("$gt" commit "$c" | tail -2)" "
-" "no words"
check "an indented body" 'subject\n\n   code\n   more\n'
c=$(printf 'tree %s\nauthor  <> 0 +0000\ncommitter Bo 5 +0000\n\nx\n' "$(git rev-parse 'HEAD^{tree}')" | git hash-object -w -t commit --literally --stdin)
is "$("$gt" commit "$c")" "$c
- <-> 0
Bo 5 +0000 <-> 0

x
-" "odd people"
c=$(printf 'tree %s\nauthor \xc4nne <a@x> 1 +0000\ncommitter A <a@x> 99999999999999999999 +0000\nencoding ISO-8859-1\n\ngr\xfc\xdfe\n' "$(git rev-parse 'HEAD^{tree}')" | git hash-object -w -t commit --literally --stdin)
like "$("$gt" commit "$c")" "Änne <a@x> 1" "Latin-1 by its header"
like "$("$gt" commit "$c")" "^grüße$" "its message"
c=$(printf 'bad \xff bytes\xc3' | git commit-tree 'HEAD^{tree}')
like "$("$gt" commit "$c")" "^bad . bytes.$" "invalid UTF-8 becomes U+FFFD"
c=$(printf 'tree %s\nnonsense\n' "$(git rev-parse 'HEAD^{tree}')" | git hash-object -w -t commit --literally --stdin)
run "$gt" commit "$c"; is "$st" 0 "a commit without people does not crash"
c=$(printf 'garbage' | git hash-object -w -t commit --literally --stdin)
run "$gt" commit "$c"; like "$err" "^10: " "garbage is bad data"
c=$(printf 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent short\n\nx' | git hash-object -w -t commit --literally --stdin)
run "$gt" commit "$c"; like "$err" "^10: " "a cut parent too"
done_testing
