#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A store filled by an import meets the remote that has the same logs in other commits: nobody forks, nothing is said
# twice, everybody ends the same. In every order of who sends first.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
story() { # story NAME STEP…: a and b are clones; a wrote three things and sent the first
	local name=$1 d=$T/$1 step; shift
	mkdir "$d" && cd "$d" || return
	git init -q --bare remote.git
	(repo a && git remote add origin "$d/remote.git" && git push -q origin main) 2>/dev/null
	git -C remote.git symbolic-ref HEAD refs/heads/main
	killick -C a ask src/a.c:3 -m one >/dev/null; killick -C a sync >/dev/null 2>&1
	killick -C a note . -m two >/dev/null; killick -C a note . -m three >/dev/null
	killick -C a export >all
	git clone -q remote.git b 2>/dev/null
	run killick -C b import ../all; is "$st" 0 "$name: import"; killick -C b note . -m "of b" >/dev/null
	for step in "$@"; do
		case $step in
		a+) killick -C a note . -m more >/dev/null ;;
		b+) killick -C b note . -m more >/dev/null ;;
		*) run killick -C "$step" sync; is "$st" 0 "$name: $step syncs"; unlike "$err" 'parts' "$name: no fork" ;;
		esac
	done
	killick -C a sync >/dev/null 2>&1; killick -C b sync >/dev/null 2>&1; killick -C a sync >/dev/null 2>&1
	is "$(killick -C a export | sha256sum)" "$(killick -C b export | sha256sum)" "$name: both have the same"
	is "$(json "$(killick -C a threads --json)" 'len(set(t["id"] for t in d["threads"])) == len(d["threads"])')" true "$name: nothing twice"
	is "$(json "$(killick -C a threads --json)" 'len([t for t in d["threads"] if t["title"] != "more"])')" 4 "$name: and all of it"
	is "$(git -C remote.git for-each-ref refs/killick/log | wc -l)" 2 "$name: two writers still"
}
story importer-first b a b
story writer-first a b a
story both-go-on a+ b+ b a+ a b
story importer-only b b
done_testing
