#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian package: what it builds with is what quickstart installs, its version is ours, and what it ships exists.
. "${KILLICK_TEST_SRC:-.}/tests/lib.sh" || exit 1
src=$KILLICK_TEST_SRC debian=$KILLICK_TEST_SRC/contrib/debian

# What a minimal build host has anyway (build-essential), or what the package needs only to run.
given='gcc make libc6-dev autoconf automake git ca-certificates'
libraries() { tr -s ' \t' '\n\n' | grep -vwF "${given// /$'\n'}" | sort -u; }
wanted=$(sed -n '/^build_packages=(/,/)$/p' "$src/contrib/quickstart" | sed 's/^build_packages=(//; s/)$//' | libraries)
listed=$(sed -n '/^Build-Depends:/,/^[A-Z]/p' "$debian/control" | sed '1s/^[^:]*://; /^[A-Z]/d' | sed 's/([^)]*)//g; s/,/ /g; s/debhelper-compat//' | tr -s '\n' ' ' | libraries)
is "$(echo $listed)" "$(echo $wanted)" "built with what quickstart installs"
is "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$debian/changelog")" "$(sed -n 's/^AC_INIT(\[killick\], \[\(.*\)\])/\1/p' "$src/configure.ac")" "the version is configure's"
missing=
for f in $(cut -d' ' -f1 "$debian/killick.install" "$debian/killick.examples" "$debian/killick.docs"); do
	[ -e "$src/$f" ] || missing+=" $f"
done
is "$missing" "" "every file that it ships is there"
done_testing
