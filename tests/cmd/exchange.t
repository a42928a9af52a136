#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# When the last exchange was outlives the index; whoever comes while another is at it is told who, since when and what to do.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
git init -q --bare hub.git
repo a
git remote add origin "$T/hub.git"
killick note src/a.c:1 -m one >/dev/null
synced() { /usr/bin/python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT synced FROM source WHERE kind=\047native\047").fetchone()[0])' \
	"$HOME/.cache/killick/index.db"; }
killick threads >/dev/null
is "$(synced)" 0 "no exchange yet"
run killick sync
is $st 0 "an exchange"
when=$(synced)
like "$when" '^17673' "is noted with its time"
rm -rf "$HOME/.cache/killick"
killick threads >/dev/null
is "$(synced)" "$when" "an index made anew knows it"
git remote set-url origin "$T/nowhere.git"
run killick sync
[ $st -ne 0 ]; ok $? "one that fails"
rm -rf "$HOME/.cache/killick"
killick threads >/dev/null
is "$(synced)" "$when" "is none"

lock=.git/killick/exchange.lock
exec 9>>"$lock"
flock 9
echo 4711 >"$lock"
touch -d '2026-01-02T03:30:00Z' "$lock"
run killick sync
is $st 75 "while another is at it: try later"
like "$err" 'another killick is exchanging with a remote \(process 4711, for 30 min\): try again when it is done; if it hangs, .kill 4711. ends it and nothing is lost' "who, since when, and what to do"
unlike "$err" 'exchange\.lock' "not the name of a file"
exec 9>&-
git remote set-url origin "$T/hub.git"
run killick sync
is $st 0 "then it goes on"
done_testing
