#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What holds a post back (a new reply, a task that was closed, lines that vanished, a right that went), and what its writer can
# do then: each cause with each verb over a folder, each cause over GitHub's and Gitea's dialects.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"

connect
C=$(git rev-parse HEAD)
git checkout -qb topic && sed -i 's/line 5/fuenf/' src/a.c && git commit -qam five
H=$(git rev-parse HEAD)
git checkout -qb later && sed -i '/fuenf/d; /line 4/d; /line 6/d' src/a.c && git commit -qam gone
GONE=$(git rev-parse HEAD)
git checkout -q topic
dir later
drafts() { killick drafts --json | /usr/bin/python3 -c 'import json,sys
for d in json.load(sys.stdin)["drafts"]: print(d["verb"], d["body"])'; }

drop_drafts() { for d in $(killick drafts --json | /usr/bin/python3 -c 'import json,sys
for d in json.load(sys.stdin)["drafts"]: print(d["id"])'); do killick drafts drop "$d" >/dev/null; done; }

# What became of each task's row: STATE PROBLEM; its id
state_of() { killick outbox --json | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin)["outbox"]:
	if r["task"] == sys.argv[1]: print(r["state"], r["problem"] or "")' "$1"; }
row_of() { killick outbox --json | /usr/bin/python3 -c 'import json,sys
print([r["id"] for r in json.load(sys.stdin)["outbox"] if r["task"] == sys.argv[1]][0])' "$1"; }

# Every cause has a task for every verb, and all go through it together.
causes="overtaken closed lines rights" verbs="edit discard hold release retry recall"
declare -A why=([overtaken]="bo answered.*read it first" [closed]="DIR-[0-9]+ was closed meanwhile"
	[lines]="![0-9]+ went on, and the lines are gone" [rights]="you may not write here any more") key=()
each() { local c v; for c in $causes; do for v in $verbs; do "$1" "$c" "$v" "${key[$c $v]-}" "$c, then $v"; done; done; }
k=100
make() {
	k=$((k + 1)) key[$1 $2]=$k
	if [ $1 = lines ]; then dir change $k "of $4" "$H" "$C" topic; else dir task $k "of $4"; fi
}
write() {
	if [ $1 = lines ]; then killick remark src/a.c:5 -m "$4" --to dir --on "!$3" >/dev/null; else killick task comment "DIR-$3" -m "$4" >/dev/null; fi
	case $1 in
	overtaken) dir note "$3" bo "No!" >/dev/null ;;
	closed) dir set "$3" state '"closed"' ;;
	lines) dir set "$3" head "\"$GONE\"" ;;
	rights) dir fault '{"on":"push","do":"auth","message":"you may not write here any more"}' ;;
	esac
}
is_held() {
	like "$(state_of "$3")" "^held ${why[$1]}" "$4: held, with the reason"
	is "$(dir count "$4")" 0 "$4: it did not go"
}
act() {
	if [ "$2" = edit ]; then run killick outbox edit "$(row_of "$3")" -m "$4: in other words"; else run killick outbox "$2" "$(row_of "$3")"; fi
	is $st "$([ "$2" = hold ] && echo 4 || echo 0)" "$4: $2"
}
outcome() {
	case $2 in
	edit) is "$(state_of "$3")$(dir count "$4: in other words")" 1 "$4: the new words went, once" ;;
	release | retry) is "$(state_of "$3")$(dir count "$4")" 1 "$4: it went, once" ;;
	discard) is "$(state_of "$3")$(dir count "$4")$(drafts | grep "$4")" 0 "$4: nothing went and nothing is left" ;;
	recall) is "$(state_of "$3")$(dir count "$4") $(drafts | grep -cE "^[a-z]+ $4$")" "0 1" "$4: nothing went, and its words are a draft" ;;
	hold) like "$(state_of "$3")" "^held ${why[$1]}" "$4: it is held already, and why stays known" ;;
	esac
}
each make
killick sync -q
each write
killick sync -q 2>/dev/null
each is_held
each act
killick sync -q 2>/dev/null
each outcome
for r in $(killick outbox --json | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin)["outbox"]: print(r["id"])'); do killick outbox discard "$r" >/dev/null; done
drop_drafts
killick source remove dir >/dev/null

# ---- over the dialects ----

forge_start_both
cd .. && repo forges
C=$(git rev-parse HEAD)
git checkout -qb topic && sed -i 's/line 5/fuenf/' src/a.c && git commit -qam five
H=$(git rev-parse HEAD)
git checkout -qb later && sed -i '/fuenf/d; /line 4/d; /line 6/d' src/a.c && git commit -qam gone
GONE=$(git rev-parse HEAD)
git checkout -q topic
of() { killick tasks "source:$n $1" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["tasks"][0]["id"])'; }
held() { # held TEXT WHY
	run killick sync "$n"
	like "$(rows)" "^held [a-z-]+ $2" "$n: $1: held"
	is "$(forge_copies "$n: $1")" 0 "$n: $1: it did not go"
}
goes() {
	killick outbox release "$(row)" >/dev/null
	killick sync -q "$n" 2>/dev/null
	is "$(rows)$(forge_copies "$n: $1")" 1 "$n: $1: released, it goes once"
}
client() { # client NAME KIND API
	n=$1
	forge seed "{\"users\":[{\"login\":\"ana\",\"name\":\"Ana\"},{\"login\":\"bob\",\"name\":\"Bob\"}],
		\"tokens\":[{\"token\":\"t-ana\",\"login\":\"ana\"},{\"token\":\"t-bob\",\"login\":\"bob\"}],
		\"repos\":[{\"name\":\"acme/$n\",\"perms\":{\"ana\":\"write\",\"bob\":\"write\"},\"labels\":[\"bug\"],\"tasks\":[
			{\"title\":\"overtaken\",\"user\":\"bob\",\"body\":\"x\",\"created\":\"2026-01-01T00:00:00Z\"},
			{\"title\":\"closed\",\"user\":\"bob\",\"body\":\"x\"},{\"title\":\"rights\",\"user\":\"bob\",\"body\":\"x\"},
			{\"title\":\"lines\",\"user\":\"bob\",\"change\":{\"head\":\"$H\",\"base\":\"$C\",\"head_ref\":\"topic\",\"files\":[{\"path\":\"src/a.c\",
			\"patch\":\"@@ -3,5 +3,5 @@\\n line 3\\n line 4\\n-line 5\\n+fuenf\\n line 6\\n line 7\"}]}}]}]}" >/dev/null
	killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n" >/dev/null
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	killick sync -q "$n"
	killick task comment "$(of overtaken)" -m "$n: an answer" >/dev/null
	forge_api t-bob POST "$3repos/acme/$n/issues/1/comments" "{\"body\":\"$n: never mind\"}" >/dev/null
	held "an answer" "[Bb]ob answered"
	goes "an answer"
	killick task comment "$(of closed)" -m "$n: on an open one" >/dev/null
	forge_api t-bob PATCH "$3repos/acme/$n/issues/2" '{"state":"closed"}' >/dev/null
	held "on an open one" ".*was closed meanwhile"
	goes "on an open one"
	killick remark src/a.c:5 --to "$n" --on "$(of lines)" -m "$n: of a line" >/dev/null
	forge act "{\"do\":\"push\",\"repo\":\"acme/$n\",\"task\":4,\"head\":\"$GONE\"}" >/dev/null
	held "of a line" ".* went on, and the lines are gone"
	killick outbox recall >/dev/null
	is "$(drafts)" "remark $n: of a line" "$n: a line's note is recalled with its words"
	drop_drafts

	# the right to write goes, and comes back: what the server can do is asked again, not believed for a day
	killick task label "$(of rights)" bug >/dev/null
	forge act "{\"do\":\"archive\",\"repo\":\"acme/$n\"}" >/dev/null
	killick sync -q "$n" 2>/dev/null
	like "$(rows)" "^held label .*archived" "$n: archived meanwhile: held"
	run killick task comment "$(of rights)" -m x
	is $st 1 "$n: and from then on nothing is offered"
	like "$err" "the project is archived" "$n: with the reason"
	drop_drafts
	forge act "{\"do\":\"archive\",\"repo\":\"acme/$n\",\"archived\":false}" >/dev/null
	killick sync -q --full "$n"
	run killick task comment "$(of rights)" -m "$n: again"
	is $st 0 "$n: a full sync asks what can be done"
	killick outbox release "$(killick outbox --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["outbox"][0]["id"])')" >/dev/null
	killick sync -q "$n"
	is "$(rows)$(forge_copies "$n: again")" 1 "$n: what was held goes when it is released"
	like "$(forge_state "acme/$n" 3)" '"labels": *\["bug"\]' "$n: and is there"

	# a token that is revoked in the middle: said, nothing lost, and all goes on with a new one
	killick task comment "$(of rights)" -m "$n: with the old token" >/dev/null
	forge act '{"do":"revoke","token":"t-ana"}' >/dev/null
	run killick sync "$n"
	is $st 5 "$n: revoked: not authorised"
	like "$err" "$n: .*(401|credentials|token)" "$n: in clear words"
	like "$(rows)" "^(queued|held) comment " "$n: what was written waits"
	like "$(killick tasks "source:$n")" "overtaken" "$n: what was read is here"
	like "$(killick source)" "$n .*(401|credentials|token)" "$n: the source tells"
	forge seed '{"tokens":[{"token":"t-ana","login":"ana"}]}' >/dev/null
	killick outbox retry "$(row)" >/dev/null
	killick sync -q "$n"
	is "$(rows)$(forge_copies "$n: with the old token")" 1 "$n: with a good token it goes, once"
	killick source remove "$n" >/dev/null
}
client gh github /
client tea gitea /api/v1/
forge_stop
done_testing
