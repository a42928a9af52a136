#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# killick as the client of GitHub and of Gitea: connect, pull, answer a review, ask, change tasks; the forge's own state is
# the oracle. A fault at each place where an answer can be lost leaves one copy there.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"
forge_start_both

repo r
C=$(git rev-parse HEAD)
git checkout -qb topic && sed -i 's/line 3/zwei/' src/a.c && git commit -qam change
H=$(git rev-parse HEAD)
seed() { forge seed "$(cat <<EOT
{"users":[{"login":"ana","name":"Ana","email":"ana@example.org"},{"login":"bob","name":"Bob"}],
 "tokens":[{"token":"t-ana","login":"ana"},{"token":"t-bob","login":"bob"}],
 "repos":[{"name":"acme/$1","perms":{"ana":"write","bob":"write"},"labels":["bug","ui"],
  "tasks":[{"title":"Which release?","user":"bob","body":"Say.","assignees":["ana"],"created":"2026-01-01T00:00:00Z",
            "comments":[{"user":"bob","body":"Next week?"}]},
           {"title":"Retry budget","user":"ana","body":"please","change":{"head":"$H","base":"$C","head_ref":"topic",
             "files":[{"path":"src/a.c","patch":"@@ -1,6 +1,6 @@\n line 1\n line 2\n-line 3\n+zwei\n line 4\n line 5\n line 6"}]},
            "reviews":[{"user":"bob","state":"COMMENTED","body":"","comments":[{"path":"src/a.c","line":3,"body":"This leaks"}]}]}]}]}
EOT
)" >/dev/null; }
name() { killick tasks "source:$1 is:$2" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["tasks"][0]["id"])'; }

# The ids that a command printed go on working when the forge has what it wrote, and calls it otherwise.
named() {
	run killick show "$1" --json
	like "$out" "Why zwei" "$n: the id that was printed still names it"
	unlike "$(json "$out" 'd["thread"]["id"]')" "$1" "$n: although it is called otherwise now"
	is "$(json "$out" 'd["thread"]["posts"][0]["state"]')" sent "$n: and there"
	run killick show "${1:0:7}"
	like "$out" "Why zwei" "$n: its first digits do, too"
	run killick edit "$2" -m "$n: Why zwei, really?"
	is $st 0 "$n: and the post's"
	killick sync -q "$n"
	run killick show "$1"
	like "$out" "really" "$n: also when it was changed since"
	rm -rf "$HOME/.cache/killick" && killick sync -q "$n"
	run killick reply "$1" -m "$n: by its old name"
	is $st 0 "$n: and when the index is built anew"
	killick sync -q "$n"
	is "$(forge_copies "$n: by its old name")" 1 "$n: a reply arrives"
	git commit -q --allow-empty -m "x" -m "Resolves-thread: ${1:0:10}" && killick hook run post-commit </dev/null >/dev/null 2>&1
	like "$(killick outbox --json)" '"verb":"reply".*waits until' "$n: a commit resolves it by that name"
	killick outbox discard $(killick outbox --json | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin)["outbox"]: print(r["id"])') >/dev/null
	git reset -q --hard HEAD^
}

client() { # client NAME KIND API WHAT-KIND
	local n=$1
	seed "$n"
	run killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n"
	is $st 0 "$n: source add"
	like "$out" "you are ana, token from" "$n: says who we are there, and how it knows"
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	run killick sync "$n"
	is $st 0 "$n: sync"
	diag "$out $err"
	run killick tasks "source:$n"
	like "$out" "Which release" "$n: its tasks"
	run killick threads "source:$n waiting:me"
	like "$out" "src/a.c:3 +This leaks" "$n: a remark on a change of mine waits for me"
	run killick at src/a.c:3
	like "$out" "This leaks" "$n: on its line"
	killick reply "$(id "source:$n on:src")" -m "$n: No, see below" >/dev/null
	killick task comment "$(name "$n" task)" -m "$n: On Monday" >/dev/null
	run killick sync "$n"
	like "$out" "$n: .* 2 sent" "$n: a reply and a comment are sent"
	is "$(rows)" "" "$n: and done"
	is "$(forge_copies "$n: No, see")$(forge_copies "$n: On Monday")" 11 "$n: once each"
	run killick show "$(id "source:$n on:src")"
	is "$(printf '%s\n' "$out" | grep -c "No, see below")" 1 "$n: and shown once"
	run killick remark src/a.c:3 --to "$n" -m "$n: Why zwei?" --json
	is $st 0 "$n: a remark on a line of the branch's change"
	k=$(json "$out" 'd["thread"]["id"]') p=$(json "$out" 'd["thread"]["posts"][0]["id"]')
	killick sync -q "$n"
	named "$k" "$p"
	is "$(forge_copies "$n: Why zwei")" 1 "$n: is there"
	like "$(forge_find "$n: Why zwei")" '"kind": *"(rcomment|review.?comment|code)' "$n: as a review comment"
	killick task label "$(name "$n" task)" bug >/dev/null
	killick task close "$(name "$n" task)" >/dev/null
	killick task new "$n made this" -m body --to "$n" -l ui >/dev/null
	run killick sync "$n"
	is $st 0 "$n: label, close, new task"
	is "$(rows)" "" "$n: all done"
	is "$(forge_copies "$n made this")" 1 "$n: one new task"
	like "$(forge_state "acme/$n" 1)" '"state": *"closed"' "$n: closed there"
	sleep 1.1 # a forge's times are whole seconds, and what was said in that of the first pull counts as read
	forge_api t-bob POST "$3repos/acme/$n/issues/1/comments" "{\"body\":\"$n: from Bob\"}" >/dev/null
	run killick sync "$n"
	run killick inbox
	like "$out" "Which release" "$n: what others say since is new here"
	killick task reopen "$(name "$n" closed)" >/dev/null
	killick sync -q "$n"
	for what in close-after-commit error-after-commit half-reply close-before-read close-after-read; do
		forge faults "[{\"method\":\"POST\",\"path\":\".*comments\",\"times\":1,\"do\":\"$what\"}]" >/dev/null
		killick task comment "$(name "$n" task)" -m "$n: lost by $what" >/dev/null
		for i in 1 2 3 4 5; do
			killick sync -q "$n" 2>/dev/null
			[ -n "$(rows)" ] || break
			for r in $(killick outbox --json | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin)["outbox"]: print(r["id"])'); do killick outbox retry "$r" >/dev/null 2>&1; done
			sleep 0.02
		done
		is "$(forge_copies "$n: lost by $what") $(rows)" "1 " "$n: $what: one copy, and known to be there"
	done
	forge faults '[]' >/dev/null
	killick source remove "$n" >/dev/null
}
client gh github / github
client tea gitea /api/v1/ gitea
forge_stop
done_testing
