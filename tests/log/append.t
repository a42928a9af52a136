#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Appending and taking back: races, durability, a full disk, the stamp.
. "${KILLICK_TEST_SRC:-.}/tests/log/log.sh" || exit 1

repo a
run lt append 3 'Why so?'
is "$(printf '%s\n' "$out" | sort)" "$(ids)" "what was appended is read"
is "$(lt read | awk '{print $4 ":" $5}' | tr '\n' ' ')" "0:1 1:2 2:3 " "numbered and clocked in order"
is "$(sg log -1 --format='%an <%ae>|%cn|%s' "refs/killick/log/$(writer)")" "Ana <ana@example.org>|Ana|Why so?" "a commit that people can read"
is "$(sg rev-parse "refs/killick/log/$(writer)^{tree}")" 4b825dc642cb6eb9a060e54bf8d69288fbee4904 "over the empty tree"
lt append 1 x 5000 >/dev/null
is "$(lt count)" "4 5001" "the clock goes past what the caller knows"
lt append 1 x 7 >/dev/null
is "$(lt count)" "5 5002" "and never back"
LOG_NAME='<A
 B> .' LOG_EMAIL='' lt append 1 "$(printf 'one\ntwo \033[31m %0300d' 1)" >/dev/null
is "$(sg log -1 --format='%an|%ae' "refs/killick/log/$(writer)")" "A B|?" "odd names make a sound commit"
intact; ok $? "git fsck finds nothing"
run lt batch 5000 600
is "$st" 0 "a large batch"
is "$(lt count)" "5006 10003" "is there"
is "$(test "$(sg rev-list --count "refs/killick/log/$(writer)")" -lt 14; echo $?)" 0 "in few commits"
run lt batch 2 4200000
is "$st" 1 "an op over the limit is refused"; like "$err" 'bad-data: .*limit' "with words"
is "$(lt count)" "5006 10003" "and nothing of it is there"

# --- four processes at once ---
repo "$T/race"; lt init >/dev/null
for i in 1 2 3 4; do lt append 200 "from $i" >"$T/race.$i" 2>&1 & done; wait
is "$(cat "$T"/race.[1-4] | sort)" "$(ids)" "4 x 200 appends: all are there"
is "$(lt read | awk '{print $4}' | sort -n | uniq | wc -l)" 800 "one chain"
intact; ok $? "intact"

# --- the stamp ---
s0=$(lt stamp); is "$(lt stamp)" "$s0" "the stamp stays while nothing happens"
for i in 1 2 3 4 5; do lt append 1 >/dev/null; lt stamp; done | sort -u >"$T/stamps"
is "$(wc -l <"$T/stamps")" 5 "each append changes it"
s1=$(lt stamp); sg pack-refs --all; is "$(test "$(lt stamp)" != "$s1"; echo $?)" 0 "packing refs does"
s1=$(lt stamp); lt join 0123456789abcdef0123456789abcdef; is "$(test "$(lt stamp)" != "$s1"; echo $?)" 0 "joining does"
is "$(cd "$T"; repo "$T/none"; lt stamp 2>/dev/null)" "" "without a store it is empty"

# --- durable before it returns, objects before the ref ---
if command -v strace >/dev/null; then
	cd "$T/race"
	ASAN_OPTIONS=detect_leaks=0 strace -f -y -o "$T/trace" -e trace=fsync,fdatasync,rename,renameat,renameat2,link "$LOGTOOL" append 1 >/dev/null
	/usr/bin/python3 - "$T/trace" >"$T/order" <<'P'
import re, sys
synced, what = set(), []
for line in open(sys.argv[1]):
    m = re.search(r'fsync\(\d+<([^>]*)>', line)
    if m: synced.add(m.group(1))
    m = re.search(r'rename\w*\((?:[^"]*)"([^"]*)", (?:[^"]*)"([^"]*)"', line) or re.search(r'link\("([^"]*)", "([^"]*)"', line)
    if m:
        src, dst = m.groups()
        kind = 'object' if '/objects/' in dst else 'ref' if '/refs/' in dst else 'other'
        what.append('%s %s' % (kind, 'synced' if any(s.endswith(src.split('/')[-1]) for s in synced) else 'NOT synced'))
print(' '.join(what))
P
	is "$(cat "$T/order")" "object synced ref synced" "the object is synced and in place before the ref, which is synced"
	like "$(tail -3 "$T/trace")" 'fsync\([0-9]+<[^>]*/refs/killick/log>' "the ref's folder is synced last"
fi

# --- a full disk ---
cd "$T/race"; n=$(lt count); before=$(ids)
( ulimit -f 0; lt append 1 2>&1; echo "status $?" ) | cat >"$T/full"
like "$(cat "$T/full")" '^error io:' "a file size limit of 0 is an I/O error"
is "$(lt count)" "$n" "nothing is half there"
run lt append 1; is "$st" 0 "and the next append works"
if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=400k none "$T/small" 2>/dev/null; then
	trap 'umount "$T/small" 2>/dev/null; rm -rf "$T"' EXIT
	git init -q --template= "$T/small/r"; cd "$T/small/r"; acked=0
	while lt append 1 >>"$T/acked" 2>"$T/full"; do acked=$((acked + 1)); [ $acked -lt 500 ] || break; done
	like "$(cat "$T/full")" '^error io: .*space' "a full disk is an I/O error"
	is "$(sort "$T/acked")" "$(ids)" "every op that was acknowledged is there, and no other"
	cd "$T"; umount "$T/small"
fi

# --- taking back ---
repo "$T/recall"; id=$(lt append 1)
run lt recall "$id"; is "$st" 0 "the only op is taken back"
is "$(lt count)" "0 0" "and gone"
lt append 2 >/dev/null; id=$(lt append 1); other=$(lt read | sed -n '1s/^op \([^ ]*\).*/\1/p')
lt read "$T/heads" >/dev/null
run lt recall "$other"; is "$st" 1 "an earlier op is not"; like "$err" '^error conflict' "a conflict"
run lt recall "$id"; is "$st" 0 "the last is"
like "$(lt read "$T/heads" | head -1)" "^rewound $(writer)" "a reader of before is told"
lt append 1 >/dev/null; intact; ok $? "the chain goes on"
lt batch 2; id=$(lt read | tail -1 | cut -d' ' -f2)
run lt recall "$id"; like "$err" '^error conflict: .*together' "one of a batch is not"
git init -q --bare "$T/o.git"; git remote add origin "$T/o.git"; id=$(lt append 1); lt push >/dev/null
run lt recall "$id"; like "$err" '^error conflict: .*retract' "nor what was sent"
id=$(lt append 1); git remote set-url origin /nowhere/at/all; lt push >/dev/null 2>&1
run lt recall "$id"; is "$st" 1 "nor what a push was begun with, though it failed"
id=$(lt append 1); sg pack-refs --all; run lt recall "$id"; is "$st" 0 "a packed ref"
is "$(lt read | tail -1 | awk '{print ($2 != "'"$id"'")}')" 1 "goes back too"
done_testing
