#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# killick-format(5) is enough to write a reader: tests/format/reader.py, made from the page alone, gives the same threads as
# killick does, over random histories of several writers and over every kind of line that must be kept out.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1
[ -x "$KILLICK_TEST_BIN" ] || skip_all "killick is not built"
compare() { # compare NAME: both programs over the store of the working folder
	killick export 2>"$T/err" >"$T/export" && /usr/bin/python3 "$KILLICK_TEST_SRC/tests/format/reader.py" "$(store)" >"$T/read" 2>>"$T/err"
	ok $? "$1: both read it"
	/usr/bin/python3 - "$T/export" "$T/read" >"$T/diff" <<'P'
import json, sys
mine = {}
for line in open(sys.argv[1]):
    t = json.loads(line).get('thread')
    if t:
        mine[t['id'][1:]] = t
read = {t['id']: t for t in map(json.loads, open(sys.argv[2]))}
lf = lambda s: s.replace('\r\n', '\n').replace('\r', '\n') if s is not None else None
bad = []
if sorted(mine) != sorted(read):
    bad.append('threads: %s' % (set(mine) ^ set(read)))
for i in sorted(set(mine) & set(read)):
    a, b = mine[i], read[i]
    for k in ('state', 'kind', 'created', 'updated', 'labels', 'links'):
        if a[k] != b[k]:
            bad.append('%s %s: %r, %r' % (i[:8], k, a[k], b[k]))
    if b['title'] and a['title'] != b['title']:
        bad.append('%s title: %r, %r' % (i[:8], a['title'], b['title']))
    pa = [(p['id'][1:], p['author']['name'], p['author']['email'], p['time'], p['body'], p['edited'], p['accepted']) for p in a['posts']]
    pb = [(p['id'], p['author']['name'], p['author']['email'], p['time'], lf(p['body']), p['edited'], p['id'] == b['accepted']) for p in b['posts']]
    if pa != pb:
        bad.append('%s posts: %r, %r' % (i[:8], pa, pb))
print(len(mine), 'threads,', sum(len(t['posts']) for t in mine.values()), 'posts', '; '.join(bad[:3]))
P
	like "$(cat "$T/diff")" '^[0-9]+ threads, [0-9]+ posts $' "$1: and find the same: $(cut -c1-40 "$T/diff")"
}

git init -q --bare "$T/o.git"
for c in a b c; do repo "$T/$c"; git remote add origin "$T/o.git"; lt init >/dev/null; done
for round in 1 2 3 4; do
	for c in a b c; do
		cd "$T/$c"; LOG_NAME=$c LOG_EMAIL=$c@example.org lt random "$((round * 100))${#c}7" 12 >/dev/null
		[ $round = 2 ] && [ $c = b ] || { lt fetch >/dev/null; lt push >/dev/null; }
	done
done
cd "$T/a"; lt fetch >/dev/null; compare "three writers"

# --- what must be kept out, and what must not take anything with it ---
g=$(op $W1 0 "" 3); h() { sha "$1"; }
x1=$(op $W1 1 "$(h "$g")" 2); x2=$(op $W1 2 "$(h "$x1")" 9 99999999999999999999999999999999); x3='{"v":1,"v":1}'; x4=$(op $W1 9 "$(h "$x3")" 20)
x5=$(op $W1 5 "$(h "$x3")" 21); x6=$(op $W2 6 "$(h "$x5")" 22); x7=$(op $W1 7 "$(h "$x6")" 23 "" nothingknown); x8=$(op $W1 8 "$(h "$x7")" 24 "" open 2)
raw $W1 "$g" "$x1" "$x2" "" "$x3" "$x4" "$x5" "$x6" "$x7" "$x8" "$(op $W1 9 "$(h "$x8")" 25)"
far=$(op $W2 0 "" 1500000); raw $W2 "$far"
is "$(lt read | grep -c '^out')" 7 "seven lines are kept out"
compare "bad lines and a clock that jumps"
W3=33333333333333333333333333333333; raw $W3 "$(op $W3 0 "" 900000)"; compare "the clock's gap is closed"
lt join 99999999999999999999999999999999; compare "another repository's ops, joined"

# --- the commands' own threads ---
cd "$T/b"; q=$(json "$(killick ask src/a.c:3-4 -m 'Why three?' --json)" 'd["thread"]["id"]')
killick reply "$q" -m $'two\r\nlines' >/dev/null; killick accept "$q" >/dev/null; killick note . -m 'x' >/dev/null; killick decide docs/guide.md#install -m 'so' >/dev/null
killick resolve "$q" -m done >/dev/null; killick reopen "$q" >/dev/null; compare "threads of the commands"
done_testing
