#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What power loss and kill -9 do to refs, and how it is mended.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1
repo a; git init -q --bare "$T/o.git"; git remote add origin "$T/o.git"; lt append 3 >/dev/null; w=$(writer)
raw $W1 "$(op $W1 0 "" 1)"; lt read "$T/heads" >/dev/null; lt push >/dev/null; all=$(ids); r=$(store)/refs/killick

# --- another's log ---
: >"$r/log/$W1"
is "$(lt read | grep -c '^op')" 3 "an empty ref keeps no other log from being read"
run lt fetch; is "$st" 0 "a fetch mends it"
is "$(ids)" "$all" "and brings the log back"
printf 'deadbeef' >"$r/log/$W1"
run lt scrub "$T/heads"; like "$out" "$W1 was damaged: set back" "a torn one is set back to what was read"
is "$(ids)" "$all" "nothing is lost"
sg pack-refs --all; mkdir -p "$r/log"; : >"$r/log/$W1"
run lt scrub; like "$out" "set back" "or to the packed value"
is "$(ids)" "$all" "nothing is lost"
rm -f "$r/log/$W1"; sg pack-refs --all; sed -i "/$W1/d" "$(store)/packed-refs"
run lt scrub "$T/heads"; like "$out" "was gone: set back" "a ref that vanished"
is "$(ids)" "$all" "is set back"
is "$(lt scrub)" "" "nothing is left to mend"

# --- this device's own log ---
mkdir -p "$r/log"; : >"$r/log/$w"
run lt append 1; is "$st" 0 "a damaged own log: appending works"
is "$(test "$(writer)" != "$w"; echo $?)" 0 "under a new writer id, so that nothing forks"
run lt fetch; is "$st" 0 "fetching mends the old one"
is "$(ids | wc -l)" 5 "everything is there"
w=$(writer); : >"$r/log/$w"; run lt scrub; like "$out" "new id" "doctor's way says so too"
repo "$T/b"; git remote add origin "$T/o.git"; lt append 2 >/dev/null; w=$(writer); lt push >/dev/null; sg update-ref -d "refs/killick/log/$w"
lt append 1 >/dev/null; is "$(test "$(writer)" != "$w"; echo $?)" 0 "a vanished own log that had been sent is not begun anew"

# --- locks ---
repo "$T/c"; git remote add origin "$T/o.git"; lt append 1 >/dev/null; lt push >/dev/null; w=$(writer); r=$(store)/refs/killick
touch "$r/log/$w.lock"; run lt append 1; is "$st" 0 "a stale lock on a log is taken away"
h=$(ls "$r/remote"); touch -d '1 minute ago' "$r/remote/$h/$w.lock" "$(store)/packed-refs.lock"
(cd "$T/b" && lt append 1 >/dev/null && lt push >/dev/null); run lt fetch; is "$st" 0 "old locks of a git that died do not stop a fetch"
touch -d '1 minute ago' "$r/remote/$h/$w.lock" "$(store)/packed-refs.lock"; run lt scrub
like "$out" "packed-refs.lock was left" "and are removed"; like "$out" "$w.lock was left" "each"
touch "$(store)/packed-refs.lock"; is "$(lt scrub)" "" "fresh ones may be alive and stay"; rm "$(store)/packed-refs.lock"
: >"$r/remote/$h/$w"; run lt fetch; is "$st" 0 "a damaged note of what the remote has"; is "$(test -s "$r/remote/$h/$w"; echo $?)" 0 "is made again"

h=$(ls "$r/remote"); other=$(cd "$T/b" && lt append 1 >/dev/null && lt push >/dev/null && writer); touch "$r/remote/$h/$other.lock"
run lt fetch; is "$st" 0 "a fresh lock is waited for"; is "$(find "$r" -name '*.lock')" "" "until it is taken for a dead one's"

# --- garbage ---
# git judges by one folder of loose objects, whether there are more than a thousand.
lt append 1000 >/dev/null; while [ "$(ls "$(store)/objects/17" 2>/dev/null | wc -l)" -lt 6 ]; do lt append 100 >/dev/null; done; all=$(ids); lt read "$T/hgc" >/dev/null; before=$(sg count-objects | cut -d' ' -f1)
run lt gc; is "$st" 0 "gc"; is "$(($(sg count-objects | cut -d' ' -f1) < before))" 1 "packs what is loose"
is "$(ids)" "$all" "everything is there"; is "$(lt read "$T/hgc")" "" "nothing is new"; intact; ok $? "sound"
for i in $(seq 70); do raw "$(printf '%032x' "$i")" "$(op "$(printf '%032x' "$i")" 0 "" 1)"; done; all=$(ids); lt gc
is "$(find "$r" -type f | wc -l)" 0 "many loose refs are packed"; is "$(ids)" "$all" "and read"; run lt append 1; is "$st" 0 "and written"

# --- the user's own git ---
mkdir -p "$r/log"
: >"$r/log/$W1"
git log --all --oneline >/dev/null 2>"$T/err" && git gc --quiet 2>>"$T/err"; ok $? "a damaged ref of ours never breaks the user's git"
done_testing
