#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installing and removing hooks: three lines, chaining, core.hooksPath, never a lost or overwritten script.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo r
run killick init
is "$st" 0 "init"
run killick hook install
is "$st" 0 "install"
is "$(find .git/hooks -newer .git/HEAD -name '*-*' ! -name '*.sample' | wc -l | tr -d ' ')" 7 "seven hooks are there"
is "$(wc -l <.git/hooks/post-commit | tr -d ' ')" 3 "a script has three lines"
[ -x .git/hooks/post-commit ]; ok $? "and may be run"
cp .git/hooks/post-commit "$T/first"
run killick hook install
is "$st" 0 "installing again"
cmp -s .git/hooks/post-commit "$T/first"; ok $? "changes nothing"
[ ! -e .git/hooks/post-commit.before-killick ]; ok $? "and keeps no copy of itself"
run killick hook remove
is "$st" 0 "remove"
is "$(ls .git/hooks | grep -cv sample)" 0 "nothing is left"

printf '#!/bin/sh\necho before >>"%s/ran"; cat >/dev/null; exit 7\n' "$T" >.git/hooks/pre-push
printf '#!/bin/sh\necho "msg $1" >>"%s/ran"\n' "$T" >.git/hooks/commit-msg
chmod 755 .git/hooks/pre-push; chmod 700 .git/hooks/commit-msg
cp -p .git/hooks/pre-push "$T/pre-push"; cp -p .git/hooks/commit-msg "$T/commit-msg"
run killick hook install
is "$st" 0 "install over hooks that are there"
git commit -q --allow-empty -m x
is "$(cat "$T/ran")" "msg .git/COMMIT_EDITMSG" "the hook that was there runs, with its arguments"
git init -q --bare ../b.git && git remote add origin ../b.git
run git push -q origin main
is "$st" 1 "its refusal stops the push"
sed -i "s|^k='[^']*'|k='/nonexistent/killick'|" .git/hooks/pre-push
run git push -q origin main
is "$st" 1 "it still runs where killick is gone"
run killick hook status
like "$out" 'pre-push +installed, with the one that was there' "status tells"
run killick hook remove
cmp -s .git/hooks/pre-push "$T/pre-push" && cmp -s .git/hooks/commit-msg "$T/commit-msg"; ok $? "remove puts both back, byte for byte"
is "$(stat -c %a .git/hooks/commit-msg)" 700 "with their modes"

rm .git/hooks/pre-push .git/hooks/commit-msg
killick hook install post-commit >/dev/null
echo '# mine' >>.git/hooks/post-commit
run killick hook install
is "$st" 4 "a script that somebody changed is not overwritten"
like "$err" 'changed since' "and says why"
run killick hook remove
is "$st" 4 "nor removed"
rm -f .git/hooks/*-*

ln -s ../../src/a.c .git/hooks/post-merge
killick hook install post-merge >/dev/null
killick hook remove post-merge >/dev/null
is "$(readlink .git/hooks/post-merge)" ../../src/a.c "a symbolic link comes back as one"
rm .git/hooks/post-merge

mkdir hooks && git config core.hooksPath hooks
run killick hook install post-commit
is "$st" 0 "core.hooksPath inside the repository"
[ -x hooks/post-commit ] && [ ! -e .git/hooks/post-commit ]; ok $? "is where the hook goes"
killick hook remove >/dev/null
mkdir "$T/shared" && git config core.hooksPath "$T/shared"
run killick hook install post-commit
is "$st" 4 "a hooks folder that other repositories use is not touched"
run killick hook install --shared post-commit
is "$st" 0 "unless asked to"
git config --unset core.hooksPath
run killick hook install nonsense
is "$st" 2 "an unknown hook is a usage error"
chmod a-w .git/hooks
if [ "$(id -u)" -ne 0 ]; then
	run killick hook install post-commit
	is "$st" 1 "a read-only hooks folder"
fi
chmod u+w .git/hooks
# A path with blanks and quotes.
mkdir "$T/it's here" && ln "$KILLICK_TEST_BIN" "$T/it's here/killick" 2>/dev/null || cp "$KILLICK_TEST_BIN" "$T/it's here/killick"
run "$T/it's here/killick" hook install post-commit
printf 'x\n' >>src/a.c; git commit -qam 'odd

Note: from an odd path' 2>/dev/null
like "$(killick threads)" 'from an odd path' "a program path with a blank and a quote works"
# Hooks do nothing where killick is not set up: install sets up, too, or a stranger's first question would be dropped without a word.
cd "$T" && repo fresh && run killick hook install
is "$st" 0 "install where nothing is set up"
run git commit -q --allow-empty -m x -m 'Question(src/a.c:2): why?'
like "$err" 'opened: question src/a.c:2' "a commit's question is opened"
done_testing
