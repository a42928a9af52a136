#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The store: how it is made, where it lies, who this device is in it.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1

# --- making ---
repo a
run lt info
is "$st" 1 "no store: reading fails"
like "$err" 'not-found: .*killick init' "and says what to do"
umask 022
run lt init
is "$st" 0 "init makes one"
is "$(find .git/killick -perm /077 | wc -l)" 0 "for its user alone"
is "$(sg rev-parse --is-bare-repository)" true "a bare repository"
like "$(cat .git/killick/store.git/description)" 'killick' "described"
is "$(git for-each-ref | wc -l)" 1 "the user's refs are as they were"
is "$(repo_id)" "$(printf 'killick repository\n%s' "$(git rev-list --max-parents=0 HEAD)" | sha256sum | cut -c1-32)" "the repository id is that of the root commit"
w=$(writer)
is "$(lt info)" "$(repo_id) $w" "the writer id stays"
git commit -q --allow-empty -m more && rm -rf .git/killick && lt init >"$T/x"
is "$(repo_id)" "$(printf 'killick repository\n%s' "$(git rev-list --max-parents=0 HEAD)" | sha256sum | cut -c1-32)" "more commits do not change the id"

# --- many at once ---
repo "$T/race"
for i in 1 2 3 4 5 6 7 8; do lt init >"$T/race.$i" 2>&1 & done; wait
is "$(sort -u "$T"/race.[1-8] | wc -l)" 1 "eight processes that make a store at once agree"
is "$(ls .git/killick)" "$(printf 'store.git\nstore.lock')" "and leave nothing behind"
mkdir -p .git/killick && rm -rf .git/killick/store.git && mkdir -p .git/killick/store.new/objects && lt init >/dev/null
is "$(sg rev-parse --is-bare-repository)" true "half a store of a process that died is replaced"

# --- kinds of repositories ---
cd "$T/a"; git worktree add -q ../tree 2>/dev/null; (cd ../tree/src && lt append 1 >/dev/null)
is "$(lt count)" "1 1" "a worktree shares its repository's store"
git init -q --bare "$T/bare.git"; cd "$T/bare.git"; run lt append 1
is "$st" 0 "a bare repository"
is "$(lt count)" "1 1" "reads"
git init -q "$T/empty"; cd "$T/empty"; run lt append 1
is "$st" 0 "a repository without commits"
like "$(repo_id)" '^[0-9a-f]{32}$' "has a random id"
git commit -q --allow-empty -m x; id=$(repo_id)
is "$(repo_id)" "$id" "which stays"
cd "$T/a"; for i in 1 2 3; do git commit -q --allow-empty -m $i; done
git clone -q --depth 1 "file://$T/a" "$T/shallow" 2>/dev/null; cd "$T/shallow"; run lt append 1
is "$st" 0 "a shallow clone"
is "$(test "$(repo_id)" != "$(cd ../a && repo_id)"; echo $?)" 0 "cannot know the root: a random id"
git -C "$T/a" config uploadpack.allowFilter true
git clone -q --filter=blob:none "file://$T/a" "$T/partial" 2>/dev/null; cd "$T/partial"; run lt append 1
is "$st" 0 "a partial clone"
is "$(repo_id)" "$(cd ../a && repo_id)" "has the id of the full one"
repo "$T/super"; git submodule -q add "$T/a" sub 2>/dev/null; cd sub; run lt append 1
is "$st" 0 "a submodule"
is "$(test -d "$T/super/.git/modules/sub/killick/store.git"; echo $?)" 0 "keeps its store in its own git folder"
git -c extensions.preciousObjects=true init -q "$T/ext"; cd "$T/ext"
git config core.repositoryFormatVersion 1; git config extensions.preciousObjects true; git config extensions.worktreeConfig true
run lt append 1
is "$st" 0 "extensions that git alone minds"
repo "$T/odd
dir ' \""; run lt append 2; is "$st" 0 "an odd folder name"; is "$(lt count)" "2 2" "reads"

# --- who we are ---
cd "$T/a"; rm -rf .git/killick; lt append 3 >/dev/null; w=$(writer)
cp -a "$T/a" "$T/copy"; cd "$T/copy"
like "$(lt info)" '^new .*copied' "a copied store is noticed, once"
unlike "$(lt info)" '^new' "and then known"
is "$(test "$(writer)" != "$w"; echo $?)" 0 "it has a new writer id"
lt append 2 >/dev/null
is "$(lt read | awk '{print $3}' | sort | uniq -c | awk '{print $1}' | sort | tr '\n' ' ')" "2 3 " "its log goes on beside the old one"
cd "$T/a"; is "$(writer)" "$w" "the original keeps its id"
mkdir "$T/keep"; cp -a .git/killick "$T/keep/"; lt append 1 >/dev/null; rm -rf .git/killick; cp -a "$T/keep/killick" .git/
is "$(test "$(writer)" != "$w"; echo $?)" 0 "a restored backup has a new writer id"
cd "$T"; mv copy moved; cd moved; w2=$(writer); mv "$T/moved" "$T/copy"; cd "$T/copy"
is "$(writer)" "$(lt info | sed -n '1s/.* //p')" "a folder that is moved and moved back"
is "$(grep -c 'writer = ' .git/killick/store.git/config)" 3 "finds the id of the place it is in again"

# --- damage ---
cd "$T/a"; c=.git/killick/store.git/config
sed -i 's/format = 1/format = 2/' $c; run lt info
is "$st" 1 "a store of a newer killick is left alone"; like "$err" 'bad-data: .*newer' "and says so"
sed -i 's/format = 2/format = 1/' $c; id=$(repo_id); : >$c
is "$(repo_id)" "$id" "an emptied config is written anew"
is "$(sg rev-parse --is-bare-repository)" true "whole"
printf '[gc]\n\tauto = 0\n' >>$c; lt join 0123456789abcdef0123456789abcdef
is "$(git config -f $c gc.auto)" 0 "lines of others are kept"
is "$(git config -f $c killick.joined)" 0123456789abcdef0123456789abcdef "join adds an id"
run lt join nonsense; is "$st" 1 "join takes ids only"

# --- read-only ---
if [ "$(id -u)" = 0 ] && mkdir "$T/ro" && mount -t tmpfs -o size=4m none "$T/ro" 2>/dev/null; then
	trap 'umount "$T/ro" 2>/dev/null; rm -rf "$T"' EXIT
	git clone -q "$T/a" "$T/ro/r"; cd "$T/ro/r"; git init -q "$T/ro/fresh"; lt append 2 >/dev/null; mount -o remount,ro "$T/ro"
	is "$(lt count)" "2 2" "a read-only store is read"
	run lt append 1; is "$st" 1 "appending fails"; like "$err" '^error io: .*Read-only' "with words"
	cd "$T/ro/fresh"; run lt init; like "$err" '^error io: .*Read-only' "no store can be made there"
	cd "$T"; umount "$T/ro"
elif [ "$(id -u)" != 0 ]; then
	repo "$T/ro"; lt append 2 >/dev/null; chmod -R a-w .git/killick
	is "$(lt count)" "2 2" "a read-only store is read"
	run lt append 1; is "$st" 1 "appending fails"; like "$err" '^error io: .*Permission denied' "with words"
	chmod -R u+w .git/killick; repo "$T/ro2"; chmod a-w .git; run lt init; like "$err" '^error io: .*denied' "no store can be made there"
	chmod u+w .git
fi
done_testing
