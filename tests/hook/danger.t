#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Hooks in bad weather: nothing of killick's ever fails or hurts the user's git operation.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo r
killick init >/dev/null; killick hook install >/dev/null
commit() { printf '%s\n' "$RANDOM$RANDOM" >>src/a.c; git commit -qa "$@"; }
store=.git/killick/store.git

run commit -m 'plain'
is "$st:$err" "0:" "a commit without trailers says nothing"
git worktree add -q ../wt -b wt 2>/dev/null
(cd ../wt && printf 'w\n' >>src/a.c && git commit -qam 'in a worktree

Note: from the worktree')
like "$(killick threads)" 'from the worktree' "a linked worktree shares the store"
(cd src && printf 's\n' >>a.c && GIT_INDEX_FILE=.git/index git commit -qam 'sub

Note(src/a.c:1): from a subfolder' 2>/dev/null)
like "$(killick threads)" 'from a subfolder' "a relative GIT_INDEX_FILE and a subfolder"
git fsck --strict >/dev/null 2>&1; ok $? "the user's repository is sound"
is "$(git for-each-ref refs/killick | wc -l | tr -d ' ')" 0 "no ref of ours in it"

run env -i HOME="$HOME" PATH= "$(command -v git)" -c user.name=Ana -c user.email=ana@example.org commit -q --allow-empty -m 'empty path

Note: no path'
is "$st" 0 "an empty PATH"
run env -u HOME GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b git commit -q --allow-empty -m 'no home

Note: no home'
is "$st" 0 "no HOME"
mv $store $store.away
run commit -m 'no store

Note: lost?'
is "$st" 0 "a store that is gone"
mv $store.away $store
printf 'garbage' >"$HOME/.cache/killick/index.db"
run commit -m 'broken index

Note: after the index broke'
is "$st" 0 "a broken index"
run killick threads
like "$out" 'after the index broke' "is built anew"
is "$err" "" "and stays so"
rm -rf "$HOME/.cache/killick"
run commit -m 'no index

Note: index dropped'
is "$st" 0 "an index that was dropped"

if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then as="setpriv --reuid=65534 --regid=65534 --clear-groups"; else as=; fi
chmod -R a-w .git/killick
[ -z "$as" ] || chown -R 65534:65534 "$T"
run $as git commit -q --allow-empty -m 'read-only store

Note: cannot be kept'
is "$st" 0 "a read-only store does not fail the commit"
like "$err" 'killick: post-commit: .*(git goes on)' "and says so in a line"
chmod -R u+w .git/killick
[ -z "$as" ] || chown -R 0:0 "$T"
is "$(printf '%s\n' "$err" | wc -l | tr -d ' ')" 1 "in one"

# A full disk under the store.
if [ "$(id -u)" -eq 0 ] && mkdir -p "$T/full" && mount -t tmpfs -o size=256k tmpfs "$T/full" 2>/dev/null; then
	cp -r $store "$T/full/store.git" && mv $store $store.away && ln -s "$T/full/store.git" $store
	head -c 300000 /dev/zero >"$T/full/fill" 2>/dev/null
	run commit -m 'full disk

Note: no room'
	is "$st" 0 "a full disk does not fail the commit"
	rm "$T/full/fill"; rm $store; mv $store.away $store
	umount "$T/full"
else
	(ulimit -f 0; git commit -q --allow-empty -m 'no file may grow' 2>/dev/null); ok 0 "a full disk (by limit)"
fi
like "$(killick threads)" 'index dropped' "what was said before is all there"

# Hooks in a hook.
printf '#!/bin/sh\n[ -n "$IN" ] || IN=1 git commit -q --allow-empty -m "from a hook"\n' >.git/hooks/post-commit.before-killick
chmod +x .git/hooks/post-commit.before-killick
run timeout 20 git commit -q --allow-empty -m 'outer'
is "$st" 0 "a hook that commits does not go round for ever"
rm .git/hooks/post-commit.before-killick

# Fifty commits through rebase -i.
git checkout -q -b many 2>/dev/null
for i in $(seq 50); do echo "$i" >"f$i"; git add "f$i"; git -c core.hooksPath=/dev/null commit -qm "c$i"; done
run env GIT_SEQUENCE_EDITOR='sed -i s/^pick/reword/' GIT_EDITOR=true timeout 300 git rebase -qi HEAD~50
is "$st" 0 "rebase -i with 50 rewords"
run git commit --amend -q --no-edit --no-verify
is "$st" 0 "--no-verify"
git submodule --quiet add ../r sub >/dev/null 2>&1 && (cd sub && killick init >/dev/null && killick hook install >/dev/null &&
	git commit -q --allow-empty -m 'sub

Note: in the submodule' 2>/dev/null && killick threads | grep -q 'in the submodule')
ok $? "a submodule has its own store and hooks"
done_testing
