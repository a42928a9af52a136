#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A log that a remote holds in another form: doctor lists what is kept out, names who can end it, and what it advises does.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
forks() { json "$1" '[c for c in d["checks"] if c["name"] == "forks"]'; }
git init -q --bare r.git
repo a; git remote add origin "$T/r.git"; git push -q origin main; killick note . -m first >/dev/null; killick sync >/dev/null 2>&1
cd "$T" && git -C r.git symbolic-ref HEAD refs/heads/main; git clone -q r.git b 2>/dev/null; killick -C b sync >/dev/null 2>&1
run killick -C b doctor; is "$st" 0 "no fork"; like "$out" 'ok +forks' "is said"
# Ana's files are restored in place from before what she sent last; she writes on, and that comes to the remote.
sa() { git --git-dir="$T/a/.git/killick/store.git" "$@"; }
restore() { # restore STORE REF COMMIT: as a backup of that time has it
	git --git-dir="$1" update-ref "$2" "$3"
	git --git-dir="$1" for-each-ref --format='delete %(refname)' refs/killick/remote refs/killick/pushed | git --git-dir="$1" update-ref --stdin
}
w=$(sa for-each-ref --format='%(refname)' refs/killick/log | head -n 1); w=${w##*/}; old=$(sa rev-parse "refs/killick/log/$w")
killick -C a note . -m "sent before the loss" >/dev/null; killick -C a sync >/dev/null 2>&1; killick -C b sync >/dev/null 2>&1
restore "$T/a/.git/killick/store.git" "refs/killick/log/$w" "$old"; killick -C a note . -m "written on the backup" >/dev/null
git --git-dir=a/.git/killick/store.git push -q -f "$T/r.git" "refs/killick/log/$w:refs/killick/log/$w" 2>/dev/null
run killick -C b sync; is "$st" 4 "sync: a conflict"; like "$err" 'parts from' "says so"
like "$err" 'killick doctor' "and where to read more"
before=$(killick -C b export | sha256sum)
run killick -C b doctor; is "$st" 1 "doctor: a problem"
like "$out" "problem +forks +the log of Ana \(writer ${w:0:8}\) on 'origin' parts from the one here after 1 op: 1 there kept out, 1 here not there" "the fork"
like "$out" "kept out: open by Ana, .*: written on the backup" "what is kept out"
like "$out" "mend: have Ana run 'killick sync'.*git push origin --delete refs/killick/log/$w" "what to do"
is "$(json "$(forks "$(killick -C b doctor --json)")" '[c["state"] for c in d]')" '["problem", "note"]' "for programs"
is "$(killick -C b export | sha256sum)" "$before" "looking changes nothing"
cp -a b c; cp -a r.git r2.git
# First way: the device that writes it syncs.
killick -C a sync >/dev/null 2>&1; killick -C b sync >/dev/null 2>&1; killick -C a sync >/dev/null 2>&1; killick -C b sync >/dev/null 2>&1
run killick -C b threads; like "$out" "sent before the loss" "b keeps what it had"
# Second way: the wrong copy is taken away.
cd c && git remote set-url origin "$T/r2.git" && killick sync >/dev/null 2>&1; run killick doctor; is "$st" 1 "the other clone has it too"
eval "$(echo "$out" | sed -n "s/.*wrong one: \(git push [^,]*\), then killick sync/\1/p" | head -n 1)" 2>/dev/null; is $? 0 "the command that doctor names works"
killick sync >/dev/null 2>&1; run killick sync; is "$st" 0 "sync goes"
run killick doctor; is "$st" 0 "and the fork is gone"; like "$(killick threads)" "sent before the loss" "with all its words"
is "$(git --git-dir="$T/r2.git" rev-parse "refs/killick/log/$w")" "$(git --git-dir=.git/killick/store.git rev-parse "refs/killick/log/$w")" "the remote has ours again"
# Many: the first ten are shown to people, all to programs.
cd "$T" && git init -q --bare m.git; repo d; git remote add origin "$T/m.git"; git push -q origin main; git -C "$T/m.git" symbolic-ref HEAD refs/heads/main
killick note . -m zero >/dev/null; killick sync >/dev/null 2>&1; git clone -q "$T/m.git" "$T/e" 2>/dev/null
g=$T/d/.git/killick/store.git; w=$(git --git-dir="$g" for-each-ref --format='%(refname)' refs/killick/log | head -n 1); old=$(git --git-dir="$g" rev-parse "$w")
killick note . -m one >/dev/null; killick sync >/dev/null 2>&1; killick -C "$T/e" sync >/dev/null 2>&1
restore "$g" "$w" "$old"; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do killick note . -m "n$i" >/dev/null; done
git --git-dir=.git/killick/store.git push -q -f "$T/m.git" "$w:$w" 2>/dev/null; killick -C "$T/e" sync >/dev/null 2>&1
run killick -C "$T/e" doctor; is "$(echo "$out" | grep -c 'kept out: ')" 10 "ten of twelve"; like "$out" 'and 2 more' "the others are counted"
is "$(json "$(forks "$(killick -C "$T/e" doctor --json)")" len\(d\))" 13 "programs get all"
# What the device wrote on its backup is written again under a new id; the ids that were told of it go on working.
cd "$T" && git init -q --bare n.git; repo f; git remote add origin "$T/n.git"; git push -q origin main; killick note . -m zero >/dev/null; killick sync >/dev/null 2>&1
g=$T/f/.git/killick/store.git; w=$(git --git-dir="$g" for-each-ref --format='%(refname)' refs/killick/log | head -n 1); old=$(git --git-dir="$g" rev-parse "$w")
killick note . -m "sent, then lost" >/dev/null; killick sync >/dev/null 2>&1; restore "$g" "$w" "$old"
told=$(json "$(killick note . -m "on the backup" --json)" 'd["thread"]["id"]'); post=$(json "$(killick reply "$told" -m "and more" --json)" 'd["thread"]["posts"][1]["id"]')
run killick sync; like "$err" 'under a new id' "the device notices"
now=$(json "$(killick threads '"on the backup"' --json)" 'd["threads"][0]["id"]'); [ -n "$now" ] && [ "$now" != "$told" ]; ok $? "its thread has another id"
is "$(json "$(killick show "$told" --json)" 'd["thread"]["id"]')" "$now" "the one it was told of still finds it"
is "$(json "$(killick show "${post:0:7}" --json)" 'd["thread"]["id"]')" "$now" "and so does its post's"
# A line in a log that breaks its chain.
cd "$T/e"; g=.git/killick/store.git; w=$(killick export | sed -n 's/.*\\"writer\\":\\"\([0-9a-f]*\)\\".*/\1/p' | head -n 1)
old=$(git --git-dir=$g rev-parse "refs/killick/log/$w"); new=$(printf 'x\n\nrubbish \033[31m\n' | git --git-dir=$g commit-tree -p "$old" "$old^{tree}"); git --git-dir=$g update-ref "refs/killick/log/$w" "$new"
run killick doctor; like "$out" 'a line of .* bytes of writer .* is kept out' "a broken line is listed"; like "$out" 'mend: its writer' "with what to do"
unlike "$out" $'\033' "cleaned"
done_testing
