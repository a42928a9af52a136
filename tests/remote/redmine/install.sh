#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install.sh: Debian's packages of a Redmine with SQLite, once, as root. Nothing is started, no database is made.
set -eu
. "$(dirname "$0")/env.sh"
packages=(redmine redmine-sqlite puma ruby-bootsnap sqlite3 git curl)
have=$(dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | grep -cx installed || true)
[ "$have" -lt "${#packages[@]}" ] || exit 0
export DEBIAN_FRONTEND=noninteractive
echo 'redmine redmine/instances/default/dbconfig-install boolean false' | debconf-set-selections
dpkg --configure -a    # mends an installation that was tried without BUNDLER_VERSION
apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "${packages[@]}"
