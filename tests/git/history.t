#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Walking history: the same commits as git log gives, over made-up histories with merges, wrong clocks and borders.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
gt=$(dirname "$KILLICK_TEST_BIN")/tests/git/gittool
sorted() { sort | sha1sum; }
# log_is NAME PATH REVS…: the same commits; the same order is asked for where all dates differ
log_is() {
	local name=$1 path=$2; shift 2
	is "$("$gt" log "$path" "$@" | sorted)" "$(git log --format=%H "$@" ${path:+-- "$path"} | sorted)" "$name"
}
order_is() {
	local name=$1 path=$2; shift 2
	is "$("$gt" log "$path" "$@")" "$(git log --format=%H "$@" ${path:+-- "$path"})" "$name"
}
# A history of N commits from a seed: branches, merges (also of three), files that come, change, move and go.
history() { # history SEED N SKEW
	python3 - "$@" <<'PY'
import random, sys
seed, n, skew = map(int, sys.argv[1:])
r = random.Random(seed)
out = []
heads = {"main": None}
files = {"main": {}}
mark = 0
when = 1600000000
names = ["a.c", "b.c", "src/a.c", "src/b.c", "src/deep/x.c", "docs/y", "docs"]
for i in range(n):
    mark += 1
    when += r.randint(1, 100)
    t = when + (r.randint(-100000, 100000) if skew and r.random() < .2 else 0)
    b = r.choice(list(heads))
    if r.random() < .15 and len(heads) < 6 and heads[b]:
        nb = "b%d" % mark
        heads[nb] = heads[b]; files[nb] = dict(files[b]); b = nb
    merge = []
    if r.random() < .2:
        merge = [x for x in r.sample(list(heads), min(len(heads), r.randint(1, 2))) if heads[x] and heads[x] != heads[b]]
    f = files[b]
    take = r.choice([b] + merge)
    if take != b: f = files[b] = dict(files[take])
    if not merge or r.random() < .3:
        for _ in range(r.randint(0, 2)):
            name = r.choice(names)
            if name in f and r.random() < .3: del f[name]
            else:
                if any(k.startswith(name + "/") or name.startswith(k + "/") for k in f): continue
                f[name] = r.choice("xyzw") * r.randint(1, 3)
    print("commit refs/heads/%s\nmark :%d\ncommitter A <a@x> %d +0000\ndata 2\nm\n" % (b, mark, t), end="")
    if heads[b]: print("from :%d" % heads[b])
    seen = {heads[b]}
    for m in merge:
        if heads[m] not in seen: print("merge :%d" % heads[m]); seen.add(heads[m])
    print("deleteall")
    for k, v in sorted(f.items()): print("M 100644 inline %s\ndata %d\n%s" % (k, len(v), v))
    heads[b] = mark
PY
}
for seed in 1 2 3 4; do
	cd "$T" && git init -q "h$seed" && cd "h$seed" && history $seed 300 $((seed % 2)) | git fast-import --quiet && git reset -q --hard main
	log_is "$seed: HEAD" ""
	log_is "$seed: --all" "" --all
	[ $((seed % 2)) = 0 ] && order_is "$seed: the order of --all" "" --all
	for p in a.c src src/a.c src/deep/x.c docs docs/y nothing; do log_is "$seed: $p" $p --all; done
	other=$(git for-each-ref --format='%(refname:short)' | grep -v main | tail -1)
	log_is "$seed: main..$other" "" main.."$other"
	log_is "$seed: $other..main" "" "$other"..main
	log_is "$seed: $other...main" "" "$other"...main
	log_is "$seed: ^main --branches" "" ^main --branches
	log_is "$seed: --all --not main~20" "" --all --not main~20
	log_is "$seed: main~20..main src" src main~20..main
	log_is "$seed: $other..main a.c" a.c "$other"..main
	log_is "$seed: --branches=b1*" "" '--branches=b1*'
	log_is "$seed: main^!" "" main^!
	log_is "$seed: --first-parent" "" --first-parent main
	bad=0
	for x in $(git rev-list --all | shuf --random-source=<(yes) -n 12); do
		for y in $(git rev-list --all | shuf --random-source=<(yes x) -n 12); do
			want=no; git merge-base --is-ancestor "$y" "$x" && want=yes
			[ "$("$gt" reaches "$x" "$y")" = $want ] || bad=$((bad + 1))
		done
		[ "$("$gt" bases "$x" main | sort)" = "$(git merge-base --all "$x" main | sort)" ] || bad=$((bad + 1))
	done
	is $bad 0 "$seed: ancestors and merge bases"
	git commit-graph write --reachable --split 2>/dev/null && git commit --allow-empty -qm more && git commit-graph write --reachable --split=no-merge 2>/dev/null
	log_is "$seed: with a commit-graph in layers" "" --all
	log_is "$seed: its path" src --all
	rm -rf .git/objects/info/commit-graphs; git commit-graph write --reachable
	log_is "$seed: with a commit-graph" "" --all
	[ "$("$gt" reaches main "$(git rev-list --max-parents=0 main | head -1)")" = yes ]; ok $? "$seed: the root is an ancestor"
	printf 'CGPH\1\1garbage' >.git/objects/info/commit-graph
	chmod -f u+w .git/objects/info/commit-graph; printf 'CGPH\1\1\4\0garbage%2000d' 0 >.git/objects/info/commit-graph
	is "$("$gt" log "" | sorted)" "$(git -c core.commitGraph=false rev-list HEAD | sorted)" "$seed: a broken one is ignored"
done

# new commits
cd "$T/h2" && git update-ref refs/heads/topic "$(git commit-tree -p main -m t1 'main^{tree}')" && git update-ref refs/heads/topic "$(git commit-tree -p topic -m t2 'main^{tree}')"
is "$("$gt" new main topic 10)" "$(git rev-list main..topic)" "new commits of a push"
is "$("$gt" new - topic 10)" "$(git rev-list main..topic)" "of a new branch"
is "$("$gt" new - topic 1)" "$(git rev-parse topic)" "at most so many"
is "$("$gt" new main main 10)" "" "none"

# borders
cd "$T" && git clone -q --depth 3 "file://$T/h1" shallow && cd shallow
is "$("$gt" log "" | grep -v cut)" "$(git log --format=%H)" "a shallow clone"
like "$("$gt" log "")" "cut$" "says that it was cut"
is "$("$gt" log src --all | grep -v cut | sorted)" "$(git rev-list --all -- src | sorted)" "a path in it"
border=$(git rev-list HEAD | tail -1)
is "$("$gt" commit "$border" | sed -n 4p)" "" "a border commit has no parents"
run "$gt" resolve HEAD~50
like "$err" "^3: .*does not go that far.*shallow" "a revision beyond the border"
git init -q "$T/none" && cd "$T/none"
is "$("$gt" log "")|$("$gt" log "" --all)" "|" "an empty repository has an empty history"
cd "$T/h1"
for bad in --nonsense main..nowhere ^nowhere nowhere; do
	run "$gt" log "" "$bad"; is "$st" 1 "$bad is an error"
done
# a missing commit
cd "$T" && repo gone && for i in 1 2 3; do git commit -q --allow-empty -m $i; done
x=$(git rev-parse HEAD~1) && rm -f ".git/objects/${x:0:2}/${x:2}"
run "$gt" log ""
like "$err" "^3: commit ${x:0:10} is not in this repository" "a commit that is missing is named"
is "$out" "$(git rev-parse HEAD)" "after those that could be read"
done_testing
