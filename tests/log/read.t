#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reading: step by step, and what is kept out: never more than what is wrong, never depending on the order of arrival.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1

# --- step by step ---
repo a; lt append 3 >/dev/null
is "$(lt read "$T/h" | wc -l)" 3 "the first read gives all"
is "$(lt read "$T/h")" "" "the next nothing"
lt append 2 >/dev/null; lt batch 3
is "$(lt read "$T/h" | awk '{print $4}' | tr '\n' ' ')" "3 4 5 6 7 " "then what was added"
is "$(lt read "$T/h")" "" "once"
stop=$(lt read | sed -n '5s/^op \([^ ]*\).*/\1/p'); rm -f "$T/h2"
is "$(lt read "$T/h2" "$stop" | tail -1)" "stopped 7" "a receiver can stop"
is "$(lt read "$T/h2" | head -1 | cut -d' ' -f2)" "$stop" "and goes on where it stopped"
printf '7\nnonsense\n' >"$T/h3"; run lt read "$T/h3"; like "$err" 'heads' "heads that are none are refused"

# --- one bad line takes nothing else with it ---
bad() { # bad NAME WORDS LINE: a log of a good op, the line, and a good op behind it
	local good last
	repo "$T/bad.$((++n_bad))"; lt init >/dev/null
	good=$(op $W1 0 "" 1); last=$(eval "printf '%s' \"\$3\"" | sed "s/PREV/$(sha "$good")/; s/REPO/$(repo_id)/")
	raw $W1 "$good" "$last" "$(op $W1 2 "$(sha "$last")" 9)"
	run lt read
	is "$(printf '%s\n' "$out" | grep -c '^op')" 2 "$1: the others are read"
	like "$(printf '%s\n' "$out" | grep '^out')" "^out $W1 [0-9]+ .*$2" "and it is kept out with a reason"
}
n_bad=0
bad "no JSON" 'not the JSON' 'hello'
bad "no op" 'repo' '{"v":1}'
bad "a wrong number" 'numbered 7' "$(op $W1 7 PREV 2 REPO)"
bad "a wrong predecessor" 'replaced' "$(op $W1 1 "$(sha x)" 2 REPO)"
bad "a clock that stands still" 'clock' "$(op $W1 1 PREV 1 REPO)"
bad "another writer's op" "$W2" "$(op $W2 1 PREV 2 REPO)"
bad "another repository's op" 'init --join 99' "$(op $W1 1 PREV 2 99999999999999999999999999999999)"
bad "a clock past 63 bits" 'JSON|lamport' "$(op $W1 1 PREV 9223372036854775808 REPO)"
bad "a negative clock" 'lamport' "$(op $W1 1 PREV -5 REPO)"
big=$(head -c 4300000 /dev/zero | tr '\0' x)
bad "an op over the limit" 'limit' "$(op $W1 1 PREV 2 REPO | head -c -2),\"y\":\"$big\"}" 2>/dev/null
repo "$T/kept"; lt init >/dev/null; a=$(op $W1 0 "" 1 "" brandnew); b=$(op $W1 1 "$(sha "$a")" 2 "" open 2)
raw $W1 "$a" "" "$b"
is "$(lt read | awk '{print $1 $6}' | tr '\n' ' ')" "opbrandnew opopen " "unknown types and later versions are kept, empty lines skipped"

# --- odd commits ---
repo "$T/odd"; lt init >/dev/null; t=$(sg hash-object -t tree -w /dev/null)
sg update-ref refs/killick/log/$W1 "$(printf 'no blank line\n' | sg commit-tree "$t")"
is "$(lt read)" "" "a commit without ops"
raw $W1 "$(op $W1 0 "" 1)"
is "$(lt count)" "1 1" "and one behind it"
sg update-ref refs/killick/log/$W2 "$(echo x | sg hash-object -w --stdin)"
like "$(lt read)" "^out $W2 0 .*no commit" "a ref to a blob is told"
is "$(lt count)" "1 1" "and takes nothing else with it"
sg update-ref -d refs/killick/log/$W2
raw $W2 "$(op $W2 0 "" 1)"; c=$(sg rev-parse refs/killick/log/$W2)
rm -f "$(store)/objects/${c:0:2}/${c:2}"
like "$(lt read)" "^out $W2 0 .*lacks" "so is a missing commit"
is "$(lt read | grep -c '^op')" 1 "the other log is read"
sg update-ref refs/heads/x "$(sg rev-parse refs/killick/log/$W1)"; mkdir -p "$(store)/refs/killick/log/deep"; cp "$(store)/refs/heads/x" "$(store)/refs/killick/log/deep/$W2"; cp "$(store)/refs/heads/x" "$(store)/refs/killick/log/name"
rm -f "$(store)/refs/killick/log/$W2"
is "$(lt count)" "1 1" "names that no writer has are passed over"

# --- clocks that jump wait, whatever the order ---
repo "$T/jump"; lt init >/dev/null
raw $W1 "$(op $W1 0 "" 2000000)"
like "$(lt read "$T/hj")" "^out $W1 .*jumps" "a clock far ahead of all is kept out"
is "$(lt read "$T/hj")" "" "and told once"
is "$(lt count "$T/hj")" "0 0" "it counts for nothing"
raw $W2 "$(op $W2 0 "" 900000)"; a=$(op $W2 0 "" 900000)
is "$(lt read "$T/hj" | awk '{print $3}')" "$W2" "a log within the limit is read, the other waits"
raw $W2 "$(op $W2 1 "$(sha "$a")" 1500000)"
is "$(lt read "$T/hj" | awk '{print $1, $5}' | tr '\n' ' ')" "op 1500000 op 2000000 " "once the gap is closed both are there"
is "$(lt count)" "3 2000000" "from scratch too, in whatever order"
raw $W1 "$(op $W1 1 "$(sha "$(op $W1 0 "" 2000000)")" 9000000000000000000)"
is "$(lt append 1 >/dev/null; lt count)" "4 2000000" "a clock of 2^63 takes nobody with it"

# --- replaced logs ---
repo "$T/rew"; lt append 3 >/dev/null; w=$(writer); lt read "$T/hr" >/dev/null
sg update-ref "refs/killick/log/$w" "$(sg rev-parse "refs/killick/log/$w~1")"
is "$(lt read "$T/hr" | cut -d' ' -f1 | tr '\n' ' ')" "rewound op op " "a log that lost ops is told and read again"
lt read "$T/hr" >/dev/null; sg update-ref -d "refs/killick/log/$w"; is "$(lt read "$T/hr")" "" "a log that is gone gives nothing"

# --- joining ---
repo "$T/join"; lt init >/dev/null; other=99999999999999999999999999999999
a=$(op $W1 0 "" 1 $other); raw $W1 "$a" "$(op $W1 1 "$(sha "$a")" 2 $other)"
is "$(lt read "$T/hf" | grep -c '^out')" 2 "logs of another repository are kept out"
is "$(lt read "$T/hf")" "" "told once"
s=$(lt stamp); lt join $other; is "$(test "$(lt stamp)" != "$s"; echo $?)" 0 "joining changes the stamp"
is "$(lt read "$T/hf" | grep -c '^op')" 2 "and the next read brings them"
done_testing
