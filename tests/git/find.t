#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Finding the repository, HEAD and revisions: compared with git itself.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
T=$(cd "$T" && pwd -P)
field() { "$gt" find 2>/dev/null | sed -n "s/^$1=//p"; }
# same NAME: top, git directory, common one and prefix are what git says
same() {
	local want got
	want="$(git rev-parse --show-toplevel 2>/dev/null)|$(cd "$(git rev-parse --absolute-git-dir)" && pwd -P)|$(
		realpath "$(git rev-parse --git-common-dir)")|$(git rev-parse --show-prefix 2>/dev/null)"
	got="$(field top)|$(field gitdir)|$(field common)|$(field prefix)"
	is "$got" "$want" "$1"
}
same_head() { is "$("$gt" head)" "$(git rev-parse -q --verify HEAD || echo unborn) $(git symbolic-ref -q --short HEAD)" "$1"; }

# nowhere
mkdir "$T/plain" && cd "$T/plain"
run env GIT_CEILING_DIRECTORIES="$T" "$gt" find
is "$st" 1 "no repository is an error"
like "$err" "^3: '$T/plain' is not in a git repository; .*git init" "which says how to make one"

# plain, below, odd names
cd "$T" && repo r
same "at the top"
cd src && same "in a folder"
is "$(field prefix)" "src/" "its prefix ends in a slash"
cd .. && same_head "HEAD on a branch"
odd=$'-x "q\' \t\xff'
mkdir -p "$T/r/$odd" && cd "$T/r/$odd" && same "in a folder with an odd name"
cd "$T" && ln -s r/src link && cd link && same "through a symbolic link"
cd "$T/r"
git checkout -q --detach && same_head "HEAD detached"
git checkout -q main && git branch feature/deep && git symbolic-ref HEAD refs/heads/feature/deep && same_head "a branch with a slash"
git pack-refs --all && same_head "packed refs"
for i in $(seq 300); do echo "create refs/heads/b$i HEAD"; done | git update-ref --stdin && git pack-refs --all
for b in b1 b150 b300 b99 main feature/deep; do
	git symbolic-ref HEAD refs/heads/$b; [ "$("$gt" head)" = "$(git rev-parse HEAD) $b" ] || break
done
is "$b" feature/deep "every one of 300 packed refs is found by halving"
git symbolic-ref HEAD refs/heads/b3000 && same_head "one that is not there is unborn"
git symbolic-ref HEAD refs/heads/main
git tag -am annotated v1 && git pack-refs --all && same_head "with peeled tags in packed-refs"
sed -i '/^#/d' .git/packed-refs && same_head "packed-refs without its header line"
git pack-refs --all
# empty
cd "$T" && git init -q empty && cd empty && same "an empty repository" && same_head "its HEAD is unborn"
run "$gt" resolve HEAD
is "$err" "3: there is no commit here yet" "resolving HEAD there"
# worktrees
cd "$T/r" && git worktree add -q ../wt -b side && cd ../wt && same "in a linked worktree" && same_head "its own HEAD"
mkdir sub && cd sub && same "below one"
git bisect start -q 2>/dev/null; cd .. ; is "$(field bare)" 0 "a worktree is not bare"
# submodule
cd "$T" && git init -q super && cd super && git submodule --quiet add "$T/r" mod >/dev/null 2>&1 && git commit -qm sub
same "a superproject"; cd mod && same "in a submodule"; cd src && same "below one"
# bare
cd "$T" && git clone -q --bare r bare.git && cd bare.git
is "$(field bare)|$(field top)|$(field gitdir)" "1||$T/bare.git" "a bare repository"
is "$(field name)" "bare" "is named after its folder, without .git"
cd refs && is "$(field gitdir)" "$T/bare.git" "and below its top"
git config --global safe.bareRepository explicit
run "$gt" find
like "$err" "safe.bareRepository" "refused where the user says so"
is "$(GIT_DIR=$T/bare.git "$gt" find | sed -n 's/^bare=//p')" 1 "unless it is named"
git config --global --unset safe.bareRepository
# the environment
cd "$T/plain"
GIT_DIR=$T/r/.git; export GIT_DIR
is "$(field gitdir)|$(field top)" "$T/r/.git|$T/plain" "GIT_DIR alone: the work tree is here"
is "$(GIT_WORK_TREE=$T/r "$gt" find | sed -n 's/^top=//p')" "$T/r" "GIT_WORK_TREE"
unset GIT_DIR
cd "$T/r/src"; is "$(GIT_DIR=../.git GIT_WORK_TREE=.. "$gt" find | sed -n 's/^prefix=//p')" "src/" "both relative"
run env GIT_DIR=/nowhere "$gt" find
like "$err" "^3: '/nowhere' is not a git repository" "GIT_DIR that names nothing"
is "$(cd "$T/r/.git" && GIT_DIR=. "$gt" find | sed -n 's/^top=//p')" "" "a hook in the git directory has no work tree"
mkdir -p "$T/r/a/b"; cd "$T/r/a/b"
run env GIT_CEILING_DIRECTORIES="$T/r/a" "$gt" find
is "$st" 1 "a ceiling below the repository hides it"
run env GIT_CEILING_DIRECTORIES="$T" "$gt" find
is "$st" 0 "one above does not"
run env GIT_CEILING_DIRECTORIES="$T/r/a/b" "$gt" find
is "$st" 0 "nor does the folder itself, as for git"
# core.worktree
cd "$T" && git init -q --separate-git-dir "$T/elsewhere.git" sep && cd sep && same "a separate git directory"
git --git-dir="$T/elsewhere.git" config core.worktree "$T/plain"
is "$(field top)" "$T/plain" "core.worktree"
# gitfile faults
mkdir "$T/f1" "$T/f2" && echo "gitdir: /nowhere/x" >"$T/f1/.git" && echo nonsense >"$T/f2/.git"
cd "$T/f1" && run "$gt" find && like "$err" "names '/nowhere/x', which is not a git repository" "a .git file that leads nowhere"
cd "$T/f2" && run "$gt" find && like "$err" "does not say where its repository is" "a .git file without its line"
# formats
cd "$T" && git init -q --object-format=sha256 s256 2>/dev/null && cd s256 && run "$gt" find &&
	like "$err" "names its objects by sha256; this killick reads SHA-1" "a SHA-256 repository"
cd "$T" && repo ext && git config core.repositoryformatversion 1 && git config extensions.refStorage reftable
run "$gt" find; like "$err" "keeps its refs as reftable" "a reftable repository"
git config --file .git/config --unset extensions.refStorage; git config --file .git/config extensions.future yes
run "$gt" find; like "$err" "uses the extension 'future'" "an unknown extension"
git config --file .git/config --unset extensions.future
git config --file .git/config core.repositoryformatversion 7
run "$gt" find; like "$err" "repository format version 7" "an unknown version"
git config --file .git/config core.repositoryformatversion 1
for x in worktreeConfig=true preciousObjects=true partialClone=origin noop=1; do
	git config --file .git/config "extensions.${x%=*}" "${x#*=}"
done
run "$gt" log ""
is "$out" "$(git rev-list HEAD)" "the extensions that only concern git are read past, by libgit2 too"
printf '[core\n' >>.git/config
run "$gt" find; like "$err" "^10: bad configuration line [0-9]+ in '$T/ext/.git/config'" "a broken configuration is said"
# somebody else's
if [ "$(id -u)" = 0 ]; then
	cd "$T" && repo theirs && chown -R 12345 "$T/theirs"
	run "$gt" find
	like "$err" "belongs to somebody else \(user id 12345\).*git config --global --add safe.directory '$T/theirs'" "a foreign repository is refused"
	is "$(SUDO_UID=12345 "$gt" find | sed -n 's/^top=//p')" "$T/theirs" "not to root through sudo by its owner"
	git config --global safe.directory "$T/other"; run "$gt" find; is "$st" 1 "another's safe.directory does not help"
	for v in "$T/theirs" '*' "$T/*"; do
		git config --global --replace-all safe.directory "$v"; run "$gt" log ""; is "$st" 0 "safe.directory = $v lets it in, objects too"
	done
	git config --global --add safe.directory ""; run "$gt" find; is "$st" 1 "an empty one forgets"
	git config --global --unset-all safe.directory
	git config --file "$T/theirs/.git/config" safe.directory '*'; run "$gt" find; is "$st" 1 "its own configuration cannot allow itself"
	is "$(GIT_DIR=$T/theirs/.git "$gt" find | sed -n 's/^gitdir=//p')" "$T/theirs/.git" "GIT_DIR is the user's word, as for git"
fi
done_testing
