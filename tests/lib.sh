# SPDX-License-Identifier: MIT
# Shell tests: `. "$KILLICK_TEST_SRC/tests/lib.sh"`, then ok/is/like/run lines, then done_testing.
# Each test file gets its own HOME, XDG folders and scratch folder, a frozen clock and a plain git; nothing of the
# user's is read or written. TAP goes to standard output.
set -u
: "${KILLICK_TEST_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}"
[ -n "${KILLICK_TEST_BIN-}" ] || for KILLICK_TEST_BIN in "$KILLICK_TEST_SRC/killick" "$KILLICK_TEST_SRC/_build/killick"; do
	[ ! -x "$KILLICK_TEST_BIN" ] || break
done
[ -n "${KILLICK_REMOTE-}" ] || KILLICK_REMOTE=$KILLICK_TEST_BIN-remote
export KILLICK_TEST_SRC KILLICK_TEST_BIN KILLICK_REMOTE
T=$(mktemp -d "${TMPDIR:-/tmp}/killick-test.XXXXXX")
trap 'chmod -R u+rwX "$T" 2>/dev/null; rm -rf "$T"' EXIT
mkdir "$T/bin" "$T/home"
ln -s "$KILLICK_TEST_BIN" "$T/bin/killick"
ln -s "$KILLICK_TEST_BIN" "$T/bin/git-killick"
export PATH="$T/bin:$PATH" HOME="$T/home" LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
unset XDG_CACHE_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR VISUAL EDITOR PAGER NO_COLOR CDPATH GIT_DIR \
	GIT_WORK_TREE GIT_INDEX_FILE KILLICK_TRACE
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'
export KILLICK_CLOCK='2026-01-02T04:00:00Z+'
git config --global user.name Ana
git config --global user.email ana@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global protocol.file.allow always
# Nothing goes on behind a test that did not ask for it.
git config --global killick.place.background false
cd "$T" || exit 1

tap_n=0 tap_bad=0
ok() { # ok STATUS NAME
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $tap_n - $2"; else tap_bad=$((tap_bad + 1)); echo "not ok $tap_n - $2"; fi
}
diag() { printf '%s\n' "$*" | sed 's/^/# /' | cat -v; }
is() { # is GOT WANTED NAME
	[ "$1" = "$2" ]; local s=$?; ok $s "$3"
	[ $s -eq 0 ] || { diag "got:    $1"; diag "wanted: $2"; }
}
like() { # like TEXT EXTENDED-REGEX NAME
	printf '%s' "$1" | grep -qE -e "$2"; local s=$?; ok $s "$3"
	[ $s -eq 0 ] || { diag "got:    $1"; diag "wanted: /$2/"; }
}
unlike() { # unlike TEXT EXTENDED-REGEX NAME
	! printf '%s' "$1" | grep -qE -e "$2"; local s=$?; ok $s "$3"
	[ $s -eq 0 ] || { diag "got:    $1"; diag "unwanted: /$2/"; }
}
# run COMMAND…: standard output in $out, standard error in $err, status in $st
run() { out=$("$@" 2>"$T/stderr"); st=$?; err=$(cat "$T/stderr"); }
# json TEXT EXPRESSION: a Python expression over the document d
json() { printf '%s' "$1" | /usr/bin/python3 -c 'import json,sys
d=json.load(sys.stdin); v=eval(sys.argv[1]); print(v if isinstance(v,str) else json.dumps(v))' "$2"; }
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
done_testing() { echo "1..$tap_n"; [ "$tap_bad" -eq 0 ]; exit; }
# repo NAME: a new repository with one commit of a small C file, and the working folder in it
repo() {
	git init -q "$1" && cd "$1" || exit 1
	mkdir -p src docs
	printf 'line %s\n' 1 2 3 4 5 6 7 8 9 10 >src/a.c
	printf '# Guide\n\nhello\n\n## Install\n\n### Debian\n\napt\n' >docs/guide.md
	git add . && git commit -qm 'start'
}
