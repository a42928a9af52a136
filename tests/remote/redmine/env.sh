# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by the scripts here: what a private Redmine of Debian's packages needs in its environment.
# BUNDLER_VERSION: Debian 12's security update of ruby3.1 (3.1.7) brings bundler 2.3.27, which takes Debian's gems (no folder
# below gems/) for deleted; Redmine's own post-install step then fails with "Could not find racc-1.6.2.gem for installation".
# Debian's ruby-bundler, 2.3.15, works; it must be named to apt as well as to every later bundle, rake and puma.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset BUNDLE_GEMFILE RUBYOPT GEM_HOME GEM_PATH
export BUNDLER_VERSION=2.3.15 RAILS_ENV=production REDMINE_LANG=en SCHEMA=/dev/null LANG=C.UTF-8 BUNDLE_SILENCE_ROOT_WARNING=1
site=instances/default
die() { echo "redmine: $*" >&2; exit 1; }
