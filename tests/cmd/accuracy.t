#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/bench/anchors/run over a small generated history: it runs, and killick follows well. The bounds are
# wide (the sources change, and with them the cases), yet out of reach for anything that only compares two ends.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
git init -q code && cd code || exit 1
cp "$KILLICK_TEST_SRC"/src/anchor/*.c "$KILLICK_TEST_SRC"/src/base/*.c . && git add . && git commit -qm code
bench() { /usr/bin/python3 "$KILLICK_TEST_SRC/tests/bench/anchors/run" --killick "$KILLICK_TEST_BIN" "$@"; }
run bench --alone --seed 5 --worlds 12 --keep ../kept .; is "$st" 0 "generates, places and prints"
col() { printf '%s\n' "$out" | awk -F'|' -v row="$1" -v col="$2" '
	$2 ~ /: (right|exact) %/ { for (i = 2; i < NF; i++) { h = $i; gsub(/^ +| +$/, "", h); at[h] = i } kind = $2 ~ /ranges/ ? "ranges" : "lines" }
	$2 ~ /killick +$/ && kind == row { v = $(at[col]); gsub(/ /, "", v); print v; exit }'; }
over() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 >= b) }'; ok $? "$3 ($1, wanted $2 or more)"; }
under() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 <= b) }'; ok $? "$3 ($1, wanted $2 or less)"; }
over "$(col lines all)" 95 "lines right"
under "$(col lines 'false reloc.')" 3 "false relocations"
over "$(col ranges all)" 93 "ranges exact"
like "$out" '^\| 0\.99 to 1\.00 +\|' "how often right by confidence"
unlike "$out" '!! ' "the same from the cache"
run bench --alone ..; is "$st" 1 "what is no clone is said"
git -C ../kept/synth-5.git symbolic-ref HEAD refs/heads/c1
run bench --only 'same,blame --reverse' --sample 5 --trackers ../none ../kept/synth-5.git ../kept; is "$st" 0 "cases from a folder, beside git's commands"
like "$out" '^\| git blame --reverse -M -C ' "which are named"
like "$out" 'no trackers.py in \.\./none' "what is missing is said"
run bench --speed --anchors 50 --back 1 --rounds 1 ../kept/synth-5.git; is "$st" 0 "--speed"
like "$out" 'git blame --reverse' "with its yardsticks"
done_testing
