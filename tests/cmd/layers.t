#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The house's floors: a room includes its own floor and those below, never above; each library has one owner.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
cd "$KILLICK_TEST_SRC" || exit 1
below=
floors="base model text git anchor store remote sync cmd hook lsp tui"
for f in $floors; do
	below="$below${below:+|}$f"
	[ -d "src/$f" ] || [ -d "include/killick/$f" ] || continue
	bad=$(grep -rnE '#include "killick/' "src/$f" "include/killick/$f" 2>/dev/null | grep -vE "#include \"killick/($below)/")
	is "$bad" "" "$f includes nothing from above"
done
owner() { # owner HEADER FLOOR…
	local h=$1; shift
	is "$(grep -rlE "#include <$h" src include | grep -vE "^(src|include/killick)/($*)/")" "" "only $* includes $h"
}
owner 'jansson\.h' 'base'
owner 'utf8proc\.h' 'text|model'
owner 'md4c\.h' 'text'
owner 'git2' 'git'
owner 'sqlite3\.h' 'store'
owner 'curses\.h' 'tui'
owner 'curl/' 'remote'
needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(lib[a-z0-9_]*\).*/\1/p' | sort | tr '\n' ' '; }
if command -v readelf >/dev/null && [ -x "${KILLICK_REMOTE-}" ]; then
	unlike "$(needs "$KILLICK_TEST_BIN")" 'libcurl|libgit2' "killick links neither libcurl nor libgit2"
	unlike "$(needs "$KILLICK_REMOTE")" 'libgit2|sqlite|curses|md4c' "killick-remote links no more than it needs"
fi
is "$(grep -rlE '#include <(n?curses|ncursesw/curses)' src | wc -l | awk '{print ($1 <= 1)}')" 1 "one file owns curses"
is "$(grep -rnE '\b(sprintf|strcpy|strcat|strtok|atoi|gets|system|popen)\(' src include)" "" "no banned function"
done_testing
