# SPDX-License-Identifier: MIT
# A tracker that is a folder (adapter "dir"), for the tests of sources and the outbox: `. tests/sync/tracker.sh`.
# tracker DIR: makes one; task KEY TITLE [BODY…]; note TASK KEY LOGIN BODY; the files are src/remote/dir.c's.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh"
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
