# SPDX-License-Identifier: MIT
# What the tests of the native log share. `lt COMMAND` runs logtool in the working folder, `sg …` runs git in its store.
: "${KILLICK_TEST_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
. "$KILLICK_TEST_SRC/tests/lib.sh" || exit 1
[ -n "${T:-}" ] && [ -d "$T" ] || exit 1
LOGTOOL="$(dirname "$KILLICK_TEST_BIN")/tests/log/logtool"
[ -x "$LOGTOOL" ] || skip_all "tests/log/logtool is not built"
lt() { "$LOGTOOL" "$@"; }
store() { local d; d=$(git rev-parse --git-common-dir) && (cd "$d" && echo "$PWD/killick/store.git"); }
sg() { git --git-dir="$(store)" "$@"; }
writer() { lt info | sed -n '1s/.* //p'; }
repo_id() { lt info | sed -n '1s/ .*//p'; }
ids() { lt read | sed -n 's/^op \([0-9a-f]*\) .*/\1/p' | sort; }
outs() { lt read | grep '^out'; }
# same A B…: every folder holds the same set of ops
same() { local d first; first=$(cd "$1" && ids); for d; do [ "$(cd "$d" && ids)" = "$first" ] || return 1; done; }
# chain FOLDER: every op of every log reads, and git finds nothing wrong
intact() { ! lt read | grep -q '^out' && sg fsck --strict --no-dangling >"$T/fsck" 2>&1 && ! grep -q . <(grep -v unborn "$T/fsck"); }
# raw WRITER LINE…: appends lines, as they are, as one commit to that writer's log
raw() {
	local w=$1 old tree new; shift
	old=$(sg rev-parse -q --verify "refs/killick/log/$w")
	tree=$(sg hash-object -t tree -w /dev/null)
	new=$({ printf 'raw\n\n'; printf '%s\n' "$@"; } | sg commit-tree "$tree" ${old:+-p "$old"})
	sg update-ref "refs/killick/log/$w" "$new"
}
sha() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }
# op WRITER SEQ PREV LAMPORT [REPO [TYPE [VERSION]]]: the bytes of an op
op() {
	local prev=null entity=null; [ -n "$3" ] && prev="\"$3\""
	printf '{"v":%s,"repo":"%s","writer":"%s","seq":%s,"prev":%s,"lamport":%s,"entity":%s,"type":"%s","author":{"name":"M","email":"m@x"},"time":"2026-01-02T03:04:05Z","payload":{"kind":"note","body":"x","anchor":{"type":"project"}}}' \
		"${7:-1}" "${5:-$(repo_id)}" "$1" "$2" "$prev" "$4" "$entity" "${6:-open}"
}
W1=11111111111111111111111111111111 W2=22222222222222222222222222222222
