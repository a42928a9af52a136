#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A batch review: drafts on a change's lines and in its threads go as one review with a verdict, or come back as drafts; what the
# user keeps at the forge is not published along. Against both dialects of the fake forge, whose state is the oracle.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"
forge_start_both

repo r
C=$(git rev-parse HEAD)
git checkout -qb topic && sed -i 's/line 3/zwei/; s/line 10$/zehn/' src/a.c && git commit -qam change
H=$(git rev-parse HEAD)
P='@@ -1,13 +1,13 @@\n line 1\n line 2\n-line 3\n+zwei\n line 4\n line 5\n line 6\n line 7\n line 8\n line 9\n-line 10\n+zehn\n line 11\n line 12\n line 13'
seed() { forge seed "$(cat <<EOT
{"users":[{"login":"ana","name":"Ana","email":"ana@example.org"},{"login":"bob","name":"Bob"}],
 "tokens":[{"token":"t-ana","login":"ana"},{"token":"t-bob","login":"bob"}],
 "repos":[{"name":"acme/$1","perms":{"ana":"write","bob":"write"},
  "tasks":[{"title":"Retry budget","user":"bob","body":"please","change":{"head":"$H","base":"$C","head_ref":"topic",
             "files":[{"path":"src/a.c","patch":"$P"}]},
            "reviews":[{"user":"bob","state":"COMMENTED","body":"","comments":[{"path":"src/a.c","line":3,"body":"Does this hold?"}]}]},
           {"title":"Of ana","user":"ana","change":{"head":"$H","base":"$C","head_ref":"other","files":[{"path":"src/a.c","patch":"$P"}]}}]}]}
EOT
)" >/dev/null; }
drafts() { killick drafts --json | /usr/bin/python3 -c 'import json,sys
for d in sorted(json.load(sys.stdin)["drafts"], key=lambda d: d["created"]): print(d["verb"], d["target"], "|", d["body"].replace("\n", "~"))'; }
drop() { for d in $(killick drafts --json | /usr/bin/python3 -c 'import json,sys
for d in json.load(sys.stdin)["drafts"]: print(d["id"])'); do killick drafts drop "$d" >/dev/null; done; }
thread() { killick threads "$1" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["threads"][0]["id"])'; }
reviews() { forge_api t-ana GET "$api/repos/acme/$n/pulls/1/reviews" | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin):
	if r["user"]["login"] == "ana": print(r["state"], (r["body"] or "").split("\n")[0])'; }

client() { # client NAME KIND API
	n=$1 api=${3%/}
	seed "$n"
	killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n" >/dev/null || diag "source add failed"
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	killick sync -q "$n"
	ch=$(killick tasks "source:$n Retry" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["tasks"][0]["id"])')
	own=$(killick tasks "source:$n Of" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["tasks"][0]["id"])')
	code=$(thread "source:$n on:src")

	run killick submit "$ch"
	is $st 2 "$n: a verdict is wanted"
	run killick submit "$ch" --approve --comment
	is $st 2 "$n: just one"
	run killick submit "$ch" --comment
	is $st 2 "$n: a review that says nothing"
	like "$err" "nothing to submit on $ch" "$n: is told"
	run killick submit "$own" --approve
	is $st 1 "$n: one's own change is not approved"
	like "$err" "$own is yours" "$n: with the reason"
	run killick submit nothing --approve
	is $st 3 "$n: no such change"

	killick remark src/a.c:10 --to "$n" --on "$ch" --draft -m "$n: make it eleven
\`\`\`suggestion
elf
\`\`\`" >/dev/null
	killick remark src/a.c:3-4 --to "$n" --draft --on "$ch" -m "$n: two lines" >/dev/null
	killick reply "$code" --draft -m "$n: it holds" >/dev/null
	killick task comment "$ch" --draft -m "$n: a comment" >/dev/null
	killick remark src/a.c:9 --to "$n" --draft --on "$own" -m "$n: elsewhere" >/dev/null
	killick note src/a.c:4 --to native --draft -m "$n: native" >/dev/null
	run killick submit "$ch" --request-changes -m "$n: not yet" --dry-run
	is $st 0 "$n: dry run"
	like "$out" "would post: Review of $ch, Retry budget: request for changes with 2 remarks and 1 reply" "$n: says what it would do"
	like "$out" "goes to: $n acme/$n $ch; everyone who can see" "$n: and who will see it"
	like "$out" "with: d[0-9a-f]+ remark src/a.c:10 " "$n: with what"
	run killick submit "$ch" --request-changes -m "$n: not yet" --dry-run --json
	is "$(json "$out" '" ".join(x["verb"] for x in d["dry_run"]["notes"])')" "remark remark reply" "$n: in JSON too"
	is "$(rows)$(reviews)" "" "$n: and nothing is queued by it"

	git config killick.post.delay 1h
	run killick submit "$ch" --request-changes -m "$n: not yet"
	is $st 0 "$n: submit"
	like "$out" "$ch gets your request for changes with 2 remarks and 1 reply; $n acme/$n $ch; .* sent in 3600 s" "$n: says what goes"
	like "$err" "stays a draft: a review holds remarks on lines and replies" "$n: and what stays"
	is "$(rows)" "queued review " "$n: it is one op"
	is "$(drafts | grep -c .)" 3 "$n: whose drafts are gone, the others stay"
	run killick show "$code"
	like "$out" "it holds" "$n: the reply shows in its thread"
	run killick threads "source:$n on:src"
	like "$out" "two lines" "$n: the remark on its lines"
	p=$(killick show "$code" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["thread"]["posts"][-1]["id"])')
	run killick edit "$p" -m x
	is $st 4 "$n: a part is not changed alone"
	like "$err" "killick outbox recall $(row | cut -c1-8)" "$n: it says what to do"
	run killick retract "$p"
	is $st 4 "$n: nor taken back alone"
	run killick outbox show "$(row)"
	like "$(echo $out)" "src/a.c:10 $n: make it eleven" "$n: the outbox shows its notes"
	run killick outbox recall
	is $st 0 "$n: recall"
	is "$(rows)" "" "$n: takes it out"
	is "$(drafts | grep "$n: [nmti]" | grep -v native | sed 's/ k[0-9a-f]* / k /' | sort)" "remark src/a.c:10 | $n: make it eleven~\`\`\`suggestion~elf~\`\`\`
remark src/a.c:3-4 | $n: two lines
reply k | $n: it holds
submit $ch | $n: not yet" "$n: and all its words are drafts again"
	git config killick.post.delay 0
	d=$(killick drafts --json | /usr/bin/python3 -c 'import json,sys
print([d["id"] for d in json.load(sys.stdin)["drafts"] if d["verb"] == "submit"][0])')
	run killick drafts send "$d"
	k=$(killick threads "source:$n two lines" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["threads"][0]["id"])')
	is $st 0 "$n: the draft of the review sends it as a whole"
	like "$out" "gets your request for changes with 2 remarks and 1 reply" "$n: with its notes"
	run killick sync "$n"
	like "$out" "$n: .* 1 sent" "$n: sent"
	is "$(rows)" "" "$n: done"
	like "$(reviews)" "^(CHANGES_REQUESTED|REQUEST_CHANGES) $n: not yet$" "$n: there, with its verdict"
	is "$(forge_copies "$n: make it")$(forge_copies "$n: two")$(forge_copies "$n: it holds")$(forge_copies "$n: not yet")" 1111 "$n: once each"
	like "$(forge_find "$n: make it")" 'suggestion.{1,3}nelf' "$n: the suggestion as it was written"
	run killick show "$code"
	is "$(printf '%s\n' "$out" | grep -c "it holds")" 1 "$n: the reply shows once"
	is "$(killick threads "source:$n on:src" --json | json_len)" 3 "$n: each thread once"
	unlike "$(killick threads "source:$n on:src" --json)" 'outbox:|killick:' "$n: without marks"
	like "$(killick show "$k")" "two lines" "$n: and by the id that it had before it was there"
	drop

	# what the user keeps over there
	if [ "$2" = github ]; then
		forge_api t-ana POST "$api/repos/acme/$n/pulls/1/reviews" "{\"body\":\"$n: mine\",\"comments\":[{\"path\":\"src/a.c\",\"line\":3,\"side\":\"RIGHT\",\"body\":\"$n: unsent there\"}]}" >/dev/null
	else
		forge_api t-ana POST "$api/repos/acme/$n/pulls/1/reviews" "{\"event\":\"PENDING\",\"body\":\"$n: mine\",\"comments\":[{\"path\":\"src/a.c\",\"new_position\":3,\"body\":\"$n: unsent there\"}]}" >/dev/null
	fi
	killick remark src/a.c:10 --to "$n" --on "$ch" --draft -m "$n: second" >/dev/null
	killick submit "$ch" --comment >/dev/null
	killick sync -q "$n"
	like "$(rows)" "^held review you have an? (review under way|unsent review)" "$n: beside the user's own unsent review it is held"
	is "$(forge_copies "$n: second")" 0 "$n: nothing went"
	like "$(reviews)" "PENDING $n: mine" "$n: and his stays unsent"
	id=$(forge_api t-ana GET "$api/repos/acme/$n/pulls/1/reviews" | /usr/bin/python3 -c 'import json,sys
print([r["id"] for r in json.load(sys.stdin) if r["state"] == "PENDING"][0])')
	forge_api t-ana DELETE "$api/repos/acme/$n/pulls/1/reviews/$id" >/dev/null
	killick outbox release "$(row)" >/dev/null
	killick sync -q "$n"
	is "$(rows)$(forge_copies "$n: second")" 1 "$n: once that is gone it is released"

	# what was not seen
	killick submit "$ch" --approve -m "$n: fine" >/dev/null
	forge act "{\"do\":\"push\",\"repo\":\"acme/$n\",\"task\":1,\"head\":\"$(printf 'd%.0s' {1..40})\"}" >/dev/null
	killick sync -q "$n"
	like "$(rows)" "^held review $ch has new commits that you had not seen: its head is ddddddd, you reviewed ${H:0:7}" "$n: no approval of commits that came meanwhile"
	is "$(forge_copies "$n: fine")" 0 "$n: it did not go"
	killick outbox recall >/dev/null
	forge act "{\"do\":\"push\",\"repo\":\"acme/$n\",\"task\":1,\"head\":\"$H\"}" >/dev/null
	killick sync -q "$n"
	drop
	killick reply "$code" --draft -m "$n: and yet" >/dev/null
	killick submit "$ch" --comment >/dev/null
	if [ "$2" = github ]; then
		forge_api t-bob POST "$api/repos/acme/$n/pulls/1/comments" "{\"body\":\"$n: bob again\",\"in_reply_to\":$(forge_api t-ana GET "$api/repos/acme/$n/pulls/1/comments" | json_first)}" >/dev/null
	else
		forge_api t-bob POST "$api/repos/acme/$n/pulls/1/reviews" "{\"event\":\"COMMENT\",\"comments\":[{\"path\":\"src/a.c\",\"new_position\":3,\"body\":\"$n: bob again\"}]}" >/dev/null
	fi
	killick sync -q "$n"
	like "$(rows)" "^held review [Bb]ob answered now: read" "$n: a reply in it waits when somebody answered there meanwhile"
	killick outbox discard "$(row)" >/dev/null

	# answers that are lost
	for what in close-after-commit error-after-commit half-reply close-before-read; do
		killick remark src/a.c:10 --to "$n" --on "$ch" --draft -m "$n: note by $what" >/dev/null
		killick submit "$ch" --comment -m "$n: lost by $what" >/dev/null
		forge faults "[{\"method\":\"POST\",\"path\":\".*reviews\",\"times\":1,\"do\":\"$what\"}]" >/dev/null
		for i in 1 2 3 4 5; do
			killick sync -q "$n" 2>/dev/null
			[ -n "$(rows)" ] || break
			killick outbox retry "$(row)" >/dev/null 2>&1
		done
		is "$(forge_copies "$n: lost by $what")$(forge_copies "$n: note by $what") $(rows)" "11 " "$n: $what: one copy of all"
	done
	forge faults '[]' >/dev/null
	run killick submit "$ch" --approve --json
	is $st 0 "$n: an approval without words"
	is "$(json "$out" '" ".join((d["review"]["verdict"], d["review"]["state"], d["review"]["task"]))')" "approve queued $ch" "$n: as JSON"
	killick sync -q "$n"
	like "$(reviews)" "APPROVED" "$n: is there"
	killick source remove "$n" >/dev/null
}
json_len() { /usr/bin/python3 -c 'import json,sys; print(len(json.load(sys.stdin)["threads"]))'; }
json_first() { /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["id"])'; }
client gh github /
client tea gitea /api/v1/
forge_stop
run killick task new "Native one" -m x --json
run killick submit "$(json "$out" 'd["task"]["id"]')" --approve
is $st 2 "a native task is no change of a tracker"
done_testing
