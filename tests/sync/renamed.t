#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A project that is called otherwise by now: reading is led there, writing is not done behind the user's back but told with what to
# do; then all goes on, as the same source. And a source that is made another one leaves nothing of the old behind.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"
forge_start_both
repo r

renamed() { # renamed NAME KIND API
	local n=$1 f o
	forge seed "{\"users\":[{\"login\":\"ana\",\"name\":\"Ana\"}],\"tokens\":[{\"token\":\"t-ana\",\"login\":\"ana\"}],\"repos\":[
		{\"name\":\"acme/$n\",\"perms\":{\"ana\":\"write\"},\"tasks\":[{\"title\":\"One\",\"user\":\"ana\",
		\"comments\":[{\"user\":\"ana\",\"body\":\"Nice\"}]}]}]}" >/dev/null
	killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n" >/dev/null
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	killick sync -q "$n"
	f=$(id "source:$n")
	forge act "{\"do\":\"rename\",\"repo\":\"acme/$n\",\"to\":\"acme/$n-2\"}" >/dev/null
	run killick sync "$n"
	is $st 0 "$n: read under its old name"
	killick reply "$f" -m "$n: to the old name" >/dev/null
	run killick sync "$n"
	like "$out" ", 1 refused \('killick outbox'\)" "$n: what was refused is told"
	like "$(rows)" "refused comment .*moved to .*'killick source test' tells" "$n: and why"
	run killick source test "$n"
	like "$out" "called acme/$n-2 now.*'killick source set $n renamed acme/$n-2'" "$n: with what to do"
	run killick source set "$n" project "acme/$n-2"
	is $st 4 "$n: another source would lose what waits"
	like "$err" "1 post is still to go to $n" "$n: which is said"
	killick source set "$n" renamed "acme/$n-2"
	killick outbox retry "$(row)" >/dev/null
	killick sync -q "$n"
	is "$(forge_copies "$n: to the old name") $(rows)" "1 " "$n: sent, once"
	is "$(id "source:$n")" "$f" "$n: in the same thread"
	killick source set "$n" project "acme/$n-2" && killick source set "$n" renamed && killick sync -q "$n"
	is "$(killick threads "source:$n" --json | /usr/bin/python3 -c 'import json,sys; print(len(json.load(sys.stdin)["threads"]))')" 1 \
		"$n: of a source that was made another one nothing is left"
	killick source remove "$n" >/dev/null
}
renamed gh github /
renamed tea gitea /api/v1/
forge_stop
done_testing
