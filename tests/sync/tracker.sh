# SPDX-License-Identifier: MIT
# A tracker that is a folder (adapter "dir"), for the tests of sources and the outbox: `. tests/sync/tracker.sh`.
# tracker DIR: makes one; task KEY TITLE [BODY…]; note TASK KEY LOGIN BODY; the files are src/remote/dir.c's.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
: "${KILLICK_REMOTE:=$(dirname "$KILLICK_TEST_BIN")/killick-remote}"
export KILLICK_REMOTE
unset KILLICK_CLOCK # each process would begin it anew, and a post of one would be due before it was written for the next
git config --global killick.post.background false
git config --global killick.post.delay 0
git config --global killick.post.settle 0
dir() { /usr/bin/python3 "$KILLICK_TEST_SRC/tests/sync/tracker.py" "$T/tracker" "$@"; }
# connect: a repository "r" with the folder as its source "dir", pulled once
connect() {
	dir init
	repo r
	killick source add --kind dir --api "file://$T/tracker/" --project widget >/dev/null || exit 1
}
# What waits in the outbox, a line each: STATE VERB PROBLEM; the last one's id; the id of the first thread that a query finds
rows() { killick outbox --json | /usr/bin/python3 -c 'import json,sys
for r in json.load(sys.stdin)["outbox"]: print(r["state"], r["verb"], r["problem"] or "")'; }
row() { killick outbox --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["outbox"][-1]["id"])'; }
id() { killick threads "$1" --json | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["threads"][0]["id"])'; }
