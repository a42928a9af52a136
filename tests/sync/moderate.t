#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whoever may write to a project changes and deletes what others wrote there, as on the web; whoever may not is told so here.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"
forge_start_both
repo r
post() { killick show "$(id "source:$n")" --json | /usr/bin/python3 -c 'import json,sys
for p in json.load(sys.stdin)["thread"]["posts"]:
    if sys.argv[1] in (p["body"] or ""): print(p["id"]); break' "$1"; }

moderate() { # moderate NAME KIND API
	n=$1
	forge seed "{\"users\":[{\"login\":\"ana\",\"name\":\"Ana\"},{\"login\":\"bob\"}],\"tokens\":[{\"token\":\"t-ana\",\"login\":\"ana\"}],
		\"repos\":[{\"name\":\"acme/$n\",\"perms\":{\"ana\":\"write\"},\"tasks\":[{\"title\":\"One\",\"user\":\"bob\",
		\"comments\":[{\"user\":\"bob\",\"body\":\"$n: a typoo\"},{\"user\":\"bob\",\"body\":\"$n: buy pills\"}]}]}]}" >/dev/null
	killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n" >/dev/null
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	killick sync -q "$n"
	run killick edit "$(post typoo)" -m "$n: a typo"
	is $st 0 "$n: an edit of what Bob wrote"
	run killick retract "$(post pills)"
	like "$out" "will lose the post of bob" "$n: a deletion, which says whose it is"
	killick sync -q "$n"
	is "$(forge_copies "$n: a typo") $(forge_copies "$n: a typoo") $(forge_copies pills) $(rows)" "1 0 0 " "$n: both are done"
	like "$(forge_find "$n: a typo")" '"user": *"bob"' "$n: still Bob's"
	forge act "{\"do\":\"perm\",\"repo\":\"acme/$n\",\"login\":\"ana\",\"perm\":\"read\"}" >/dev/null
	killick source test "$n" >/dev/null
	run killick edit "$(post typo)" -m "mine now"
	like "$err" "bob wrote this: only bob can edit it" "$n: not by those who may only read"
	killick source remove "$n" >/dev/null
}
moderate gh github /
moderate tea gitea /api/v1/
forge_stop
done_testing
