#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill -9 at every system call that matters, while a store is made, written, fetched into and pushed from (trust.md 1.2).
# After each: whatever was acknowledged is there, every chain is whole, and the next run works.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1
command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null || skip_all "strace does not work here"
export ASAN_OPTIONS=detect_leaks=0 # it cannot run below strace
CALLS="write fsync fdatasync rename renameat link unlink unlinkat mkdir flock utimensat wait4"

# at [-f] CALL N COMMAND…: runs it and kills it at its N-th such call; 137 when that happened (with -f: perhaps a child)
at() {
	local f=; [ "$1" = -f ] && { f=-f; shift; }
	local call=$1 n=$2; shift 2
	(strace $f -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" "$LOGTOOL" "$@"; exit $?) 2>"$T/err"
}
# age: what a dead git left looks as old as it will soon be
age() { find "$(store)" -name '*.lock' -exec touch -d '1 minute ago' {} + 2>/dev/null; }
fault() { bad=$((bad + 1)); diag "$call $n: $1: $(cat "$T/e2")"; }
# every MORE-THAN WHAT [-f] FUNCTION: calls it with f, call and n set until no call is left to kill at; it sets s
every() {
	local least=$1 what=$2 fn; shift 2; f=; [ "$1" = -f ] && { f=-f; shift; }; fn=$1 bad=0 points=0
	for call in $CALLS; do
		n=0
		while [ $((++n)) -lt 300 ]; do
			: >"$T/e2"; $fn; [ "$s" != 0 ] || break
			points=$((points + 1))
		done
	done
	ok $((points <= least)) "$what: more than $least points were found ($points)"
}

make() {
	rm -rf .git/killick; at "$call" "$n" init >/dev/null; s=$?
	lt append 1 >/dev/null 2>"$T/e2" || fault "append"
	[ "$(lt count)" = "1 1" ] || fault "not one op"
}
repo make; every 10 "making a store" make; is $bad 0 "after each the next append works"; intact; ok $? "sound"

append() {
	at "$call" "$n" append 1 >>"$T/acked"; s=$?
	lt append 1 >>"$T/acked" 2>"$T/e2" || fault "append"
}
repo append; lt append 2 >"$T/acked"; w=$(writer); every 10 "an append" append; is $bad 0 "after each the next append works"
is "$(writer)" "$w" "in the same log"
is "$(sort "$T/acked" | comm -23 - <(ids))" "" "nothing that was acknowledged is lost"
is "$(lt read | grep -c '^out')" 0 "the chain is whole"; intact; ok $? "sound"

recall() {
	local id; id=$(lt append 1); at "$call" "$n" recall "$id"; s=$?
	lt append 1 >>"$T/acked" 2>"$T/e2" || fault "append"
}
every 3 "taking back" recall; is $bad 0 "after each the next append works"; is "$(writer)" "$w" "in the same log"
is "$(sort "$T/acked" | comm -23 - <(ids))" "" "nothing else is lost"; intact; ok $? "sound"

fetch() {
	find "$(store)" -name '*.lock' -delete
	sg for-each-ref --format='delete %(refname)' refs/killick/remote refs/killick/log/$W1 refs/killick/log/$W2 | sg update-ref --stdin 2>"$T/e2" || fault "reset"
	at $f "$call" "$n" fetch >/dev/null; s=$?
	age; lt append 1 >>"$T/own" 2>"$T/e2" || fault "append"
	lt fetch >/dev/null 2>"$T/e2" || fault "fetch"
	[ "$(cat "$T/want" "$T/own" | sort)" = "$(ids)" ] || fault "not the same ops"
}
repo "$T/f"; git init -q --bare "$T/o.git"; git remote add origin "$T/o.git"; lt init >/dev/null; raw $W1 "$(op $W1 0 "" 1)"
raw $W2 "$(op $W2 0 "" 1)"; lt push >/dev/null; ids >"$T/want"
repo "$T/g"; git remote add origin "$T/o.git"; lt append 1 >"$T/own"
every 10 "a fetch" fetch; is $bad 0 "after each the next one brings everything, and appending works"
CALLS="write fsync rename unlink"; every 10 "a fetch's children" -f fetch; is $bad 0 "after each too"; intact; ok $? "sound"

push() {
	local o; o=$T/p$((++remotes)).git; git init -q --bare "$o"; git remote set-url origin "$o"; lt append 1 >/dev/null
	at $f "$call" "$n" push >/dev/null; s=$?
	age; lt push >/dev/null 2>"$T/e2" || fault "push"
	[ "$(git --git-dir="$o" for-each-ref --format='%(objectname)')" = "$(sg rev-parse "refs/killick/log/$(writer)")" ] || fault "not all of it"
	[ "$(lt unpushed)" = 0 ] || fault "unpushed"
}
repo "$T/p"; git remote add origin x; remotes=0; CALLS="write fsync rename link"
every 10 "a push" -f push; is $bad 0 "after each the next one brings everything"

rescue() {
	local w old; w=$(writer); lt append 1 >/dev/null; lt push >/dev/null 2>"$T/e2" || fault "push"
	old=$(sg rev-parse "refs/killick/log/$w~1"); sg update-ref "refs/killick/log/$w" "$old"
	sg for-each-ref --format='delete %(refname)' refs/killick/remote refs/killick/pushed | sg update-ref --stdin
	lt append 2 "lost $call $n" >/dev/null; at "$call" "$n" fetch >/dev/null; s=$?
	age; lt fetch >/dev/null 2>"$T/e2" || fault "fetch"
	[ "$(sg log --format=%B --glob=refs/killick/log | grep -c "\"lost $call $n\"")" = 2 ] || fault "the two words are not there once each"
	[ "$(writer)" != "$w" ] || fault "the same writer"
	lt append 1 >/dev/null 2>"$T/e2" || fault "append"
}
git init -q --bare "$T/r.git"; repo "$T/r"; git remote add origin "$T/r.git"; lt append 2 >/dev/null
CALLS="write fsync rename link mkdir flock"; every 10 "a restored device that finds out" rescue; is $bad 0 "every word is there once, under a new id"
is "$(lt read | grep -c '^out')" 0 "the chains are whole"
done_testing
