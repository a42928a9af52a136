#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who is mentioned has the thread in his inbox until he writes there.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
repo a
printf 'one\ntwo\nthree\nfour\n' >a.txt && git add . && git commit -qm files
as_bo() { GIT_AUTHOR_NAME=Bo GIT_AUTHOR_EMAIL=bo@example.org GIT_COMMITTER_NAME=Bo GIT_COMMITTER_EMAIL=bo@example.org killick "$@"; }
id() { json "$(killick threads --json)" "[t['id'] for t in d['threads'] if t['title'].startswith('$1')][0]" | tr -d '"'; }
mine() { json "$(killick threads waiting:me --json)" 'sorted(t["title"].split()[0] for t in d["threads"])'; }
killick inbox >/dev/null 2>&1
as_bo ask a.txt:1 --ask chen@example.org -m 'plain question' >/dev/null
as_bo ask a.txt:1 --ask chen@example.org -m 'body: what does @Ana, say?' >/dev/null
as_bo note a.txt:2 -m 'note for @ana.' >/dev/null
as_bo ask a.txt:2 --ask chen@example.org -m 'address of x@ana.example and mail ana@example.org, @anabel, `@ana`' >/dev/null
as_bo ask a.txt:3 --ask chen@example.org -m $'quoted\n\n> @ana said so' >/dev/null
as_bo note a.txt:3 --private -m 'private @ana' >/dev/null
is "$(mine)" '["body:", "note"]' "a question and a note that mention me, not an address, a longer name, code, a quotation"
like "$(killick inbox)" 'waiting for me' "in the inbox"
killick reply "$(id note)" -m 'seen' >/dev/null
is "$(mine)" '["body:"]' "who has answered is not waited for"
as_bo reply "$(id body)" -m 'anybody?' >/dev/null
is "$(mine)" '["body:"]' "who has not is, whatever others write behind it"
as_bo reply "$(id plain)" -m 'then @ana' >/dev/null
is "$(mine)" '["body:", "plain"]' "a reply can mention"
want=$(mine); rm -rf "$HOME/.cache/killick"
is "$(mine)" "$want" "the same from nothing"
killick resolve "$(id body)" >/dev/null
is "$(mine)" '["plain"]' "resolved: nobody waits"
git config user.email zoe@example.org && git config user.name Zoe && as_bo reply "$(id plain)" -m '@zoe too' >/dev/null
like "$(mine)" 'plain' "somebody who comes later finds his mentions, in what was indexed before him"
done_testing
