#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reactions at GitHub and Gitea: given and taken back, those of others, and what stays known where a server does not tell it:
# GitHub's lists count them without saying whose, Gitea has them a note at a time only, which a full sync does not ask for.
. "${KILLICK_TEST_SRC:-.}/tests/sync/tracker.sh" || exit 1
. "$KILLICK_TEST_SRC/tests/remote/forge.sh"
forge_start_both
repo r
# The reactions of the first post that says this: "EMOJI NUMBER mine", each.
of() { killick show "$(id task:"$(killick tasks "source:$n" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["tasks"][0]["id"])')")" --json |
	/usr/bin/python3 -c 'import json,sys
for p in json.load(sys.stdin)["thread"]["posts"]:
    if sys.argv[1] in p["body"]: print(",".join("%s %d%s" % (r["emoji"], r["n"], " mine" if r.get("mine") else "") for r in p["reactions"])); break' "$1"; }
post() { killick show "$(id source:$n)" --json | /usr/bin/python3 -c 'import json,sys
for p in json.load(sys.stdin)["thread"]["posts"]:
    if sys.argv[1] in p["body"]: print(p["id"]); break' "$1"; }

reactions() { # reactions NAME KIND API
	n=$1
	forge seed "{\"users\":[{\"login\":\"ana\",\"name\":\"Ana\"},{\"login\":\"bob\"}],\"tokens\":[{\"token\":\"t-ana\",\"login\":\"ana\"},
		{\"token\":\"t-bob\",\"login\":\"bob\"}],\"repos\":[{\"name\":\"acme/$n\",\"perms\":{\"ana\":\"write\",\"bob\":\"read\"},\"tasks\":[
		{\"title\":\"One\",\"user\":\"bob\",\"created\":\"2026-01-01T00:00:00Z\",\"comments\":[{\"user\":\"bob\",\"body\":\"Nice\"}]}]}]}" >/dev/null
	killick source add --kind "$2" --api "$forge$3" --web "$forge/" --project "acme/$n" --name "$n" >/dev/null
	for o in write-gap-ms backoff-ms; do git config "killick.source.$n.$o" 5; done
	killick sync -q "$n"
	local p c
	p=$(post Nice)
	c=$(json "$(forge_find Nice)" "d[-1]['id']")
	killick react "$p" '👍' >/dev/null
	killick sync -q "$n"
	is "$(of Nice) $(rows)" "👍 1 mine " "$n: given, and known as mine"
	forge_api t-bob POST "$3repos/acme/$n/issues/comments/$c/reactions" '{"content":"+1"}' >/dev/null
	forge_api t-bob POST "$3repos/acme/$n/issues/comments/$c/reactions" '{"content":"heart"}' >/dev/null
	sleep 1.1
	forge_api t-bob PATCH "$3repos/acme/$n/issues/comments/$c" '{"body":"Nice one"}' >/dev/null
	killick sync -q "$n"
	is "$(of Nice)" "👍 2 mine,❤️ 1" "$n: those of others, and still mine"
	killick sync -q --full "$n"
	is "$(of Nice)" "👍 2 mine,❤️ 1" "$n: a full sync forgets none"
	killick react --undo "$p" '👍' >/dev/null
	killick sync -q "$n"
	is "$(of Nice) $(rows)" "👍 1,❤️ 1 " "$n: taken back"
	sleep 1.1
	forge_api t-bob PATCH "$3repos/acme/$n/issues/comments/$c" '{"body":"Nice one!"}' >/dev/null
	killick sync -q "$n"
	is "$(of Nice)" "👍 1,❤️ 1" "$n: and it stays so"
	killick source remove "$n" >/dev/null
}
reactions gh github /
reactions tea gitea /api/v1/
forge_stop
done_testing
