#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pre-push, post-merge, post-checkout and a server's post-receive.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
git init -q --bare b.git
repo r
git remote add origin ../b.git
killick init >/dev/null; killick hook install >/dev/null
git push -q origin main 2>/dev/null
sed -i 3s/.*/three/ src/a.c
git commit -qam 'three

Question(src/a.c:3): why three?' 2>/dev/null
run git push -q origin main
is "$st" 0 "a push with an open question goes through"
like "$err" 'why three\?' "and lists it"
git config killick.prePush block
sed -i 4s/.*/four/ src/a.c; git commit -qam 'four

Question(src/a.c:4): why four?' 2>/dev/null
run git push -q origin main
is "$st" 1 "prePush=block refuses"
like "$err" 'no-verify' "and says how to go on"
git config killick.prePush off
run git push -q origin main
is "$st:$err" "0:" "prePush=off says nothing"
is "$(git -C ../b.git for-each-ref refs/killick | wc -l | tr -d ' ')" 0 "threads do not leave unasked"
git config killick.push true
sed -i 5s/.*/five/ src/a.c; git commit -qam five
run git push -q origin main
is "$st" 0 "with killick.push"
is "$(git -C ../b.git for-each-ref refs/killick | wc -l | tr -d ' ')" 1 "they go along"
mkdir -p ../b.git/hooks; printf '#!/bin/sh\ncase $1 in refs/killick/*) exit 1;; esac\n' >../b.git/hooks/update; chmod +x ../b.git/hooks/update
killick note . -m x >/dev/null
sed -i 6s/.*/six/ src/a.c; git commit -qam six
run git push -q origin main
is "$st" 0 "a host that refuses them does not stop the push"
like "$err" 'your push goes on' "and it is said"
is "$(git -C ../b.git rev-parse main)" "$(git rev-parse HEAD)" "the code has arrived"
rm ../b.git/hooks/update
git push -q origin main 2>/dev/null; killick sync >/dev/null 2>&1

# A colleague merges.
cd "$T" && git clone -q b.git bo && cd bo
git config user.name Bo; git config user.email bo@example.org
killick init >/dev/null 2>&1; killick sync >/dev/null 2>&1; killick hook install >/dev/null
is "$(json "$(killick threads 'kind:question' --json)" 'len(d["threads"])')" 2 "the colleague has the questions"
git reset -q --hard HEAD~3
run git pull -q
like "$err" 'open threads? (is|are) on what changed' "post-merge tells what waits"
git branch -q old HEAD~3
run git checkout -q old
like "$err" 'on what changed' "post-checkout too"
run git checkout -q -- src/a.c
is "$err" "" "checking out a file says nothing"

# A server whose hook opens what commits say, for members without hooks.
cd "$T" && git init -q --bare s.git && cd s.git && killick init >/dev/null 2>&1
run killick hook install
is "$st" 0 "install in a bare repository"
[ -x hooks/post-receive ] && [ ! -e hooks/post-commit ]; ok $? "puts the server's hook there alone"
cd "$T/bo" && killick hook remove >/dev/null && git checkout -q main && git remote add s ../s.git
sed -i 7s/.*/seven/ src/a.c; git commit -qam 'seven

Question(src/a.c:7): why seven?'
run git push -q s main
is "$st" 0 "push to the server"
like "$(killick -C "$T/s.git" threads)" 'why seven' "opens the thread there"
is "$(json "$(killick -C "$T/s.git" threads 'seven' --json)" 'd["threads"][0]["posts"][0]["author"]["email"] if d["threads"][0].get("posts") else "bo@example.org"')" bo@example.org "in its author's name"
run killick sync s
is "$st" 0 "sync with the server"
like "$(killick threads)" 'why seven' "brings it home"
n=$(json "$(killick -C "$T/s.git" threads --json)" 'len(d["threads"])')
git commit -q --amend --no-edit; git push -qf s main 2>/dev/null
is "$(json "$(killick -C "$T/s.git" threads --json)" 'len(d["threads"])')" "$n" "an amended commit is not opened again"
done_testing
