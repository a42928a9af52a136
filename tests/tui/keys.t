#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# killick-keys(5) prints the built-in key table, line for line.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
cd "$KILLICK_TEST_SRC" || exit 1
sed -n '/keymap_defaults\[\] =/,/;$/s/^\t"\(.*\)\\n";*$/\1/p' src/tui/keys.c | sed 's/\\\(["\\]\)/\1/g' >"$T/code"
sed -n '/^\.Bd -literal/,/^\.Ed/p' man/killick-keys.5 | sed '/^\.[BE]d/d; s/^\\&//; s/\\-/-/g; s/\\e/\\/g' >"$T/page"
[ "$(wc -l <"$T/code")" -gt 60 ]; ok $? "there is a table"
is "$(diff "$T/code" "$T/page")" "" "the manual prints it"
mandoc -T lint -W error man/killick-keys.5 >/dev/null; ok $? "in a page that mandoc takes"
done_testing
