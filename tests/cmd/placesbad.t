#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# place where things are missing, damaged, huge or odd: a clear answer or a clear error, in bounded time and memory.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
ask() { # ask FROM PATH LINE [TO]: state path:line why, of one case
	printf '{"from":"%s","path":"%s","line":%s,"to":%s}\n' "$1" "$2" "$3" "$([ -n "${4-}" ] && echo "\"$4\"" || echo null)" |
		killick place --stdin "${fetch[@]}" 2>"$T/stderr" | /usr/bin/python3 -c 'import json,sys
for l in sys.stdin:
    d=json.loads(l)
    print("error: "+d["error"] if "error" in d else "%s %s:%s %s" % (d["state"],d.get("path"),d.get("line"),d.get("why") or ""))'
}
fetch=()
code() { seq -f "static int function_%g(struct thing *self, int argument);" "$1" "$2"; }
repo a
code 1 40 >src/f.c; git add . && git commit -qm f; first=$(git rev-parse HEAD)
{ code 1 10; echo 'int added;'; code 11 40; } >src/f.c; git commit -qam g; second=$(git rev-parse HEAD)

# What is not there
is "$(ask 0123456789012345678901234567890123456789 src/f.c 3 HEAD)" \
	"unknown src/f.c:3 the commit is not here and no text was kept" "a commit of another repository"
like "$(ask nosuch src/f.c 3 HEAD)" '^error: .*nosuch' "a revision that is none"
like "$(ask "$first" src/f.c 3 nosuch)" '^error: .*nosuch' "a target that is none"
like "$(ask "$first" src/f.c 3 0123456789012345678901234567890123456789)" '^(error|unknown)' "a target of another repository"
is "$(ask "$first" src/nosuch.c 3 HEAD)" "unknown src/nosuch.c:3 the commit has no such file" "no such path in the commit"
is "$(ask "$first" src/f.c 41 HEAD)" "unknown src/f.c:41 the file has fewer lines" "a line beyond the end"
run killick place src/f.c:99; is "$st" 2 "as an anchor: refused"; like "$err" '41 lines' "with the number of lines"
run killick place "src/f.c:3@0123456789012345678901234567890123456789"; is "$st" 3 "a commit that is not here"
like "$(ask "$first" ../f.c 3 HEAD)" '^unknown|^error' "a path that leads out"
like "$(ask "$first" /etc/passwd 1 HEAD)" '^unknown|^error' "an absolute path"
like "$(ask "$first" '' 1 HEAD)" '^error' "an empty path"

# Odd files
printf 'a\0b\nc\n' >bin; ln -s src/f.c link; printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9\n' 7 >movie
mkdir sub && git -C sub init -q && (cd sub && git commit -q --allow-empty -m s); : >empty
git add bin link movie empty sub 2>/dev/null; git commit -qm odd; odd=$(git rev-parse HEAD)
is "$(ask "$odd" bin 1 HEAD)" "unknown bin:1 the file is binary" "a binary file"
is "$(ask "$odd" sub 1 HEAD)" "unknown sub:1 it is a submodule" "a submodule"
is "$(ask "$odd" src 1 HEAD)" "unknown src:1 it is a folder" "a folder"
is "$(ask "$odd" link 1 HEAD)" "exact link:1 " "a symbolic link is its target's name"
is "$(ask "$odd" link 2 HEAD)" "unknown link:2 the file has fewer lines" "and has one line"
is "$(ask "$odd" empty 1 HEAD)" "unknown empty:1 the file has fewer lines" "an empty file"
is "$(ask "$odd" movie 2 HEAD)" "exact movie:2 " "an LFS pointer is text"
run killick place movie:4; is "$st" 2 "of three lines"
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 9\n' 8 >movie; git commit -qam movie
like "$(ask "$odd" movie 1 HEAD)" '^exact movie:1' "and followed as such"
printf 'x\0\1' >movie
is "$(ask "$odd" movie 1)" "unknown movie:1 the file is binary" "in the work tree its content stands, which has no lines"
git checkout -q movie
name=$'new\nline "and quotes" \xc3\xa9'; git mv src/f.c "src/$name" && git commit -qm renamed
like "$(ask "$first" src/f.c 3 HEAD)" '^moved src/new' "a name with a line feed and quotes"

# Damage: a blob is overwritten; nothing may be known from before
export XDG_CACHE_HOME="$T/cache2"
git clone -q --no-hardlinks . ../damaged && cd ../damaged || exit 1
blob=$(git rev-parse "$first:src/f.c"); f=.git/objects/${blob:0:2}/${blob:2}
chmod u+w "$f"; printf 'garbage' >"$f"
like "$(ask "$first" src/f.c 3 HEAD)" '^unknown .*damaged: git fsck' "a damaged file"
is "$(ask "$second" src/f.c 3 "$second")" "exact src/f.c:3 " "others are placed"
tree=$(git rev-parse "$second^{tree}"); f=.git/objects/${tree:0:2}/${tree:2}
chmod u+w "$f"; printf 'garbage' >"$f"
like "$(ask "$second" src/f.c 3 HEAD)" '^unknown .*damaged' "a damaged folder"
cd ../a || exit 1

# Shallow: two tips without what is between
git checkout -q -b gone "$second"; seq -f 'word %.0f of something else' 60 >src/f.c; git commit -qam 'all new'; git checkout -q main
git init -q ../shallow && cd ../shallow || exit 1
git fetch -q --depth=1 ../a "$second:refs/heads/old" gone:refs/heads/new main:refs/heads/tip; git checkout -q tip
is "$(ask old src/f.c 3 new)" "unknown src/f.c:3 the history between is not here (shallow clone)" \
	"what is not in sight is not said gone in a shallow clone"
like "$(ask old src/f.c 3 tip)" '^moved src/new' "what is in sight is placed"
is "$(ask "$first" src/f.c 3 tip)" "unknown src/f.c:3 the commit is not here and no text was kept" "what is not here is said"
cd ../a || exit 1

# Partial clone: nothing is downloaded unasked, and nothing at all offline
git config uploadpack.allowfilter true; git config uploadpack.allowanysha1inwant true
git clone -q --no-checkout --filter=blob:none "file://$PWD" ../partial && cd ../partial || exit 1
held() { git rev-list --objects --all --missing=print | grep -c '^?'; }
before=$(held)
like "$(ask "$first" src/f.c 3 origin/main)" '^(moved|unknown)' "a partial clone answers what it can"
is "$(ask "$first" src/f.c 3 "$second")" \
	"unknown src/f.c:3 the file's content is not here (partial clone): killick place --fetch downloads it" "and says what it lacks"
is "$(held)" "$before" "without a download"
fetch=(--fetch)
is "$(ask "$first" src/f.c 30 "$second")" "exact src/f.c:31 " "--fetch downloads"
[ "$(held)" -lt "$before" ]; ok $? "what is needed"
mv ../a ../a-away
is "$(ask "$first" src/f.c 20 "$second")" "exact src/f.c:21 " "offline, with --fetch, what is here is placed"
like "$(ask "$odd" movie 1 origin/gone)" '^(gone|unknown)' "and what is not is said"
mv ../a-away ../a; fetch=(); cd ../a || exit 1

# Size
# A sanitized program reserves terabytes: only its time is bounded.
memory=4000000; ( ulimit -v $memory; killick version ) >/dev/null 2>&1 || memory=unlimited
bounded() { ( ulimit -v $memory; exec timeout 60 "$@" ); }
git checkout -q main
seq -f 'line %.0f' 1000000 >million; git add million; git commit -qm million; a=$(git rev-parse HEAD)
sed -i -e '1i in front' -e '500000s/$/ changed/' -e '700000d' million; git commit -qam changed
is "$(printf '{"from":"%s","path":"million","line":%d,"to":"HEAD"}\n' "$a" 1 "$a" 500000 "$a" 700000 "$a" 1000000 |
	bounded killick place --stdin | sed 's/.*"state":"\([a-z]*\)".*"line":\([0-9nul]*\),"end".*/\1 \2/' | tr '\n' ';')" \
	"exact 2;edited 500001;gone 700000;exact 1000000;" "a file of a million lines"
git rm -q million; git commit -qm gone
mkdir -p old && seq 1 10000 | while read -r i; do printf 'int unique_%s_a;\nint unique_%s_b;\nint unique_%s_c;\n' "$i" "$i" "$i" >"old/f$i.c"; done
git add old; git commit -qm many; a=$(git rev-parse HEAD)
git mv old new; for i in 7 8 9; do echo "int added_$i;" >>new/f$i.c; done; git commit -qam storm
is "$(printf '{"from":"%s","path":"old/f%d.c","line":2,"to":"HEAD"}\n' "$a" 1 "$a" 7 "$a" 10000 | bounded killick place --stdin |
	sed 's/.*"state":"\([a-z]*\)".*"path":"\([^"]*\)","line":\([0-9]*\).*/\1 \2:\3/' | tr '\n' ';')" \
	"moved new/f1.c:2;moved new/f7.c:2;moved new/f10000.c:2;" "10,000 files moved in a commit"
done_testing
